/**
 * The newest manifest that the Eves of a collection have, read and checked.
 *
 * An Eve may show an old head. The newest of all that answer counts, and who has seen a newer one before says so instead of
 * going back without a word.
 *
 * @module vault/collection/manifest-view
 */
import { type CborMap, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { VaultRoot } from '../keys/keys.ts';
import { type PlacedEve, type ReadOptions, readBlock } from '../place/reader.ts';
import { type Head, headNumber, openHead, openPage, pageOf, type VaultMode } from '../seal/manifest.ts';
import { damaged } from '../seal/record.ts';
import type { Entry } from '../seal/segment.ts';
import { awayText } from './put.ts';

export const HEAD_NAME = 'main';

export interface Manifest {
  /** 0: nothing was placed yet. */
  readonly number: number;
  readonly epoch: number;
  readonly mode: VaultMode;
  readonly pages: readonly string[];
  /** Blocks that all Eves hold. */
  readonly everywhere: readonly string[];
  readonly info: CborMap;
  /** By name. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** The number of the head that each Eve showed; those that did not answer are not here. */
  readonly heads: ReadonlyMap<string, number>;
  /** Why the others did not. */
  readonly away: ReadonlyMap<string, string>;
}

export interface Heads {
  readonly newest: Head | null;
  readonly heads: ReadonlyMap<string, number>;
  readonly away: ReadonlyMap<string, string>;
}

/** @throws KithError `vault_unreachable`: no Eve answered */
export async function readHeads(
  collection: string,
  root: VaultRoot,
  eves: readonly PlacedEve[],
  signal?: AbortSignal,
): Promise<Heads> {
  const heads = new Map<string, number>();
  const away = new Map<string, string>();
  let newest: Head | null = null;
  await Promise.all(
    eves.map(async ({ peer, tenant }) => {
      try {
        const row = await tenant.head(HEAD_NAME, signal);
        if (row === null) return void heads.set(peer, 0);
        const head = openHead((epoch) => root.keysOf(collection, epoch), row.bytes);
        if (headNumber(row.bytes).number !== row.number) throw damaged('the head');
        heads.set(peer, head.number);
        if (newest === null || head.number > newest.number) newest = head;
      } catch (error) {
        away.set(peer, messageOf(error));
      }
    }),
  );
  throwIfAborted(signal);
  if (heads.size === 0)
    throw new KithError(
      'vault_unreachable',
      `No Eve of this collection answered. ${awayText(away) || 'It has none.'}`,
      { status: 503 },
    );
  return { newest, heads, away };
}

/** @param atLeast the newest number that was seen before @throws KithError `vault_rolled_back` */
export async function readManifest(
  collection: string,
  root: VaultRoot,
  eves: readonly PlacedEve[],
  atLeast: number,
  reading: ReadOptions,
): Promise<Manifest> {
  const { newest, heads, away } = await readHeads(collection, root, eves, reading.signal);
  if ((newest?.number ?? 0) < atLeast)
    throw new KithError(
      'vault_rolled_back',
      `The Eves that answer show state ${newest?.number ?? 0} of this collection, but ${atLeast} was reached. ${away.size > 0 ? `Wait for ${[...away.keys()].join(', ')}` : 'They lost what they had taken: place it anew (kith vpk tenant delete, then kith rag connect-eve)'}.`,
      { status: 409, details: { shown: newest?.number ?? 0, reached: atLeast } },
    );
  if (newest === null)
    return {
      ...{ number: 0, epoch: 1, mode: 'sealed', pages: [], everywhere: [], info: {} },
      ...{ entries: new Map(), heads, away },
    };
  const keys = root.keysOf(collection, newest.epoch);
  const entries = new Map<string, Entry>();
  const pages = await Promise.all(
    newest.pages.map((id, index) =>
      readBlock(eves, id, null, (block) => openPage(keys, index, block), reading),
    ),
  );
  for (const [index, page] of pages.entries())
    for (const entry of page) {
      if (pageOf(entry.name, newest.pages.length) !== index) throw damaged(`page ${index} of the manifest`);
      entries.set(entry.name, entry);
    }
  if (entries.size !== newest.objects) throw damaged('the manifest');
  const { number, epoch, mode, info, everywhere } = newest;
  return { number, epoch, mode, pages: newest.pages, everywhere, info, entries, heads, away };
}
