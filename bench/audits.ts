/**
 * `npm run bench:audits`: how often audits of peers accuse somebody honest, and after how much a liar is found.
 *
 * Answers over a path of two ranges are recorded on this machine: what each range received and sent. Another engine computes the
 * rows again, of the same build and of one that rounds otherwise (KV rows kept as f32 in the place of f16), and the auditor's
 * own rules judge them. Liars alter what was recorded as test/shards/liar.ts does: a share of the steps, by noise or by scale.
 *
 * Rows until a liar is found are rows of the whole path at the share that is given: an audit looks at one of the two ranges, drawn
 * by lot, and costs its rows once where they are equal and five times where they are not.
 *
 * Options: --model NAME of the tests (stories15m-q8_0), --answers N (40), --trials N (60), --share S (0.02).
 *
 * @module bench/audits
 */
import { parseArgs } from 'node:util';
import { createSeededRandom, systemRandom } from '../src/base/index.ts';
import { type Claim, judge } from '../src/shards/audit/claim.ts';
import { COPIES, disturbed } from '../src/shards/audit/compare.ts';
import { type Executor, ownExecutor } from '../src/shards/audit/executor.ts';
import { Tally } from '../src/shards/audit/tally.ts';
import { type TestModelName, testModel } from '../test/models/index.ts';
import { altered, type Lie } from '../test/shards/liar.ts';
import { loadRange, openEngine, type Recorded, recordAnswers } from './audits/record.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'stories15m-q8_0' },
    answers: { type: 'string', default: '40' },
    trials: { type: 'string', default: '60' },
    share: { type: 'string', default: '0.02' },
  },
});
const [answers, trials, share] = [Number(values.answers), Number(values.trials), Number(values.share)];
const BLOCKS = 6;
const SPANS = [
  { from: 0, to: 3 },
  { from: 3, to: 6 },
] as const;
/** Audits after which a liar counts as not found. */
const MOST_AUDITS = 400;

const path = await testModel(values.model as TestModelName);
await using here = openEngine('f16');
await using other = openEngine('f32');
const ids: string[] = [];
for (const { from, to } of SPANS) {
  ids.push(await loadRange(here, path, from, to));
  await loadRange(other, path, from, to);
}
const people = ['robot', 'girl', 'dog', 'king', 'bird', 'farmer', 'fox', 'boat'];
const prompts = Array.from({ length: answers }, (_, i) =>
  `The little ${people[i % people.length]} number ${i} walked to the big house, and there it saw a `.repeat(
    1 + (i % 3),
  ),
);

/** One range's part of an answer, with what an engine makes of the same input. */
interface Case {
  readonly recorded: Recorded;
  readonly outputs: readonly Float32Array[];
  readonly width: number;
}

async function casesOf(of: readonly Recorded[][], k: number, engine: typeof here): Promise<Case[]> {
  const cases: Case[] = [];
  for (const answer of of) {
    const recorded = answer[k]!;
    const last = recorded.pieces.at(-1)!;
    const rows = last.start + last.count;
    const width = recorded.input.length / rows;
    await using executor = ownExecutor(
      await engine.lease(ids[k]!, rows),
      '',
      width,
      new AbortController().signal,
    );
    const outputs = [await executor.compute(recorded.pieces, recorded.input)];
    for (let i = 0; i < COPIES; i++)
      outputs.push(await executor.compute(recorded.pieces, disturbed(recorded.input, systemRandom)));
    cases.push({ recorded, outputs, width });
  }
  return cases;
}

function again({ outputs }: Case, build: string): Executor {
  let next = 0;
  return {
    by: null,
    compute: async () => outputs[next++]!,
    build: async () => build,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** The rows that an audit sees of a range that lies so. */
function claimOf({ recorded, width }: Case, k: number, lie: Lie | null, build: string): Claim {
  const { pieces, input, output, wanted } = recorded;
  const rows = output.slice();
  for (const { start, count } of pieces) {
    if (lie === null || Math.random() >= lie.share) continue;
    const [from, to] = [start * width, (start + count) * width];
    rows.set(altered(rows.subarray(from, to), lie), from);
  }
  const at = k === 0 ? Array.from({ length: rows.length / width }, (_, row) => row) : wanted;
  const seen = new Float32Array(at.length * width);
  for (const [i, row] of at.entries()) seen.set(rows.subarray(row * width, (row + 1) * width), i * width);
  return { pieces, input, output: seen, at, build };
}

interface Found {
  /** Of this range. */
  readonly audits: number;
  /** Rows × blocks that were computed again, of the other range, too. */
  readonly cost: number;
  readonly accused: boolean;
}

/** Audits of one range, one after the other, until it is accused. */
async function auditUntil(
  cases: readonly Case[],
  k: number,
  lie: Lie | null,
  builds: readonly [string, string],
  most: number,
) {
  const random = createSeededRandom(Math.floor(Math.random() * 2 ** 31));
  const tally = new Tally();
  let cost = 0;
  let step = 0;
  for (let audits = 1; audits <= most; audits++) {
    const one = cases[Math.floor(random.float() * cases.length)]!;
    const claim = claimOf(one, k, lie, builds[0]);
    const { comparison, computed } = await judge(claim, again(one, builds[1]), one.width, random);
    const itsCost = computed * (SPANS[k]!.to - SPANS[k]!.from);
    // Audits of the other range come by lot, at about the same cost.
    while (random.float() > 1 / SPANS.length) cost += itsCost;
    cost += itsCost;
    const steps = claim.at.map(() => ++step);
    const tails = comparison.tails;
    const counted =
      tails !== undefined && comparison.agrees && tally.note(SPANS[k]!, 'peer', null, tails, steps);
    if (!comparison.agrees || counted) return { audits, cost, accused: true } satisfies Found;
  }
  return { audits: most, cost, accused: false } satisfies Found;
}

const quantile = (numbers: readonly number[], at: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.ceil(at * numbers.length) - 1)]!;
const cell = (text: string | number, width: number) => String(text).padStart(width);

console.log(`${values.model}, ${answers} answers, share ${share}\n`);
console.log('Honest machines: audits of each range once per answer, and those that accused somebody.\n');
console.log('| rows travel as | computed again by | range | audits | accused | median difference |');
console.log('| --- | --- | --- | ---: | ---: | ---: |');
const byType = new Map<string, Case[][]>();
for (const type of ['f32', 'f16', 'i8'] as const) {
  const recorded = await recordAnswers(here, path, ids, BLOCKS, prompts, 24, type);
  for (const [name, engine] of [
    ['the same build', here],
    ['another build', other],
  ] as const)
    for (const k of SPANS.keys()) {
      const cases = await casesOf(recorded, k, engine);
      byType.set(`${type} ${name}`, [...(byType.get(`${type} ${name}`) ?? []), cases]);
      const tally = new Tally();
      let accused = 0;
      const errors: number[] = [];
      let step = 0;
      for (const one of cases) {
        const claim = claimOf(one, k, null, 'a');
        const { comparison } = await judge(claim, again(one, 'b'), one.width, systemRandom);
        errors.push(comparison.measured.error);
        const steps = claim.at.map(() => ++step);
        const { tails } = comparison;
        const counted = tails !== undefined && tally.note(SPANS[k]!, 'peer', null, tails, steps) !== null;
        if (!comparison.agrees || counted) accused++;
      }
      const error = `${(quantile(errors, 0.5) * 100).toPrecision(2)} %`;
      console.log(
        `| ${type} | ${name} | ${SPANS[k]!.from}-${SPANS[k]!.to - 1} | ${cases.length} | ${accused} | ${error} |`,
      );
    }
}

const LIARS: readonly (readonly [string, Lie])[] = [
  ['noise of 1 % in all steps', { kind: 'noise', size: 0.01, share: 1 }],
  ['scale of 1 % in all steps', { kind: 'scale', size: 0.01, share: 1 }],
  ['noise of 1 % in 30 % of the steps', { kind: 'noise', size: 0.01, share: 0.3 }],
  ['noise of 1 % in 10 % of the steps', { kind: 'noise', size: 0.01, share: 0.1 }],
];
console.log(
  `\nLiars: audits of their range until they are found, of ${trials} trials, and rows of the path until then at the share ${share}.\n`,
);
console.log('| lie | says its build is | range | audits, median | 95 % | rows, median | 95 % | not found |');
console.log('| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |');
for (const [what, lie] of LIARS)
  for (const [build, key, builds] of [
    ['the same', 'f32 the same build', ['a', 'a']],
    ['another', 'f32 another build', ['a', 'b']],
  ] as const)
    for (const k of SPANS.keys()) {
      const cases = byType.get(key)![k]!;
      const found: Found[] = [];
      for (let i = 0; i < trials; i++) found.push(await auditUntil(cases, k, lie, builds, MOST_AUDITS));
      const audits = found.map((one) => one.audits);
      const rows = found.map(({ cost }) => cost / (share * BLOCKS));
      const missed = found.filter(({ accused }) => !accused).length;
      console.log(
        `| ${what} | ${build} | ${SPANS[k]!.from}-${SPANS[k]!.to - 1}${k === 1 ? ' (last)' : ''} | ${cell(quantile(audits, 0.5), 3)} | ${cell(quantile(audits, 0.95), 3)} | ${cell(Math.round(quantile(rows, 0.5)), 6)} | ${cell(Math.round(quantile(rows, 0.95)), 6)} | ${missed} |`,
      );
    }
