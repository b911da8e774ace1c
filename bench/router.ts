/**
 * `npm run bench:router`: how well the gateway's router tells which prompts are worth the stronger model.
 *
 * Takes RouteLLM's evaluation tables (MMLU and GSM8K prompts with the answers of Mixtral-8x7B and GPT-4 judged), fits on
 * four fifths, tests on the last, five times; prints APGR, CPT50 and CPT80 of this router, its parts, and what others
 * ship or published. Then runs the router over a stream, for the share of frontier calls it keeps, and times decisions.
 *
 * Options: --data FILE (or KITH_BENCH_DATA), --seeds N (3; GSM8K has N + 2), --first-seed N (11), --threads N of the
 * engine that makes the vectors the first time (1), --only quality|stream|cost.
 *
 * @module bench/router
 */
import { parseArgs } from 'node:util';
import type { Evaluation } from '../src/gateway/router/index.ts';
import { table } from './lib/stats.ts';
import { decisionCost } from './router/cost.ts';
import { type Question, readTables } from './router/data.ts';
import { embedTexts, type Vectors } from './router/embeddings.ts';
import { crossValidate, labelsOf, ROUTERS, type RouterName } from './router/protocol.ts';
import { askedOf, inRandomOrder, learntRouter, recorded, runStream } from './router/stream.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.KITH_BENCH_DATA ?? '' },
    seeds: { type: 'string', default: '3' },
    'first-seed': { type: 'string', default: '11' },
    threads: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});

const tables = options.data === '' ? null : readTables(options.data);
if (tables === null) {
  console.error(
    `${options.data === '' ? 'No data given' : `There is no file ${options.data}`}. This benchmark needs the table of RouteLLM's evaluation as gzipped JSON lines (its fields: bench/router/data.ts): npm run bench:router -- --data FILE, or KITH_BENCH_DATA=FILE.`,
  );
  process.exit(2);
}
const wanted = (part: string): boolean => options.only === undefined || options.only === part;
const { mmlu, gsm8k } = tables;
const embed = (name: string, questions: readonly Question[]): Promise<Vectors> =>
  embedTexts(
    name,
    questions.map(({ prompt }) => prompt),
    Number(options.threads),
  );
const vectors = { gsm8k: await embed('gsm8k', gsm8k), mmlu: await embed('mmlu', mmlu) };

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

function quality(
  title: string,
  questions: readonly Question[],
  from: Vectors,
  count: number,
  seeds: number,
  published: readonly string[] | null,
): void {
  const labels = labelsOf(questions, from);
  const found = new Map<RouterName, Evaluation[]>(ROUTERS.map((name) => [name, []]));
  for (let seed = 0; seed < seeds; seed++) {
    const results = crossValidate(questions, labels, count, Number(options['first-seed']) + seed);
    for (const name of ROUTERS) found.get(name)!.push(results[name]);
  }
  const rows = ROUTERS.map((name) => {
    const all = found.get(name)!;
    const apgr = all.map((each) => each.apgr);
    return [
      name,
      `${mean(apgr).toFixed(3)} ±${deviation(apgr).toFixed(3)}`,
      percent(mean(all.map(({ cpt50 }) => cpt50))),
      percent(mean(all.map(({ cpt80 }) => cpt80))),
    ];
  });
  if (published !== null) rows.push(["RouteLLM's best (published)", ...published]);
  const used = Math.min(count, labels.length - Math.ceil(labels.length / 5));
  console.log(
    `\n${title}: ${labels.length} prompts, ${used} labels, ${seeds} seeds\n\n${table(['router', 'APGR', 'CPT50', 'CPT80'], rows)}`,
  );
}

if (wanted('quality')) {
  const seeds = Number(options.seeds);
  quality('MMLU', mmlu, vectors.mmlu, 1500, seeds, ['0.603', '35.4 %', '-']);
  quality('MMLU', mmlu, vectors.mmlu, Number.POSITIVE_INFINITY, seeds, null);
  quality('GSM8K', gsm8k, vectors.gsm8k, Number.POSITIVE_INFINITY, seeds + 2, ['0.622', '33.6 %', '-']);
}

const asked = inRandomOrder(askedOf(mmlu, vectors.mmlu), Number(options['first-seed']));
const askedElsewhere = inRandomOrder(askedOf(gsm8k, vectors.gsm8k), Number(options['first-seed']));
const embedder = recorded([...asked, ...askedElsewhere]);

if (wanted('stream')) {
  const labels = asked.slice(0, 1500);
  const rows: string[][] = [];
  for (const [title, with_] of [
    ['words only', null],
    ['ensemble', embedder],
  ] as const) {
    for (const target of [0.1, 0.2, 0.3, 0.5, 0.8]) {
      const { router, verdict } = await learntRouter(labels, with_, 7);
      const result = await runStream(router, asked.slice(1500, with_ === null ? undefined : 6500), target);
      router.close();
      rows.push([
        `${title} (${verdict})`,
        percent(target),
        percent(result.first),
        percent(result.after),
        `${percent(result.least)} - ${percent(result.most)}`,
        percent(result.right),
        `${(100 * (result.right - result.byLot)).toFixed(1)} points`,
      ]);
    }
  }
  console.log(
    `\nA stream of MMLU prompts after 1500 labels; only the model that was called is judged\n\n${table(
      [
        'router',
        'target',
        'first 1,000',
        'after',
        'any 1,000 after',
        'right',
        'over a lot with the same share',
      ],
      rows,
    )}`,
  );
  const shifts: string[][] = [];
  for (const target of [0.2, 0.3, 0.5]) {
    const { router } = await learntRouter(labels, embedder, 7);
    const before = 3000;
    const { calls } = await runStream(
      router,
      [...asked.slice(1500, 1500 + before), ...askedElsewhere],
      target,
    );
    router.close();
    const share = (from: number, to: number): string =>
      percent(mean([...calls.subarray(before + from, before + to)]));
    shifts.push([percent(target), share(-1000, 0), share(0, 200), share(200, 600), share(600, 1300)]);
  }
  console.log(
    `\nThe prompts change at once from MMLU to GSM8K\n\n${table(
      ['target', '1,000 before', 'first 200', '200 to 600', '600 to 1,300'],
      shifts,
    )}`,
  );
}

if (wanted('cost')) {
  // 12,500 labels: every fifth is held out, so that 10,000 neighbours are compared.
  const labels = asked.slice(0, 12_500);
  const rows: string[][] = [];
  for (const [title, with_, most] of [
    ['words only', null, '0.1'],
    ['ensemble', embedder, '3'],
  ] as const) {
    const { router } = await learntRouter(labels, with_, 7);
    const { neighbours } = router.status();
    const { fastest, median, p95, cpu } = await decisionCost(router, asked.slice(12_500), 2000);
    router.close();
    rows.push([
      `${title}, ${neighbours} neighbours`,
      ...[fastest, median, p95, cpu].map((value) => value.toFixed(3)),
      most,
    ]);
  }
  console.log(
    `\nOne decision, without the embedder's time\n\n${table(['router', 'fastest ms', 'median ms', 'p95 ms', 'CPU ms each', 'at most'], rows)}`,
  );
}
