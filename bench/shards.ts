/**
 * `npm run bench:shards`: a model over peers in processes of their own on loopback, against the same model whole in this
 * machine's engine and in node-llama-cpp, in turn and in one run. Prints medians of the rounds with spread, and ratios round
 * by round. Answers are greedy, and over peers must have the tokens of the whole.
 *
 * Options: --rounds N (5), --model NAME (tinyllama), --tokens N (48), --part decode|prefill|far|pause (repeatable; all),
 * --rtt MS (repeatable; 20, 80 and 150: round trips of the part `far`), --late N (500: tokens before the part `pause` loses a shard).
 *
 * @module bench/shards
 */
import { parseArgs } from 'node:util';
import { benchModel } from './lib/models.ts';
import { decodeFar } from './shards/far.ts';
import { openBench } from './shards/lab.ts';
import { decodeNear, prefillNear } from './shards/near.ts';
import { pauses } from './shards/pause.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    model: { type: 'string', default: 'tinyllama' },
    tokens: { type: 'string', default: '48' },
    part: { type: 'string', multiple: true, default: ['decode', 'prefill', 'far', 'pause'] },
    rtt: { type: 'string', multiple: true, default: ['20', '80', '150'] },
    late: { type: 'string', default: '500' },
  },
});
const [rounds, tokens] = [Number(values.rounds), Number(values.tokens)];
const PROMPT = 512;
const file = await benchModel(values.model);
await using lab = await openBench(file, 3, PROMPT);
const parts: Record<string, () => Promise<void>> = {
  decode: () => decodeNear(lab, file, rounds, tokens),
  prefill: () => prefillNear(lab, rounds, PROMPT),
  far: () => decodeFar(lab, rounds, tokens, values.rtt.map(Number)),
  pause: () => pauses(lab, rounds, Number(values.late)),
};
console.log(
  `${values.model}, median of ${rounds} rounds with the least and the largest, one compute thread a process`,
);
for (const part of values.part) {
  console.log(`\n## ${part}\n`);
  await parts[part]!();
}
