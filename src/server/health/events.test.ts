/** The stream of the node's state on real sockets, with a state and a clock that the tests move. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import {
  createIds,
  createManualClock,
  createSeededRandom,
  type ManualClock,
  silentLogger,
} from '../../base/index.ts';
import '../../../test/openapi/watch.ts';
import { gatewayOver } from '../../gateway/testing/over.ts';
import { defaultServerLimits } from '../http/limits.ts';
import { createServer } from '../server.ts';
import { loopbackAccess } from '../testing/loopback-access.ts';
import type { NodeStatus, Server } from '../types.ts';
import { maxReaders, newsOf } from './events.ts';
import { detailedHealthOf } from './health.ts';
import type { DetailedHealth } from './types.ts';

const calm: NodeStatus = {
  state: 'ready',
  message: null,
  version: '0.0.0',
  pid: 1,
  startedAt: 0,
  uptimeMs: 1000,
  url: 'http://127.0.0.1:1',
  home: '/home',
  identity: {
    peerId: '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq',
    did: 'did:key:z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH',
    protected: false,
  },
  defaultModel: 'm',
  embeddingModel: 'e',
  models: [],
  loaded: [],
  backends: [],
  policy: { privacy: 'minimum', route: 'auto', cache: 'off', degrade: 'none' },
  engine: { state: 'running', pid: 2, restarts: 0, lastCause: null },
  requests: { active: 0, total: 0, refused: 0 },
  memory: { node: 1e8, engine: null, total: 8e9, free: 4e9 },
  diskFree: 1e10,
  swarm: {
    state: 'off',
    message: null,
    peer: 'p',
    reach: 'none',
    counters: null,
    records: 0,
    peers: 0,
    messages: 0,
    unread: 0,
  },
  logLevel: 'info',
  threads: 1,
  limits: {
    max_active: 1,
    max_queue: 1,
    max_wait_ms: 1,
    max_run_ms: 1,
    max_tokens: 1,
    body_bytes: 1,
    connections: 1,
  },
  progress: null,
};

interface Stage extends AsyncDisposable {
  readonly server: Server;
  readonly clock: ManualClock;
  now: NodeStatus;
  /** True: the node cannot say how it is. */
  hangs: boolean;
  /** Looks at the node so far. */
  looks: number;
}

async function stage(): Promise<Stage> {
  const clock = createManualClock();
  const set = { clock, now: calm, hangs: false, looks: 0 } as Stage;
  const server = await createServer({
    gateway: gatewayOver([]),
    control: {
      status: async () => {
        set.looks++;
        return set.hangs ? await new Promise<never>(() => {}) : set.now;
      },
      shutdown: () => {},
      unload: async () => false,
      load: async () => {},
    },
    host: '127.0.0.1',
    port: 0,
    log: silentLogger,
    clock,
    ids: createIds(clock, createSeededRandom(1)),
    randomSeed: () => 1,
    limits: defaultServerLimits,
    version: '0.0.0',
    token: 'a-token-that-is-long-enough',
    access: loopbackAccess(),
    observers: [],
  });
  return Object.assign(set, { server, [Symbol.asyncDispose]: () => server.close(0) });
}

/** Events of a stream, one `next()` each. */
async function* eventsOf(response: Response): AsyncGenerator<DetailedHealth> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      const block = text.slice(0, at);
      text = text.slice(at + 2);
      if (block.startsWith(':')) continue;
      const [, data] = /^event: status\ndata: (.*)$/.exec(block)!;
      yield JSON.parse(data!) as DetailedHealth;
    }
  }
}

const follow = async (server: Server, signal?: AbortSignal) => {
  const response = await fetch(`${server.url}/kith/v1/events`, signal ? { signal } : {});
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  return eventsOf(response);
};
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

describe("The stream of the node's state", () => {
  it('tells the state at once, then each change of it, and nothing between', async () => {
    await using set = await stage();
    const events = await follow(set.server);
    assert.deepEqual((await events.next()).value, detailedHealthOf(calm));
    await until(() => set.clock.sleeping === 1);
    // Time and a little memory pass: no news.
    set.now = { ...calm, uptimeMs: 5000, memory: { ...calm.memory, node: 1e8 + 1000 } };
    await set.clock.advance(1000);
    await until(() => set.looks === 2 && set.clock.sleeping === 1);
    set.now = { ...set.now, state: 'degraded', message: 'It broke.' };
    await set.clock.advance(1000);
    const { value } = await events.next();
    assert.deepEqual([value?.status, value?.message, value?.uptime_s], ['degraded', 'It broke.', 5]);
    await events.return(undefined);
  });

  it('looks once a second for all readers together, and not at all without them', async () => {
    await using set = await stage();
    const gone = new AbortController();
    const readers = await Promise.all([1, 2, 3].map(() => follow(set.server, gone.signal)));
    await Promise.all(readers.map((events) => events.next()));
    assert.equal(set.looks, 1);
    await until(() => set.clock.sleeping === 1);
    await set.clock.advance(1000);
    await until(() => set.looks === 2 && set.clock.sleeping === 1);
    gone.abort();
    await until(() => set.clock.sleeping === 0);
    await set.clock.advance(60_000);
    assert.equal(set.looks, 2);
    // The next reader starts it again.
    const events = await follow(set.server);
    await events.next();
    await until(() => set.clock.sleeping === 1);
    assert.equal(set.looks, 3);
    await events.return(undefined);
  });

  it('refuses more readers than it keeps, until one leaves', async () => {
    await using set = await stage();
    const first = new AbortController();
    const others = new AbortController();
    const readers = [await follow(set.server, first.signal)];
    for (let i = 1; i < maxReaders; i++) readers.push(await follow(set.server, others.signal));
    const refused = await fetch(`${set.server.url}/kith/v1/events`);
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.deepEqual([refused.status, error.code], [503, 'limit_reached']);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    first.abort();
    let again = 503;
    while (again === 503) {
      const response = await fetch(`${set.server.url}/kith/v1/events`, { signal: others.signal });
      again = response.status;
      if (again === 503) await response.text();
    }
    assert.equal(again, 200);
    others.abort();
  });

  it('ends with the node: a last event says so, and closing does not wait for readers', async () => {
    const set = await stage();
    const events = await follow(set.server);
    await events.next();
    const closed = set.server.close(60_000);
    assert.equal((await events.next()).value?.status, 'stopping');
    assert.equal((await events.next()).done, true);
    await closed;
  });

  it('ends, and health is an error, when the node cannot tell its state in time', async () => {
    await using set = await stage();
    const events = await follow(set.server);
    await events.next();
    await until(() => set.clock.sleeping === 1);
    set.hangs = true;
    await set.clock.advance(1000);
    await until(() => set.looks === 2 && set.clock.sleeping === 1);
    await set.clock.advance(3000);
    assert.equal((await events.next()).done, true);
    for (const path of ['/health', '/health/detailed', '/kith/v1/events']) {
      const asked = fetch(set.server.url + path);
      await until(() => set.clock.sleeping === 1);
      await set.clock.advance(3000);
      const response = await asked;
      const { error } = (await response.json()) as { error: { code: string } };
      assert.deepEqual([response.status, error.code], [503, 'health_timeout'], path);
    }
    assert.equal(set.clock.sleeping, 0);
  });

  /** A reader that reads nothing while states come that fill every buffer on the way. */
  async function stalled(set: Stage, states: number) {
    const socket = connect(set.server.port, '127.0.0.1').setEncoding('utf8').pause();
    socket.on('error', () => {});
    socket.write('GET /kith/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await until(() => set.clock.sleeping === 1);
    const large = 'x'.repeat(1_000_000);
    for (let i = 1; i <= states; i++) {
      set.now = { ...calm, state: 'degraded', message: `${i} ${large}` };
      const { looks } = set;
      await set.clock.advance(1000);
      await until(() => set.looks > looks && set.clock.sleeping === 1);
    }
    return socket;
  }

  it('keeps only the latest state for a reader that does not read', async () => {
    await using set = await stage();
    const socket = await stalled(set, 20);
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.resume();
    await until(() => text.includes('"message":"20 x'));
    const told = [...text.matchAll(/"message":"(\d+) x/g)].map(([, number]) => Number(number));
    assert.equal(told.at(-1), 20);
    assert.ok(told.length < 20, `${told.length} states`);
    socket.destroy();
  });

  it('cuts a reader off that reads nothing for the limit', async () => {
    await using set = await stage();
    const socket = await stalled(set, 20);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await set.clock.advance(defaultServerLimits.slowReaderMs);
    await until(() => set.clock.sleeping === 0);
    socket.resume();
    await closed;
  });
});

describe('What is news', () => {
  it('is all but the passing of time, latencies and small moves of memory', () => {
    const backend = {
      backend: 'local',
      where: 'this_machine',
      link: null,
      status: 'ok',
      latencyMs: 1,
      modelsAvailable: 1,
      modelsLoaded: 1,
      breaker: { state: 'closed', failures: 0 },
      message: null,
    } as const;
    const base = { ...calm, backends: [backend] };
    const news = (status: NodeStatus) => newsOf(detailedHealthOf(status));
    const same: NodeStatus[] = [
      { ...base, uptimeMs: 99_000 },
      { ...base, backends: [{ ...backend, latencyMs: 7 }] },
      { ...base, diskFree: base.diskFree! + 1000 },
    ];
    for (const status of same) assert.equal(news(status), news(base));
    const different: NodeStatus[] = [
      { ...base, state: 'starting' },
      { ...base, requests: { ...base.requests, active: 1 } },
      { ...base, memory: { ...base.memory, free: 1e9 } },
      { ...base, backends: [{ ...backend, breaker: { state: 'open', failures: 5 } }] },
      { ...base, diskFree: null },
    ];
    for (const status of different) assert.notEqual(news(status), news(base));
  });
});
