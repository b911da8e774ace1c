/** What a real node says of its health while its engine works, hangs, and keeps dying. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createEngine } from '../src/engine/index.ts';
import { type ChatRequest, createLocalBackend } from '../src/gateway/index.ts';
import { createModelStore } from '../src/models/index.ts';
import type { Node } from '../src/node/index.ts';
import type { DetailedHealth, Health } from '../src/server/health/types.ts';
import { kith as run, stopAll } from './cli-support.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

const signals = process.platform === 'win32' ? { skip: 'no signals that stop a process' } : {};

let home: TestHome;
let node: Node;

before(async () => {
  home = await createHome();
  node = await startNode(home);
});
after(async () => {
  stopAll();
  await node.close();
  await home.remove();
});

async function get<T>(path: string): Promise<{ status: number; body: T }> {
  const response = await fetch(node.url + path);
  return { status: response.status, body: (await response.json()) as T };
}
const health = () => get<Health>('/health');
const detailed = () => get<DetailedHealth>('/health/detailed');
const post = (path: string, body: unknown) =>
  fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const ask = (maxTokens: number, stream = false) =>
  post('/v1/chat/completions', {
    messages: [{ role: 'user', content: 'Tell a long story.' }],
    temperature: 0,
    max_tokens: maxTokens,
    stream,
  });

/** Asks until the answer fits; the test's own time limit ends what never does. */
async function until<T>(look: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (fits(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const kith = (...args: string[]) => run([...args, '--home', home.path]);

test('health in short is the same at both addresses, and is not counted among the requests', async () => {
  const one = await health();
  const other = await get<Health>('/api/health');
  assert.deepEqual([one.status, other.status], [200, 200]);
  const { latency_ms: latency, ...llm } = one.body.llm;
  assert.ok(latency !== null && latency > 0);
  assert.deepEqual(llm, {
    status: 'ok',
    models_available: other.body.llm.models_available,
    models_loaded: 1,
    circuit_breaker_state: 'closed',
    circuit_breaker_failures: 0,
    default_model: 'tiny',
  });
  assert.deepEqual([one.body.status, one.body.message], ['ok', null]);
  assert.deepEqual(other.body.requests, { active: 0, total: 0, refused: 0 });
});

test('health in detail knows what each model holds and does', async () => {
  const idle = (await detailed()).body;
  assert.deepEqual(idle.default_models, { chat: 'tiny', embedding: 'tiny-embed' });
  assert.deepEqual([idle.threads, idle.engine.state, idle.engine.restarts], [1, 'running', 0]);
  assert.ok(idle.memory.total_bytes > idle.memory.free_bytes && idle.memory.engine_bytes! > 1e7);
  assert.ok(idle.disk.free_bytes! > 0);
  assert.equal(idle.models[0]?.tokens_per_second, null);
  assert.equal(idle.limits.max_active, 16);

  const answer = await ask(2000, true);
  const reader = answer.body!.getReader();
  await reader.read();
  const busy = await until(
    async () => (await detailed()).body,
    ({ models }) => (models[0]?.tokens_per_second ?? 0) > 0,
  );
  const [model] = busy.models;
  assert.deepEqual([model?.id, model?.task, model?.active, model?.waiting], ['tiny', 'text', 1, 0]);
  assert.ok(model!.kv_cells!.used > 0 && model!.kv_cells!.used < model!.kv_cells!.total);
  assert.deepEqual(busy.requests, { active: 1, total: 1, refused: 0 });
  await reader.cancel();
  const rested = await until(
    async () => (await detailed()).body,
    ({ models, requests }) => models[0]?.active === 0 && requests.active === 0,
  );
  assert.equal(rested.models[0]?.kv_cells?.used, 0);
  assert.ok(rested.models[0]!.kv_cells!.cached > 0);
});

test('detailed health tells quantiles and errors of the last minutes by model, agent and backend', async () => {
  await (await ask(8, true)).text();
  await (
    await post('/v1/chat/completions', {
      model: 'no-such-model',
      messages: [{ role: 'user', content: 'Hi' }],
    })
  ).text();
  const { recent } = (await detailed()).body;
  assert.ok(recent !== null);
  assert.equal(recent.window_s, 300);
  for (const rows of [recent.models, recent.agents, recent.backends]) {
    const [row] = rows;
    assert.ok(row !== undefined && row.answers > 0);
    for (const each of [row.duration_ms, row.time_to_first_token_ms, row.tokens_per_second])
      assert.ok(
        each !== null && each.p50 > 0 && each.p50 <= each.p95 && each.p95 <= each.p99,
        JSON.stringify(row),
      );
  }
  const { errors } = recent.agents.find(({ name }) => name === 'none')!;
  assert.deepEqual(
    errors.filter(({ code }) => code === 'model_not_found'),
    [{ code: 'model_not_found', count: 1 }],
  );
  assert.ok(recent.attempts.some(({ backend, outcome }) => backend === 'local' && outcome === 'answered'));
});

test('the page hears of a model that is loaded, and of the end', async () => {
  await using ownHome = await createHome();
  await using other = await startNode(ownHome);
  const response = await fetch(`${other.url}/kith/v1/events`);
  let text = '';
  const states = () =>
    [...text.matchAll(/^event: status\ndata: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data!) as DetailedHealth,
    );
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => {
    const { value = '', done } = await reader.read();
    text += value;
    return !done;
  };
  await read();
  const direct = (await (await fetch(`${other.url}/health/detailed`)).json()) as DetailedHealth;
  assert.deepEqual(Object.keys(states()[0]!), Object.keys(direct));
  const embedded = await fetch(`${other.url}/api/embed`, {
    method: 'POST',
    body: JSON.stringify({ model: 'tiny-embed', input: 'Hi' }),
  });
  assert.equal(embedded.status, 200, await embedded.text());
  while (!states().some(({ models }) => models.length === 2)) assert.ok(await read());
  const closed = other.close();
  while (await read());
  assert.equal(states().at(-1)?.status, 'stopping');
  await closed;
});

test('an engine that hangs is degraded, and asking does not hang', signals, async () => {
  const { pid } = (await detailed()).body.engine;
  process.kill(pid!, 'SIGSTOP');
  try {
    const answers = await Promise.all([health(), health(), health()]);
    for (const { status, body } of answers) {
      assert.deepEqual([status, body.status, body.llm.status], [503, 'degraded', 'degraded']);
      assert.equal(body.llm.latency_ms, null);
      assert.match(body.message ?? '', /has not answered for 2000 ms/);
    }
    const { body } = await detailed();
    assert.deepEqual([body.models[0]?.active, body.models[0]?.kv_cells], [null, null]);
    const status = await kith('status');
    assert.equal(status.code, 3);
    assert.match(status.out, /^degraded: The engine process has not answered/);
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  const { body } = await until(health, ({ status }) => status === 200);
  assert.deepEqual([body.status, body.message], ['ok', null]);
});

test(
  'an engine that keeps dying opens the breaker, which requests, health and exit codes tell',
  signals,
  async () => {
    const killed = new Set<number>();
    const open = await until(detailed, ({ body }) => {
      const { pid } = body.engine;
      if (pid !== null && !killed.has(pid)) {
        killed.add(pid);
        process.kill(pid, 'SIGKILL');
      }
      return body.backends[0]?.breaker.state === 'open';
    });
    assert.equal(killed.size, 5);
    assert.deepEqual([open.status, open.body.status, open.body.models], [503, 'degraded', []]);
    assert.deepEqual(open.body.backends[0]?.breaker, { state: 'open', failures: 5 });
    assert.equal(typeof open.body.engine.last_cause, 'string');
    const { status, body } = await health();
    assert.equal(status, 503);
    assert.deepEqual([body.llm.circuit_breaker_state, body.llm.circuit_breaker_failures], ['open', 5]);
    const refused = await ask(1);
    assert.equal(refused.status, 503, await refused.text());
    assert.ok((await health()).body.requests.refused >= 1);
    const told = await kith('status', '--json');
    assert.equal(told.code, 3);
    assert.equal((JSON.parse(told.out) as { state: string }).state, 'degraded');
  },
);

test(
  'the breaker is half open after its pause, and closed by a request that goes well',
  signals,
  async () => {
    await using store = createModelStore({ home: home.path });
    const quick = { backoffMs: [0], breakerMs: 500 };
    await using engine = createEngine({
      log: silentLogger,
      clock: systemClock,
      random: systemRandom,
      threads: 1,
      device: 'cpu',
      supervision: quick,
    });
    const backend = createLocalBackend({
      engine,
      models: store,
      defaults: { chat: 'tiny', embedding: 'tiny-embed' },
      maxWaitMs: 60_000,
      clock: systemClock,
      random: systemRandom,
    });
    await backend.prepare('tiny');
    const seen: string[] = [];
    const killed = new Set<number>();
    const half = await until(
      () => backend.health(),
      ({ breaker, answers }) => {
        const note = `${breaker.state} ${breaker.failures} ${answers}`;
        if (seen.at(-1) !== note) seen.push(note);
        const { pid } = engine.state();
        if (pid !== null && !killed.has(pid)) {
          killed.add(pid);
          process.kill(pid, 'SIGKILL');
        }
        return breaker.state === 'half_open';
      },
    );
    assert.deepEqual(seen.slice(-2), ['open 5 false', 'half_open 5 true']);
    assert.equal(half.status, 'degraded');
    const request: ChatRequest = {
      model: 'tiny',
      messages: [{ role: 'user', content: 'Hi' }],
      n: 1,
      sampler: { temperature: 0 },
      maxTokens: 1,
      stop: [],
      overflow: null,
      keepTokens: 0,
      timeoutMs: null,
      signal: new AbortController().signal,
    };
    const types = new Set<string>();
    for await (const { type } of backend.chat(request)) types.add(type);
    assert.ok(types.has('usage'));
    const now = await backend.health();
    assert.deepEqual([now.status, now.breaker.state, now.modelsLoaded], ['ok', 'closed', 1]);
  },
);
