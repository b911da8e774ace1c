/**
 * A model over peers on loopback against the same model whole, in this engine and in node-llama-cpp.
 *
 * @module bench/shards/near
 */
import type { Carry } from '../../src/engine/index.ts';
import { ratios, spread, table } from '../lib/stats.ts';
import { startSubject } from '../lib/subject.ts';
import { type BenchLab, promptOf } from './lab.ts';

const WHOLE = 'whole, one process';
const RIVAL = 'node-llama-cpp, whole';

/** One piece under way at a time. */
function inTurn(carry: Carry): Carry {
  let before: Promise<unknown> = Promise.resolve();
  return (...hop) => {
    const result = before.then(() => carry(...hop));
    before = result.catch(() => {});
    return result;
  };
}

type Once = (
  prompt: Int32Array,
  count: number,
) => Promise<{ tokens: readonly number[]; each: number; first: number }>;

/** Decoding: one process computes at a time, so what a path costs more is what it costs to pass hidden states on. */
export async function decodeNear(lab: BenchLab, file: string, rounds: number, tokens: number): Promise<void> {
  await lab.addPath('2 peers', 2);
  await lab.addPath('3 peers', 3);
  const rival = startSubject(RIVAL, new URL('../subjects/node-llama-cpp.ts', import.meta.url), [file, '1']);
  await rival.call('open');
  const ours =
    (model: string): Once =>
    (prompt, count) =>
      lab.once(model, prompt, count);
  const ways: [string, Once][] = [
    [WHOLE, ours('whole')],
    [
      RIVAL,
      async (prompt, count) => {
        const run = await rival.call<{ ttftMs: number; decodeMs: number; tokens: number[] }>('generate', {
          prompt: [...prompt],
          count,
        });
        return { tokens: run.tokens, each: run.decodeMs / (run.tokens.length - 1), first: run.ttftMs };
      },
    ],
    ['2 peers', ours('2 peers')],
    ['3 peers', ours('3 peers')],
  ];
  const each = new Map(ways.map(([name]) => [name, [] as number[]]));
  let equal = 0;
  let compared = 0;
  for (let round = -1; round < rounds; round++) {
    // The first of a round changes, so that none always meets the warmer machine.
    const order = ways.map((_, i) => ways[(i + Math.max(0, round)) % ways.length]!);
    const answers = new Map<string, readonly number[]>();
    for (const [name, once] of order) {
      const answer = await once(promptOf(16, round), tokens);
      answers.set(name, answer.tokens);
      // The first round warms up.
      if (round >= 0) each.get(name)!.push(answer.each);
    }
    for (const name of ['2 peers', '3 peers']) {
      compared++;
      if (answers.get(name)!.join() === answers.get(WHOLE)!.join()) equal++;
    }
  }
  await rival.stop();
  const whole = each.get(WHOLE)!;
  console.log(
    table(
      ['way', 'ms a token', 'x whole speed', 'added ms a token', 'x node-llama-cpp'],
      [...each].map(([name, ms]) => [
        name,
        spread(ms),
        spread(ratios(ms, whole, false)),
        name.endsWith('peers') ? spread(ms.map((one, i) => one - whole[i]!)) : '-',
        spread(ratios(ms, each.get(RIVAL)!, false)),
      ]),
    ),
  );
  console.log(`\nAnswers over peers with the tokens of the whole: ${equal} of ${compared}.`);
}

/** Time to the first token of a long prompt, its pieces under way at once and one after another. */
export async function prefillNear(lab: BenchLab, rounds: number, rows: number): Promise<void> {
  await lab.addPath('2 at once', 2);
  await lab.addPath('2 in turn', 2, { wrap: inTurn });
  await lab.addPath('3 at once', 3);
  const ways = ['whole', '2 at once', '2 in turn', '3 at once'];
  const first = new Map(ways.map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const name of ways) {
      const answer = await lab.once(name, promptOf(rows, round), 2);
      if (round >= 0) first.get(name)!.push(answer.first);
    }
  const titles = [
    WHOLE,
    '2 peers, pieces under way at once',
    '2 peers, a piece at a time',
    '3 peers, pieces under way at once',
  ];
  console.log(
    table(
      ['way', `prompt of ${rows}, ms`, 'x whole speed', 'x a piece at a time'],
      ways.map((name, i) => [
        titles[i]!,
        spread(first.get(name)!),
        spread(ratios(first.get(name)!, first.get('whole')!, false)),
        spread(ratios(first.get(name)!, first.get('2 in turn')!, false)),
      ]),
    ),
  );
}
