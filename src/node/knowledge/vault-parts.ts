/**
 * A knowledge base as objects that a vault keeps: a copy is made first, so that what is placed is one state of it.
 *
 * @module node/knowledge/vault-parts
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Random, requireDiskSpace, toHex } from '../../base/index.ts';
import { type KnowledgeStore, openKnowledgeStore, openParts } from '../../knowledge/index.ts';
import { digestOf, type ObjectSource } from '../../vault/index.ts';
import { removeDatabase } from './admitting.ts';

/** Ms of work after which others of this thread get their turn. */
const SLICE_MS = 20;
/** Of a part of a document: who searches what lies at Eves reads some of them for each question. */
const DOCUMENT_PART_BYTES = 48 << 10;

export interface KbObjects extends AsyncDisposable {
  readonly source: ObjectSource;
  /** Of the knowledge base when it was copied. */
  readonly version: number;
  /** The copy as a knowledge base; who opens it closes it. */
  open(): KnowledgeStore;
}

export async function objectsOf(
  store: KnowledgeStore,
  random: Pick<Random, 'bytes'>,
  signal: AbortSignal,
): Promise<KbObjects> {
  await removeLeft(store.path);
  const path = `${store.path}.${toHex(random.bytes(6))}.tmp`;
  try {
    await requireDiskSpace(path, store.counts().bytes);
    const version = store.version();
    await store.backup(path, { signal });
    const parts = openParts(path, { documentPartBytes: DOCUMENT_PART_BYTES });
    return {
      version,
      open: () => openKnowledgeStore({ path }),
      source: {
        async *list() {
          let began = performance.now();
          for (const name of parts.names()) {
            yield { name, digest: digestOf(parts.read(name)!) };
            if (performance.now() - began < SLICE_MS) continue;
            await new Promise((resolve) => setImmediate(resolve));
            began = performance.now();
          }
        },
        read: async (name) => parts.read(name),
      },
      async [Symbol.asyncDispose]() {
        parts[Symbol.dispose]();
        await removeDatabase(path);
      },
    };
  } catch (error) {
    await removeDatabase(path);
    throw error;
  }
}

/** Copies that were left when the node was killed. One is made at a time: whoever comes next removes them. */
export async function removeLeft(path: string): Promise<void> {
  const name = basename(path);
  for (const entry of await readdir(dirname(path)))
    if (entry.startsWith(`${name}.`) && /^\.[0-9a-f]{12}\.tmp(?:-wal|-shm)?$/.test(entry.slice(name.length)))
      await rm(join(dirname(path), entry), { force: true });
}
