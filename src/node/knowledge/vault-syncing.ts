/**
 * What Eves keep of a knowledge base, made equal to it, in the mode in which it is placed.
 *
 * @module node/knowledge/vault-syncing
 */
import type { EmbedderIdentity } from '../../knowledge/index.ts';
import type { SyncReport, VaultMode } from '../../vault/index.ts';
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
  const { collection, objects, signal, told } = work;
  const info = { kb: name, ...embedderInfo(embedder) };
  if (mode !== 'split') return collection.sync(objects.source, { info, mode, everywhere: [], signal, told });
  const { source, everywhere, state, bytes, away } = await splitObjects(work);
  const report = await collection.sync(source, {
    ...{ info: { ...info, split: state }, mode, everywhere, signal, told },
  });
  return {
    ...report,
    uploadedBytes: report.uploadedBytes + bytes,
    away: new Map([...away, ...report.away]),
  };
}
