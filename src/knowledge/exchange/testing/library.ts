/**
 * Knowledge bases of a few documents, and folders that they are exported to.
 *
 * @module knowledge/exchange/testing/library
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { followFacts, followGraph } from '../../graph/index.ts';
import { mentionsOf } from '../../graph/mentions.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../../store/index.ts';
import { createKbView, exportNotes, importNotes } from '../index.ts';

export const root = await mkdtemp(join(tmpdir(), 'kith-notes-'));
after(() => rm(root, { recursive: true, force: true }));
let folders = 0;

export const idOf = (title: string, text: string): string =>
  createHash('sha256').update(`${title}\0${text}`).digest('hex').slice(0, 32);

export function open(documents: Readonly<Record<string, string>> = {}): KnowledgeStore {
  const store = openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });
  for (const [path, text] of Object.entries(documents)) put(store, path, text);
  return store;
}

export function put(store: KnowledgeStore, path: string, text: string): void {
  const title = path.replace(/^.*\/|\.\w+$/gu, '');
  const document = {
    ...{ title, sections: [], links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] },
  };
  const chunks = [{ id: idOf(title, text), position: 0, title, text, tokens: 1, place: {} }];
  store.put(
    {
      ...{ path, titled: true, type: 'md', hash: new Uint8Array(32), recipe: 'test', bytes: 1, modified: 0 },
      ...document,
    },
    chunks,
    null,
    mentionsOf({ title, document, chunks }),
  );
}

export function of(store: KnowledgeStore, folder = join(root, String(++folders))) {
  const graph = followGraph(store);
  const facts = followFacts(store);
  const view = async () => createKbView({ store, graph, names: await facts.current(), folders: [] });
  return {
    folder,
    out: async (least = 1) => exportNotes(await view(), { folder, least }),
    back: async (dryRun = false) =>
      importNotes(await view(), store, { folder, dryRun, clock: { now: () => 5 } }),
    note: (name: string) => readFile(join(folder, 'Entities', `${name}.md`), 'utf8'),
    async edit(name: string, change: (text: string) => string): Promise<void> {
      const file = join(folder, 'Entities', `${name}.md`);
      const before = await readFile(file, 'utf8');
      const changed = change(before);
      assert.notEqual(changed, before, 'the edit changes something');
      await writeFile(file, changed);
    },
  };
}

/** Every file with its bytes and when it was written. */
export async function stateOf(folder: string): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const { mtimeNs, ino } = await stat(file, { bigint: true });
    state[file] = `${mtimeNs} ${ino} ${await readFile(file, 'utf8')}`;
  }
  return state;
}

export const DOCUMENTS = {
  'notes/engine.md': 'Ada Lovelace worked with Charles Babbage in London. Ada Lovelace wrote notes.',
  'notes/letters.md': 'A letter from Charles Babbage to Ada Lovelace. C Babbage signed it.',
  'notes/city.md': 'London was home to Charles Babbage.',
};
export function library(): KnowledgeStore {
  const store = open(DOCUMENTS);
  const sentence = 'Ada Lovelace worked with Charles Babbage in London.';
  const evidence = { chunk: idOf('engine', DOCUMENTS['notes/engine.md']), sentence };
  const by = { by: 'model', model: 'm', evidence, made: 1 } as const;
  store.assert([
    { ...by, subject: 'ada lovelace', property: 'type', value: 'Person' },
    { ...by, subject: 'ada lovelace', property: 'summary', value: 'Wrote the first *program*.' },
    {
      ...by,
      subject: 'ada lovelace',
      property: 'relation',
      relation: 'colleague',
      object: 'charles babbage',
    },
    { ...by, subject: 'ada lovelace', property: 'birthDate', value: '1815' },
    { ...by, subject: 'london', property: 'type', value: 'City' },
  ]);
  return store;
}
