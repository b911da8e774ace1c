/**
 * The gateway's own routes on a real server: backends over real sockets, a real cache, a real router.
 *
 * @module test/gateway-operations.test
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createIds, createSeededRandom, silentLogger, systemClock } from '../src/base/index.ts';
import {
  createAnswerCache,
  createGateway,
  createRouter,
  createSqliteStore,
  type Gateway,
  type GatewayOptions,
  type GatewayProvider,
  type RouteExplanation,
  type RouteReport,
} from '../src/gateway/index.ts';
import type { BackendsView, CacheView, RouterView, Server, ThresholdView } from '../src/server/index.ts';
import { createServer, defaultServerLimits } from '../src/server/index.ts';
import { loopbackAccess } from '../src/server/testing/loopback-access.ts';
import type { NodeStatus } from '../src/server/types.ts';
// Every answer is held to the API document.
import './openapi/watch.ts';
import { FAULTS, type FaultName } from './upstreams/faults.ts';
import { createMockUpstream, type MockUpstream } from './upstreams/index.ts';
import { openAi } from './upstreams/support.ts';

const token = 'a-run-token-that-is-long-enough';
const withToken = { authorization: `Bearer ${token}` };

let mock: MockUpstream;
/** How the server of `near` answers now; `far` is always well. */
let fault: FaultName | null = null;
before(async () => {
  mock = await createMockUpstream();
  mock.custom((stage) => (fault === null ? stage.ok() : FAULTS[fault](stage as never)));
});
after(() => mock[Symbol.asyncDispose]());

interface Opened extends AsyncDisposable {
  readonly server: Server;
  readonly gateway: Gateway;
}

async function open(more: Partial<GatewayOptions> = {}): Promise<Opened> {
  fault = null;
  const near = openAi(`${mock.url}/custom/v1`, { name: 'near', defaults: { chat: 'mock-model' } });
  const far = openAi(mock.base('ok'), { name: 'far', defaults: { chat: 'mock-model' } });
  const providers: GatewayProvider[] = [
    { backend: near, destination: { kind: 'this_machine' }, step: 'local' },
    {
      backend: far,
      destination: { kind: 'provider', link: 'encrypted' },
      step: 'remote',
      region: 'eu',
      facts: { 'mock-model': { tools: false } },
    },
  ];
  const random = createSeededRandom(1);
  const gateway = createGateway({
    providers,
    clock: systemClock,
    random,
    log: silentLogger,
    probeMs: 0,
    retries: 0,
    ...more,
  });
  const server = await createServer({
    gateway,
    control: {
      status: async () => ({}) as NodeStatus,
      shutdown: () => {},
      unload: async () => false,
      load: async () => {},
    },
    host: '127.0.0.1',
    port: 0,
    log: silentLogger,
    clock: systemClock,
    ids: createIds(systemClock, random),
    randomSeed: () => 1,
    limits: defaultServerLimits,
    version: '0.0.0',
    token,
    access: loopbackAccess(),
    observers: [],
  });
  return {
    server,
    gateway,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      await Promise.all([near, far].map((backend) => backend[Symbol.asyncDispose]()));
    },
  };
}

/** Fields of all answers that are looked at. */
interface Body extends BackendsView, CacheView, RouterView, ThresholdView, RouteExplanation {
  readonly error: { readonly code: string; readonly message: string };
  readonly kith: { readonly route: Pick<RouteReport, 'cache' | 'complexity'> };
  readonly verdict: string;
}

async function call(
  { server }: Opened,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Body }> {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const question = { messages: [{ role: 'user', content: 'Count.' }], temperature: 0 };
const receiptOf = ({ kith }: Body) => kith.route;
const ask = async (opened: Opened, more: object = {}, headers: Record<string, string> = {}) => {
  const answer = await call(
    opened,
    'POST',
    '/v1/chat/completions',
    { ...question, kith: { receipt: true }, ...more },
    headers,
  );
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};

test('backends say where they stand and how they fare; a reset brings one back', async () => {
  await using opened = await open({ breaker: { failures: 1 }, policy: { balancing: 'round-robin' } });
  const list = async () => (await call(opened, 'GET', '/kith/v1/backends')).body;
  const [near, far] = (await list()).backends;
  assert.deepEqual([near!.name, near!.where, near!.link, near!.state], ['near', 'this_machine', null, 'ok']);
  assert.deepEqual([far!.name, far!.region, far!.defaults.chat], ['far', 'eu', 'mock-model']);
  await ask(opened);
  const asked = (await list()).backends.find(({ latencyMs }) => latencyMs !== null);
  assert.equal(asked!.inFlight, 0);

  fault = 'error-500';
  for (let nth = 0; nth < 3; nth++) await ask(opened, { model: 'mock-model' });
  const failed = (await list()).backends[0]!;
  assert.ok(failed.errorRate > 0);
  assert.equal(failed.state, 'demoted');
  fault = null;
  assert.equal((await call(opened, 'POST', '/kith/v1/backends/near/reset')).status, 401);
  const { status, body } = await call(opened, 'POST', '/kith/v1/backends/near/reset', undefined, withToken);
  assert.deepEqual([status, body], [200, { reset: true }]);
  assert.equal((await list()).backends[0]!.state, 'ok');
  const unknown = await call(opened, 'POST', '/kith/v1/backends/neer/reset', undefined, withToken);
  assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'backend_not_found']);
  assert.match(unknown.body.error.message, /Did you mean near\?/);
});

test('an open breaker is told with its wait, and closed by hand', async () => {
  await using other = openAi(`${mock.url}/custom/v1`, { name: 'third', defaults: { chat: 'mock-model' } });
  const provider: GatewayProvider = {
    backend: other,
    destination: { kind: 'provider', link: 'encrypted' },
    step: 'remote',
  };
  await using single = await open({ providers: [provider], breaker: { failures: 1, openMs: 60_000 } });
  fault = 'error-500';
  const failed = await call(single, 'POST', '/v1/chat/completions', question);
  assert.equal(failed.status, 502);
  const [third] = (await call(single, 'GET', '/kith/v1/backends')).body.backends;
  assert.deepEqual([third!.state, third!.breaker.state, third!.breaker.failures], ['open', 'open', 1]);
  assert.ok(third!.breaker.waitMs > 0 && third!.breaker.waitMs <= 60_000);
  const refused = await call(single, 'POST', '/v1/chat/completions', question);
  assert.equal(refused.status, 503);
  fault = null;
  await call(single, 'POST', '/kith/v1/backends/third/reset', undefined, withToken);
  await ask(single);
});

test('an explanation names every candidate, its score, and why it lost; nobody is asked', async () => {
  await using opened = await open();
  await ask(opened);
  const from = mock.seen.length;
  const explain = async (body: object, headers: Record<string, string> = {}) =>
    (await call(opened, 'POST', '/kith/v1/route/explain', { ...question, ...body }, headers)).body;
  const plain = await explain({});
  assert.deepEqual(plain.chosen, { backend: 'near', model: 'mock-model' });
  assert.equal(plain.candidates.length, 2);
  for (const { score, parts, why } of plain.candidates) {
    assert.equal(typeof score, 'number');
    assert.equal(typeof parts?.order, 'number');
    assert.ok(why.length > 5);
  }
  const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } };
  const able = await explain({ tools: [tool] });
  const lost = able.candidates.find(({ backend }) => backend === 'far');
  assert.deepEqual([lost!.rank, lost!.excluded?.filter, lost!.score], [null, 'tools', null]);
  const secret = await explain({}, { 'x-kith-privacy': 'maximum', 'x-kith-agent': 'planner' });
  assert.deepEqual([secret.wishes.privacy, secret.wishes.agent], ['maximum', 'planner']);
  assert.equal(secret.candidates.find(({ backend }) => backend === 'far')!.excluded?.filter, 'privacy');
  assert.equal(mock.seen.length, from);
  const wrong = await call(opened, 'POST', '/kith/v1/route/explain', question, { 'x-kith-privacy': 'much' });
  assert.deepEqual([wrong.status, wrong.body.error.code], [400, 'invalid_header']);
  const nowhere = await call(opened, 'POST', '/kith/v1/route/explain', { ...question, model: 'none' });
  assert.deepEqual([nowhere.status, nowhere.body.error.code], [404, 'model_not_found']);
});

test('an explanation says how the local or the frontier side comes first, and decides nothing', async () => {
  using router = createRouter({ path: ':memory:', clock: systemClock, random: createSeededRandom(3) });
  await using opened = await open({ router });
  const explain = async (headers: Record<string, string> = {}, more: object = {}) =>
    (await call(opened, 'POST', '/kith/v1/route/explain', { ...question, ...more }, headers)).body;
  const target = async (value: number) =>
    call(opened, 'POST', '/kith/v1/router/agents/default', { target: value }, withToken);
  const lot = await explain();
  assert.deepEqual([lot.complexity!.side, lot.complexity!.by, lot.complexity!.target], [null, 'lot', 0.3]);
  assert.equal(lot.chosen!.backend, 'near');
  await target(1);
  const frontier = await explain();
  assert.deepEqual([frontier.complexity!.side, frontier.chosen!.backend], ['frontier', 'far']);
  assert.deepEqual(
    frontier.candidates.map(({ backend, rank }) => [backend, rank]),
    [
      ['far', 0],
      ['near', 1],
    ],
  );
  assert.match(frontier.candidates[0]!.why, /the frontier side comes first/);
  await target(0);
  assert.deepEqual((await explain()).complexity!.side, 'local');
  const wished = await explain({ 'x-kith-route': 'frontier' });
  assert.deepEqual([wished.complexity!.by, wished.chosen!.backend], ['forced', 'far']);
  assert.equal((await explain({}, { model: 'mock-model' })).complexity, null);
  assert.equal(router.status().pending, 0);
  assert.equal(router.agents.get().decided, 0);
});

test('kept answers are counted, and removed by model and age', async () => {
  const store = createSqliteStore({
    path: ':memory:',
    maxBytes: 1 << 20,
    clock: systemClock,
    log: silentLogger,
  });
  const cache = createAnswerCache({ store, clock: systemClock, log: silentLogger });
  await using opened = await open({ cache, policy: { cache: 'auto' } });
  await ask(opened);
  await cache.settled();
  assert.equal(receiptOf(await ask(opened)).cache?.status, 'hit');
  const look = async () => (await call(opened, 'GET', '/kith/v1/cache')).body;
  const { enabled, stats } = await look();
  assert.deepEqual([enabled, stats!.hits, stats!.misses, stats!.entries], [true, 1, 1, 1]);
  const clear = async (query: string, headers: Record<string, string> = withToken) =>
    call(opened, 'DELETE', `/kith/v1/cache${query}`, undefined, headers);
  assert.equal((await clear('', {})).status, 401);
  assert.deepEqual((await clear('?model=other')).body, { removed: 0 });
  assert.deepEqual((await clear('?olderThanMs=60000')).body, { removed: 0 });
  for (const wrong of ['?modell=a', '?olderThanMs=soon', '?model=a&model=b'])
    assert.equal((await clear(wrong)).status, 400, wrong);
  assert.deepEqual((await clear('?model=mock-model')).body, { removed: 1 });
  assert.equal((await look()).stats!.entries, 0);
  await cache[Symbol.asyncDispose]();
});

test('without a cache and a router the routes say so', async () => {
  await using opened = await open();
  assert.deepEqual((await call(opened, 'GET', '/kith/v1/cache')).body, { enabled: false, stats: null });
  const cleared = await call(opened, 'DELETE', '/kith/v1/cache', undefined, withToken);
  assert.deepEqual([cleared.status, cleared.body.error.code], [409, 'cache_off']);
  const off = { enabled: false, status: null, agents: [], versions: [] };
  assert.deepEqual((await call(opened, 'GET', '/kith/v1/router')).body, off);
  const told = await call(opened, 'POST', '/kith/v1/feedback', { decision: 'route_1', good: true });
  assert.deepEqual([told.status, told.body.error.code], [409, 'router_off']);
});

test('outcomes are told once, thresholds are set within bounds, versions are there to go back to', async () => {
  using router = createRouter({ path: ':memory:', clock: systemClock, random: createSeededRandom(3) });
  await using opened = await open({ router });
  const { complexity } = receiptOf(await ask(opened));
  const feedback = async (body: object) => call(opened, 'POST', '/kith/v1/feedback', body);
  const look = async () => (await call(opened, 'GET', '/kith/v1/router')).body;
  assert.equal((await look()).status!.pending, 1);
  const { decision } = complexity!;
  for (const wrong of [
    { decision },
    { decision, good: true, local: 1 },
    { decision, local: 2 },
    { good: true },
  ])
    assert.equal((await feedback(wrong)).status, 400, JSON.stringify(wrong));
  assert.deepEqual((await feedback({ decision, good: true })).body, { learned: true });
  const again = await feedback({ decision, good: true });
  assert.deepEqual([again.status, again.body.error.code], [404, 'decision_not_found']);
  const second = receiptOf(await ask(opened)).complexity!.decision;
  assert.deepEqual((await feedback({ decision: second, local: 0, frontier: 0.5 })).body, { learned: true });
  const { status, versions } = await look();
  assert.deepEqual([status!.labels, status!.pending, versions], [2, 0, []]);

  const path = '/kith/v1/router/agents/planner';
  assert.equal((await call(opened, 'POST', path, { target: 0.2 })).status, 401);
  const set = await call(opened, 'POST', path, { target: 0.2, max: 0.9 }, withToken);
  const view = set.body;
  assert.deepEqual([view.agent, view.target, view.threshold, view.max], ['planner', 0.2, 0.8, 0.9]);
  assert.deepEqual(
    view.history.map(({ reason, target }) => [reason, target]),
    [['set', 0.2]],
  );
  assert.deepEqual((await call(opened, 'GET', path)).body, view);
  const bad = await call(opened, 'POST', path, { min: 0.95 }, withToken);
  assert.deepEqual([bad.status, bad.body.error.code], [400, 'threshold_invalid']);
  assert.equal((await call(opened, 'POST', path, {}, withToken)).status, 400);
  assert.ok((await look()).agents.some(({ agent }) => agent === 'planner'));

  const nowhere = await call(opened, 'POST', '/kith/v1/router/rollback', { version: 7 }, withToken);
  assert.deepEqual([nowhere.status, nowhere.body.error.code], [404, 'version_not_found']);
  const refit = await call(opened, 'POST', '/kith/v1/router/refit', undefined, withToken);
  assert.deepEqual([refit.status, refit.body.verdict], [200, 'too_few_labels']);
});
