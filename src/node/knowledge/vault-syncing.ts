/**
 * What Eves keep of a knowledge base, made equal to it, in the mode in which it is placed.
 *
 * @module node/knowledge/vault-syncing
 */
import type { EmbedderIdentity } from '../../knowledge/index.ts';
import type { SyncReport, VaultMode } from '../../vault/index.ts';
import { perturbedObjects } from './vault-perturbed.ts';
import { sealedObjects } from './vault-sealed.ts';
import { embedderInfo } from './vault-search.ts';
import type { SearchedWork } from './vault-searched.ts';
import { splitObjects } from './vault-split.ts';

export interface PlacedSync extends SearchedWork {
  /** Of the knowledge base. */
  readonly name: string;
  readonly mode: VaultMode;
  /** Who made its vectors: a machine that searches with the key alone has to know. */
  readonly embedder: EmbedderIdentity | null;
}

export async function syncPlaced({ name, mode, embedder, ...work }: PlacedSync): Promise<SyncReport> {
  const { collection, objects, signal, told, rotate = false } = work;
  const put = rotate ? collection.rotate : collection.sync;
  const info = { kb: name, ...embedderInfo(embedder) };
  if (mode === 'sealed') {
    const { source, info: more } = await sealedObjects({ objects, collection, embedder, signal, told });
    return put(source, { info: { ...info, ...more }, mode, everywhere: [], signal, told });
  }
  const { source, everywhere, state, bytes, away, from } = await (mode === 'split'
    ? splitObjects
    : perturbedObjects)(work);
  const report = await put(source, {
    ...{ info: { ...info, [mode]: state }, mode, everywhere, from, signal, told },
  });
  return {
    ...report,
    uploadedBytes: report.uploadedBytes + bytes,
    away: new Map([...away, ...report.away]),
  };
}
