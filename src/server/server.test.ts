/**
 * The server on real sockets, with a backend that does what each test needs: fails, hangs, floods. What a model
 * does is tested in test/http.test.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createIds, createSeededRandom, KithError, silentLogger, systemClock } from '../base/index.ts';
import type { Backend, ChatEvent, ChatRequest, Receipt } from '../gateway/index.ts';
import '../../test/openapi/watch.ts';
import { gatewayOver } from '../gateway/testing/over.ts';
import { defaultServerLimits, type ServerLimits } from './http/limits.ts';
import { createServer } from './server.ts';
import { loopbackAccess } from './testing/loopback-access.ts';
import type { NodeStatus, Server } from './types.ts';

const receipt: Receipt = {
  backend: 'local',
  model: 'm',
  queueMs: 1,
  prefillMs: 2,
  decodeMs: null,
  notes: [],
};
const start: ChatEvent = { type: 'start', backend: 'local', model: 'm' };
const text = (value: string): ChatEvent => ({ type: 'text', choice: 0, text: value, logprobs: null });
const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
const usage: ChatEvent = { type: 'usage', promptTokens: 1, cachedTokens: 0, completionTokens: 1, receipt };

type Script = (request: ChatRequest) => AsyncIterable<ChatEvent>;

async function* whole(): AsyncGenerator<ChatEvent> {
  yield* [start, text('Hi'), finish, usage];
}

/** Fails at the first event. */
const failing =
  (error: Error): Script =>
  () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) });

function backendOf(script: Script): Backend {
  return {
    name: 'local',
    has: async (model) => model === 'm',
    defaultModel: () => 'm',
    models: async () => [
      { id: 'm', task: 'chat', state: 'loaded', ownedBy: 'kith', context: 8, since: null },
    ],
    chat: script,
    complete: () => script({} as ChatRequest),
    countTokens: async () => 1,
    embed: async ({ inputs }) => ({
      vectors: new Float32Array(inputs.length * 2).fill(0.5),
      dimension: 2,
      tokens: inputs.map(() => 3),
      receipt,
    }),
    health: async () => ({
      status: 'ok',
      latencyMs: null,
      modelsAvailable: 1,
      modelsLoaded: 1,
      breaker: { state: 'closed', failures: 0 },
      message: null,
    }),
  };
}

const token = 'a-token-that-is-long-enough';
let stopped = 0;

function open(
  script: Script = whole,
  limits: Partial<ServerLimits> = {},
  port = 0,
  host = '127.0.0.1',
): Promise<Server> {
  return createServer({
    gateway: gatewayOver([backendOf(script)]),
    control: {
      status: async () =>
        ({
          state: 'ready',
          message: null,
          version: '0.0.0',
          uptimeMs: 1500,
          defaultModel: 'm',
          backends: [{ backend: 'local', ...(await backendOf(script).health()) }],
          requests: { active: 0, total: 0, refused: 0 },
        }) as unknown as NodeStatus,
      shutdown: () => {
        stopped++;
      },
      unload: async (model) => model === 'm',
      load: async () => {},
    },
    host,
    port,
    log: silentLogger,
    clock: systemClock,
    ids: createIds(systemClock, createSeededRandom(1)),
    randomSeed: () => 1,
    limits: { ...defaultServerLimits, ...limits },
    version: '0.0.0',
    token,
    access: loopbackAccess(),
    observers: [],
  });
}

const body = (extra: object = {}) =>
  JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...extra });
const json = { 'content-type': 'application/json' };
const post = (
  server: Server,
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = json,
  init: RequestInit = {},
) => fetch(server.url + path, { method: 'POST', body: content, headers, ...init });
const chatPath = '/v1/chat/completions';

async function errorOf(
  response: Response,
): Promise<{ status: number; code: string; param: string | null; type: string }> {
  const { error } = (await response.json()) as {
    error: { code: string; param: string | null; type: string; message: string };
  };
  assert.equal(typeof error.message, 'string');
  assert.match(response.headers.get('x-request-id') ?? '', /^req-/);
  return { status: response.status, code: error.code, param: error.param, type: error.type };
}

/** Sends bytes as they are and reads until the server closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(request);
  await once(socket, 'close');
  return answer;
}

test('a chat answer, its receipt headers and its request id', async () => {
  await using server = await open();
  const response = await post(server, chatPath, body({ model: 'm', kith: { receipt: true } }));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-kith-backend'), 'local');
  assert.equal(response.headers.get('x-kith-model'), 'm');
  assert.equal(response.headers.get('x-kith-prefill-ms'), '2');
  assert.equal(response.headers.get('x-kith-decode-ms'), null);
  assert.equal(response.headers.get('access-control-allow-origin'), null);
  const answer = (await response.json()) as Record<string, unknown> & {
    choices: { message: { content: string } }[];
  };
  assert.equal(answer.choices[0]!.message.content, 'Hi');
  assert.equal(`chatcmpl-${response.headers.get('x-request-id')!.slice(4)}`, answer.id);
  const { route, ...times } = answer.kith as { route: { attempts: object[]; [key: string]: unknown } };
  assert.deepEqual(times, {
    backend: 'local',
    model: 'm',
    queue_ms: 1,
    prefill_ms: 2,
    decode_ms: null,
    notes: [],
  });
  const { attempts, ...how } = route;
  assert.deepEqual(how, {
    step: 'local',
    privacy: { level: 'minimum', where: 'this_machine', link: null, replaced: null },
    cache: null,
    cost: 0,
    complexity: null,
  });
  assert.deepEqual(
    attempts.map((attempt) => ({ ...attempt, first_token_ms: 0, ms: 0 })),
    [
      {
        backend: 'local',
        model: 'm',
        reason: 'first choice',
        outcome: 'answered',
        code: null,
        wait_ms: 0,
        first_token_ms: 0,
        ms: 0,
      },
    ],
  );
});

test('a stream ends with [DONE]', async () => {
  await using server = await open();
  const response = await post(server, chatPath, body({ stream: true }));
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(response.headers.get('x-kith-model'), 'm');
  const events = (await response.text()).split('\n\n');
  assert.equal(events.at(-2), 'data: [DONE]');
  assert.equal(events.length, 5);
});

test('an error before the first event has its own status and retry-after', async () => {
  await using server = await open(
    failing(new KithError('queue_full', 'Full.', { status: 429, retryAfter: 3 })),
  );
  for (const stream of [true, false]) {
    const response = await post(server, chatPath, body({ stream }));
    assert.equal(response.headers.get('retry-after'), '3');
    assert.deepEqual(await errorOf(response), {
      status: 429,
      code: 'queue_full',
      param: null,
      type: 'rate_limit_error',
    });
  }
});

test('an error after the stream began is an error event without [DONE]', async () => {
  await using server = await open(async function* () {
    yield* [start, text('Hi')];
    throw new KithError('engine_lost', 'The engine ended.', { status: 503 });
  });
  const events = (await (await post(server, chatPath, body({ stream: true }))).text()).trim().split('\n\n');
  assert.match(
    events.at(-1)!,
    /^data: \{"error":\{"message":"The engine ended\.","type":"server_error","param":null,"code":"engine_lost"\}\}$/,
  );
  assert.ok(!events.includes('data: [DONE]'));
});

test('what is not made for clients stays inside', async () => {
  await using server = await open(failing(new TypeError('x of undefined')));
  const response = await post(server, chatPath, body());
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /undefined/);
});

test('a quiet stream is committed and kept open by comments', async () => {
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  await using server = await open(
    async function* () {
      await gate;
      yield* whole();
    },
    { commitMs: 5, pingMs: 5 },
  );
  const response = await post(server, chatPath, body({ stream: true }));
  assert.equal(response.status, 200);
  let seen = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    seen += chunk;
    if (seen.includes(': ping\n\n')) go();
  }
  assert.match(seen, /^: ping\n\n[\s\S]*data: \[DONE\]\n\n$/);
});

test('a client that goes away aborts the work', async () => {
  const aborted = Promise.withResolvers<void>();
  await using server = await open(async function* (request) {
    yield start;
    request.signal.addEventListener('abort', () => aborted.resolve());
    await aborted.promise;
  });
  for (const stream of [true, false]) {
    const controller = new AbortController();
    const pending = post(server, chatPath, body({ stream }), json, { signal: controller.signal });
    if (stream) await pending;
    else while (server.active === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await pending.catch(() => {});
    await aborted.promise;
  }
});

test('a reader that stops reading is cut off, and the work with it', async () => {
  const over = Promise.withResolvers<void>();
  await using server = await open(
    async function* () {
      try {
        yield start;
        for (;;) yield text('x'.repeat(65_536));
      } finally {
        over.resolve();
      }
    },
    { slowReaderMs: 20 },
  );
  const socket = connect(server.port, '127.0.0.1');
  socket.pause();
  const content = body({ stream: true });
  socket.write(
    `POST ${chatPath} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${content.length}\r\n\r\n${content}`,
  );
  await over.promise;
  socket.destroy();
});

test('bad bodies are refused by name before anything is asked', async () => {
  await using server = await open(() => assert.fail('the backend was asked'), { bodyBytes: 1000 });
  const status = async (content: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>) => {
    const { status, code } = await errorOf(await post(server, chatPath, content, headers));
    return `${status} ${code}`;
  };
  assert.equal(await status('{'), '400 invalid_json');
  assert.equal(await status(''), '400 invalid_json');
  assert.equal(await status('[]'), '400 invalid_type');
  assert.equal(await status(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)), '400 invalid_utf8');
  assert.equal(await status('['.repeat(500)), '400 json_too_deep');
  assert.equal(await status(body(), { 'content-type': 'text/plain' }), '415 unsupported_media_type');
  assert.equal(
    await status(body(), { 'content-type': 'application/json; charset=latin1' }),
    '415 unsupported_media_type',
  );
  assert.equal(await status(body(), { ...json, 'content-encoding': 'gzip' }), '415 unsupported_media_type');
  assert.equal(await status('x'.repeat(1001)), '413 body_too_large');
  assert.equal(await status(body({ model: 'none' })), '404 model_not_found');
});

test('a body that is announced too large is refused before it is sent', async () => {
  await using server = await open(whole, { bodyBytes: 1000 });
  const answer = await raw(
    server.port,
    `POST ${chatPath} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\nexpect: 100-continue\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 413 /);
});

test('a chunked body is cut off at the limit', async () => {
  await using server = await open(whole, { bodyBytes: 1000 });
  const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
  const answer = await raw(
    server.port,
    `POST ${chatPath} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}${chunk}`,
  );
  assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*server\.bodyBytes/);
});

test('expect: 100-continue is answered when the body is wanted', async () => {
  await using server = await open();
  const content = body();
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `POST ${chatPath} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${content.length}\r\nexpect: 100-continue\r\n\r\n`,
  );
  const [first] = (await once(socket, 'data')) as [Buffer];
  assert.match(first.toString(), /^HTTP\/1\.1 100 Continue/);
  socket.end(content);
  assert.match(await drain(socket), /HTTP\/1\.1 200 OK/);
});

async function drain(socket: Socket): Promise<string> {
  let all = '';
  socket.on('data', (chunk) => {
    all += chunk;
  });
  await once(socket, 'close');
  return all;
}

test('bytes that are no HTTP, huge headers and slow headers get an answer', async () => {
  await using server = await open(whole, { headersMs: 50, bodyMs: 50 });
  assert.match(await raw(server.port, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*invalid_http/);
  assert.match(
    await raw(server.port, `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 [\s\S]*headers_too_large/,
  );
  assert.match(await raw(server.port, 'GET / HTTP/1.1\r\nhost:'), /^HTTP\/1\.1 408 [\s\S]*request_timeout/);
});

test('methods: HEAD has no body, OPTIONS says what is allowed, others get 405', async () => {
  await using server = await open();
  const head = await fetch(`${server.url}/v1/models`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
  const options = await fetch(server.url + chatPath, { method: 'OPTIONS' });
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'POST, OPTIONS']);
  const wrong = await fetch(server.url + chatPath);
  assert.equal(wrong.headers.get('allow'), 'POST, OPTIONS');
  assert.equal((await errorOf(wrong)).status, 405);
  assert.equal((await errorOf(await fetch(`${server.url}/nothing`))).code, 'route_not_found');
});

test('a foreign host name is refused', async () => {
  await using server = await open();
  const answer = await raw(
    server.port,
    'GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*host_refused/);
});

test('models and health', async () => {
  await using server = await open();
  const list = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
  assert.deepEqual(
    list.data.map((each) => each.id),
    ['m'],
  );
  assert.equal((await fetch(`${server.url}/v1/models/m`)).status, 200);
  assert.equal((await errorOf(await fetch(`${server.url}/v1/models/x`))).code, 'model_not_found');
  const health = (await (await fetch(`${server.url}/health`)).json()) as { status: string; llm: object };
  assert.equal(health.status, 'ok');
  assert.deepEqual(health.llm, {
    status: 'ok',
    latency_ms: null,
    models_available: 1,
    models_loaded: 1,
    circuit_breaker_state: 'closed',
    circuit_breaker_failures: 0,
    default_model: 'm',
  });
});

test('embeddings in both encodings', async () => {
  await using server = await open();
  type Answer = { data: { embedding: unknown }[]; usage: { prompt_tokens: number } };
  const floats = (await (await post(server, '/v1/embeddings', '{"input":["a","b"]}')).json()) as Answer;
  assert.deepEqual(
    floats.data.map((each) => each.embedding),
    [
      [0.5, 0.5],
      [0.5, 0.5],
    ],
  );
  assert.equal(floats.usage.prompt_tokens, 6);
  const base64 = (await (
    await post(server, '/v1/embeddings', '{"input":"a","encoding_format":"base64","dimensions":2}')
  ).json()) as Answer;
  assert.equal(base64.data[0]!.embedding, 'AAAAPwAAAD8=');
});

test('the page and its files are not among the requests of clients', async () => {
  await using server = await open();
  await (await fetch(`${server.url}/v1/models`)).text();
  for (const path of ['/', '/chat', '/assets/none.js']) await (await fetch(server.url + path)).text();
  assert.equal(server.total, 1);
  assert.equal((await post(server, chatPath, body())).status, 200);
  assert.equal(server.total, 2);
});

test('control routes want the run token', async () => {
  await using server = await open();
  const shutdown = (authorization?: string) =>
    fetch(`${server.url}/kith/v1/shutdown`, {
      method: 'POST',
      ...(authorization ? { headers: { authorization } } : {}),
    });
  const before = stopped;
  assert.equal((await errorOf(await shutdown())).status, 401);
  assert.equal((await errorOf(await shutdown('Bearer nonsense'))).status, 401);
  assert.equal(stopped, before);
  assert.equal((await shutdown(`Bearer ${token}`)).status, 202);
  assert.equal(stopped, before + 1);
});

test('closing lets a request end, and takes no new one', async () => {
  const gate = Promise.withResolvers<void>();
  const server = await open(async function* () {
    yield start;
    await gate.promise;
    yield* [text('late'), finish, usage];
  });
  const response = await post(server, chatPath, body({ stream: true }));
  const closed = server.close(10_000);
  await assert.rejects(fetch(`${server.url}/health`));
  gate.resolve();
  assert.match(await response.text(), /late[\s\S]*\[DONE\]/);
  await closed;
});

test('closing ends what is left when the drain time is over, and says so', async () => {
  const server = await open(async function* () {
    yield start;
    // Work that does not notice the abort must not delay the end.
    await new Promise(() => {});
  });
  const response = await post(server, chatPath, body({ stream: true }));
  const pending = post(server, chatPath, body());
  while (server.active < 2) await new Promise((resolve) => setImmediate(resolve));
  const closed = server.close(10);
  assert.match(await response.text(), /"code":"stopping"[^\n]*\n\n$/);
  assert.equal((await errorOf(await pending)).code, 'stopping');
  await closed;
});

test('only loopback hosts are listened on, and a taken port is named', async () => {
  await assert.rejects(
    open(whole, {}, 0, '0.0.0.0'),
    (error: KithError) => error.code === 'host_not_loopback',
  );
  const blocker = createNetServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  await assert.rejects(
    open(whole, {}, port),
    (error: KithError) => error.code === 'port_in_use' && error.message.includes(String(port)),
  );
  blocker.close();
});
