import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

function sourcesIn(folder: string): string[] {
  return globSync('**/*.ts', { cwd: join(ROOT, folder) })
    .map((path) => join(ROOT, folder, path))
    .filter((path) => !path.endsWith('.test.ts') && !/[\\/]testing[\\/]/.test(path));
}

/** A module and everything that it loads when it runs, within its folder. */
function reachedFrom(entry: string): string[] {
  const folder = dirname(entry);
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path) || relative(folder, path).startsWith('..') || !existsSync(path)) return;
    found.add(path);
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/\bfrom '(\.[^']+)'/g))
      visit(resolve(dirname(path), specifier!));
  };
  visit(entry);
  return [...found];
}

/** Codes that a text gives to errors: the literals before the first comma of `new KithError(...)` and its like. */
function codesIn(text: string): string[] {
  return [...text.matchAll(/\bnew (?:Kith|Input)Error\(([^,;]*),/g)].flatMap(([, first]) =>
    [...first!.matchAll(/'([a-z][a-z0-9_]*)'/g)].map(([, code]) => code!),
  );
}

const codesOf = (paths: readonly string[]) =>
  new Map(paths.flatMap((path) => codesIn(readFileSync(path, 'utf8')).map((code) => [code, path] as const)));

/** Codes, with the file that has each, that a document does not name; `gguf_...` names all that begin so. */
function missing(codes: ReadonlyMap<string, string>, document: string): string[] {
  const text = readFileSync(join(ROOT, 'docs', document), 'utf8');
  const families = [...text.matchAll(/`([a-z0-9]+_)\.\.\.`/g)].map(([, start]) => start!);
  return [...codes]
    .filter(([code]) => !text.includes(`\`${code}\``) && !families.some((start) => code.startsWith(start)))
    .map(([code, path]) => `${code} (${relative(ROOT, path)})`);
}

test('docs/troubleshooting.md names every error code of the server, the gateway, the engine, the identity room and the parsers', () => {
  const codes = codesOf([
    ...sourcesIn('src/server'),
    ...sourcesIn('src/engine'),
    ...sourcesIn('src/identity'),
    ...sourcesIn('src/knowledge/parse'),
    // What stands in the folder and is not part of a node yet reaches nobody.
    ...reachedFrom(join(ROOT, 'src', 'gateway', 'index.ts')),
  ]);
  for (const known of [
    'invalid_json',
    'schema_unsupported',
    'model_loading',
    'key_expired',
    'identity_lost',
    'parse_memory',
  ])
    assert.ok(codes.has(known), `${known} was not found in the sources`);
  assert.deepEqual(missing(codes, 'troubleshooting.md'), []);
});

test("docs/api.md names every error code of OpenAI's routes and of structured output", () => {
  const folders = ['src/server/http', 'src/server/openai', 'src/engine/grammar'];
  assert.deepEqual(missing(codesOf(folders.flatMap(sourcesIn)), 'api.md'), []);
});
