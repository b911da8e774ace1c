/**
 * `npm run bench:swarm`: what a call to a peer costs beside a bare TLS 1.3 socket, between two processes on loopback.
 *
 * In each round every way takes its turn: the TLS socket, a libp2p stream without our frames and threads, a call and a step of
 * a session over streams, the same over lanes, and (for what a thread costs) the way to a worker and back. Each turn echoes blocks of 16 KB one after another and
 * then blocks of 4 MB; ratios are within rounds. At the end a session's step and a call over a proxy that adds 80 ms a round
 * trip. Targets: 16 KB p50 at most 1.5 times the socket's, 4 MB at least 0.6 of its throughput.
 *
 * Options: --rounds N (5), --small N round trips of 16 KB a turn (1000), --large N of 4 MB (12).
 *
 * @module bench/swarm
 */
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { multiaddr } from '@multiformats/multiaddr';
import { createSwarm, type Swarm } from '../src/swarm/index.ts';
import { createNode } from '../src/swarm/libp2p/config.ts';
import { cpuMs } from './lib/process-usage.ts';
import { median, ratios, spread, table } from './lib/stats.ts';
import { delayed } from './swarm/delay.ts';
import { BARE_PROTOCOL, blockOf, eachBlock, SETTINGS } from './swarm/shared.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    small: { type: 'string', default: '1000' },
    large: { type: 'string', default: '12' },
  },
});
const ROUNDS = Number(values.rounds);
const SMALL = { bytes: 16 * 1024, count: Number(values.small) };
const LARGE = { bytes: 4 * 1024 * 1024, count: Number(values.large) };

/** A self-signed certificate, as good as any for a socket whose speed is measured. */
function certificate(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'kith-bench-'));
  try {
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const rest = ['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...rest], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Way {
  readonly name: string;
  /** One block there and back. */
  echo(bytes: number): Promise<void>;
}

const tlsKeys = certificate();
const child = fork(new URL('./swarm/subject.ts', import.meta.url), {
  env: { ...process.env, BENCH_TLS: JSON.stringify(tlsKeys) },
});
const far = await new Promise<{ tlsPort: number; bare: string; swarm: string; peer: string }>(
  (resolve, reject) => {
    child.once('message', (message) => resolve(message as never));
    child.once('exit', (code) => reject(new Error(`The other process ended with ${code}.`)));
  },
);

async function tlsWay(): Promise<Way> {
  const socket = connect({ port: far.tlsPort, host: '127.0.0.1', ca: tlsKeys.cert, servername: 'localhost' });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  let done = () => {};
  socket.on(
    'data',
    eachBlock(() => done()),
  );
  return {
    name: 'TLS 1.3 socket',
    echo: (bytes) =>
      new Promise((resolve) => {
        done = resolve;
        socket.write(blockOf(bytes));
      }),
  };
}

const bareNode = await createNode(
  { ...SETTINGS, seed: new Uint8Array(32).fill(23) },
  { denyDialMultiaddr: () => false },
);
async function bareWay(): Promise<Way> {
  const stream = await bareNode.dialProtocol(multiaddr(far.bare), BARE_PROTOCOL);
  let done = () => {};
  const push = eachBlock(() => done());
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) push(data);
    else for (const chunk of data) push(chunk);
  });
  return {
    name: 'libp2p stream, no thread',
    echo: (bytes) =>
      new Promise((resolve) => {
        done = resolve;
        stream.send(blockOf(bytes));
      }),
  };
}

/** A swarm that is linked to the other process, with a call and a session over streams or over lanes. */
async function swarmWays(lanes: 'auto' | 'off', seed: number): Promise<{ swarm: Swarm; ways: Way[] }> {
  const swarm = await createSwarm({
    ...SETTINGS,
    lanes,
    seed: new Uint8Array(32).fill(seed),
    gate: { bytesPerSecond: 1e12, byteBurst: 1e12 },
  });
  await swarm.dial(far.swarm);
  const session = await swarm.openSession(far.peer, 'steps');
  const path = lanes === 'off' ? 'stream' : 'lane';
  if (session.path !== path) throw new Error(`The session goes over a ${session.path}, not a ${path}.`);
  const ways: Way[] = [
    {
      name: `call, ${path}`,
      echo: async (bytes) => void (await swarm.call(far.peer, 'echo', {}, new Uint8Array(bytes))),
    },
    {
      name: `step of a session, ${path}`,
      echo: async (bytes) => {
        await session.send({}, new Uint8Array(bytes));
        await session.receive();
      },
    },
  ];
  return { swarm, ways };
}

const streams = await swarmWays('off', 24);
const laned = await swarmWays('auto', 26);
const worker = new Worker(new URL('./swarm/echo-worker.ts', import.meta.url));
const ways: Way[] = [
  await tlsWay(),
  await bareWay(),
  ...streams.ways,
  ...laned.ways,
  {
    name: 'a thread and back, alone',
    echo: (bytes) =>
      new Promise((resolve) => {
        worker.once('message', () => resolve());
        const payload = new Uint8Array(bytes);
        worker.postMessage({ payload }, [payload.buffer]);
      }),
  },
];

/** Each way's p50 of small blocks (ms), MB/s of large ones both ways together, and CPU of both processes. */
const results = ways.map(() => ({
  p50: [] as number[],
  p99: [] as number[],
  rate: [] as number[],
  cpu: [] as number[],
}));

async function timesOf(way: Way, { bytes, count }: { bytes: number; count: number }): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const begin = performance.now();
    await way.echo(bytes);
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b);
}

for (const way of ways) {
  await timesOf(way, { ...SMALL, count: 500 });
  await timesOf(way, { ...LARGE, count: 4 });
}
// Calls take a lane once they have been worth one.
const { lanesOut } = laned.swarm.counters();
if (lanesOut < 2) throw new Error(`There are ${lanesOut} lanes instead of two.`);
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, way] of ways.entries()) {
    const result = results[index]!;
    const before = cpuMs(process.pid) + cpuMs(child.pid!);
    const small = await timesOf(way, SMALL);
    result.cpu.push(((cpuMs(process.pid) + cpuMs(child.pid!) - before) * 1000) / SMALL.count);
    result.p50.push(median(small));
    result.p99.push(small[Math.floor(small.length * 0.99)]!);
    const large = await timesOf(way, LARGE);
    result.rate.push((2 * LARGE.bytes) / 1e3 / median(large));
  }
}

const first = results[0]!;
console.log(
  table(
    ['echo over loopback', '16 KB p50 ms', 'x TLS', 'p99 ms', 'CPU us', '4 MB, MB/s', 'x TLS'],
    ways.map(({ name }, index) => {
      const { p50, p99, rate, cpu } = results[index]!;
      const slower = p50.map((value, round) => value / first.p50[round]!);
      return [
        name,
        spread(p50),
        spread(slower),
        spread(p99),
        spread(cpu),
        spread(rate),
        spread(ratios(rate, first.rate)),
      ];
    }),
  ),
);

const HALF_MS = 40;
const { port } = new URL(`tcp://127.0.0.1:${/\/tcp\/(\d+)/.exec(far.swarm)![1]}`);
const proxy = await delayed(Number(port), HALF_MS);
// A lane would go past the proxy.
const distant = await createSwarm({ ...SETTINGS, lanes: 'off', seed: new Uint8Array(32).fill(25) });
await distant.dial(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${far.peer}`);
const opening = performance.now();
const far80 = await distant.openSession(far.peer, 'steps');
const opened = performance.now() - opening;
const stepTimes: number[] = [];
const callTimes: number[] = [];
for (let index = 0; index < 20; index++) {
  let begin = performance.now();
  await far80.send({}, new Uint8Array(SMALL.bytes));
  await far80.receive();
  stepTimes.push(performance.now() - begin);
  begin = performance.now();
  await distant.call(far.peer, 'echo', {}, new Uint8Array(SMALL.bytes));
  callTimes.push(performance.now() - begin);
}
console.log(
  `\n${table(
    [`streams at ${2 * HALF_MS} ms a round trip, 16 KB`, 'ms', 'round trips'],
    [
      ['session opens', opened.toFixed(0), (opened / (2 * HALF_MS)).toFixed(2)],
      ['step of a session', spread(stepTimes), (median(stepTimes) / (2 * HALF_MS)).toFixed(2)],
      ['first call', callTimes[0]!.toFixed(0), (callTimes[0]! / (2 * HALF_MS)).toFixed(2)],
      ['later calls', spread(callTimes.slice(1)), (median(callTimes.slice(1)) / (2 * HALF_MS)).toFixed(2)],
    ],
  )}`,
);

proxy.close();
await worker.terminate();
await bareNode.stop();
await distant[Symbol.asyncDispose]();
await streams.swarm[Symbol.asyncDispose]();
await laned.swarm[Symbol.asyncDispose]();
child.kill();
process.exit(0);
