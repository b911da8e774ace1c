/**
 * Which questions are answered by what was found: those of a judged set asked of its own documents, and of those of the others. The
 * thresholds in src/knowledge/answer/support.ts were read off this.
 *
 * @module bench/knowledge/refusal
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import { buildContext } from '../../src/knowledge/answer/context.ts';
import { supportOf } from '../../src/knowledge/answer/support.ts';
import { type JudgedSet, readJudgedSet } from '../../src/knowledge/evaluate/index.ts';
import type { Embedder } from '../../src/knowledge/index.ts';
import { createRetriever } from '../../src/knowledge/retrieve/index.ts';
import { openKnowledgeStore } from '../../src/knowledge/store/index.ts';
import { table } from '../lib/stats.ts';
import { vectorsOf } from './embedder.ts';
import { fill, recorded, SETS } from './quality.ts';

/** Questions of each set. */
const MOST = 120;
const HITS = 8;

interface Asked {
  readonly set: JudgedSet;
  readonly corpus: Float32Array;
  readonly questions: Float32Array;
}

export async function refusal(folder: string, open: () => Promise<Embedder>): Promise<void> {
  const sets = new Map<string, Asked>();
  for (const { name } of SETS) {
    if (!existsSync(join(folder, name, 'corpus.jsonl'))) continue;
    const set = await readJudgedSet(join(folder, name));
    const texts = set.documents.map(({ title, text }) => `${title} ${text}`.trim());
    const corpus = await vectorsOf(`${name}-corpus`, 'passage', texts, open);
    const asked = set.questions.map(({ text }) => text);
    sets.set(name, { set, corpus, questions: await vectorsOf(`${name}-queries`, 'query', asked, open) });
  }
  const rows: string[][] = [];
  for (const [name, { set, corpus }] of sets) {
    using store = openKnowledgeStore({ path: ':memory:', create: { name, clock: systemClock } });
    fill(store, set, corpus);
    for (const [other, { set: asking, questions }] of sets) {
      const texts = asking.questions.map(({ text }) => text);
      const some = texts.slice(0, MOST);
      await using retriever = createRetriever({ store, embedder: recorded(texts, questions) });
      let [both, words] = [0, 0];
      for (const question of some) {
        const found = await retriever.search(question, { limit: HITS });
        const { sources } = buildContext(found.hits, store, { budget: 100_000 });
        if (supportOf(question, found, sources, store).enough) both++;
        const byWords = await retriever.search(question, { limit: HITS, by: 'words' });
        const context = buildContext(byWords.hits, store, { budget: 100_000 });
        if (supportOf(question, byWords, context.sources, store).enough) words++;
      }
      const share = (count: number): string => `${((100 * count) / some.length).toFixed(1)} %`;
      rows.push([name, name === other ? 'its own' : other, String(some.length), share(both), share(words)]);
    }
  }
  console.log(
    `\nQuestions that are answered and not refused\n\n${table(['asked of', 'questions of', 'questions', 'by both', 'by words alone'], rows)}`,
  );
}
