/**
 * Dreams over judged sets: how much more is known of names, how long that takes, and what it does to search over the graph. With
 * TinyLlama, how much of what it says stands up to the checks.
 *
 * @module bench/knowledge/dream
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { beginDream, type DreamState, dream } from '../../src/knowledge/dream/index.ts';
import { judge, type Measure, type Run, readJudgedSet } from '../../src/knowledge/evaluate/index.ts';
import { followGraph } from '../../src/knowledge/graph/index.ts';
import type { Embedder, Extractor } from '../../src/knowledge/index.ts';
import { createRetriever } from '../../src/knowledge/retrieve/index.ts';
import { openKnowledgeStore } from '../../src/knowledge/store/index.ts';
import { testModel } from '../../test/models/index.ts';
import { table } from '../lib/stats.ts';
import { vectorsOf } from './embedder.ts';
import { fill, recorded } from './quality.ts';

const SETS = ['musique_train100_hipporag', 'hotpotqa_train100_hipporag'];
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** @param calls passages that TinyLlama reads; 0: none */
export async function dreams(folder: string, open: () => Promise<Embedder>, calls: number): Promise<void> {
  const rows: string[][] = [];
  for (const name of SETS) {
    const path = join(folder, name);
    if (!existsSync(join(path, 'corpus.jsonl'))) continue;
    const set = await readJudgedSet(path);
    const asked = set.questions.map(({ text }) => text);
    const texts = set.documents.map(({ title, text }) => `${title} ${text}`.trim());
    using store = openKnowledgeStore({ path: ':memory:', create: { name, clock: systemClock } });
    fill(store, set, await vectorsOf(`${name}-corpus`, 'passage', texts, open));
    const embedder = recorded(asked, await vectorsOf(`${name}-queries`, 'query', asked, open));
    const graph = followGraph(store);
    await using retriever = createRetriever({ store, embedder, graph });
    const recall = async (): Promise<number> => {
      const run: Run = new Map();
      for (const { id, text } of set.questions) {
        const { hits } = await retriever.search(text, { by: 'graph', limit: 10, dropDuplicates: false });
        (run as Map<string, { id: string; score: number }[]>).set(
          id,
          hits.map(({ chunk, score }) => ({ id: chunk.path.slice('set/'.length), score })),
        );
      }
      return judge(run, set).means.get('recall@5' satisfies Measure)!;
    };
    const before = await recall();
    const end = await lived({ store, graph, extractor: null }, 0);
    const { found, after } = end;
    rows.push([
      ...[name, String(set.documents.length), String(after!.entities)],
      ...[percent(end.before.score), percent(after!.score)],
      `${percent(after!.type)}, ${percent(after!.summary)}, ${percent(after!.relations)}`,
      `${found.types}, ${found.summaries}, ${found.relations}, ${found.merges}, ${found.weights}`,
      (end.spentMs / 1000).toFixed(1),
      `${percent(before)}, ${percent(await recall())}`,
    ]);
    if (calls > 0 && name === SETS[0]) {
      const read = await lived({ store, graph, extractor: await tinyLlama() }, calls);
      const { kept, refused } = read.found;
      console.log(
        `TinyLlama read ${read.found.calls} passages in ${(read.spentMs / 1000).toFixed(0)} s: ${kept} values taken over, ` +
          `${refused} refused (${percent(kept / Math.max(1, kept + refused))} stood up)${read.note ?? ''}`,
      );
      for (const { subject, relation, property, value, evidence } of store
        .assertionsOfRun(2, { limit: 1000 })
        .filter(({ by }) => by === 'model')
        .slice(0, 40))
        console.log(`  ${subject} ${relation ?? property} ${value} | ${evidence?.sentence.slice(0, 160)}`);
    }
  }
  console.log(
    table(
      [
        ...(['set', 'passages', 'names', 'before', 'after', 'type, summary, relations'] as const),
        ...(['types, summaries, relations, merges, weights', 's', 'R@5 graph before, after'] as const),
      ],
      rows,
    ),
  );
}

async function lived(
  parts: Pick<Parameters<typeof dream>[0], 'store' | 'graph'> & { readonly extractor: Extractor | null },
  calls: number,
): Promise<DreamState> {
  const all = { ...parts, clock: systemClock, signal: new AbortController().signal };
  const id = await beginDream(all, { ms: 170_000, calls, model: 'tinyllama', mergeAt: 0.8 });
  let last: DreamState | null = null;
  for await (const state of dream(all, id)) last = state;
  return last!;
}

async function tinyLlama(): Promise<Extractor> {
  const engine = createEngine({
    ...{ log: silentLogger, clock: systemClock, random: createSeededRandom(1) },
    ...{ threads: 2, device: 'cpu', maxActive: 1, context: 2048 },
  });
  await engine.load({ id: 'tinyllama', path: await testModel('tinyllama') });
  return {
    ...{ id: 'tinyllama', context: 2048 },
    async extract(messages, schema, { maxTokens, temperature, signal }) {
      let text = '';
      const request = {
        ...{ model: 'tinyllama', prompt: { kind: 'messages', messages } as const, stop: [], maxTokens },
        ...{ sampler: { temperature }, grammar: { kind: 'json_schema', schema } as const },
      };
      for await (const event of engine.generate(request, signal))
        if (event.type === 'text') text += event.text;
      return text;
    },
  };
}
