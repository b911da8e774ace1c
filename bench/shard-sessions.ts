/**
 * `npm run bench:shard-sessions`: many sessions at once over two servers in processes of their own, each with half of the
 * blocks. Several owners, each a node of its own with as many sessions; every session is a path. All begin together: a prompt of
 * 16 rows, then token by token. What owners do with rows (embedding, head, sampling) is left out: it would be done on as many
 * machines as there are owners, and here takes the servers' processor.
 *
 * Prints tokens a second of all sessions together, times between two tokens of a session, the slowest session against the
 * fastest (1: all get the same), and the resident memory of the servers.
 *
 * Options: --model NAME (tinyllama-q4_0), --rounds N (3), --tokens N (32), --owners N (4), --sessions LIST (1,4,16).
 *
 * @module bench/shard-sessions
 */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { blockCount, fileSource, readGguf } from '../src/models/index.ts';
import { openPath, type Path, type ShardOffer } from '../src/shards/index.ts';
import type { Swarm } from '../src/swarm/index.ts';
import { swarmOnLoopback } from '../src/swarm/testing/nodes.ts';
import { benchModel } from './lib/models.ts';
import { median, spread, table } from './lib/stats.ts';
import type { ServerSettings, ServerUse } from './shards/session-server.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'tinyllama-q4_0' },
    rounds: { type: 'string', default: '3' },
    tokens: { type: 'string', default: '32' },
    owners: { type: 'string', default: '4' },
    sessions: { type: 'string', default: '1,4,16' },
  },
});
const TOKENS = Number(values.tokens);
const ROUNDS = Number(values.rounds);
const COUNTS = values.sessions.split(',').map(Number);
const MOST = Math.max(...COUNTS);
const CELLS = 256;
const PROMPT = 16;
const MODEL = 'ce'.repeat(32);
const MiB = 1 << 20;

const file = await benchModel(values.model);
await using source = await fileSource(file);
const blocks = blockCount(await readGguf(source));

interface Server {
  readonly offer: ShardOffer;
  use(): Promise<ServerUse>;
  kill(): void;
}

async function startServer(settings: ServerSettings): Promise<Server> {
  const child = fork(new URL('./shards/session-server.ts', import.meta.url), {
    env: { ...process.env, KITH_BENCH_SHARD: JSON.stringify(settings) },
  });
  const gone = new Promise<never>((_, reject) =>
    child.once('exit', (code) => reject(new Error(`The server's process ended with ${code}.`))),
  );
  // Whoever waits for an answer meets it; at the end nobody does.
  gone.catch(() => {});
  const next = <T>(): Promise<T> =>
    Promise.race([
      new Promise<T>((resolve) => child.once('message', (message) => resolve(message as T))),
      gone,
    ]);
  const { peer, addresses } = await next<{ peer: string; addresses: string[] }>();
  return {
    offer: { peer, addresses, from: settings.from, to: settings.to },
    use() {
      const answered = next<ServerUse>();
      child.send('use');
      return answered;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

const half = Math.floor(blocks / 2);
const shared = { path: file, model: MODEL, sessions: MOST, cells: CELLS };
const servers = [
  await startServer({ ...shared, number: 211, from: 0, to: half }),
  await startServer({ ...shared, number: 212, from: half, to: blocks }),
];
const owners: Swarm[] = [];
for (let i = 0; i < Number(values.owners); i++)
  owners.push(await swarmOnLoopback(220 + i, { gate: { tierOf: () => 'trusted' } }));

/** One for each session; the first belong to different owners. */
const paths: Path[] = [];
for (let i = 0; i < MOST; i++) {
  const path = await openPath({
    swarm: owners[i % owners.length]!,
    model: MODEL,
    shards: servers.map(({ offer }) => offer),
    cells: CELLS,
    substitute: async () => null,
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
  });
  paths.push(path);
}

const signal = new AbortController().signal;

/** Times of its tokens, ms. */
async function answer(session: number): Promise<number[]> {
  const path = paths[session]!;
  const times: number[] = [];
  const step = (start: number, count: number): Promise<Float32Array> =>
    path.carry(
      [
        {
          ...{ start, count, after: start - 1, outputs: 'last' as const },
          cells: Int32Array.from({ length: count }, (_, i) => start + i),
        },
      ],
      Float32Array.from({ length: count * path.width }, (_, i) => 0.02 * Math.sin(i + start + session)),
      signal,
    );
  await step(0, PROMPT);
  for (let at = PROMPT; at < PROMPT + TOKENS; at++) {
    await step(at, 1);
    times.push(performance.now());
  }
  return times;
}

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;

interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly fairness: number;
  /** ms of the servers' processors a token. */
  readonly nodeMs: number;
  readonly engineMs: number;
}
const rounds = new Map<number, Round[]>(COUNTS.map((count) => [count, []]));
const memory = new Map<number, ServerUse[]>();
const useOfAll = () => Promise.all(servers.map((server) => server.use()));
const sum = (uses: readonly ServerUse[], of: (use: ServerUse) => number | null): number =>
  uses.reduce((all, use) => all + (of(use) ?? Number.NaN), 0);
for (let round = -1; round < ROUNDS; round++) {
  for (const count of COUNTS) {
    const before = await useOfAll();
    const from = performance.now();
    const all = await Promise.all(Array.from({ length: count }, (_, i) => answer(i)));
    const seconds = (performance.now() - from) / 1000;
    // The first round warms up.
    if (round < 0) continue;
    const gaps = all.flatMap((times) => times.slice(1).map((at, i) => at - times[i]!)).sort((a, b) => a - b);
    const rates = all.map((times) => times.length / (times.at(-1)! - from));
    const uses = await useOfAll();
    const tokens = all.reduce((total, { length }) => total + length, 0);
    rounds.get(count)!.push({
      perSecond: tokens / seconds,
      p50: quantile(gaps, 0.5),
      p95: quantile(gaps, 0.95),
      fairness: Math.min(...rates) / Math.max(...rates),
      nodeMs: (sum(uses, ({ nodeMs }) => nodeMs) - sum(before, ({ nodeMs }) => nodeMs)) / tokens,
      engineMs: (sum(uses, ({ engineMs }) => engineMs) - sum(before, ({ engineMs }) => engineMs)) / tokens,
    });
    memory.set(count, uses);
  }
}

const megabytes = ({ node, engine: process }: ServerUse): string =>
  `${Math.round(node / MiB)} + ${process === null ? '?' : Math.round(process / MiB)}`;
console.log(
  `${values.model}, ${blocks} blocks, 2 servers, ${owners.length} owners, ${TOKENS} tokens each, ${CELLS} KV cells a session, median of ${ROUNDS} rounds (spread)\n`,
);
console.log(
  table(
    [
      'sessions',
      'tokens/s of all',
      'ms between tokens, p50',
      'p95',
      'p95 / p50',
      'slowest / fastest',
      'ms of processor a token, node + engine',
      'MiB of the servers, node + engine',
    ],
    COUNTS.map((count) => {
      const all = rounds.get(count)!;
      return [
        `${count}`,
        spread(all.map(({ perSecond }) => perSecond)),
        spread(all.map(({ p50 }) => p50)),
        spread(all.map(({ p95 }) => p95)),
        spread(all.map(({ p50, p95 }) => p95 / p50)),
        spread(all.map(({ fairness }) => fairness)),
        `${median(all.map(({ nodeMs }) => nodeMs)).toFixed(2)} + ${median(all.map(({ engineMs }) => engineMs)).toFixed(2)}`,
        memory.get(count)!.map(megabytes).join(', '),
      ];
    }),
  ),
);
const rateOf = (count: number): number => median(rounds.get(count)!.map(({ perSecond }) => perSecond));
for (const count of COUNTS.slice(1))
  console.log(
    `\n${count} sessions: ${(rateOf(count) / rateOf(COUNTS[0]!)).toFixed(2)} times the tokens of ${COUNTS[0]} session.`,
  );

for (const path of paths) await path[Symbol.asyncDispose]();
for (const owner of owners) await owner[Symbol.asyncDispose]();
for (const server of servers) server.kill();
