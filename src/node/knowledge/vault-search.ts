/**
 * Searching a knowledge base where it lies: at two Eves that learn neither the question nor what is found. All that is needed here is the
 * key, the model that made the vectors, and an Eve.
 *
 * @module node/knowledge/vault-search
 */
import { type CborMap, type Clock, isKithError, isMap, KithError, type Random } from '../../base/index.ts';
import type { EmbedderIdentity } from '../../knowledge/index.ts';
import type { PlacedSearchView } from '../../server/index.ts';
import {
  type Collection,
  coloursOf,
  createSplitSearcher,
  type Manifest,
  type PlacedEve,
  REVIEW_WARNING,
  readIndex,
  type SplitSearcher,
  type VaultRoot,
} from '../../vault/index.ts';
import type { Embedders } from './embedders.ts';
import { unpackPassage } from './vault-passages.ts';

/** For how long a state is searched before the Eves are asked whether there is a newer one, ms. */
const FRESH_MS = 60_000;
/** Collections whose index is kept: some MB each. */
const KEPT = 4;
const MAX = { id: 500, hash: 200, dimension: 16_384 } as const;

export interface PlacedSearcher {
  /** @throws KithError `vault_search_sealed`, `vault_not_kept`; InputError `embedder_mismatch`; of the vault and the model store */
  search(order: PlacedSearchOrder): Promise<PlacedSearchView>;
  /** It was placed anew, changed or removed from here. */
  forget(id: string): void;
}

export interface PlacedSearchOrder {
  readonly name: string;
  readonly collection: Collection;
  readonly eves: readonly PlacedEve[];
  readonly query: string;
  readonly k: number;
  readonly signal: AbortSignal;
}

interface Opened {
  readonly searcher: SplitSearcher | null;
  readonly embedder: EmbedderIdentity | null;
  readonly number: number;
  /** Ms of the clock that goes on. */
  readonly at: number;
  /** Of which Eves it asks. */
  readonly eves: string;
}

export function createPlacedSearcher(parts: {
  readonly root: () => VaultRoot;
  readonly embedders: () => Promise<Pick<Embedders, 'named'>>;
  readonly random: Pick<Random, 'bytes' | 'float'>;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly onFault: (peer: string, why: string) => void;
}): PlacedSearcher {
  const { root, embedders, random, clock, onFault } = parts;
  const kept = new Map<string, Opened>();

  async function open({ name, collection, eves, signal }: PlacedSearchOrder): Promise<Opened> {
    const manifest = await collection.open(signal);
    if (manifest.number === 0)
      throw new KithError(
        'vault_not_kept',
        `${name} is not placed yet: its first sync did not end. See how far it is with kith vpk tenant info ${name}.`,
        { status: 404 },
      );
    if (manifest.mode !== 'split')
      throw new KithError(
        'vault_search_sealed',
        `${name} is ${manifest.mode}: Eves cannot search in it. Fetch it with kith vpk restore ${name}, or place it again with --mode split.`,
        { status: 409 },
      );
    const index = await readIndex(manifest.entries.keys(), (object) =>
      collection.read(manifest, object, signal),
    );
    const searcher =
      index.count === 0
        ? null
        : createSplitSearcher({
            keys: root().keysOf(collection.id, manifest.epoch),
            ...{ index, colours: coloursOf(eves), random, clock, onFault },
          });
    return {
      ...{ searcher, embedder: embedderOf(manifest), number: manifest.number },
      ...{ at: clock.monotonic(), eves: evesKey(eves) },
    };
  }

  async function openedFor(order: PlacedSearchOrder): Promise<Opened> {
    const { id } = order.collection;
    const known = kept.get(id);
    if (known !== undefined && clock.monotonic() - known.at < FRESH_MS && known.eves === evesKey(order.eves))
      return known;
    kept.delete(id);
    const made = await open(order);
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(id, made);
    return made;
  }

  return {
    async search(order) {
      const { collection, query, k, signal } = order;
      for (;;) {
        const began = clock.monotonic();
        const wasKept = kept.get(collection.id);
        const opened = await openedFor(order);
        const openMs = clock.monotonic() - began;
        try {
          return await searched(opened, openMs);
        } catch (error) {
          if (!isKithError(error) || error.code !== 'vault_unreachable') throw error;
          // Blocks of a former state are gone when another machine placed a newer one.
          kept.delete(collection.id);
          if (opened !== wasKept) throw error;
        }
      }

      async function searched(
        { searcher, embedder, number }: Opened,
        openMs: number,
      ): Promise<PlacedSearchView> {
        const view = {
          mode: 'split' as const,
          ...{ kb: order.name, number, warning: REVIEW_WARNING, learned: LEARNED },
        };
        if (searcher === null || embedder === null)
          return { ...view, hits: [], times: { ...NO_TIMES, open: openMs }, bytesUp: 0, bytesDown: 0 };
        const from = clock.monotonic();
        const model = await (await embedders()).named(embedder);
        const vector = await model.embed([query], { kind: 'query', signal });
        const embed = clock.monotonic() - from;
        const { hits, times } = await searcher.search(vector, k, signal);
        const { bob, scores, rows, texts, bytesUp, bytesDown } = times;
        return {
          ...view,
          hits: hits.map(({ score, text }) => ({ score, ...unpackPassage(text) })),
          times: { open: openMs, embed, own: bob, scores, rows, texts },
          ...{ bytesUp, bytesDown },
        };
      }
    },
    forget: (id) => void kept.delete(id),
  };
}

const NO_TIMES = { open: 0, embed: 0, own: 0, scores: 0, rows: 0, texts: 0 };

const LEARNED = [
  'Each Eve learned that this node searched, when, how many blocks there are, and how many rounds the texts took.',
  'Neither learned the question, the scores or which passages were found, unless Eves of both halves put together what they saw.',
] as const;

const evesKey = (eves: readonly PlacedEve[]): string =>
  eves.map(({ peer, operator }) => `${peer} ${operator}`).join('\n');

/** Who made the vectors: what the head says, sealed. */
export const embedderInfo = (embedder: EmbedderIdentity | null): CborMap =>
  embedder === null
    ? {}
    : { embedder: { id: embedder.id, hash: embedder.hash, dimension: embedder.dimension } };

function embedderOf({ info }: Manifest): EmbedderIdentity | null {
  const told = info.embedder;
  if (!isMap(told)) return null;
  const { id, hash, dimension } = told;
  const sound =
    typeof id === 'string' &&
    id.length <= MAX.id &&
    typeof hash === 'string' &&
    hash.length <= MAX.hash &&
    typeof dimension === 'number' &&
    dimension <= MAX.dimension;
  return sound ? { id, hash, dimension } : null;
}
