/**
 * How long names and the graph of a large knowledge base take: made-up prose in which names occur as names do (a few often, most
 * once or twice), each document about one of them.
 *
 * @module bench/knowledge/graph
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import { quantile } from '../../src/knowledge/evaluate/index.ts';
import { followGraph, mentionsOf } from '../../src/knowledge/graph/index.ts';
import { createRetriever } from '../../src/knowledge/retrieve/index.ts';
import { openKnowledgeStore } from '../../src/knowledge/store/index.ts';
import { table } from '../lib/stats.ts';

const PER_DOCUMENT = 5;
const NAMES = 60_000;
const SENTENCES = 10;
const QUESTIONS = 200;
const BARE = { links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] } as const;

export async function graphSpeed(count = 50_000): Promise<void> {
  const random = createSeededRandom(29);
  const zipf = (most: number): number => Math.min(most - 1, Math.floor(most ** random.float()) - 1);
  const word = (n: number): string => {
    let text = '';
    for (let rest = n + 37; rest > 0; rest = Math.floor(rest / 14))
      text += 'bdfgklmnprstvz'[rest % 14]! + 'aeiou'[rest % 5]!;
    return text;
  };
  const capital = (n: number): string => {
    const text = word(n);
    return text[0]!.toUpperCase() + text.slice(1);
  };
  const name = (n: number): string => `${capital((n * 7919) % 3000)} ${capital(n)}`;
  const sentence = (): string => {
    const words = Array.from({ length: 14 }, () => word(zipf(30_000)));
    words[3 + Math.floor(random.float() * 8)] = name(zipf(NAMES));
    return `The ${words.join(' ')}.`;
  };
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-graph-'));
  try {
    using store = openKnowledgeStore({
      path: join(folder, 'graph.kb'),
      create: { name: 'graph', clock: systemClock },
    });
    let foundMs = 0;
    const put = (at: number): void => {
      const title = name(at);
      const chunks = Array.from({ length: PER_DOCUMENT }, (_, position) => {
        const text = Array.from({ length: SENTENCES }, sentence).join(' ');
        const id = createHash('sha256').update(`${at} ${position}`).digest('hex').slice(0, 32);
        return { id, position, title, text, tokens: 0, place: {} };
      });
      const from = performance.now();
      const mentions = mentionsOf({ title, document: { title, sections: [], ...BARE }, chunks });
      foundMs += performance.now() - from;
      store.put(
        {
          ...{ path: `d/${at}`, title, titled: true, type: 'txt', hash: new Uint8Array(32) },
          ...{ recipe: 'bench', bytes: 1, modified: 0, ...BARE },
        },
        chunks,
        null,
        mentions,
      );
    };
    const documents = Math.ceil(count / PER_DOCUMENT);
    for (let at = 0; at < documents; at++) put(at);
    const graph = followGraph(store);
    const timed = async (): Promise<number> => {
      const from = performance.now();
      await graph.current();
      return performance.now() - from;
    };
    const made = await timed();
    const { network } = await graph.current();
    put(documents);
    const more = await timed();
    store.remove(`d/${documents}`);
    const less = await timed();
    await using retriever = createRetriever({ store, embedder: null, graph });
    const times: number[] = [];
    for (let i = 0; i < QUESTIONS; i++) {
      const question = `Where was the ${word(i + 100)} of ${name(i * 17)} born?`;
      const from = performance.now();
      await retriever.search(question, { by: 'graph' });
      times.push(performance.now() - from);
    }
    const { chunks, mentions } = store.counts();
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
    const ms = (value: number): string => `${value.toFixed(1)} ms`;
    console.log(
      `\nThe graph of ${chunks} chunks, ${mentions} mentions of ${network.entities} names\n\n${table(
        ['what', 'takes'],
        [
          ['names found in the texts', seconds(foundMs)],
          ['the graph made from the file', seconds(made)],
          ['brought up to date after one more document', ms(more)],
          ['and after one less', ms(less)],
          ['a question by words and graph, p50', ms(quantile(times, 0.5))],
          ['a question by words and graph, p95', ms(quantile(times, 0.95))],
        ],
      )}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
