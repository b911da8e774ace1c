/**
 * A real node, watched: what it tells adds up, and nothing that anybody wrote or keeps secret is in any of it.
 */
import './openapi/watch.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { registerHooks } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLogger, type RootLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { LogAnalysis } from '../src/cli/log-analysis/analyse.ts';
import { logLines } from '../src/cli/log-analysis/read.ts';
import { createNode, type Node } from '../src/node/index.ts';
import { type KeyScope, type MetricsView, openKeyStore } from '../src/server/index.ts';
import { families } from '../src/server/metrics/families.ts';
import { signature } from '../src/server/metrics/webhook.ts';
import { configOf, createHome, type TestHome } from './node-support.ts';

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A server that keeps what it gets and answers 200. */
async function receiver(): Promise<{ url: string; got: Received[]; server: Server; some(): Promise<void> }> {
  const got: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push({ path: request.url ?? '', headers: request.headers, body });
    response.setHeader('content-type', 'application/json');
    response.end('{}');
    server.emit('got');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, got, server, some: async () => void (got.length > 0 || (await once(server, 'got'))) };
}

const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@opentelemetry/')) loaded.push(specifier);
    return next(specifier, context);
  },
});

let home: TestHome;
let log: RootLogger;
let node: Node;
let stderr = '';

async function open(flags: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const config = configOf(home, { 'log.level': 'debug', ...flags });
  log = createLogger({
    level: config.log.level,
    env: { DEBUG: 'kith:*' },
    stderr: { write: (text) => (stderr += text) },
    file: { dir: join(home.path, 'logs'), maxBytes: config.log.maxBytes, keep: config.log.keep },
  });
  node = await createNode({ config, log, version: '0.0.0-test' });
  await node.ready;
}

async function close(): Promise<void> {
  await node.close();
  await log.close();
}

before(async () => {
  home = await createHome();
});
after(async () => {
  await close();
  await home.remove();
});

interface Sent {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

async function send({ path, body, headers = {}, method }: Sent): Promise<{ status: number; text: string }> {
  const response = await fetch(node.url + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const chat = (extra: object = {}) => ({
  messages: [{ role: 'user', content: 'Hi' }],
  max_tokens: 12,
  temperature: 0,
  ...extra,
});

async function metrics(): Promise<string> {
  return (await send({ path: '/metrics' })).text;
}

/** Value of the sample whose name and labels these are. */
function sample(text: string, start: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${start} `));
  assert.ok(line, `${start} in:\n${text.slice(0, 3000)}`);
  return Number(line.slice(start.length + 1));
}

async function accessLines(): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(home.path, 'logs', 'kith.log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes('"msg":"request"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

// The first three tests share a node; the third ends it.

test('figures add up to what was asked, and nothing of OpenTelemetry is loaded without a collector', async () => {
  await open();
  const headers = { 'x-kith-agent': 'writer' };
  for (const stream of [true, false])
    await send({ path: '/v1/chat/completions', body: chat({ stream }), headers });
  await send({ path: '/v1/embeddings', body: { input: ['one', 'two'] } });
  assert.equal((await send({ path: '/v1/chat/completions', body: chat({ model: 'nope' }) })).status, 404);
  assert.equal((await send({ path: '/nowhere/at/all' })).status, 404);

  const text = await metrics();
  const labels = 'model="tiny",backend="local",agent="writer",route="/v1/chat/completions"';
  assert.equal(sample(text, `kith_answers_total{${labels},outcome="ok"}`), 2);
  const generated = sample(text, `kith_completion_tokens_total{${labels}}`);
  assert.ok(generated >= 2 && generated <= 24);
  assert.equal(sample(text, `kith_time_to_first_token_seconds_count{${labels}}`), 2);
  assert.ok(sample(text, `kith_inter_token_latency_seconds_count{${labels}}`) <= generated - 2);
  assert.equal(
    sample(
      text,
      'kith_answers_total{model="unknown",backend="none",agent="none",route="/v1/chat/completions",outcome="invalid"}',
    ),
    1,
  );
  assert.equal(
    sample(text, 'kith_http_requests_total{route="none",method="GET",status="404",code="route_not_found"}'),
    1,
  );
  assert.ok(sample(text, 'kith_recent_tokens_per_second{by="agent",name="writer",quantile="0.95"}') > 0);
  assert.ok(sample(text, 'kith_kv_cells_cached{model="tiny"}') > 0);
  assert.equal(sample(text, 'kith_engine_status_ok'), 1);
  assert.equal(sample(text, 'kith_breaker_state{backend="local"}'), 0);
  assert.equal(sample(text, 'kith_models_loaded'), 2);
  assert.ok(sample(text, 'process_resident_memory_bytes') > 1e7);

  const view = JSON.parse((await send({ path: '/kith/v1/metrics' })).text) as MetricsView;
  assert.equal(view.recent.all.answers, 3);
  assert.deepEqual(
    view.recent.models.map(({ name, answers }) => `${name} ${answers}`),
    ['tiny 2', 'tiny-embed 1'],
  );
  assert.equal(view.total.agents.find(({ name }) => name === 'writer')!.completionTokens, generated);
  assert.ok(view.recent.all.timeToFirstTokenMs!.p50 <= view.recent.all.durationMs!.p99);

  const lines = (await accessLines()).filter(({ level }) => level === 'info');
  assert.equal(lines.length, 5);
  assert.equal(lines[0]!.agent, 'writer');
  assert.equal(lines[0]!.model, 'tiny');
  assert.equal(Number(lines[0]!.completionTokens) + Number(lines[1]!.completionTokens), generated);
  assert.deepEqual(lines[3]!.code, 'model_not_found');
  assert.equal(lines[3]!.model, undefined);
  assert.equal(lines[4]!.route, null);
  for (const line of lines) assert.ok(Number(line.bytesIn) > 50 && Number(line.bytesOut) > 50);

  assert.deepEqual(loaded, []);
});

test('the documented metrics are exactly those that are exposed, in both formats', async () => {
  const text = await metrics();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  assert.deepEqual(
    types,
    Object.values(families).map(({ name, type }) => `${name} ${type}`),
  );
  const doc = await readFile(join(import.meta.dirname, '..', 'docs', 'observability.md'), 'utf8');
  const rows = [...doc.matchAll(/^\| `((?:kith|process|nodejs)_\w+)` \| (\w+) \| ([^|]*)\| (.*) \|$/gm)];
  assert.deepEqual(
    rows.map(([, name, type, labels, help]) => ({
      name,
      type,
      labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      help,
    })),
    Object.values(families).map(({ name, type, labels, help }) => ({
      name,
      type,
      labels: [...labels],
      help,
    })),
  );
  // Every sample carries the labels of its family.
  const byName = new Map(Object.values(families).map((family) => [family.name as string, family]));
  for (const [, name, , labels = ''] of text.matchAll(/^(\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})? \S+$/gm)) {
    const family = byName.get(name!) ?? byName.get(`${name}_count`);
    assert.ok(family, name);
    const names = [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label]) => label);
    assert.deepEqual(
      names.filter((label) => label !== 'le'),
      [...family.labels],
    );
  }
  const open2 = await fetch(`${node.url}/metrics`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' },
  });
  assert.match(open2.headers.get('content-type')!, /^application\/openmetrics-text/);
  const openText = await open2.text();
  assert.ok(openText.endsWith('# EOF\n'));
  assert.match(openText, /^# TYPE kith_engine_restarts counter\nkith_engine_restarts_total 0$/m);
});

test('a scrape answers while the engine process does not', async () => {
  const { pid } = await node.engineStatus();
  process.kill(pid!, 'SIGSTOP');
  try {
    // A status of the last half second is told once more.
    let text = await metrics();
    while (sample(text, 'kith_engine_status_ok') !== 0) text = await metrics();
    assert.ok(!text.includes('kith_sequences_active{'));
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  await close();
});

/** OTLP's JSON: spans with their attributes as plain values. */
function spansOf(bodies: readonly Received[]) {
  interface Attribute {
    readonly key: string;
    readonly value: Readonly<Record<string, unknown>>;
  }
  interface Span {
    readonly traceId: string;
    readonly spanId: string;
    readonly parentSpanId?: string;
    readonly name: string;
    readonly kind: number;
    readonly startTimeUnixNano: string;
    readonly endTimeUnixNano: string;
    readonly attributes: readonly Attribute[];
  }
  interface Export {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
    }[];
  }
  return bodies
    .flatMap(({ body }) => (JSON.parse(body) as Export).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(({ attributes, ...span }) => ({
      ...span,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    }));
}

test('what people write and keep secret is in no log, metric, trace or notification', async () => {
  const collector = await receiver();
  const hook = await receiver();
  stderr = '';
  await open({
    'telemetry.otlpUrl': collector.url,
    'telemetry.headers': 'x-collector-key=COLLECTORKEY9',
    'alerts.webhook': `${hook.url}/hook?key=WEBHOOKKEY9`,
    'alerts.webhookSecret': 'WEBHOOKSECRET9',
    'alerts.holdMs': '0',
    // Always over it: the first look fires.
    'alerts.memoryBytes': '1',
  });
  const planted: string[] = ['COLLECTORKEY9', 'WEBHOOKKEY9', 'WEBHOOKSECRET9'];
  /** A word that nothing else has. */
  const plant = (name: string): string => {
    const word = `Plantedq${name}z${planted.length}Marguerite`;
    planted.push(word);
    return word;
  };
  const secretHeaders = {
    authorization: `Bearer ${plant('bearer')}`,
    'x-api-key': plant('apikey'),
    cookie: `session=${plant('cookie')}`,
    'user-agent': plant('agentname'),
    referer: `http://localhost/${plant('referer')}`,
    'x-kith-agent': 'writer',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: `vendor=${plant('tracestate').toLowerCase()}`,
  };
  planted.push(planted.at(-1)!.toLowerCase());
  const tool = {
    type: 'function',
    function: {
      name: 'lookup',
      description: plant('tooldescription'),
      parameters: { type: 'object', properties: { [plant('property')]: { type: 'string' } } },
    },
  };
  const conversation = [
    { role: 'system', content: plant('system') },
    { role: 'user', content: plant('prompt') },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: 'call_1',
          type: 'function',
          function: { name: 'lookup', arguments: `{"q":"${plant('argument')}"}` },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', content: plant('toolanswer') },
  ];
  const full = {
    ...chat({ messages: conversation, tools: [tool], stop: [plant('stop')] }),
    user: plant('user'),
    metadata: { note: plant('metadata') },
    safety_identifier: plant('identifier'),
  };
  const requests: Sent[] = [
    { path: '/v1/chat/completions', body: full },
    { path: '/v1/chat/completions', body: { ...full, stream: true } },
    { path: `/v1/chat/completions?q=${plant('query')}`, body: chat({ model: plant('model') }) },
    { path: '/v1/chat/completions', body: chat({ response_format: { type: plant('format') } }) },
    {
      path: '/v1/chat/completions',
      body: chat({
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'x', schema: { type: 'string', pattern: `^(${plant('pattern')}` } },
        },
      }),
    },
    { path: '/v1/chat/completions', body: chat({ temperature: plant('temperature') }) },
    { path: '/v1/chat/completions', body: `{"messages":[{"role":"user","content":"${plant('cutjson')}` },
    { path: '/v1/completions', body: { prompt: plant('completion'), max_tokens: 5 } },
    { path: '/v1/completions', body: { prompt: `${plant('long')} word `.repeat(40_000), max_tokens: 5 } },
    { path: '/v1/embeddings', body: { input: [plant('embedding')] } },
    { path: '/v1/embeddings', body: { input: plant('embedding2'), model: plant('embedmodel') } },
    {
      path: '/v1/responses',
      body: { input: plant('responses'), instructions: plant('instructions'), max_output_tokens: 16 },
    },
    {
      path: '/v1/messages',
      body: { model: 'tiny', max_tokens: 5, messages: [{ role: 'user', content: plant('anthropic') }] },
    },
    {
      path: '/api/chat',
      body: {
        model: 'tiny',
        stream: false,
        options: { num_predict: 5 },
        messages: [{ role: 'user', content: plant('ollama') }],
      },
    },
    { path: '/generate', body: { prompt: plant('nsllm'), max_tokens: 5 } },
    { path: `/v1/models/${plant('modelpath')}` },
    { path: `/home/${plant('path')}/letter.txt?x=${plant('query2')}` },
    { path: '/v1/models', method: 'DELETE' },
  ];
  for (const request of requests)
    await send({ ...request, headers: { ...secretHeaders, ...request.headers } });
  // A client that leaves in the middle of its stream, and one with a method that is no route's.
  const left = httpRequest(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...secretHeaders },
  });
  left.end(
    JSON.stringify({
      ...full,
      stream: true,
      max_tokens: 500,
      messages: [{ role: 'user', content: plant('left') }],
    }),
  );
  const [response] = (await once(left, 'response')) as [import('node:http').IncomingMessage];
  await once(response, 'data');
  response.destroy();
  await send({ path: `/${plant('verb')}`, method: 'PROPFIND', headers: secretHeaders });
  await hook.some();

  const texts = { metrics: await metrics(), view: (await send({ path: '/kith/v1/metrics' })).text };
  await close();
  const logs = await readdir(join(home.path, 'logs'));
  const outputs: Record<string, string> = {
    ...texts,
    stderr,
    traces: collector.got.map(({ body }) => body).join('\n'),
    hooks: hook.got.map(({ body }) => body).join('\n'),
  };
  for (const file of logs) outputs[file] = await readFile(join(home.path, 'logs', file), 'utf8');
  for (const server of [collector.server, hook.server]) server.close();

  // The outputs are there at all, so that finding nothing in them means something.
  assert.ok(outputs['kith.log']!.includes('"agent":"writer"') && outputs.stderr!.includes('"level":"debug"'));
  assert.ok(outputs.metrics!.includes('agent="writer"') && outputs.view!.includes('"writer"'));
  for (const [name, text] of Object.entries(outputs)) {
    for (const word of planted) {
      const at = text.indexOf(word);
      assert.ok(at < 0, `${word} is in ${name}: ...${text.slice(Math.max(0, at - 300), at + 60)}`);
    }
    assert.ok(!/marguerite/i.test(text), name);
  }

  // The notification is signed, and the spans are those of the requests.
  const [notice] = hook.got;
  const alert = JSON.parse(notice!.body) as { type: string; alert: { rule: string; state: string } };
  assert.deepEqual([alert.type, alert.alert.rule, alert.alert.state], ['kith.alert', 'memory', 'firing']);
  assert.equal(
    notice!.headers['x-kith-signature'],
    signature('WEBHOOKSECRET9', String(notice!.headers['x-kith-timestamp']), notice!.body),
  );
  assert.ok(texts.view.includes('"rule":"memory"'));
  assert.equal(sample(texts.metrics, 'kith_alert_firing{rule="memory",severity="warning"}'), 1);
  assert.equal(collector.got[0]!.path, '/v1/traces');
  assert.equal(collector.got[0]!.headers['x-collector-key'], 'COLLECTORKEY9');
  const spans = spansOf(collector.got);
  const server = spans.find(({ name }) => name === 'POST /v1/chat/completions')!;
  assert.equal(server.traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.equal(server.parentSpanId, 'b7ad6b7169203331');
  assert.equal(server.kind, 2);
  assert.equal(server.attributes['http.response.status_code'], 200);
  const answer = spans.find(({ parentSpanId }) => parentSpanId === server.spanId)!;
  assert.equal(answer.name, 'chat tiny');
  assert.equal(answer.kind, 3);
  assert.equal(answer.attributes['gen_ai.operation.name'], 'chat');
  assert.equal(answer.attributes['gen_ai.response.model'], 'tiny');
  assert.equal(answer.attributes['gen_ai.agent.name'], 'writer');
  assert.ok(Number(answer.attributes['gen_ai.usage.input_tokens']) > 5);
  assert.ok(BigInt(answer.startTimeUnixNano) <= BigInt(answer.endTimeUnixNano));
  assert.ok(BigInt(server.startTimeUnixNano) <= BigInt(answer.endTimeUnixNano));
  assert.ok(spans.some(({ name }) => name === '_OTHER'));
  assert.ok(loaded.includes('@opentelemetry/sdk-trace'));
});

test('a key is known by its id in the log, and its scope opens the metrics', async () => {
  using keys = openKeyStore(home.path, { clock: systemClock, random: systemRandom });
  const make = (name: string, scopes: readonly KeyScope[]) =>
    keys.create({ name, scopes, expiresAt: null, requestsPerMinute: null, tokensPerMinute: null });
  const writer = make('Marguerite', ['generate']);
  const watcher = make('watcher', ['monitor']);
  await open({ 'server.requireKey': 'true' });
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  const asked = { path: '/v1/chat/completions', body: chat() };
  assert.equal((await send({ ...asked, headers: bearer(writer.text) })).status, 200);
  assert.equal((await send({ ...asked, headers: bearer('kith-WRONGKEY9') })).status, 401);
  for (const path of ['/metrics', '/kith/v1/metrics']) {
    assert.equal((await send({ path, headers: bearer(watcher.text) })).status, 200);
    assert.equal((await send({ path, headers: bearer(writer.text) })).status, 403);
    assert.equal((await send({ path })).status, 401);
  }
  const text = (await send({ path: '/metrics', headers: bearer(watcher.text) })).text;
  await close();
  const lines = await accessLines();
  assert.ok(lines.some(({ key, status }) => key === writer.key.id && status === 200));
  const everything = text + stderr + (await readFile(join(home.path, 'logs', 'kith.log'), 'utf8'));
  for (const secret of [writer.text, watcher.text, 'WRONGKEY9', 'Marguerite'])
    assert.ok(!everything.includes(secret), secret);
});

test('an engine that died is in the metrics, and in what the log adds up to', async () => {
  await open();
  process.kill((await node.engineStatus()).pid!, 'SIGKILL');
  // Until the death is noticed requests fail; after it the engine starts again.
  while ((await send({ path: '/v1/chat/completions', body: chat() })).status !== 200);
  assert.ok(sample(await metrics(), 'kith_engine_restarts_total') >= 1);
  await close();
  const analysis = new LogAnalysis(null);
  const dir = join(home.path, 'logs');
  for await (const line of logLines(dir, { since: null, onUnreadable: assert.fail })) analysis.add(line);
  const { engine, broken, requests, models, suggestions } = analysis.result();
  assert.equal(engine.deaths, 1);
  assert.equal(broken, 0);
  assert.equal(requests, (await accessLines()).filter(({ level }) => level !== 'debug').length);
  assert.equal(models[0]!.name, 'tiny');
  assert.match(suggestions.join('\n'), /engine process died 1 time/);
});

test('the access log can be switched off', async () => {
  const before = (await accessLines()).length;
  await open({ 'log.access': 'false' });
  assert.equal((await send({ path: '/v1/chat/completions', body: chat() })).status, 200);
  await close();
  assert.equal((await accessLines()).length, before);
});
