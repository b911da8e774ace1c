/**
 * Puts documents into the KB at a path until that fails, and prints the path of each that was put, then the error's code.
 *
 * @module test/knowledge/full-process
 */
import { isKithError, systemClock } from '../../src/base/index.ts';
import { openKnowledgeStore } from '../../src/knowledge/index.ts';

using store = openKnowledgeStore({ path: process.argv[2]!, create: { name: 'Full', clock: systemClock } });
try {
  for (let i = 0; i < 1000; i++) {
    const path = `notes/${i}.txt`;
    const text = `${'word '.repeat(1000)}${i}`;
    store.put(
      {
        ...{ path, title: 'Note', titled: false, type: 'text', hash: new Uint8Array(32), recipe: '' },
        ...{ bytes: text.length, modified: 1, pages: null, properties: {}, tags: [], aliases: [] },
        ...{ links: [], notes: [] },
      },
      [{ id: i.toString(16).padStart(32, '0'), position: 0, title: 'Note', text, tokens: 1000, place: {} }],
      null,
      [],
    );
    process.stdout.write(`${path}\n`);
  }
} catch (error) {
  process.stdout.write(`failed ${isKithError(error) ? error.code : String(error)}\n`);
}
