/**
 * Speed: exact search over vectors in memory, and whole questions over a store, beside other engines in the same run.
 *
 * @module bench/knowledge/speed
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import { quantile } from '../../src/knowledge/evaluate/index.ts';
import { createRetriever } from '../../src/knowledge/retrieve/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../../src/knowledge/store/index.ts';
import { createVectorIndex, dot, quantize } from '../../src/knowledge/vectors/index.ts';
import { table } from '../lib/stats.ts';
import { recorded } from './quality.ts';
import { type Contender, hasRivals, installRivals, lancedb, pgvector, usearch } from './rivals.ts';
import { makeVectors, nearestExactly, type VectorSet } from './vectors.ts';

const K = 10;
/** Rows that are computed again with exact vectors. */
const RESCORED = 40;
const QUERIES = 300;
const JUDGED = 100;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const ms = (value: number): string => value.toFixed(value < 10 ? 3 : 1);

/** @param rows where exact vectors come from: memory, or the file of a KB as in the product. */
function own(set: VectorSet, kind: 'relaxed' | 'baseline' | 'scalar', exact: 'memory' | 'store'): Contender {
  const index = createVectorIndex({ dimension: set.dimension, kind, threads: 0, rows: set.rows.length });
  let store: KnowledgeStore | null = null;
  let folder: string | null = null;
  return {
    name: `Kith, ${kind}, exact rows from ${exact === 'memory' ? 'memory' : 'the file'}`,
    async build() {
      if (exact === 'store') {
        folder = await mkdtemp(join(tmpdir(), 'kith-bench-scan-'));
        store = openKnowledgeStore({
          path: join(folder, 'scan.kb'),
          create: { name: 'scan', clock: systemClock },
        });
        fill(store, set, () => 'text');
        for (const row of store.slab()) index.put(row);
      } else {
        set.rows.forEach((row, i) => {
          index.put({ row: i + 1, ...quantize(row) });
        });
      }
    },
    async search(query, k) {
      const near = await index.nearest(query, { limit: Math.max(RESCORED, 4 * k) });
      const rows = near.map(({ row }) => row);
      const vectors = store === null ? rows.map((row) => set.rows[row - 1]!) : store.f32(rows);
      return rows
        .map((row, i) => ({ row, score: dot(vectors[i]!, query) }))
        .sort((a, b) => b.score - a.score || a.row - b.row)
        .slice(0, k)
        .map(({ row }) => row - 1);
    },
    async [Symbol.asyncDispose]() {
      store?.close();
      await index[Symbol.asyncDispose]();
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Documents of 50 chunks, all rows of the set in order. */
function fill(store: KnowledgeStore, set: VectorSet, textOf: (row: number) => string): void {
  store.useEmbedder({ id: 'all-MiniLM-L6-v2', hash: 'minilm-f16-256', dimension: set.dimension });
  const PER_DOCUMENT = 50;
  for (let at = 0; at < set.rows.length; at += PER_DOCUMENT) {
    const rows = set.rows.slice(at, at + PER_DOCUMENT);
    const vectors = new Float32Array(rows.length * set.dimension);
    rows.forEach((row, i) => {
      vectors.set(row, i * set.dimension);
    });
    store.put(
      {
        ...{
          path: `d/${at}`,
          title: `d${at}`,
          titled: false,
          type: 'txt',
          hash: new Uint8Array(32),
          recipe: 'bench',
        },
        ...{
          bytes: 1,
          modified: at,
          pages: null,
          properties: {},
          tags: [],
          aliases: [],
          links: [],
          notes: [],
        },
      },
      rows.map((_, i) => ({
        ...{
          id: (at + i).toString(16).padStart(32, '0'),
          position: i,
          title: '',
          text: textOf(at + i),
          tokens: 0,
          place: {},
        },
      })),
      vectors,
      [],
    );
  }
}

/** @param real vectors of text instead of made ones, and what they are of. */
export async function scanSpeed(options: {
  readonly install: boolean;
  readonly count?: number;
  readonly real?: VectorSet;
}): Promise<void> {
  const set =
    options.real === undefined
      ? makeVectors(options.count ?? 50_000, QUERIES)
      : { ...options.real, queries: options.real.queries.slice(0, QUERIES) };
  const truth = set.queries.slice(0, JUDGED).map((query) => nearestExactly(set, query, K));
  const makers: (() => Contender | Promise<Contender>)[] = [
    () => own(set, 'relaxed', 'memory'),
    () => own(set, 'relaxed', 'store'),
    () => own(set, 'baseline', 'memory'),
    () => own(set, 'scalar', 'memory'),
  ];
  if (hasRivals() || (options.install && installRivals()))
    makers.push(
      () => usearch(set),
      () => lancedb(set),
      () => pgvector(set),
    );
  else console.log('Rivals are not installed, and left out: --rivals installs them into bench/knowledge.');
  const rows: string[][] = [];
  for (const make of makers) {
    try {
      await using contender = await make();
      const before = process.memoryUsage.rss();
      const from = performance.now();
      await contender.build();
      const built = performance.now() - from;
      const memory = process.memoryUsage.rss() - before;
      for (const query of set.queries.slice(0, 30)) await contender.search(query, K);
      const times: number[] = [];
      const found: (readonly number[])[] = [];
      for (const query of set.queries) {
        const start = performance.now();
        found.push(await contender.search(query, K));
        times.push(performance.now() - start);
      }
      const hits = truth.reduce(
        (sum, right, i) => sum + right.filter((row) => found[i]!.includes(row)).length,
        0,
      );
      rows.push([
        contender.name,
        ms(quantile(times, 0.5)),
        ms(quantile(times, 0.95)),
        ms(quantile(times, 0.99)),
        ms(Math.min(...times)),
        (hits / (JUDGED * K)).toFixed(4),
        `${(built / 1000).toFixed(2)} s`,
        mib(memory),
      ]);
      console.error(rows.at(-1)!.join(' | '));
    } catch (error) {
      rows.push([String(error).slice(0, 100), '-', '-', '-', '-', '-', '-', '-']);
    }
  }
  console.log(
    `\n${set.rows.length} vectors of ${set.dimension} (${options.real === undefined ? 'made' : 'of text'}), the ${K} nearest, one at a time\n\n${table(
      ['engine', 'p50 ms', 'p95 ms', 'p99 ms', 'least ms', 'recall', 'built in', 'memory'],
      rows,
    )}`,
  );
}

/** Whole questions over 50,000 chunks of made-up English: words drawn as they occur (Zipf), a topic's words in its chunks. */
export async function searchSpeed(count = 50_000): Promise<void> {
  const set = makeVectors(count, QUERIES);
  const random = createSeededRandom(23);
  const zipf = (): number => Math.min(29_999, Math.floor(30_000 ** random.float()) - 1);
  const word = (n: number): string => {
    let rest = n + 37;
    let text = '';
    while (rest > 0) {
      text += 'bdfgklmnprstvz'[rest % 14]! + 'aeiou'[rest % 5]!;
      rest = Math.floor(rest / 14);
    }
    return text;
  };
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-search-'));
  try {
    const path = join(folder, 'search.kb');
    using store = openKnowledgeStore({ path, create: { name: 'search', clock: systemClock } });
    const from = performance.now();
    fill(store, set, () => Array.from({ length: 150 }, () => word(zipf())).join(' '));
    const filled = performance.now() - from;
    const questions = set.queries.map(
      (_, i) => `${Array.from({ length: 8 }, () => word(zipf() + 100)).join(' ')} ${i}`,
    );
    const vectors = new Float32Array(set.queries.length * set.dimension);
    set.queries.forEach((query, i) => {
      vectors.set(query, i * set.dimension);
    });
    await using retriever = createRetriever({ store, embedder: recorded(questions, vectors) });
    const loading = performance.now();
    const before = process.memoryUsage.rss();
    await retriever.warm();
    const loaded = performance.now() - loading;
    const memory = process.memoryUsage.rss() - before;
    const rows: string[][] = [];
    for (const [label, options] of [
      ['words', { by: 'words' }],
      ['vectors', { by: 'vectors' }],
      ['both', { by: 'both' }],
      ['both, one document', { filter: { paths: ['d/100'] } }],
      ['both, filter by time', { filter: { modifiedFrom: count / 2 } }],
    ] as const) {
      const times: number[] = [];
      for (const question of questions) {
        const start = performance.now();
        await retriever.search(question, options);
        times.push(performance.now() - start);
      }
      rows.push([label, ms(quantile(times, 0.5)), ms(quantile(times, 0.95)), ms(Math.max(...times))]);
    }
    console.log(
      `\nQuestions of 9 words (none of the 100 most frequent) over ${count} chunks of 150 words, without embedding the question\n\n${table(['by', 'p50 ms', 'p95 ms', 'most ms'], rows)}`,
    );
    const { size } = await stat(path);
    const thousands = count / 1000;
    console.log(
      `\nFor 1,000 chunks: ${(filled / 1000 / thousands).toFixed(3)} s to store (without parsing and embedding), ${mib(size / thousands)} on disk, ${mib(memory / thousands)} of memory for search. Vectors are in memory ${(loaded / 1000).toFixed(2)} s after opening.`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
