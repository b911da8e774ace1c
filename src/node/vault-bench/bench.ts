/**
 * `kith vpk bench`: the same vectors kept plainly here, sealed at Eves, and split over Eves of two operators; with waits put
 * before each answer as long as ways over the Internet take. Eves and Bob share this process: what each computes adds up in the
 * times, which two machines would do at once.
 *
 * @module node/vault-bench/bench
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSeededRandom,
  silentLogger,
  systemClock,
  systemRandom,
  throwIfAborted,
  toHex,
} from '../../base/index.ts';
import { createVectorIndex, followVectors, openKnowledgeStore, quantise } from '../../knowledge/index.ts';
import {
  buildSplit,
  createCollection,
  createEve,
  createSplitSearcher,
  digestOf,
  fitProjection,
  type LocalEve,
  type PlacedEve,
  project,
  rootOf,
  tenantAt,
  type VaultRoot,
} from '../../vault/index.ts';
import { lazy } from './lazy.ts';
import { knownPairs, perturbed } from './perturbed.ts';
import { type BenchRow, FEW_QUERIES, type KnownPairsRow } from './types.ts';
import { type BenchVectors, benchVectors, exactly, product } from './vectors.ts';

export interface BenchOptions {
  readonly vectors: number;
  readonly dimension: number;
  readonly queries: number;
  readonly eves: readonly number[];
  readonly rtts: readonly number[];
  readonly signal: AbortSignal;
  readonly onRow: (row: BenchRow) => void;
}

const K = 10;
/** Candidates of a coarse search that are computed again exactly. */
const AGAIN = 60;
const PER_DOCUMENT = 10;
/** Passages whose documents are put with one wait for the disk, as many as a call of the embedder takes in. */
const TOGETHER = 130;
/** Questions for scores alone that an Eve's arithmetic is measured by. */
const ROUNDS = 8;
const textOf = (at: number): string => `Passage ${at}. ${'It says what such passages say. '.repeat(12)}`;

interface Figures {
  readonly times: number[];
  hits: number;
  up: number;
  down: number;
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;

export const vaultBench = ({
  vectors,
  dimension,
  queries,
  ...options
}: BenchOptions): Promise<readonly KnownPairsRow[]> =>
  benchOver(benchVectors(vectors, queries, dimension), options);

/** Over any vectors. Resolves with how far known pairs get against `perturbed`. */
export async function benchOver(
  data: BenchVectors,
  { eves, rtts, signal, onRow }: Omit<BenchOptions, 'vectors' | 'dimension' | 'queries'>,
): Promise<readonly KnownPairsRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-vault-bench-'));
  const truth = data.queries.map((query) => exactly(data.rows, query, K));
  const random = createSeededRandom(1);
  const root = rootOf(random.bytes(32));

  async function measure(
    search: (query: Float32Array) => Promise<{ found: readonly number[]; up?: number; down?: number }>,
    queries = data.queries.length,
  ) {
    const figures: Figures = { times: [], hits: 0, up: 0, down: 0 };
    // The first search brings what is kept afterwards.
    await search(data.queries[0]!);
    for (let i = 0; i < queries; i++) {
      throwIfAborted(signal);
      const began = performance.now();
      const { found, up = 0, down = 0 } = await search(data.queries[i]!);
      figures.times.push(performance.now() - began);
      figures.hits += found.filter((at) => truth[i]!.has(at)).length;
      figures.up += up;
      figures.down += down;
    }
    const sorted = figures.times.toSorted((a, b) => a - b);
    return {
      ...{ p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), recall: figures.hits / (K * queries) },
      ...{ up: Math.round(figures.up / queries), down: Math.round(figures.down / queries) },
    };
  }

  try {
    await plain(data, join(folder, 'plain.sqlite'), measure, onRow);
    for (const count of eves) {
      throwIfAborted(signal);
      const place = join(folder, `${count}`);
      await sealed({ data, root, count, rtts, folder: join(place, 'sealed'), signal }, measure, onRow);
      await rm(place, { recursive: true, force: true });
      {
        const own = join(place, 'lazy');
        using eves = await evesOf({ data, root, count, rtts, folder: join(own, 'eves'), signal });
        await lazy({ data, root, eves, rtts, folder: join(own, 'kb'), textOf, signal }, measure, onRow);
      }
      await rm(place, { recursive: true, force: true });
      if (count >= 2)
        await split({ data, root, count, rtts, folder: join(place, 'split'), signal }, measure, onRow);
      await rm(place, { recursive: true, force: true });
      {
        using eves = await evesOf({ data, root, count, rtts, folder: join(place, 'perturbed'), signal });
        await perturbed({ data, root, eves, rtts, textOf, signal }, measure, onRow);
      }
      await rm(place, { recursive: true, force: true });
    }
    return knownPairs(data, root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export type Measure = (
  search: (query: Float32Array) => Promise<{ found: readonly number[]; up?: number; down?: number }>,
  queries?: number,
) => Promise<Pick<BenchRow, 'p50' | 'p95' | 'recall'> & { up: number; down: number }>;

/** One file of a knowledge base, searched here. */
async function plain(
  { rows, dimension }: BenchVectors,
  path: string,
  measure: Measure,
  onRow: BenchOptions['onRow'],
): Promise<void> {
  const began = performance.now();
  using store = openKnowledgeStore({
    path,
    create: { name: 'bench', clock: systemClock },
    embedder: { id: 'bench', hash: 'b'.repeat(64), dimension },
  });
  const put = (at: number): void => {
    const own = rows.slice(at, at + PER_DOCUMENT);
    const vectors = new Float32Array(own.length * dimension);
    for (const [i, row] of own.entries()) vectors.set(row, i * dimension);
    store.put(
      {
        ...{ path: `${at}.txt`, title: `${at}`, titled: false, type: 'txt', hash: systemRandom.bytes(32) },
        ...{ recipe: 'bench', bytes: 1, modified: 0, pages: null, properties: {}, tags: [], aliases: [] },
        ...{ links: [], notes: [] },
      },
      own.map((_, i) => ({
        ...{ id: toHex(systemRandom.bytes(16)), position: i, title: `${at}`, text: `Passage ${at + i}.` },
        ...{ tokens: 3, place: { line: i + 1 } },
      })),
      vectors,
      [],
    );
  };
  for (let at = 0; at < rows.length; at += TOGETHER)
    store.atOnce(() => {
      for (let own = at; own < Math.min(at + TOGETHER, rows.length); own += PER_DOCUMENT) put(own);
    });
  await using following = followVectors(store);
  const index = (await following.current())!;
  await following.settled();
  const uploadMs = performance.now() - began;
  const figures = await measure(async (query) => {
    const near = await index.nearest(query, { limit: 40 });
    const list = near.map(({ row }) => row);
    const scored = following
      .exact(list)
      .map((vector, i) => ({ at: list[i]! - 1, score: product(vector!, query) }))
      .sort((a, b) => b.score - a.score);
    return { found: scored.slice(0, K).map(({ at }) => at) };
  });
  onRow({
    ...{ mode: 'plain', eves: 0, rttMs: 0, uploadMs, eveMs: null, bobMs: figures.p50 },
    ...figures,
    ...{ up: null, down: null },
  });
}

interface AtEves {
  readonly data: BenchVectors;
  readonly root: VaultRoot;
  readonly count: number;
  readonly rtts: readonly number[];
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface BenchEves extends Disposable {
  readonly placed: readonly PlacedEve[];
  /** Ms of arithmetic, and bytes, of all together since it was asked last. */
  taken(): { readonly ms: number; readonly calls: number; readonly up: number; readonly down: number };
  /** From now on answers wait. */
  slow(rttMs: number): void;
}

async function evesOf({ data, root, count, folder }: AtEves): Promise<BenchEves> {
  let wait = 0;
  let sum = { ms: 0, calls: 0, up: 0, down: 0 };
  const eves: LocalEve[] = [];
  const label = root.label('bench');
  const placed: PlacedEve[] = [];
  for (let i = 0; i < count; i++) {
    const eve = createEve({
      ...{ folder: join(folder, `${i}`), capacityBytes: 1e12, largestBytes: 1e12, days: 9, graceDays: 9 },
      ...{ reserveBytes: 0, memoryBytes: 1 << 30, clock: systemClock, log: silentLogger },
    });
    eves.push(eve);
    const tenant = tenantAt(`eve-${i}`, label, async (metadata, payload) => {
      if (wait > 0) await systemClock.sleep(wait);
      const began = performance.now();
      const { metadata: told, payload: bytes = new Uint8Array(0) } = await eve.answer({
        ...{ peer: '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pn', welcome: true, metadata, payload },
      });
      sum = {
        ...{ ms: sum.ms + performance.now() - began, calls: sum.calls + 1 },
        ...{ up: sum.up + payload.length, down: sum.down + bytes.length },
      };
      return { metadata: told, payload: bytes };
    });
    // Blocks of vectors, rows of vectors and of texts, and as much again.
    await tenant.create(2 ** 28 + 2 * data.rows.length * (6 * data.dimension + 2048), 5);
    placed.push({ peer: `eve-${i}`, operator: `operator ${i % 2}`, tenant });
  }
  return {
    placed,
    taken() {
      const taken = sum;
      sum = { ms: 0, calls: 0, up: 0, down: 0 };
      return taken;
    },
    slow(rttMs) {
      wait = rttMs;
    },
    [Symbol.dispose]() {
      for (const eve of eves) eve[Symbol.dispose]();
    },
  };
}

/** Vectors are searched here, of a small index that is fetched once; texts are fetched when they are shown. */
async function sealed(at: AtEves, measure: Measure, onRow: BenchOptions['onRow']): Promise<void> {
  const { data, root, count, rtts, signal } = at;
  using eves = await evesOf(at);
  const began = performance.now();
  const collection = createCollection({
    ...{ id: 'bench', root, eves: eves.placed, replicas: Math.min(2, count), random: systemRandom },
    ...{ clock: systemClock, log: silentLogger, hedgeMs: 10_000, reached: 0, onReached: () => {} },
  });
  const documents = Math.ceil(data.rows.length / PER_DOCUMENT);
  const read = (name: string): Uint8Array => {
    const first = Number(name.slice(2)) * PER_DOCUMENT;
    const own = data.rows.slice(first, first + PER_DOCUMENT);
    const vectors = Buffer.concat(own.map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength)));
    return Buffer.concat([vectors, Buffer.from(own.map((_, i) => textOf(first + i)).join('\n'))]);
  };
  await collection.sync(
    {
      *list() {
        for (let i = 0; i < documents; i++) yield { name: `d/${i}`, digest: digestOf(Buffer.from(`${i}`)) };
      },
      read: async (name) => read(name),
    },
    { info: {}, signal },
  );
  const uploadMs = performance.now() - began;
  const flat = new Float32Array(Math.min(10_000, data.rows.length) * data.dimension);
  for (let i = 0; i < flat.length / data.dimension; i++) flat.set(data.rows[i]!, i * data.dimension);
  const to = Math.min(192, data.dimension);
  const projection = fitProjection(flat, data.dimension, to);
  await using index = createVectorIndex({ dimension: to, rows: data.rows.length });
  for (const [row, vector] of data.rows.entries()) {
    const small = project(projection, vector);
    const length = Math.hypot(...small);
    index.put({ row, ...quantise(small.map((value) => value / (length || 1))) });
  }
  const manifest = await collection.open();
  let bob = 0;
  const search = async (query: Float32Array) => {
    const from = performance.now();
    const small = project(projection, query);
    const length = Math.hypot(...small);
    const near = await index.nearest(
      small.map((value) => value / (length || 1)),
      { limit: AGAIN },
    );
    bob += performance.now() - from;
    // The exact vectors lie with the texts.
    const names = [...new Set(near.map(({ row }) => Math.floor(row / PER_DOCUMENT)))];
    const parts = new Map(
      await Promise.all(
        names.map(async (document) => {
          const bytes = await collection.read(manifest, `d/${document}`, signal);
          return [
            document,
            new Float32Array(
              Uint8Array.from(bytes).buffer,
              0,
              Math.min(PER_DOCUMENT, data.rows.length - document * PER_DOCUMENT) * data.dimension,
            ),
          ] as const;
        }),
      ),
    );
    const { up, down } = eves.taken();
    const scored = near
      .map(({ row }) => {
        const begin = (row % PER_DOCUMENT) * data.dimension;
        const vector = parts.get(Math.floor(row / PER_DOCUMENT))!.subarray(begin, begin + data.dimension);
        return { at: row, score: product(vector, query) };
      })
      .sort((a, b) => b.score - a.score);
    return { found: scored.slice(0, K).map(({ at: found }) => found), up, down };
  };
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  for (const rttMs of rtts) {
    eves.slow(rttMs);
    eves.taken();
    bob = 0;
    const figures = await measure(search, queries);
    onRow({
      mode: 'sealed',
      eves: count,
      rttMs,
      uploadMs,
      ...figures,
      eveMs: null,
      bobMs: bob / (queries + 1),
    });
  }
}

async function split(at: AtEves, measure: Measure, onRow: BenchOptions['onRow']): Promise<void> {
  const { data, root, count, rtts, signal } = at;
  using eves = await evesOf(at);
  const keys = root.keysOf('bench', 1);
  const began = performance.now();
  const index = await buildSplit(
    {
      ...{ count: data.rows.length, dimension: data.dimension },
      *items() {
        for (const [i, vector] of data.rows.entries()) yield { vector, text: Buffer.from(textOf(i)) };
      },
    },
    {
      ...{ keys, random: systemRandom, signal },
      async put(_id, block) {
        for (const { tenant } of eves.placed) await tenant.put(block);
      },
    },
  );
  const uploadMs = performance.now() - began;
  const colour = (which: number) => eves.placed.filter((_, i) => i % 2 === which);
  const searcher = createSplitSearcher({
    ...{ keys, index, colours: { first: colour(0), second: colour(1) } },
    ...{ random: systemRandom, clock: systemClock, hedgeMs: 10_000 },
  });
  // Blocks come into the memory of the Eves.
  await searcher.search(data.queries[0]!, K);
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  const ids = index.scores.map(({ id }) => id).slice(0, 64);
  const share = systemRandom.bytes(288);
  for (const rttMs of rtts) {
    eves.slow(rttMs);
    let bob = 0;
    const figures = await measure(async (query) => {
      const { hits, times } = await searcher.search(query, K, signal);
      bob += times.bob;
      return { found: hits.map((hit) => hit.at), up: times.bytesUp, down: times.bytesDown };
    }, queries);
    eves.taken();
    for (let i = 0; i < ROUNDS; i++) await eves.placed[0]!.tenant.score(ids, share);
    const eveMs = (eves.taken().ms / ROUNDS) * (index.scores.length / ids.length);
    onRow({ mode: 'split', eves: count, rttMs, uploadMs, ...figures, eveMs, bobMs: bob / (queries + 1) });
  }
}
