/**
 * Judged sets through the product's own path: documents into the store of a knowledge base, a chunk each (as the published
 * figures have them: title and text, cut at 256 tokens), questions through the retriever.
 *
 * @module bench/knowledge/quality
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import {
  type Comparison,
  type Cost,
  compare,
  costOf,
  type JudgedSet,
  judge,
  type Measure,
  type Run,
  readJudgedSet,
  type Verdict,
} from '../../src/knowledge/evaluate/index.ts';
import { followGraph, mentionsOf } from '../../src/knowledge/graph/index.ts';
import type { Embedder } from '../../src/knowledge/index.ts';
import { createRetriever, type SearchOptions } from '../../src/knowledge/retrieve/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../../src/knowledge/store/index.ts';
import { vectorsOf } from './embedder.ts';

export interface SetPlan {
  readonly name: string;
  /** What its figures are to be: measure, of which run, at least (and at most). */
  readonly goals: readonly {
    readonly run: string;
    readonly measure: Measure;
    readonly least: number;
    readonly most?: number;
  }[];
}

export const SETS: readonly SetPlan[] = [
  {
    name: 'scifact',
    goals: [
      { run: 'words', measure: 'ndcg@10', least: 0.675, most: 0.695 },
      { run: 'vectors', measure: 'ndcg@10', least: 0.642, most: 0.648 },
      { run: 'both', measure: 'ndcg@10', least: 0.73 },
    ],
  },
  { name: 'cranfield', goals: [{ run: 'both', measure: 'ndcg@10', least: 0.415 }] },
  { name: 'hotpotqa_train100_hipporag', goals: [{ run: 'graph', measure: 'recall@5', least: 0.93 }] },
  { name: 'musique_train100_hipporag', goals: [{ run: 'graph', measure: 'recall@5', least: 0.68 }] },
];

const RUNS: Readonly<Record<string, SearchOptions>> = {
  words: { by: 'words' },
  vectors: { by: 'vectors' },
  both: { by: 'both' },
  'both, half each': { by: 'both', alpha: 0.5 },
  graph: { by: 'graph' },
  auto: { by: 'auto' },
};
const DEPTH = 100;

export interface SetResult {
  readonly name: string;
  readonly documents: number;
  readonly questions: number;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly runs: ReadonlyMap<string, Run>;
  /** Questions by the way that was taken, where the form of the question chooses. */
  readonly routes: ReadonlyMap<string, number>;
  /** For all vectors and the graph to be in memory. */
  readonly warmMs: number;
  readonly graphMs: readonly number[];
  /** Both against words alone. */
  readonly comparison: Comparison;
  readonly cost: Cost;
}

/** Null when the folder has no such set. */
export async function runSet(
  folder: string,
  name: string,
  open: () => Promise<Embedder>,
): Promise<SetResult | null> {
  const path = join(folder, name);
  if (!existsSync(join(path, 'corpus.jsonl'))) return null;
  const set = await readJudgedSet(path);
  const texts = set.documents.map(({ title, text }) => `${title} ${text}`.trim());
  const questions = await vectorsOf(
    `${name}-queries`,
    'query',
    set.questions.map(({ text }) => text),
    open,
  );
  const vectors = await vectorsOf(`${name}-corpus`, 'passage', texts, open);
  const home = await mkdtemp(join(tmpdir(), 'kith-bench-knowledge-'));
  try {
    const file = join(home, 'set.kb');
    using store = openKnowledgeStore({ path: file, create: { name, clock: systemClock } });
    const indexMs = fill(store, set, vectors);
    const asked = set.questions.map(({ text }) => text);
    await using retriever = createRetriever({
      ...{ store, embedder: recorded(asked, questions), graph: followGraph(store) },
    });
    const warming = performance.now();
    await retriever.warm();
    const warmMs = performance.now() - warming;
    const verdicts = new Map<string, Verdict>();
    const runs = new Map<string, Run>();
    const queryMs: number[] = [];
    const graphMs: number[] = [];
    const routes = new Map<string, number>();
    for (const [label, options] of Object.entries(RUNS)) {
      const run = new Map<string, { id: string; score: number }[]>();
      for (const { id, text } of set.questions) {
        const from = performance.now();
        const found = await retriever.search(text, { ...options, limit: DEPTH, dropDuplicates: false });
        if (label === 'both') queryMs.push(performance.now() - from);
        if (label === 'graph') graphMs.push(performance.now() - from);
        if (label === 'auto') routes.set(found.route!.taken, (routes.get(found.route!.taken) ?? 0) + 1);
        run.set(
          id,
          found.hits.map(({ chunk, score }) => ({ id: chunk.path.slice('set/'.length), score })),
        );
      }
      runs.set(label, run);
      verdicts.set(label, judge(run, set));
    }
    const of = (label: string): readonly number[] => verdicts.get(label)!.values.get('ndcg@10')!;
    return {
      ...{ name, verdicts, runs, documents: set.documents.length, questions: set.questions.length },
      comparison: compare(of('both'), of('words'), { random: createSeededRandom(7) }),
      ...{ routes, warmMs, graphMs },
      cost: costOf({
        ...{ chunks: set.documents.length, indexMs, queryMs, memoryBytes: await slabBytes(store) },
        diskBytes: (await stat(file)).size,
      }),
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

export function fill(store: KnowledgeStore, set: JudgedSet, vectors: Float32Array): number {
  store.useEmbedder(IDENTITY);
  const from = performance.now();
  set.documents.forEach(({ id, title, text }, i) => {
    const hash = createHash('sha256').update(id).update(text).digest();
    const chunk = { id: hash.toString('hex', 0, 16), position: 0, title, text, tokens: 0, place: {} };
    store.put(
      {
        ...{
          path: `set/${id}`,
          title,
          titled: title !== '',
          type: 'txt',
          hash,
          recipe: 'whole',
          bytes: text.length,
        },
        ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
      },
      [chunk],
      vectors.subarray(i * IDENTITY.dimension, (i + 1) * IDENTITY.dimension),
      mentionsOf({ title, document: BARE, chunks: [chunk] }),
    );
  });
  return performance.now() - from;
}

const BARE = {
  ...{ title: null, sections: [], links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] },
} as const;
const IDENTITY = { id: 'all-MiniLM-L6-v2', hash: 'minilm-f16-256', dimension: 384 } as const;

/** An embedder that gives the vectors of these texts, which were made before. */
export function recorded(texts: readonly string[], rows: Float32Array): Embedder {
  const { dimension } = IDENTITY;
  const known = new Map(texts.map((text, i) => [text, rows.subarray(i * dimension, (i + 1) * dimension)]));
  return {
    ...IDENTITY,
    window: 254,
    async embed(asked) {
      const vectors = new Float32Array(asked.length * dimension);
      asked.forEach((text, i) => {
        vectors.set(known.get(text)!, i * dimension);
      });
      return vectors;
    },
    countTokens: async (asked) => asked.map(() => 0),
  };
}

async function slabBytes(store: KnowledgeStore): Promise<number> {
  const { followVectors } = await import('../../src/knowledge/vectors/index.ts');
  await using following = followVectors(store);
  return (await following.current())?.bytes ?? 0;
}
