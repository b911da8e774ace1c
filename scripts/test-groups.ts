/**
 * Which test files share a process. The start of a process and the loading of what it imports are two fifths of the
 * processor time of the tests beside the sources; most of those only call functions, and run as well one after the other.
 *
 * In a group each file is a test with subtests: its hooks are its own, and it ends before the next begins. A file that
 * deals with the process itself, with other processes or threads, with native code or with the time that something takes
 * has a process of its own, and so has everything outside the sources.
 *
 * @module scripts/test-groups
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';

/** Files of a group: enough to save most starts, few enough that a failure is soon told. */
const GROUP_FILES = 20;
/** What a file says that may not share a process. */
const APART = new RegExp(
  [
    String.raw`\bprocess\.|globalThis|\bmock\b|memoryUsage|performance\b`,
    'node:(async_hooks|child_process|cluster|diagnostics_channel|inspector|v8|vm|worker_threads)',
    String.raw`\bWorker\b|\bspawn|\bfork\(|koffi|llama|/ggml/|createEngine|createHost|createTextThread|createParserPool|startNode|testing/nodes`,
  ].join('|'),
);

export interface TestGroups {
  /** Files with a process each. */
  readonly alone: readonly string[];
  readonly groups: readonly (readonly string[])[];
}

/** @param files relative, with forward slashes @param read the text of one */
export function groupTests(files: readonly string[], read: (file: string) => string): TestGroups {
  const bound = isBound(read);
  const joined = files.filter(
    (file) => /^(web\/)?src\//.test(file) && !APART.test(read(file)) && !bound(file),
  );
  // Few files are asked for by somebody who works on them: each by itself, as if nothing else were there.
  if (joined.length <= GROUP_FILES) return { alone: files, groups: [] };
  const shared = new Set(joined);
  const groups: string[][] = [];
  for (let at = 0; at < joined.length; at += GROUP_FILES) groups.push(joined.slice(at, at + GROUP_FILES));
  return { alone: files.filter((file) => !shared.has(file)), groups };
}

/**
 * Whether a file, or one that it imports, waits at its top: such a one cannot be loaded at once. Or imports one that has
 * hooks: they would be those of the first file that imports it.
 */
function isBound(read: (file: string) => string): (file: string) => boolean {
  const known = new Map<string, boolean>();
  const bound = (file: string, imported: boolean): boolean => {
    const before = known.get(file);
    if (before !== undefined) return before;
    known.set(file, false);
    const text = read(file);
    const parts = [
      ...text.matchAll(
        /^(?:(?:import|export)\b(?! type\b)[^;]*?|\} )from '(\.[^']+\.ts)';|^import '(\.[^']+\.ts)';/gm,
      ),
    ];
    const found =
      /^(?:export )?(?:const [^=]+= )?\(?await /m.test(text) ||
      (imported && /^(?:before|after|beforeEach|afterEach)\(/m.test(text)) ||
      parts.some(([, from, bare]) => bound(posix.join(posix.dirname(file), (from ?? bare)!), true));
    known.set(file, found);
    return found;
  };
  return (file) => bound(file, false);
}

/** Name of the file that runs a group. */
export const groupFile = /kith-test-groups-\w+[\\/]group-\d+\.test\.mjs$/;

/**
 * A file is loaded when its turn comes, which is what the test is for: what it makes at its top may have a time limit. It is
 * loaded all at once inside a suite: its tests and hooks become that suite's, and begin when all of the file is there.
 */
const joining = `import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
const require = createRequire(import.meta.url);
const join = (name, path) => test(name, () => void describe(name, () => void require(path)));
`;

/** Writes the files that run the groups. They are gone when this is disposed. */
export function writeGroups(root: string, groups: TestGroups['groups']): Disposable & { files: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'kith-test-groups-'));
  const files = groups.map((group, index) => {
    const path = join(folder, `group-${index}.test.mjs`);
    const suites = group.map((file) => {
      return `await join(${JSON.stringify(file)}, ${JSON.stringify(join(root, file))});\n`;
    });
    writeFileSync(path, `${joining}${suites.join('')}`);
    return path;
  });
  return { files, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
