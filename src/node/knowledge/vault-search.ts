/**
 * Searching a knowledge base where it lies: at two Eves that learn neither the question nor what is found (split), at Eves who learn nearly all
 * (perturbed: weak), or here by an
 * index of which what changed is fetched (sealed). All that is needed here is the key, the model that made the vectors, and an Eve.
 *
 * @module node/knowledge/vault-search
 */
import {
  type CborMap,
  type Clock,
  type Config,
  formatBytes,
  formatPlural,
  InputError,
  isKithError,
  isMap,
  KithError,
  type Random,
} from '../../base/index.ts';
import type { EmbedderIdentity } from '../../knowledge/index.ts';
import type { PlacedSearchView } from '../../server/index.ts';
import {
  type Collection,
  coloursOf,
  createSplitSearcher,
  type Manifest,
  noteOf,
  type PlacedEve,
  readIndex,
  type SplitSearcher,
  type VaultMode,
} from '../../vault/index.ts';
import type { Embedders } from './embedders.ts';
import type { Meter } from './vault-meter.ts';
import { unpackPassage } from './vault-passages.ts';
import { PERTURBED_LEARNED, perturbedSearcher, requireMode } from './vault-perturbed.ts';
import type { ReadCache } from './vault-sealed-cache.ts';
import { openSealedIndex, type SealedFilter } from './vault-sealed-search.ts';

/** For how long a state is searched before the Eves are asked whether there is a newer one, ms. */
const FRESH_MS = 60_000;
/** Collections whose index is kept: some MB each. */
const KEPT = 4;
const MAX = { id: 500, hash: 200, dimension: 16_384 } as const;

export interface PlacedSearcher {
  /** @throws KithError `vault_no_index`, `vault_not_kept`; InputError `embedder_mismatch`, `vault_no_filter`; of the vault and the model store */
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
  /** Of a sealed one. */
  readonly filter?: SealedFilter;
  /** What the collection asks Eves for this question. */
  readonly meter: Meter;
  readonly signal: AbortSignal;
}

/** What a question found, whatever the mode. */
interface Asked {
  readonly hits: PlacedSearchView['hits'];
  readonly times: Omit<PlacedSearchView['times'], 'open' | 'embed'>;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly learned: readonly string[];
}

type Searching = (vector: Float32Array, order: PlacedSearchOrder) => Promise<Asked>;

interface Opened {
  readonly mode: PlacedSearchView['mode'];
  /** Null: there is nothing to search in. */
  readonly searching: Searching | null;
  readonly embedder: EmbedderIdentity | null;
  readonly number: number;
  /** Ms of the clock that goes on. */
  readonly at: number;
  /** Of which Eves it asks. */
  readonly eves: string;
  /** Questions under way, and whether it is to be let go of after them. */
  users: number;
  left: boolean;
  readonly close: () => Promise<void>;
}

export function createPlacedSearcher(parts: {
  readonly embedders: () => Promise<Pick<Embedders, 'named'>>;
  readonly reads: () => ReadCache;
  readonly random: Pick<Random, 'bytes' | 'float'>;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly onFault: (peer: string, why: string) => void;
  readonly config: Pick<Config, 'vault'>;
}): PlacedSearcher {
  const { embedders, reads, random, clock, onFault, config } = parts;
  const kept = new Map<string, Opened>();

  async function open(order: PlacedSearchOrder): Promise<Opened> {
    const { name, collection, eves, signal } = order;
    const manifest = await collection.open(signal);
    if (manifest.number === 0)
      throw new KithError(
        'vault_not_kept',
        `${name} is not placed yet: its first sync did not end. See how far it is with kith vpk tenant info ${name}.`,
        { status: 404 },
      );
    const { searching, close } = await SEARCHING[manifest.mode](order, manifest);
    return {
      ...{ mode: manifest.mode, searching, close, users: 0, left: false },
      ...{ embedder: embedderOf(manifest), number: manifest.number },
      ...{ at: clock.monotonic(), eves: evesKey(eves) },
    };
  }

  interface Way {
    readonly searching: Searching | null;
    readonly close: () => Promise<void>;
  }

  const SEARCHING: Record<VaultMode, (order: PlacedSearchOrder, manifest: Manifest) => Promise<Way>> = {
    async sealed({ name, collection, signal }, manifest) {
      if (manifest.info.compact !== 1)
        throw new KithError(
          'vault_no_index',
          `${name} was placed without an index to search it by: an older version of Kith placed it. Bring it up to date on the machine that has it (kith vpk upload ${name}), or fetch it with kith vpk restore ${name}.`,
          { status: 409 },
        );
      reads().keepOnly(collection.id, manifest);
      const index = await openSealedIndex(collection, manifest, clock, signal);
      return {
        close: async () => await index[Symbol.asyncDispose](),
        async searching(vector, order) {
          const { k, filter, meter } = order;
          const began = clock.monotonic();
          const found = await index.search(
            vector,
            { k, signal: order.signal, ...(filter === undefined ? {} : { filter }) },
            order.collection,
          );
          const { hits, rows, texts } = found;
          const own = clock.monotonic() - began - rows - texts;
          return {
            ...{ hits, times: { own, scores: 0, rows, texts }, learned: sealedLearned(meter) },
            ...{ bytesUp: meter.up, bytesDown: meter.down },
          };
        },
      };
    },
    async split({ collection, eves, signal }, manifest) {
      const index = await readIndex(manifest.entries.keys(), (object) =>
        collection.read(manifest, object, signal),
      );
      const close = async () => {};
      if (index.count === 0) return { searching: null, close };
      const searcher = createSplitSearcher({
        keys: collection.keysOf(manifest.epoch),
        ...{ index, colours: coloursOf(eves), random, clock, onFault },
      });
      return { close, searching: atEves(searcher, SPLIT_LEARNED) };
    },
    async perturbed({ collection, eves, signal }, manifest) {
      requireMode('perturbed', config);
      const searcher = await perturbedSearcher({
        ...{ keys: collection.keysOf(manifest.epoch), eves, clock, onFault },
        read: (object) => collection.read(manifest, object, signal),
      });
      const close = async () => {};
      return { close, searching: searcher === null ? null : atEves(searcher, PERTURBED_LEARNED) };
    },
  };

  const atEves =
    (searcher: SplitSearcher, learned: readonly string[]): Searching =>
    async (vector, { k, signal }) => {
      const { hits, times } = await searcher.search(vector, k, signal);
      const { bob, scores, rows, texts, bytesUp, bytesDown } = times;
      return {
        hits: hits.map(({ score, text }) => ({ score, ...unpackPassage(text) })),
        times: { own: bob, scores, rows, texts },
        ...{ bytesUp, bytesDown, learned },
      };
    };

  function leave(id: string): void {
    const known = kept.get(id);
    if (known === undefined) return;
    kept.delete(id);
    known.left = true;
    if (known.users === 0) void known.close();
  }

  async function openedFor(order: PlacedSearchOrder): Promise<Opened> {
    const { id } = order.collection;
    const known = kept.get(id);
    if (known !== undefined && clock.monotonic() - known.at < FRESH_MS && known.eves === evesKey(order.eves))
      return known;
    const made = await open(order);
    leave(id);
    if (kept.size >= KEPT) leave(kept.keys().next().value!);
    kept.set(id, made);
    return made;
  }

  async function searched(opened: Opened, order: PlacedSearchOrder, open: number): Promise<PlacedSearchView> {
    const { mode, number, searching, embedder } = opened;
    const view = { mode, ...noteOf(mode), kb: order.name, number };
    const { filter, meter } = order;
    if (mode !== 'sealed' && Object.values(filter ?? {}).some((value) => value !== undefined))
      throw new InputError(
        'vault_no_filter',
        `${order.name} is placed ${mode}: Eves search all of it and know no paths or times. Leave the filter out, or fetch it with kith vpk restore ${order.name}.`,
      );
    if (searching === null || embedder === null)
      return {
        ...{ ...view, hits: [], times: { ...NO_TIMES, open }, bytesUp: meter.up, bytesDown: meter.down },
        learned: mode === 'sealed' ? sealedLearned(meter) : LEARNED[mode],
      };
    const from = clock.monotonic();
    const model = await (await embedders()).named(embedder);
    const vector = await model.embed([order.query], { kind: 'query', signal: order.signal });
    const embed = clock.monotonic() - from;
    const { times, ...found } = await searching(vector, order);
    return { ...view, ...found, times: { open, embed, ...times } };
  }

  return {
    async search(order) {
      const { id } = order.collection;
      for (;;) {
        const began = clock.monotonic();
        const wasKept = kept.get(id);
        const opened = await openedFor(order);
        opened.users += 1;
        try {
          return await searched(opened, order, clock.monotonic() - began);
        } catch (error) {
          if (!isKithError(error) || !GONE.has(error.code)) throw error;
          // Blocks of a former state are gone when another machine placed a newer one.
          if (kept.get(id) === opened) leave(id);
          if (opened !== wasKept) throw error;
        } finally {
          opened.users -= 1;
          if (opened.left && opened.users === 0) await opened.close();
        }
      }
    },
    forget: leave,
  };
}

const GONE: ReadonlySet<string> = new Set(['vault_unreachable', 'vault_block_lost']);

const NO_TIMES = { open: 0, embed: 0, own: 0, scores: 0, rows: 0, texts: 0 };

const SPLIT_LEARNED = [
  'Each Eve learned that this node searched, when, how many blocks there are, and how many rounds the texts took.',
  'Neither learned the question, the scores or which passages were found, unless Eves of both halves put together what they saw.',
] as const;

const LEARNED = { split: SPLIT_LEARNED, perturbed: PERTURBED_LEARNED } as const;

const sealedLearned = ({ eves, reads, blocks, down }: Meter): readonly string[] =>
  eves.size === 0
    ? ['No Eve was asked: all that was needed is here.']
    : [
        `Of ${formatPlural(eves.size, 'Eve')} this node read ${formatPlural(reads, 'stretch', 'stretches')} of ${formatPlural(blocks.size, 'block')}, ${formatBytes(down)}: which ones, how large and when is what an Eve learned.`,
        'None learned the question, a vector, a score or a text: all is sealed, and was computed here.',
      ];

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
