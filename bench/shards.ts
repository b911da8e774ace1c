/**
 * `npm run bench:shards`: a model over peers in processes of their own on loopback, against the same model whole in this
 * machine's engine, in turn and in one run. Prints medians of the rounds with spread, and ratios round by round.
 *
 * Each way answers the same prompt greedily; tokens must be equal. Prefill is the time to the first token of a prompt of 512
 * tokens, with its pieces under way at once (as paths do it) and one after another. One process
 * computes at a time in decoding: what a path costs more is what it costs to pass hidden states on.
 *
 * Options: --rounds N (5), --model NAME (tinyllama), --tokens N (48), --type f32|f16|i8 (f32).
 *
 * @module bench/shards
 */
import { parseArgs } from 'node:util';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { type Carry, createEngine } from '../src/engine/index.ts';
import { type ActivationType, openPath, type Path } from '../src/shards/index.ts';
import { swarmOnLoopback } from '../src/swarm/testing/nodes.ts';
import { forkShardPeer, type ShardPeer } from '../test/shards/peers.ts';
import { benchModel } from './lib/models.ts';
import { median, ratios, spread, table } from './lib/stats.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    model: { type: 'string', default: 'tinyllama' },
    tokens: { type: 'string', default: '48' },
    type: { type: 'string', default: 'f32' },
  },
});
const ROUNDS = Number(values.rounds);
const TOKENS = Number(values.tokens);
const PROMPT = 512;
const CONTEXT = 1024;
const MODEL = 'ef'.repeat(32);

const file = await benchModel(values.model);
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: CONTEXT,
  prefillChunk: PROMPT,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const owner = await swarmOnLoopback(200, { gate: { tierOf: () => 'trusted' } });
const peers: ShardPeer[] = [];
const paths: Path[] = [];

interface Way {
  readonly name: string;
  readonly model: string;
}
const ways: Way[] = [{ name: 'whole, one process', model: 'whole' }];
const { blocks } = await engine.load({ id: 'whole', path: file });

/** One piece under way at a time. */
function inTurn(carry: Carry): Carry {
  let before: Promise<unknown> = Promise.resolve();
  return (...hop) => {
    const result = before.then(() => carry(...hop));
    before = result.catch(() => {});
    return result;
  };
}

async function addPath(
  name: string,
  parts: number,
  wrap: (carry: Carry) => Carry = (carry) => carry,
): Promise<void> {
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * blocks) / parts));
  const shards = [];
  for (let i = 0; i < parts; i++) {
    const [from, to] = [bounds[i]!, bounds[i + 1]!];
    const known = peers.find(({ offer }) => offer.from === from && offer.to === to);
    const number = 201 + peers.length;
    const peer =
      known ?? (await forkShardPeer({ number, path: file, model: MODEL, from, to, context: CONTEXT }));
    if (known === undefined) peers.push(peer);
    shards.push(peer.offer);
  }
  const path = await openPath({
    swarm: owner,
    model: MODEL,
    shards,
    cells: CONTEXT,
    type: values.type as ActivationType,
    substitute: async () => null,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  paths.push(path);
  const elsewhere = { from: 0, to: blocks, kvCells: CONTEXT };
  await engine.load({ id: name, path: file, elsewhere }, { carry: wrap(path.carry) });
  ways.push({ name, model: name });
}
await addPath('2 peers', 2);
await addPath('2 peers, a piece at a time', 2, inTurn);
await addPath('3 peers', 3);

async function once(model: string, prompt: Int32Array, maxTokens: number) {
  const tokens: number[] = [];
  const times: number[] = [];
  const from = performance.now();
  for await (const event of engine.generate({
    model,
    prompt: { kind: 'tokens', tokens: prompt },
    sampler: { temperature: 0, topLogprobs: 0 },
    maxTokens,
    stop: [],
    cachePrompt: false,
  }))
    if (event.type === 'text') {
      for (const { token } of event.logprobs!) {
        tokens.push(token);
        times.push(performance.now());
      }
    }
  return { tokens, first: times[0]! - from, each: (times.at(-1)! - times[0]!) / (times.length - 1) };
}

const promptOf = (length: number, round: number) =>
  Int32Array.from({ length }, (_, i) => (i === 0 ? 1 : 300 + ((i * 31 + (round + 1) * 977) % 4000)));
const decode = new Map(ways.map(({ name }) => [name, [] as number[]]));
const prefill = new Map(ways.map(({ name }) => [name, [] as number[]]));
let equal = 0;
let compared = 0;
for (let round = -1; round < ROUNDS; round++) {
  let expected: number[] | null = null;
  for (const { name, model } of ways) {
    const short = await once(model, promptOf(16, round), TOKENS);
    const long = await once(model, promptOf(PROMPT, round), 2);
    if (expected === null) expected = short.tokens;
    else {
      compared++;
      if (short.tokens.join() === expected.join()) equal++;
    }
    // The first round warms up.
    if (round < 0) continue;
    decode.get(name)!.push(short.each);
    prefill.get(name)!.push(long.first);
  }
}

const whole = decode.get('whole, one process')!;
const wholePrefill = prefill.get('whole, one process')!;
console.log(
  table(
    ['way', 'ms a token', 'x whole speed', 'added ms a token', `prompt of ${PROMPT}, ms`, 'x whole speed'],
    ways.map(({ name }) => {
      const [each, long] = [decode.get(name)!, prefill.get(name)!];
      const added = each.map((ms, i) => ms - whole[i]!);
      return [
        name,
        spread(each),
        spread(ratios(each, whole, false)),
        name.startsWith('whole') ? '-' : spread(added),
        spread(long),
        spread(ratios(long, wholePrefill, false)),
      ];
    }),
  ),
);
const pipelined = ratios(prefill.get('2 peers')!, prefill.get('2 peers, a piece at a time')!, false);
console.log(
  `\nPieces under way at once, 2 peers: ${spread(pipelined)} times the speed of one piece at a time.`,
);
console.log(
  `Answers with the tokens of the whole: ${equal} of ${compared} (hidden states as ${values.type}).`,
);
console.log(`Median of ${ROUNDS} rounds, ${median(whole).toFixed(1)} ms a token whole.`);

for (const path of paths) await path[Symbol.asyncDispose]();
await owner[Symbol.asyncDispose]();
for (const peer of peers) await peer.kill();
await engine[Symbol.asyncDispose]();
