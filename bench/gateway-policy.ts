/**
 * `node bench/gateway-policy.ts`: what the gateway's choice and its failover add to an answer that goes well.
 *
 * A backend in memory answers at once. Measured is the processor time (user and system) of reading its answer directly
 * and through policy and orchestrator in turn, round by round; the difference is what a request pays. The target is
 * about 3 µs for each request, and as little as can be for each event after it.
 *
 * Options: --rounds N (15), --requests N per round (20000).
 *
 * @module bench/gateway-policy
 */
import { parseArgs } from 'node:util';
import { systemRandom } from '../src/base/index.ts';
import { type Candidate, createPolicy, type Needs } from '../src/gateway/policy/index.ts';
import {
  createConditions,
  createFailover,
  createRetryBudget,
  limitsFor,
  systemTimers,
} from '../src/gateway/resilience/index.ts';
import type { Backend, ChatEvent, ChatRequest } from '../src/gateway/types.ts';
import { median, spread, table } from './lib/stats.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, requests: { type: 'string', default: '20000' } },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = Number(values.requests);
const LONG = 200;

function inMemory(name: string, pieces: number): Backend {
  const receipt = { backend: name, model: 'm', queueMs: null, prefillMs: null, decodeMs: null, notes: [] };
  const events: ChatEvent[] = [
    { type: 'start', backend: name, model: 'm' },
    ...Array.from(
      { length: pieces },
      (): ChatEvent => ({ type: 'text', choice: 0, text: 'word ', logprobs: null }),
    ),
    { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 },
    { type: 'usage', promptTokens: 1, cachedTokens: 0, completionTokens: pieces, receipt },
  ];
  // Of a backend the bench uses its name and its answers.
  return {
    name,
    async *chat() {
      for (const event of events) yield event;
    },
  } as Pick<Backend, 'name' | 'chat'> as Backend;
}

const { signal } = new AbortController();
const request: ChatRequest = {
  model: 'm',
  messages: [{ role: 'user', content: 'hello' }],
  n: 1,
  sampler: {},
  maxTokens: null,
  stop: [],
  overflow: null,
  keepTokens: 0,
  timeoutMs: null,
  signal,
};

const conditions = createConditions({ now: systemTimers.monotonic });
const failover = createFailover({
  timers: systemTimers,
  random: systemRandom,
  conditions,
  budget: createRetryBudget({ now: systemTimers.monotonic }),
});
const policy = createPolicy({ conditions, random: systemRandom, balancing: 'latency' });
const needs: Needs = {
  promptTokens: 100,
  completionTokens: 100,
  tools: true,
  json: false,
  vision: false,
  regions: null,
  budget: 1,
  privacy: () => null,
  conversation: null,
};

function candidates(pieces: number, continues: boolean): Candidate[] {
  return Array.from({ length: 4 }, (_, order) => ({
    backend: inMemory(`b${order}`, pieces),
    model: 'm',
    context: 8192,
    continues,
    limits: limitsFor({ parameters: null }),
    group: order < 2 ? 'near' : 'far',
    order,
    quality: 0,
    tools: true,
    json: true,
    vision: false,
    region: null,
    price: { prompt: 0, completion: 0 },
  }));
}

let seen = 0;
async function read(events: AsyncIterable<ChatEvent>): Promise<void> {
  for await (const event of events) if (event.type === 'usage') seen++;
}

/** Processor µs for each of `count` calls. */
async function time(count: number, call: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const short = candidates(1, false);
const long = candidates(LONG, false);
const kept = candidates(LONG, true);
const longRequests = Math.ceil(REQUESTS / 20);
const through = (rows: Candidate[]) => () => read(failover.chat(request, policy.decide(rows, needs)).answer);
const cases = {
  'direct, 1 piece': [REQUESTS, () => read(short[0]!.backend.chat(request))],
  'policy alone': [REQUESTS, () => void policy.decide(short, needs)],
  'orchestrator, 1 piece': [REQUESTS, () => read(failover.chat(request, short).answer)],
  'both, 1 piece': [REQUESTS, through(short)],
  [`direct, ${LONG} pieces`]: [longRequests, () => read(long[0]!.backend.chat(request))],
  [`both, ${LONG} pieces`]: [longRequests, through(long)],
  [`both, ${LONG} pieces, kept for continuation`]: [longRequests, through(kept)],
} satisfies Record<string, [number, () => Promise<void> | void]>;

const figures: Record<string, number[]> = {};
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, [count, call]] of Object.entries(cases)) {
    const us = await time(count, call);
    // Two rounds warm the compiler up.
    if (round < 0) continue;
    figures[name] ??= [];
    figures[name].push(us);
  }
}
if (seen === 0) throw new Error('No answer was whole.');

console.log(
  table(
    ['case', 'CPU µs per request, median (min-max)'],
    Object.entries(figures).map(([name, us]) => [name, spread(us)]),
  ),
);
const of = (name: string) => figures[name]!;
const less = (ours: readonly number[], theirs: readonly number[]) =>
  ours.map((us, index) => us - theirs[index]!);
const added = less(of('both, 1 piece'), of('direct, 1 piece'));
const addedLong = less(of(`both, ${LONG} pieces`), of(`direct, ${LONG} pieces`));
const perPiece = less(addedLong, added).map((us) => us / (LONG - 1));
console.log(
  `\nadded to a request: ${spread(added)} µs (target about 3), best round ${Math.min(...added).toFixed(2)}`,
);
console.log(`added to each further piece: ${spread(perPiece)} µs, median ${median(perPiece).toFixed(3)}`);
