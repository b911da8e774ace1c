/**
 * A thousand mixed requests against one node, many of which their clients give up: nothing may stay behind.
 *
 * Memory is the resident set of the node's process, the engine process and the text process, from /proc. It is
 * measured after each fifth of the requests and always in the same state: no request in flight, no client connected,
 * the node's garbage collected (V8 keeps it until it wants the room). One measurement is the median of 15 samples with
 * one small request between them. Growth counts from the second measurement on: until then heaps, graph caches and
 * the KV cache fill.
 *
 * `KITH_TEST_SEED` chooses another order of events, `KITH_TEST_REQUESTS` another number.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { median, table } from '../../bench/lib/stats.ts';
import { createSeededRandom } from '../../src/base/index.ts';
import type { EngineStatus } from '../../src/engine/index.ts';
import { createHome } from '../node-support.ts';
import { makeRequest, type Outcome, send } from './soak-requests.ts';

const seed = Number(process.env.KITH_TEST_SEED ?? 20_261_121);
const TOTAL = Number(process.env.KITH_TEST_REQUESTS ?? 1000);
const SAMPLES = 15;
const MiB = 1024 * 1024;

interface Status {
  readonly requests: { readonly active: number; readonly total: number };
  readonly engine: EngineStatus;
}

interface Figures {
  readonly requests: number;
  readonly node: number;
  readonly engine: number;
  readonly text: number;
  readonly live: number;
  readonly files: readonly number[];
  readonly sockets: number;
  readonly counters: Readonly<Record<string, number>>;
}

class Subject {
  readonly child: ChildProcess;
  readonly port: number;

  constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  async status(): Promise<Status> {
    this.child.send('status');
    const [status] = (await once(this.child, 'message')) as [Status];
    return status;
  }

  /** Live bytes of the node's heap and of its buffers, after a garbage collection. */
  async live(): Promise<number> {
    this.child.send('memory');
    const [memory] = (await once(this.child, 'message')) as [{ heapUsed: number; external: number }];
    return memory.heapUsed + memory.external;
  }

  /** Node, engine, text process. */
  async pids(): Promise<[node: number, engine: number, text: number]> {
    const node = this.child.pid!;
    const { engine } = await this.status();
    const children = (await readFile(`/proc/${node}/task/${node}/children`, 'utf8')).trim().split(' ');
    const others = children.map(Number).filter((pid) => pid !== engine.pid);
    assert.equal(others.length, 1, `children of the node: ${children.join(' ')}, engine ${engine.pid}`);
    return [node, engine.pid!, others[0]!];
  }
}

async function until<T>(what: string, read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const limit = performance.now() + 60_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    assert.ok(performance.now() < limit, `${what} never came: ${JSON.stringify(value)}`);
  }
}

const rss = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
const files = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

/** Connections that the server side still holds: established, or closed by the client only. */
async function sockets(port: number): Promise<number> {
  const held = new Set(['01', '08']);
  const local = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1);
  return lines.filter((line) => {
    const [, address, , state] = line.trim().split(/\s+/);
    return address?.endsWith(`:${local}`) && held.has(state!);
  }).length;
}

const tiny = ({ engine }: Status) => engine.models.find(({ id }) => id === 'tiny')!;
const isIdle = (status: Status): boolean =>
  status.requests.active === 0 && status.engine.models.every(({ active, queued }) => active + queued === 0);

/** Waits until nothing runs and every cell is accounted for, then shows that nothing goes on computing. */
async function settle(subject: Subject): Promise<Readonly<Record<string, number>>> {
  const { status, port } = subject;
  const read = status.bind(subject);
  await until('no request in flight', read, isIdle);
  // Cells that a pass was using when its sequence was aborted come back after the pass.
  const settled = await until('all cells free or cached', read, (now) => {
    const { freeCells, cachedCells, kvCells } = tiny(now).counters;
    return freeCells! + cachedCells! === kvCells;
  });
  const { counters } = tiny(settled);
  const agent = new Agent();
  // A decode that had been left behind would compute beside this request, and the sums would show it.
  const random = createSeededRandom(1);
  const body = { prompt: 'One two', max_tokens: 5, temperature: 0, logit_bias: { 2: -100 } };
  const soak = { ...makeRequest(random), path: '/v1/completions', body: JSON.stringify(body) };
  const alone = { ...soak, kind: 'alone', status: 200, choices: 1, stream: false, leave: null };
  assert.equal(await send(port, agent, alone), 'answered');
  agent.destroy();
  const after = tiny(await until('no request in flight', read, isIdle)).counters;
  assert.equal(after.submitted! - counters.submitted!, 1);
  assert.equal(after.completionTokens! - counters.completionTokens!, 5);
  assert.ok(after.passes! - counters.passes! <= 7, `${after.passes! - counters.passes!} passes for 5 tokens`);
  // Jobs that are refused when they are submitted are not counted as submitted, those refused while they wait are.
  const ended = after.finished! + after.aborted! + after.failed!;
  const refused = after.submitted! - ended;
  assert.ok(refused >= 0 && refused <= after.refused!, JSON.stringify(after));
  return after;
}

async function measure(subject: Subject, requests: number): Promise<Figures> {
  const counters = await settle(subject);
  const [node, engine, text] = await subject.pids();
  const live = await subject.live();
  const samples: [number, number, number][] = [];
  const agent = new Agent();
  const body = JSON.stringify({ prompt: 'One two', max_tokens: 1 });
  for (let sample = 0; sample < SAMPLES; sample++) {
    const small = { kind: 'small', path: '/v1/completions', body, status: 200, choices: 1, stream: false };
    await send(subject.port, agent, { ...small, leave: null });
    samples.push([await rss(node), await rss(engine), await rss(text)]);
  }
  agent.destroy();
  const open = await until(
    'closed connections',
    () => sockets(subject.port),
    (count) => count === 0,
  );
  const of = (index: number) => median(samples.map((sample) => sample[index]!));
  return {
    requests,
    node: of(0),
    engine: of(1),
    text: of(2),
    live,
    files: [await files(node), await files(engine), await files(text)],
    sockets: open,
    counters,
  };
}

test('a thousand requests, many of them given up, leave no memory, slot, cell or socket behind', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async (t) => {
  await using home = await createHome();
  const flags = {
    'engine.maxActive': 6,
    'engine.maxQueue': 8,
    'engine.context': 1024,
    'engine.kvCells': 3072,
    'server.bodyBytes': 2 * MiB,
  };
  const child = fork(new URL('./soak-node.ts', import.meta.url), [home.path, JSON.stringify(flags)], {
    execArgv: ['--expose-gc'],
  });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const subject = new Subject(child, port);
    const pids: number[][] = [];
    const random = createSeededRandom(seed);
    const outcomes = new Map<string, Map<Outcome, number>>();
    const started = performance.now();
    let sent = 0;
    const run = async (upTo: number): Promise<Figures> => {
      const agent = new Agent({ keepAlive: true });
      const client = async () => {
        while (sent < upTo) {
          sent++;
          const soak = makeRequest(random);
          const outcome = await send(port, agent, soak);
          const row = outcomes.get(soak.kind) ?? new Map<Outcome, number>();
          row.set(outcome, (row.get(outcome) ?? 0) + 1);
          outcomes.set(soak.kind, row);
        }
      };
      // 8 to 12 clients at a time.
      await Promise.all(Array.from({ length: 8 + (random.uint32() % 5) }, client));
      agent.destroy();
      const figures = await measure(subject, sent);
      pids.push(await subject.pids());
      return figures;
    };
    const rows: Figures[] = [];
    for (const upTo of [0.2, 0.4, 0.6, 0.8, 1]) rows.push(await run(Math.round(TOTAL * upTo)));
    const seconds = (performance.now() - started) / 1000;

    const names: Outcome[] = ['answered', 'refused', 'busy', 'left'];
    const mib = (bytes: number) => (bytes / MiB).toFixed(1);
    const sum = (row: Figures) => row.node + row.engine + row.text;
    console.log(
      [
        `seed ${seed}, ${TOTAL} requests in ${seconds.toFixed(0)} s`,
        table(
          ['request', ...names],
          [...outcomes]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([kind, row]) => [kind, ...names.map((name) => String(row.get(name) ?? 0))]),
        ),
        table(
          [
            'after',
            'node MiB',
            'engine MiB',
            'text MiB',
            'sum MiB',
            'node live MiB',
            'open files',
            'sockets',
            'passes',
            'tokens',
            'aborted',
            'preempted',
            'evicted cells',
          ],
          rows.map((row) => [
            String(row.requests),
            mib(row.node),
            mib(row.engine),
            mib(row.text),
            mib(sum(row)),
            mib(row.live),
            row.files.join(' '),
            String(row.sockets),
            String(row.counters.passes),
            String(row.counters.completionTokens),
            String(row.counters.aborted),
            String(row.counters.preemptions),
            String(row.counters.evictedCells),
          ]),
        ),
      ].join('\n\n'),
    );

    for (const each of pids) assert.deepEqual(each, pids[0], 'no process was started again');
    const [, warm] = rows;
    const end = rows.at(-1)!;
    const growth = sum(end) / sum(warm!) - 1;
    t.diagnostic(`memory from request ${warm!.requests} to ${end.requests}: ${(growth * 100).toFixed(1)} %`);
    assert.ok(growth <= 0.05, `memory grew by ${(growth * 100).toFixed(1)} %`);
    assert.deepEqual(end.files, warm!.files, 'open files');
    assert.equal(end.counters.failed, 0);
    const outcome = (name: Outcome) =>
      [...outcomes.values()].reduce((all, row) => all + (row.get(name) ?? 0), 0);
    assert.equal(
      names.reduce((all, name) => all + outcome(name), 0),
      TOTAL,
    );
    // A run in which everything was refused or given up would prove nothing.
    assert.ok(outcome('answered') > TOTAL / 3 && outcome('left') > TOTAL / 10);
  } finally {
    if (child.connected) child.send('close');
    const ended = await Promise.race([
      once(child, 'exit'),
      new Promise<null>((r) => setTimeout(r, 10_000, null)),
    ]);
    if (ended === null) child.kill('SIGKILL');
  }
});
