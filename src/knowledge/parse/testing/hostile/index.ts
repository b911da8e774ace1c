/**
 * Files that strangers may give, made to break parsers, each with what may come of it. None is larger than some megabytes.
 *
 * @module knowledge/parse/testing/hostile/index
 */
import { bait } from './bait.ts';
import { bombs, loops } from './bombs.ts';
import type { HostileFile } from './file.ts';
import { lines } from './lines.ts';
import { nesting } from './nesting.ts';
import { damaged, misnamed, truncated } from './sound.ts';

export type { HostileFile } from './file.ts';
export { SOUND } from './sound.ts';

/** All of them, some 300. */
export function hostileFiles(): HostileFile[] {
  return [
    ...nesting(),
    ...bombs(),
    ...loops(),
    ...lines(),
    ...bait(),
    ...misnamed(),
    ...damaged(),
    ...truncated(8),
  ];
}

/** Those that take a moment only, and one of each kind that takes longer. */
export function quickHostileFiles(): HostileFile[] {
  const wanted = new Set(
    (
      'deep.json deep.yaml deep.toml deep-keys.toml deep.docx deep.xlsx deep.pptx deep-open.json deep-templates.wiki deep-dump.xml ' +
      'deep-parts.eml deep-arrays.pdf zip-in-zip.docx lying-bomb.docx escape.docx laughs.yaml laughs.md loop.yaml entities.docx ' +
      'entities.xml external.docx loop.doc loop-directory.doc loop-pages.pdf loop-objects.pdf loop-slides.pptx no-streams.doc count.pdf ' +
      'invalid.txt surrogates.txt overlong.md zeros.txt zeros.pdf zeros.docx empty.pdf empty.md empty.json mark.txt keys.json ' +
      'proto.json proto.md proto.toml proto.csv ticks.rst stars.rst open-comment.html wikilinks.md addresses.eml'
    ).split(' '),
  );
  const named = [...nesting(), ...bombs(), ...loops(), ...lines(), ...bait()].filter(({ name }) =>
    wanted.has(name),
  );
  return [...named, ...misnamed(), ...truncated(2)];
}
