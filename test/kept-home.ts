/**
 * A home with two small models, made once by the product and kept beside the test models. Tests get copies of it in which
 * the model files are symbolic links: a home of its own costs each test 0.3 s of processor time, most of it hashing, and
 * hard links of one file change its times, so that every node that starts meanwhile would hash it again.
 *
 * @module test/kept-home
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setInFile } from '../src/base/index.ts';
import { createModelStore } from '../src/models/index.ts';
import { CACHE, exists, type TestModelName, testModel } from './models/index.ts';
import { withLock } from './models/lock.ts';

const MODELS = [
  { id: 'tiny', name: 'minimind2-q8_0', task: 'chat' },
  { id: 'tiny-embed', name: 'minilm-q8_0', task: 'embedding' },
] as const satisfies readonly { id: string; name: TestModelName; task: string }[];

const SETTINGS = {
  'models.default': 'tiny',
  'models.embedding': 'tiny-embed',
  'server.port': '0',
  'engine.threads': '1',
  'engine.device': 'cpu',
} as const;

/** Fills a new, empty folder. */
export async function fillHome(path: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const { id, name } of MODELS) files[id] = await ownCopy(name);
  const kept = join(CACHE, `home-${await codeKey()}`);
  if (!(await exists(kept)))
    await withLock(`${kept}.lock`, async () => {
      if (!(await exists(kept))) await make(kept, files);
    });
  await copyFile(join(kept, 'config.yaml'), join(path, 'config.yaml'));
  for (const { id } of MODELS) {
    const [from, to] = [kept, path].map((home) => join(home, 'models', id)) as [string, string];
    await mkdir(to, { recursive: true });
    for (const name of await readdir(from))
      if (name !== 'model.gguf') await copyFile(join(from, name), join(to, name));
    await symlink(files[id]!, join(to, 'model.gguf'));
  }
}

/** A copy of a test model that nothing else links to. */
async function ownCopy(name: TestModelName): Promise<string> {
  const model = await testModel(name);
  const path = model.replace(/\.gguf$/, '-of-homes.gguf');
  if (!(await exists(path)))
    await withLock(`${path}.lock`, async () => {
      if (await exists(path)) return;
      await copyFile(model, `${path}.tmp`);
      await rename(`${path}.tmp`, path);
    });
  return path;
}

/** Changes with the code that writes what is kept. */
async function codeKey(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([MODELS, SETTINGS]));
  const folder = join(import.meta.dirname, '..', 'src', 'models');
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((each) => /(?<!\.test)\.ts$/.test(each)).sort())
    hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

async function make(kept: string, files: Readonly<Record<string, string>>): Promise<void> {
  const home = `${kept}.tmp`;
  await rm(home, { recursive: true, force: true });
  await using store = createModelStore({ home });
  for (const { id, task } of MODELS) {
    await store.add(files[id]!, { id, link: true, task });
    const path = join(home, 'models', id, 'model.gguf');
    await rm(path);
    await symlink(files[id]!, path);
  }
  // Notes the files as they are now that no other name of theirs is left.
  for (const { id } of MODELS) await store.verify(id);
  for (const [key, value] of Object.entries(SETTINGS)) await setInFile(home, key, value);
  await rename(home, kept);
}
