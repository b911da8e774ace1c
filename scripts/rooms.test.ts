import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRooms, documentedRooms, importsOf, ROOMS } from './rooms.ts';

const check = (path: string, text: string) =>
  checkRooms([{ path, text }]).map(({ line, message }) => `${line} ${message}`);

test('a room imports the doors of rooms below it', () => {
  assert.deepEqual(check('src/engine/kv/cells.ts', "import { KithError } from '../../base/index.ts';\n"), []);
  assert.deepEqual(check('src/engine/a.ts', "import type { Gguf } from '../models/index.ts';\n"), []);
  assert.deepEqual(check('src/cli/main.ts', "import './group/start.ts';\nimport fs from 'node:fs';\n"), []);
});

test('an import upward is a violation, in tests and as a type too', () => {
  const expected = ['2 models/ may not import engine/, which stands above it (../engine/index.ts)'];
  for (const path of ['src/models/store.ts', 'src/models/store.test.ts']) {
    for (const what of ['import { a }', 'import type { a }', 'export *', 'export { a }']) {
      assert.deepEqual(check(path, `\n${what} from '../engine/index.ts';\n`), expected, what);
    }
  }
});

test('behind a door only tests may look', () => {
  const text = "import { parse } from '../models/gguf/read.ts';\n";
  assert.deepEqual(check('src/engine/a.ts', text), [
    '1 models/ is entered by its door only, src/models/index.ts (../models/gguf/read.ts)',
  ]);
  assert.deepEqual(check('src/engine/a.test.ts', text), []);
  assert.equal(check('src/engine/a.ts', "import type { Gguf } from '../models/types.ts';\n").length, 1);
});

test('dynamic imports, files named by URL and imports over several lines count', () => {
  const cases = [
    "const a = await import('../node/index.ts');",
    "new Worker(new URL('../node/thread.ts', import.meta.url));",
    "import {\n  one,\n  two,\n} from '../node/index.ts';",
    "let a: typeof import('../node/index.ts');",
    "import '../node/index.ts';",
  ];
  for (const text of cases) {
    assert.deepEqual(
      check('src/gateway/a.ts', text).map((line) => line.replace(/ \(.*/, '')),
      [`${text.split('\n').length} gateway/ may not import node/, which stands above it`],
      text,
    );
  }
});

test('comments and look-alikes are not imports', () => {
  const text = [
    '/**',
    " import { a } from '../cli/main.ts';",
    ' */',
    "// import { a } from '../cli/main.ts';",
    "// await import('../cli/main.ts')",
    "const url = new URL('../cli/notes.txt', import.meta.url);",
    "import { join } from 'node:path';",
  ];
  assert.deepEqual(importsOf(text.join('\n')), []);
});

test('product code imports nothing from outside src, tests may', () => {
  const text = "import { testModel } from '../../test/models/index.ts';\n";
  assert.deepEqual(check('src/engine/a.test.ts', text), []);
  assert.match(check('src/engine/a.ts', text)[0]!, /outside src/);
});

test('a room without a place in the order is named', () => {
  assert.match(check('src/attic/a.ts', '')[0]!, /attic.* has no place/);
  assert.match(check('src/cli/a.ts', "import '../attic/index.ts';")[0]!, /attic.* has no place/);
});

test('a circle of rooms is shown as one', () => {
  const files = [
    { path: 'src/engine/a.ts', text: "import '../models/index.ts';" },
    { path: 'src/models/b.ts', text: "import '../base/index.ts';" },
    { path: 'src/base/c.ts', text: "\nimport '../engine/index.ts';" },
  ];
  const messages = checkRooms(files).map(({ path, line, message }) => `${path}:${line} ${message}`);
  assert.deepEqual(messages, [
    'src/base/c.ts:2 base/ may not import engine/, which stands above it (../engine/index.ts)',
    'src/base/c.ts:2 rooms import each other in a circle: engine -> models -> base -> engine',
  ]);
});

test('the order here is the one that ARCHITECTURE.md draws', () => {
  const text = readFileSync(join(import.meta.dirname, '..', 'ARCHITECTURE.md'), 'utf8');
  assert.deepEqual(documentedRooms(text), [...ROOMS]);
});
