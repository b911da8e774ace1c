/**
 * `npm run bench:search-steps`: what a model that writes is worth beside a search, and what it takes. Questions of a judged set through
 * words and meaning, then with each step by a model of the test models, as fast as it can on this machine, and again with no time
 * at all, when the hits must be the ones without it.
 *
 * Options: --data FOLDER (of judged sets), --set scifact, --model tinyllama, --steps hyde,multi-query,listwise, --seconds 150 (questions
 * are taken in the order of the set until these are over), --budget 60000 (ms of a step).
 *
 * @module bench/knowledge/steps
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSeededRandom, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { compare, judge, readJudgedSet } from '../../src/knowledge/evaluate/index.ts';
import type { Writer } from '../../src/knowledge/index.ts';
import {
  createExpandedSearch,
  createRetriever,
  type Found,
  hydeBy,
  listwiseBy,
  multiQueryBy,
  type SearchStep,
} from '../../src/knowledge/retrieve/index.ts';
import { openKnowledgeStore } from '../../src/knowledge/store/index.ts';
import { benchModel } from '../lib/models.ts';
import { median, table } from '../lib/stats.ts';
import { openMiniLm, vectorsOf } from './embedder.ts';
import { fill } from './quality.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(import.meta.dirname, '../../../shared/data') },
    set: { type: 'string', default: 'scifact' },
    model: { type: 'string', default: 'tinyllama' },
    steps: { type: 'string', default: 'hyde,multi-query,listwise' },
    seconds: { type: 'string', default: '150' },
    budget: { type: 'string', default: '60000' },
    threads: { type: 'string', default: '2' },
  },
});
const [seconds, budget, threads] = [Number(values.seconds), Number(values.budget), Number(values.threads)];
const CONTEXT = 2048;

const set = await readJudgedSet(join(values.data, values.set));
const parts = { log: silentLogger, clock: systemClock, random: systemRandom, threads };
await using miniLm = await openMiniLm(threads);
await using engine = createEngine({ ...parts, device: 'cpu', context: CONTEXT });
await engine.load({ id: 'writer', path: await benchModel(values.model) });
const writer: Writer = {
  ...{ id: values.model, context: CONTEXT },
  async *write(messages, { maxTokens, temperature, signal }) {
    const prompt = { kind: 'messages', messages } as const;
    const asked = { model: 'writer', prompt, sampler: { temperature }, maxTokens, stop: [] };
    for await (const event of engine.generate(asked, signal)) if (event.type === 'text') yield event.text;
  },
};

const vectors = await vectorsOf(
  `${values.set}-corpus`,
  'passage',
  set.documents.map(({ title, text }) => `${title} ${text}`.trim()),
  async () => miniLm,
);
const home = await mkdtemp(join(tmpdir(), 'kith-bench-steps-'));
try {
  using store = openKnowledgeStore({
    path: join(home, 'set.kb'),
    create: { name: 'set', clock: systemClock },
  });
  fill(store, set, vectors);
  await using retriever = createRetriever({ store, embedder: miniLm });
  const search = { retriever, clock: systemClock };
  const withStep = (name: string, ms: number) =>
    createExpandedSearch({
      ...{ ...search, expandMs: ms, rankMs: ms },
      ...(name === 'listwise'
        ? { ranker: listwiseBy(writer) }
        : { expanders: [name === 'hyde' ? hydeBy(writer) : multiQueryBy(writer)] }),
    });
  const options = { by: 'both', limit: 20 } as const;
  const ids = ({ hits }: Found) =>
    hits.map(({ chunk, score }) => ({ id: chunk.path.slice('set/'.length), score }));
  await retriever.search(set.questions[0]!.text, options);
  const rows: string[][] = [];
  for (const name of values.steps.split(',')) {
    const end = performance.now() + (1000 * seconds) / values.steps.split(',').length;
    const runs = { plain: new Map(), step: new Map() };
    const times = { plain: [] as number[], step: [] as number[] };
    const steps: SearchStep[] = [];
    const timed = async <T>(into: number[], work: () => Promise<T>): Promise<T> => {
      const from = performance.now();
      const value = await work();
      into.push(performance.now() - from);
      return value;
    };
    const asked: typeof set.questions = [];
    for (const question of set.questions) {
      if (performance.now() > end) break;
      const { id, text } = question;
      const plain = await timed(times.plain, () => retriever.search(text, options));
      const found = await timed(times.step, () => withStep(name, budget).search(text, options));
      const late = await withStep(name, 1).search(text, options);
      assert.deepEqual(late.hits, plain.hits);
      assert.equal(late.steps[0]?.code, 'late');
      process.stderr.write(
        `${name}: ${(times.step.at(-1)! / 1000).toFixed(1)} s, ${found.steps[0]?.code ?? 'used'}\n`,
      );
      runs.plain.set(id, ids(plain));
      runs.step.set(id, ids(found));
      steps.push(...found.steps);
      (asked as (typeof question)[]).push(question);
    }
    const part = { ...set, questions: asked };
    const of = (run: typeof runs.plain) => judge(run, part, ['ndcg@10']).values.get('ndcg@10')!;
    const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
    const [before, after] = [of(runs.plain), of(runs.step)];
    const { wins, losses, ties, p } = compare(after, before, { random: createSeededRandom(7) });
    rows.push([
      ...[name, String(asked.length), (100 * mean(before)).toFixed(1), (100 * mean(after)).toFixed(1)],
      ...[`${wins} / ${losses} / ${ties}`, p.toFixed(2)],
      ...[`${median(times.plain).toFixed(0)} ms`, `${(median(times.step) / 1000).toFixed(1)} s`],
      `${steps.filter(({ status }) => status === 'used').length} of ${steps.length}`,
      [...new Set(steps.flatMap(({ code }) => code ?? []))].join(', ') || '-',
    ]);
  }
  const head = [
    'step',
    'questions',
    'nDCG@10 without',
    'with',
    'better / worse / alike',
    'p',
    'without',
    'with',
    'used',
    'left out',
  ];
  console.log(table(head, rows));
} finally {
  await rm(home, { recursive: true, force: true });
}
