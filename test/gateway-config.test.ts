/**
 * The configuration of the gateway at work: settings and variables in, requests to real servers out.
 *
 * @module test/gateway-config.test
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  createSeededRandom,
  isKithError,
  resolveConfig,
  silentLogger,
  systemClock,
} from '../src/base/index.ts';
import { type Backend, OWN_TERMS, type Receipt, type Terms } from '../src/gateway/index.ts';
import { type OpenGateway, openGateway } from '../src/node/gateway.ts';
import { createNode } from '../src/node/index.ts';
import { ANSWER_TEXT } from './upstreams/answers.ts';
import { createMockUpstream, type MockUpstream, type Seen } from './upstreams/index.ts';
import { chatRequest, embeddingRequest, outcomeOf } from './upstreams/support.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-gateway-'));
let homes = 0;
let upstream: MockUpstream;
before(async () => {
  upstream = await createMockUpstream();
});
after(async () => {
  await upstream[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

/** No test here asks the engine; where it is a backend, it has nothing to say. */
const local = {
  name: 'local',
  defaultModel: () => null,
  models: async () => [],
  has: async () => false,
} as unknown as Backend;

/** A gateway over other servers alone, which nobody looks at between requests. */
async function open(yaml: string, env: Record<string, string> = {}): Promise<OpenGateway> {
  const home = join(root, String(homes++));
  mkdirSync(home);
  writeFileSync(join(home, 'config.yaml'), yaml, { mode: 0o600 });
  const { config } = resolveConfig({
    home,
    env: { KITH_GATEWAY_LOCAL_ENGINE: 'false', KITH_GATEWAY_PROBE_MS: '0', ...env },
  });
  return openGateway({
    config,
    env,
    local,
    embedder: null,
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLogger,
  });
}

interface Asked {
  readonly text: string;
  readonly receipt: Receipt | null;
  readonly code: string | null;
  /** Requests for answers that the server got meanwhile. */
  readonly seen: readonly Seen[];
}

const answers = () => upstream.seen.filter(({ method }) => method === 'POST');

async function ask(
  { gateway }: OpenGateway,
  more: Parameters<typeof chatRequest>[0] = {},
  terms: Partial<Terms> = {},
): Promise<Asked> {
  const from = answers().length;
  const { text, usage, error } = await outcomeOf(
    gateway.chat(chatRequest({ whole: true, terms: { ...OWN_TERMS, ...terms }, ...more })),
  );
  if (error !== null && !isKithError(error)) throw error;
  return { text, receipt: usage?.receipt ?? null, code: error?.code ?? null, seen: answers().slice(from) };
}

const modelsOf = (seen: readonly Seen[]) => seen.map(({ body }) => body!.model);
const ok = () => upstream.base('ok');

test('LLM_BASE_URL, LLM_API_KEY and LLM_MODEL make a backend that answers with that model and key', async () => {
  await using opened = await open('', { LLM_BASE_URL: ok(), LLM_API_KEY: 'sk-llm', LLM_MODEL: 'default' });
  const { text, seen, receipt } = await ask(opened, { model: null });
  assert.equal(text, ANSWER_TEXT);
  assert.deepEqual([seen[0]!.headers.authorization, seen[0]!.body!.model], ['Bearer sk-llm', 'default']);
  assert.equal(receipt!.backend, 'llm');
});

test('OPENROUTER_API_KEY adds OpenRouter, for the models it lists', async () => {
  await using opened = await open(`openrouter: {baseUrl: "${ok()}"}`, { OPENROUTER_API_KEY: 'sk-or' });
  const { seen, receipt } = await ask(opened, { model: 'mock-model', sampler: { topK: 7 } });
  assert.deepEqual([seen[0]!.headers.authorization, seen[0]!.body!.top_k], ['Bearer sk-or', 7]);
  assert.equal(receipt!.backend, 'openrouter');
  assert.equal((await ask(opened, { model: null })).code, 'model_not_found');
});

test('OPENAI_API_KEY and ANTHROPIC_API_KEY are used where the owner says so, each in its way', async () => {
  const env = { OPENAI_API_KEY: 'sk-oa', ANTHROPIC_API_KEY: 'sk-ant' };
  await using opened = await open(
    `openai: {enabled: true, baseUrl: "${ok()}", model: gpt}\nanthropic: {enabled: true, baseUrl: "${ok()}", model: claude}`,
    env,
  );
  const openAi = (await ask(opened, { model: 'gpt', maxTokens: 5 })).seen[0]!;
  assert.deepEqual([openAi.headers.authorization, openAi.body!.max_completion_tokens], ['Bearer sk-oa', 5]);
  const anthropic = (await ask(opened, { model: 'claude' })).seen[0]!;
  assert.deepEqual([anthropic.headers['x-api-key'], anthropic.path.endsWith('/messages')], ['sk-ant', true]);
});

test('Kwaai: nodes take turns, the endpoint answers when they fail, and names of models mean what they should', async () => {
  await using second = await createMockUpstream();
  const env = {
    KWAAI_DISTRIBUTED_NODES: `${ok()},${second.base('ok')}`,
    KWAAI_API_KEY: 'kw-key',
    KWAAI_MODEL: 'usual',
    KWAAI_FAST_MODEL: 'small',
    KWAAI_QUALITY_MODEL: 'large',
    KWAAI_EMBEDDING_MODEL: 'mock-embed',
    KWAAI_LOAD_BALANCING: 'round_robin',
  };
  await using opened = await open('', env);
  const models: unknown[] = [];
  const backends: string[] = [];
  for (const model of [null, 'fast', 'quality', 'default']) {
    const { receipt } = await ask(opened, { model });
    backends.push(receipt!.backend);
    models.push(receipt!.model);
  }
  assert.deepEqual(models, ['usual', 'small', 'large', 'usual']);
  assert.deepEqual([...backends].sort(), ['kwaai-1', 'kwaai-1', 'kwaai-2', 'kwaai-2']);
  assert.equal(answers().at(-1)!.headers.authorization, 'Bearer kw-key');
  const vectors = await opened.gateway.embed(embeddingRequest({ model: 'embedding' }));
  assert.equal(vectors.receipt.model, 'mock-embed');

  await using failing = await open('', {
    ...env,
    KWAAI_DISTRIBUTED_NODES: `${upstream.base('reset')},${upstream.base('closes-without-answer')}`,
    KWAAI_ENDPOINT: second.base('ok'),
    LLM_MAX_RETRIES: '0',
  });
  const rescued = await ask(failing, { model: null });
  assert.deepEqual([rescued.text, rescued.receipt!.backend], [ANSWER_TEXT, 'kwaai']);
});

test('KWAAI_REDUNDANCY asks several nodes side by side', async () => {
  await using second = await createMockUpstream();
  const nodes = `${ok()},${second.base('ok')}`;
  await using opened = await open('', {
    KWAAI_DISTRIBUTED_NODES: nodes,
    KWAAI_MODEL: 'usual',
    KWAAI_REDUNDANCY: '2',
  });
  const { text, receipt } = await ask(opened, { model: null });
  assert.equal(text, ANSWER_TEXT);
  const asked = receipt!.route!.attempts.map(({ backend }) => backend);
  assert.deepEqual([...asked].sort(), ['kwaai-1', 'kwaai-2']);
});

test('KWAAI_PRIVACY_LEVEL is enforced: at maximum a provider gets nothing', async () => {
  const entry = `backends: [{name: theirs, url: "${ok()}", owned: false, defaults: {chat: m}}]`;
  await using open_ = await open(entry, { KWAAI_PRIVACY_LEVEL: 'minimum' });
  assert.equal((await ask(open_, { model: null })).text, ANSWER_TEXT);
  await using closed = await open(entry, { KWAAI_PRIVACY_LEVEL: 'maximum' });
  const { code, seen } = await ask(closed, { model: null });
  assert.deepEqual([code === null, seen.length], [false, 0]);
  await using own = await open(entry.replace('owned: false', 'owned: true'), {
    KWAAI_PRIVACY_LEVEL: 'maximum',
  });
  assert.equal((await ask(own, { model: null })).text, ANSWER_TEXT);
});

test('at maximum a Kwaai endpoint gets nothing, wherever it listens', async () => {
  for (const name of ['KWAAI_ENDPOINT', 'KWAAI_DISTRIBUTED_NODES']) {
    const env = { [name]: ok(), KWAAI_MODEL: 'm', KWAAI_PRIVACY_LEVEL: 'maximum' };
    await using opened = await open('', env);
    const { code, seen } = await ask(opened, { model: null });
    assert.deepEqual([code, seen.length], ['privacy_unmet', 0], name);
  }
});

test('LLM_MAX_RETRIES and LLM_RETRY_DELAY say how often a failing server is asked again', async () => {
  for (const [retries, requests] of [
    ['0', 1],
    ['2', 3],
  ] as const) {
    const url = upstream.base('error-500');
    await using opened = await open('', {
      LLM_BASE_URL: url,
      LLM_MODEL: 'm',
      LLM_MAX_RETRIES: retries,
      LLM_RETRY_DELAY: '0',
    });
    const { seen, code } = await ask(opened, { model: null });
    assert.equal(seen.length, requests);
    assert.notEqual(code, null);
  }
});

test('LLM_CIRCUIT_BREAKER_THRESHOLD failures keep a server from being asked, for LLM_CIRCUIT_BREAKER_TIMEOUT', async () => {
  const env = { LLM_BASE_URL: upstream.base('error-500'), LLM_MODEL: 'm', LLM_MAX_RETRIES: '0' };
  await using opened = await open('', {
    ...env,
    LLM_CIRCUIT_BREAKER_THRESHOLD: '2',
    LLM_CIRCUIT_BREAKER_TIMEOUT: '3600',
  });
  const requests: number[] = [];
  for (let call = 0; call < 4; call++) requests.push((await ask(opened, { model: null })).seen.length);
  assert.deepEqual(requests, [1, 1, 0, 0]);
  const { breaker } = opened.gateway.backends()[0]!;
  assert.equal(breaker.state, 'open');
  assert.ok(breaker.waitMs > 3_000_000, String(breaker.waitMs));
});

test('LLM_TIMEOUT ends the wait for a server that never answers', async () => {
  const env = { LLM_BASE_URL: upstream.base('never-answers'), LLM_MODEL: 'm', LLM_MAX_RETRIES: '0' };
  await using opened = await open('', { ...env, LLM_TIMEOUT: '0.1' });
  const { seen, code } = await ask(opened, { model: null });
  assert.deepEqual([seen.length, code], [1, 'answer_timeout']);
});

test('models of agents come from variables, config.yaml and presets', async () => {
  const yaml = `gateway: {preset: performance}
backends: [{name: a, url: "${ok()}", defaults: {chat: usual}, aliases: {fast: small, quality: large}}]
agents: {strategy: {model: own-choice, route: frontier}, genetic: {}}`;
  await using opened = await open(yaml, { WELLNESS_AGENT_MODEL: 'large' });
  const modelFor = async (agent: string | null) =>
    modelsOf((await ask(opened, { model: null }, { agent })).seen);
  assert.deepEqual(await modelFor(null), ['usual']);
  assert.deepEqual(await modelFor('kai'), ['large']);
  assert.deepEqual(await modelFor('guardrail'), ['small']);
  assert.deepEqual(await modelFor('genetic'), ['small']);
  assert.deepEqual(await modelFor('wellness'), ['large']);
});

test('each preset loads, and routes its agents as documented', async () => {
  const documented = {
    none: ['usual', 'usual', 'usual', 'usual'],
    budget: ['usual', 'usual', 'usual', 'usual'],
    balanced: ['large', 'small', 'usual', 'large'],
    performance: ['large', 'small', 'small', 'usual'],
  };
  for (const [preset, models] of Object.entries(documented)) {
    await using opened = await open(
      `backends: [{name: a, url: "${ok()}", defaults: {chat: usual}, aliases: {fast: small, quality: large}}]`,
      { KITH_GATEWAY_PRESET: preset },
    );
    const asked: unknown[] = [];
    for (const agent of ['kai', 'guardrail', 'genetic', 'wellness'])
      asked.push(...modelsOf((await ask(opened, { model: null }, { agent })).seen));
    assert.deepEqual(asked, models, preset);
  }
});

test('keys, headers, paths, ids and limits of an entry reach its server', async () => {
  const key = join(root, 'key');
  writeFileSync(key, 'sk-from-file\n', { mode: 0o600 });
  await using opened = await open(
    `backends:
  - name: a
    kind: vllm
    url: "${ok()}"
    key: "file:${key}"
    headers: {x-team: "env:TEAM", x-plain: blue}
    models: [{id: big, upstreamId: org/big-70b, context: 4096}]
    healthPath: /custom-health
    prices: {big: {prompt: 1000000, completion: 2000000}}
  - {name: claude, kind: anthropic, url: "${ok()}", key: "env:CLAUDE", models: [claude], maxTokens: 77, version: 2024-01-01}
  - {name: short, url: "${ok()}", models: [short], limits: {maxResponseBytes: 10}}
  - {name: any, url: "${ok()}", anyModel: true, region: moon}`,
    { TEAM: 'red', CLAUDE: 'sk-claude' },
  );
  const big = await ask(opened, { model: 'big', sampler: { topK: 3 } });
  const { headers, body } = big.seen[0]!;
  assert.deepEqual(
    [headers.authorization, headers['x-team'], headers['x-plain']],
    ['Bearer sk-from-file', 'red', 'blue'],
  );
  assert.deepEqual([body!.model, body!.top_k], ['org/big-70b', 3]);
  const models = await opened.gateway.models();
  assert.equal(models.find(({ id }) => id === 'big')!.context, 4096);
  const usage = 11 * 1 + 20 * 2;
  assert.equal(big.receipt!.route!.cost, usage);

  const claude = (await ask(opened, { model: 'claude' })).seen[0]!;
  assert.deepEqual(
    [claude.headers['x-api-key'], claude.headers['anthropic-version'], claude.body!.max_tokens],
    ['sk-claude', '2024-01-01', 77],
  );
  const short = await ask(opened, { model: 'short' });
  assert.deepEqual(
    short.receipt!.route!.attempts.map(({ backend, outcome }) => [backend, outcome]),
    [
      ['short', 'failed'],
      ['any', 'answered'],
    ],
    'an answer over the limit does not count',
  );
  assert.equal((await ask(opened, { model: 'whatever' })).receipt!.backend, 'any');
  assert.equal((await ask(opened, { model: 'big' }, { regions: ['moon'] })).receipt!.backend, 'any');

  const from = upstream.seen.length;
  await opened.gateway.health();
  assert.ok(upstream.seen.slice(from).some(({ path }) => path.endsWith('/custom-health')));
});

test('prices, budgets and usage of a model go by its id here, not by its name at the server', async () => {
  await using opened = await open(
    `backends:
  - name: a
    url: "${ok()}"
    models: [{id: big, upstreamId: org/big-70b}]
    prices: {big: {prompt: 1000000, completion: 2000000}}
budgets:
  - {name: by-server, model: org/big-70b, money: 1, per: day}
  - {name: by-id, model: big, money: 1000, per: day}`,
  );
  const cost = 11 * 1 + 20 * 2;
  assert.equal((await ask(opened, { model: 'big', maxTokens: 20 })).receipt!.route!.cost, cost);
  const { ledger } = opened.gateway;
  assert.deepEqual(
    ledger!.budgets().map(({ name, money }) => [name, money!.spent]),
    [
      ['by-server', 0],
      ['by-id', cost],
    ],
  );
  const { rows } = ledger!.report({ by: 'model', since: null, until: null });
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['big'],
  );
});

test('certificates of an entry decide which server is spoken to', async () => {
  const folder = join(import.meta.dirname, 'security', 'certificates');
  const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
  await using secure = await createMockUpstream({ cert: pem('first.pem'), key: pem('first-key.pem') });
  const entry = (ca: string) =>
    `backends: [{name: a, url: "${secure.base('ok')}", defaults: {chat: m}, tls: {ca: "${join(folder, ca)}"}}]`;
  await using trusted = await open(entry('first.pem'));
  assert.equal((await ask(trusted, { model: null })).text, ANSWER_TEXT);
  await using other = await open(entry('second.pem'), { LLM_MAX_RETRIES: '0' });
  assert.notEqual((await ask(other, { model: null })).code, null);
});

test('gateway.order says who is asked first', async () => {
  const yaml = `backends: [{name: a, url: "${ok()}", defaults: {chat: m}}, {name: b, url: "${ok()}", defaults: {chat: m}}]`;
  for (const [order, first] of [
    ['', 'a'],
    ['b', 'b'],
    ['b,a', 'b'],
  ] as const) {
    await using opened = await open(yaml, { KITH_GATEWAY_ORDER: order });
    assert.equal((await ask(opened, { model: null })).receipt!.backend, first);
  }
});

test('gateway.cache keeps answers on disk, also for the next life of the node, and off keeps none', async () => {
  const entry = `backends: [{name: a, url: "${ok()}", defaults: {chat: m}}]`;
  await using off = await open(entry);
  await using keeping = await open(entry, { KITH_GATEWAY_CACHE: 'keep' });
  for (const [opened, requests] of [
    [off, 2],
    [keeping, 1],
  ] as const) {
    const first = await ask(opened, { model: null });
    await opened.gateway.cache!.settled();
    const second = await ask(opened, { model: null });
    assert.equal(second.text, ANSWER_TEXT);
    assert.equal(first.seen.length + second.seen.length, requests);
  }
  assert.equal((await keeping.gateway.cache!.stats()).hits, 1);
});

test('gateway.redisUrl is where answers are looked for', async () => {
  const sockets = new Set<Socket>();
  const connected = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connected.resolve();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const entry = `backends: [{name: a, url: "${ok()}", defaults: {chat: m}}]`;
  {
    await using opened = await open(entry, {
      KITH_GATEWAY_CACHE: 'keep',
      KITH_GATEWAY_REDIS_URL: `redis://127.0.0.1:${port}`,
    });
    await connected.promise;
    assert.equal(
      (await ask(opened, { model: null })).text,
      ANSWER_TEXT,
      'a server that hangs does not keep answers back',
    );
  }
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('the router is there where a choice is, and learns towards the configured share', async () => {
  const entry = `backends: [{name: a, url: "${ok()}", defaults: {chat: m}}]`;
  const withEngine = { KITH_GATEWAY_LOCAL_ENGINE: 'true' };
  await using both = await open(entry, {
    ...withEngine,
    KITH_GATEWAY_COMPLEXITY_TARGET: '0.2',
    KITH_GATEWAY_COMPLEXITY_MIN: '0.1',
    KITH_GATEWAY_COMPLEXITY_MAX: '0.9',
  });
  const { target, min, max } = both.gateway.router!.agents.get();
  assert.deepEqual([target, min, max], [0.2, 0.1, 0.9]);
  await using engineOnly = await open('', withEngine);
  await using othersOnly = await open(entry);
  await using switchedOff = await open(entry, { ...withEngine, KITH_GATEWAY_COMPLEXITY: 'false' });
  for (const opened of [engineOnly, othersOnly, switchedOff]) assert.equal(opened.gateway.router, null);
  await assert.rejects(
    open(entry, { ...withEngine, KITH_GATEWAY_COMPLEXITY_MIN: '0.9', KITH_GATEWAY_COMPLEXITY_MAX: '0.1' }),
    /gateway\.complexityMin is 0\.9 and gateway\.complexityMax 0\.1/,
  );
});

/** A SearXNG server that finds one thing, and keeps what it was asked. */
async function searchServer() {
  const questions: string[] = [];
  const server = createHttpServer((request, response) => {
    questions.push(new URL(request.url!, 'http://x').searchParams.get('q') ?? '');
    response.writeHead(200, { 'content-type': 'application/json' });
    const results = [{ url: 'https://a.example/', title: 'Found', content: 'A passage.' }];
    response.end(JSON.stringify({ results }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    questions,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('gateway.degrade lets a calculation, a search or an explanation stand in, as far as it says', async () => {
  await using search = await searchServer();
  const yaml = `gateway: {searxngUrl: "${search.url}"}
backends: [{name: a, url: "${upstream.base('reset')}", defaults: {chat: m}}]`;
  const answer = async (degrade: string, content: string) => {
    await using opened = await open(yaml, { KITH_GATEWAY_DEGRADE: degrade, LLM_MAX_RETRIES: '0' });
    const messages = [{ role: 'user', content }] as const;
    return await ask(opened, { model: null, messages }, { locale: 'en' });
  };
  assert.notEqual((await answer('none', 'What is 12 * 12?')).code, null);
  assert.equal(search.questions.length, 0);
  const calculated = await answer('search', 'What is 12 * 12?');
  assert.deepEqual([calculated.receipt!.route!.step, /144/.test(calculated.text)], ['search', true]);
  const found = await answer('search', 'Who wrote the book about bees?');
  assert.match(found.text, /https:\/\/a\.example\//);
  assert.deepEqual(search.questions, ['Who wrote the book about bees?']);
  await using explaining = await open(yaml.replace(search.url, ''), {
    KITH_GATEWAY_DEGRADE: 'explain',
    LLM_MAX_RETRIES: '0',
  });
  const explained = await ask(explaining, { model: null }, { locale: 'en' });
  assert.equal(explained.receipt!.route!.step, 'explanation');
});

test('what the owner calls personal data leaves neither to a provider nor to a search, beside what is built in', async () => {
  await using search = await searchServer();
  const patterns = 'patterns: [{name: badge, pattern: "E[0-9]{5}"}]';
  const secrets = /E12345|bea@hive\.example/;
  const content = 'Who is E12345, bea@hive.example?';
  const messages = [{ role: 'user', content }] as const;
  const entry = (fault: string) =>
    `backends: [{name: a, url: "${fault}", owned: false, defaults: {chat: m}}]`;
  const env = { KWAAI_PRIVACY_LEVEL: 'medium', LLM_MAX_RETRIES: '0' };
  await using asking = await open(`${patterns}\n${entry(ok())}`, env);
  const { seen } = await ask(asking, { model: null, messages });
  assert.equal(seen.length, 1);
  assert.doesNotMatch(JSON.stringify(seen[0]!.body), secrets);
  await using searching = await open(
    `${patterns}\ngateway: {searxngUrl: "${search.url}", degrade: search}\n${entry(upstream.base('reset'))}`,
    env,
  );
  await ask(searching, { model: null, messages });
  assert.equal(search.questions.length, 1);
  assert.doesNotMatch(search.questions[0]!, secrets);
  await assert.rejects(
    open(`patterns: [{name: badge, pattern: "(a)\\\\1"}]\n${entry(ok())}`),
    /^InputError: patterns\[0\]\.pattern: /,
  );
});

test('budgets of config.yaml stop what they hold', async () => {
  await using opened = await open(`backends: [{name: a, url: "${ok()}", defaults: {chat: m}}]
budgets: [{name: little, agent: strategy, tokens: 20, per: day}]`);
  const call = (agent: string | null) => ask(opened, { model: null }, { agent });
  assert.equal((await call('strategy')).text, ANSWER_TEXT);
  assert.deepEqual([(await call('strategy')).code, (await call(null)).code], ['budget_exceeded', null]);
});

test('a node whose engine is no backend answers through the others, and loads nothing', async () => {
  const home = join(root, String(homes++));
  mkdirSync(home);
  const { config } = resolveConfig({
    home,
    env: { KITH_GATEWAY_LOCAL_ENGINE: 'false', KITH_SERVER_PORT: '0', LLM_BASE_URL: ok(), LLM_MODEL: 'far' },
  });
  await using node = await createNode({ config, log: silentLogger, version: '0.0.0-test' });
  await node.ready;
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Count.' }] }),
  });
  const body = (await response.json()) as { choices: { message: { content: string } }[] };
  assert.equal(body.choices[0]!.message.content, ANSWER_TEXT);
  assert.equal(response.headers.get('x-kith-backend'), 'llm');
  const { state, engine } = await node.status();
  assert.deepEqual([state, engine.pid], ['ready', null]);
});

test('kith config show prints backends, agents and origins, and no key', async () => {
  const home = join(root, String(homes++));
  mkdirSync(home);
  writeFileSync(
    join(home, 'config.yaml'),
    'gateway: {preset: balanced}\nbackends:\n  - {name: home, kind: vllm, url: "http://10.0.0.1:8000/v1", key: sk-planted}\n',
    { mode: 0o600 },
  );
  const env = { PATH: process.env.PATH, KWAAI_PRIVACY_LEVEL: 'medium', OPENROUTER_API_KEY: 'sk-or-planted' };
  const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');
  const args = [main, 'config', 'show', '--json', '--home', home];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  assert.doesNotMatch(stdout, /planted/);
  const rows = JSON.parse(stdout).values as { key: string; value: unknown; origin: string }[];
  const row = (key: string) => rows.find((each) => each.key === key)!;
  assert.deepEqual(row('gateway.privacy'), {
    key: 'gateway.privacy',
    value: 'medium',
    origin: 'env:KWAAI_PRIVACY_LEVEL',
  });
  assert.deepEqual([row('gateway.cache').value, row('gateway.cache').origin], ['auto', 'preset:balanced']);
  assert.equal(row('openrouter.apiKey').value, '[secret]');
  assert.equal(row('backends.home').value, 'vllm http://10.0.0.1:8000/v1 key=[secret]');
  assert.equal(row('backends.home').origin, `${join(home, 'config.yaml')}:3`);
  assert.equal(row('agents.guardrail.model').origin, 'preset:balanced');
});
