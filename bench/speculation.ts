/**
 * `npm run bench:speculation`: a model whose blocks are elsewhere, with a round trip injected into every hop, with and without
 * guessed tokens, in turn and in one run. The blocks are in a second engine process on this machine: one process computes at
 * a time, as along a path. Prints tokens per second, the ratio, how many guesses were right, and the bound for one token a
 * round trip: 1 / (round trips + computing), where computing is what the answers without guesses took beside the waiting.
 *
 * Each answer is greedy; tokens must be equal with and without.
 *
 * Options: --rounds N (3), --model NAME (tinyllama), --tokens N (48), --hops 1,2, --rtt 0,20,80,150 (ms for each hop),
 * --prompts copy,rewrite,ordinary (or repeat).
 *
 * @module bench/speculation
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { type Carry, type CellLease, createEngine, type Engine } from '../src/engine/index.ts';
import { benchModel } from './lib/models.ts';
import { median, ratios, spread, table } from './lib/stats.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    model: { type: 'string', default: 'tinyllama' },
    tokens: { type: 'string', default: '48' },
    hops: { type: 'string', default: '1,2' },
    rtt: { type: 'string', default: '0,20,80,150' },
    prompts: { type: 'string', default: 'copy,rewrite,ordinary' },
  },
});
const numbers = (list: string) => list.split(',').map(Number);
const [ROUNDS, TOKENS] = [Number(values.rounds), Number(values.tokens)];
const CONTEXT = 1024;

const CODE = `export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) {
    return sorted[middle];
  }
  return (sorted[middle - 1] + sorted[middle]) / 2;
}
`;
const chat = (question: string) => `<|user|>\n${question}</s>\n<|assistant|>\n`;
const PROMPTS: Record<string, string> = {
  copy: `${chat(`Quote this code word for word:\n\n${CODE}`)}Here is the code word for word:\n\n${CODE.slice(0, 60)}`,
  rewrite: `${chat(`Rename \`sorted\` to \`list\` in this code:\n\n${CODE}`)}\`\`\`js\nexport function median(values) {\n  const list = [...values]`,
  ordinary: chat('What is a good way to spend a rainy day?'),
  // For models that follow no instruction.
  repeat: 'One red cat, two green dogs, three blue birds. '.repeat(6),
};
const chosen = values.prompts.split(',');

const path = await benchModel(values.model);
const open = (speculation: 'auto' | 'off'): Engine =>
  createEngine({
    threads: 1,
    device: 'cpu',
    context: CONTEXT,
    speculation,
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
  });
const engines = { without: open('off'), with: open('auto') } as const;
const peer = open('off');
const probe = await engines.without.load({ id: 'probe', path });
const { blocks } = probe;
await engines.without.unload('probe');

async function answer(engine: Engine, model: string, text: string) {
  const tokens: number[] = [];
  let first = 0;
  let last = 0;
  let [before, after] = [0, 0];
  let guesses = [0, 0];
  for await (const event of engine.generate({
    model,
    prompt: { kind: 'text', text },
    sampler: { temperature: 0, topLogprobs: 0 },
    maxTokens: TOKENS,
    stop: [],
    cachePrompt: true,
  })) {
    if (event.type === 'text') {
      for (const { token } of event.logprobs!) {
        if (tokens.length === 0) {
          first = performance.now();
          before = waited;
        }
        tokens.push(token);
      }
      last = performance.now();
      after = waited;
    }
    if (event.type === 'finish') guesses = [event.usage.draftedTokens ?? 0, event.usage.acceptedTokens ?? 0];
  }
  const steps = tokens.length - 1;
  if (steps < 1)
    throw new Error(`${model} ends its answer after ${tokens.length} tokens: ask it something else.`);
  return { tokens, each: (last - first) / steps, waits: (after - before) / steps, guesses };
}

/** ms waited in all. */
let waited = 0;
const lines: string[][] = [];
let equal = 0;
let compared = 0;
for (const hops of numbers(values.hops)) {
  const bounds = Array.from({ length: hops + 1 }, (_, i) => Math.round((i * blocks) / hops));
  for (const rtt of numbers(values.rtt)) {
    const id = `${hops} hops, ${rtt} ms`;
    const leases: CellLease[] = [];
    const names: string[] = [];
    for (const engine of Object.values(engines)) {
      const mine: CellLease[] = [];
      for (let i = 0; i < hops; i++) {
        const name = `${bounds[i]}-${bounds[i + 1]}`;
        names.push(name);
        await peer.load({
          id: name,
          path,
          range: { from: bounds[i]!, to: bounds[i + 1]!, embed: false, head: false },
        });
        mine.push(await peer.lease(name, CONTEXT));
      }
      leases.push(...mine);
      const carry: Carry = async (parts, hidden, signal) => {
        let rows = hidden;
        for (const [i, lease] of mine.entries()) {
          // There and back for each peer, as if the answer of each came by way of the owner.
          const from = performance.now();
          if (rtt > 0) await delay(rtt, undefined, { signal });
          waited += performance.now() - from;
          const all = parts.map((part) => ({
            ...part,
            outputs: part.outputs === 'each' ? part.outputs : ('all' as const),
          }));
          rows = await lease.step(i === mine.length - 1 ? parts : all, rows, signal);
        }
        return rows;
      };
      await engine.load({ id, path, elsewhere: { from: 0, to: blocks, kvCells: CONTEXT } }, { carry });
    }
    for (const name of chosen) {
      const speeds = { without: [] as number[], with: [] as number[] };
      const computing: number[] = [];
      let [drafted, accepted] = [0, 0];
      for (let round = -1; round < ROUNDS; round++) {
        let expected: string | null = null;
        for (const way of ['without', 'with'] as const) {
          const { tokens, each, waits, guesses } = await answer(engines[way], id, PROMPTS[name]!);
          if (expected === null) expected = tokens.join();
          else {
            compared++;
            if (tokens.join() === expected) equal++;
          }
          // The first round computes the prompt and warms up.
          if (round < 0) continue;
          speeds[way].push(1000 / each);
          if (way === 'without') computing.push(each - waits);
          drafted += guesses[0]!;
          accepted += guesses[1]!;
        }
      }
      lines.push([
        String(hops),
        String(rtt),
        name,
        (1000 / (rtt * hops + median(computing))).toPrecision(3),
        spread(speeds.without),
        spread(speeds.with),
        spread(ratios(speeds.with, speeds.without)),
        drafted === 0 ? '-' : `${Math.round((accepted / drafted) * 100)} % of ${drafted}`,
      ]);
      console.error(lines.at(-1)!.join('  '));
    }
    for (const engine of Object.values(engines)) await engine.unload(id);
    for (const lease of leases) await lease[Symbol.asyncDispose]();
    for (const name of new Set(names)) await peer.unload(name);
  }
}
console.log(
  table(
    [
      'hops',
      'ms a hop',
      'answer',
      'bound, tok/s',
      'without, tok/s',
      'with guesses',
      'ratio',
      'guesses right',
    ],
    lines,
  ),
);
console.log(
  `\nAnswers with the same tokens: ${equal} of ${compared}. Median of ${ROUNDS} rounds (least-largest).`,
);
for (const engine of [...Object.values(engines), peer]) await engine[Symbol.asyncDispose]();
