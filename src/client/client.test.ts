/** The client against servers that do what servers do when they are ill. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { createClient } from './client.ts';
import type { KithClientError } from './errors.ts';
import type { AnswerEvent, ClientOptions } from './types.ts';

type Behaviour = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const servers = new Set<Server>();
after(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

/** Answers request i with behaviour i, the last one for all that follow. */
async function serve(...behaviours: Behaviour[]) {
  const seen: { path: string; headers: IncomingMessage['headers']; body: string }[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ path: request.url!, headers: request.headers, body });
    behaviours[Math.min(seen.length, behaviours.length) - 1]!(request, response, body);
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.add(server);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server, seen, connections: () => connections };
}

const frame = (value: unknown) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const delta = (fields: object, finish: string | null = null) =>
  frame({ id: 'c-1', model: 'm', choices: [{ index: 0, delta: fields, finish_reason: finish }] });
const head = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req-1' });

const good: Behaviour = (_, response) => {
  head(response);
  response.write(`: ping\n\n${delta({ role: 'assistant', content: '' })}${delta({ content: 'Hel' })}`);
  response.end(`${delta({ content: 'lo' })}${delta({}, 'stop')}${frame('[DONE]')}`);
};
const status =
  (
    code: number,
    headers: Record<string, string> = {},
    body = '{"error":{"message":"No.","code":"refused"}}',
  ): Behaviour =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);
const silent: Behaviour = () => undefined;
const reset: Behaviour = (request) => void request.socket.destroy();
const headOnly: Behaviour = (_, response) => void head(response).flushHeaders();
const cutAtOnce: Behaviour = (request, response) => {
  head(response);
  response.write(delta({ role: 'assistant' }), () => request.socket.destroy());
};
/** Begins an answer; the rest happens when the reader has seen the beginning. */
let goOn = () => {};
const begun =
  (rest: (request: IncomingMessage, response: ServerResponse) => void): Behaviour =>
  (request, response) => {
    goOn = () => rest(request, response);
    head(response).write(delta({ content: 'Hel' }));
  };
const cutInTheMiddle = begun((request) => request.socket.destroy());
const endInTheMiddle = begun((_, response) => response.end());
const errorLater = begun((_, response) =>
  response.end(frame({ error: { message: 'Broken.', code: 'engine_lost' } })),
);
const stallInTheMiddle: Behaviour = (_, response) => void head(response).write(delta({ content: 'Hel' }));
const errorFirst: Behaviour = (_, response) =>
  void head(response).end(
    frame({ error: { message: 'Broken.', type: 'server_error', code: 'engine_lost' } }),
  );
const ask = { messages: [{ role: 'user' as const, content: 'Hi' }] };
const clientOf = (nodes: readonly string[], options: Partial<ClientOptions> = {}) =>
  createClient({ nodes, ...options }, { now: () => performance.now(), random: () => 0 });

async function read(events: AsyncIterable<AnswerEvent>) {
  let text = '';
  try {
    for await (const event of events) {
      if (event.type !== 'text') continue;
      text += event.text;
      goOn();
    }
    return { text, error: null };
  } catch (error) {
    return { text, error: error as KithClientError };
  }
}

test('events of an answer are typed, and the connection is used again', async () => {
  const { url, seen, connections } = await serve(good);
  await using client = clientOf([`${url}/v1/`], { apiKey: 'secret' });
  const events: AnswerEvent[] = [];
  for await (const event of client.chat({ ...ask, temperature: 0 })) events.push(event);
  assert.deepEqual(events, [
    { type: 'start', id: 'c-1', model: 'm', node: url, requestId: 'req-1' },
    { type: 'text', choice: 0, text: 'Hel' },
    { type: 'text', choice: 0, text: 'lo' },
    { type: 'finish', choice: 0, reason: 'stop' },
  ]);
  assert.equal((await client.chat(ask).whole()).text, 'Hello');
  assert.equal(connections(), 1);
  assert.equal(seen[0]!.path, '/v1/chat/completions');
  assert.equal(seen[0]!.headers.authorization, 'Bearer secret');
  assert.deepEqual(JSON.parse(seen[0]!.body), {
    ...ask,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  });
});

for (const [name, behaviour] of Object.entries({
  reset,
  cutAtOnce,
  errorFirst,
  'status 500': status(500),
  'status 502 with HTML': status(502, { 'content-type': 'text/html' }, '<html>'),
  'status 503': status(503, { 'retry-after': '60' }),
  'status 429': status(429, { 'retry-after': '60' }),
  'no stream': status(200),
  'empty answer': ((_, response) => void head(response).end()) satisfies Behaviour,
  'broken JSON': ((_, response) => void head(response).end('data: {"a"\n\n')) satisfies Behaviour,
})) {
  test(`before an answer begins the next node is asked at once: ${name}`, async () => {
    const ill = await serve(behaviour);
    const well = await serve(good);
    await using client = clientOf([ill.url, well.url]);
    const answer = await client.chat(ask).whole();
    assert.deepEqual([answer.text, answer.node], ['Hello', well.url]);
    assert.deepEqual([ill.seen.length, well.seen.length], [1, 1]);
  });
}

for (const [name, behaviour] of Object.entries({ silent, headOnly })) {
  test(`a node that stays silent is left for another one: ${name}`, async () => {
    const ill = await serve(behaviour);
    const well = await serve(good);
    await using client = clientOf([ill.url, well.url], { timeouts: { firstTokenMs: 700 } });
    assert.equal((await client.chat(ask).whole()).text, 'Hello');
    await using lonely = clientOf([ill.url], { timeouts: { firstTokenMs: 50 } });
    const { error } = await read(lonely.chat(ask));
    assert.equal(error?.code, 'timeout_first_token');
    assert.equal(ill.seen.length, 2);
  });
}

for (const [name, behaviour, code] of [
  ['a cut', cutInTheMiddle, 'stream_cut'],
  ['an end', endInTheMiddle, 'stream_cut'],
  ['a stall', stallInTheMiddle, 'timeout_inter_token'],
  ['an error', errorLater, 'engine_lost'],
] as const) {
  test(`once an answer has begun ${name} is an error and never a second answer`, async () => {
    const ill = await serve(behaviour);
    const well = await serve(good);
    const timeouts = behaviour === stallInTheMiddle ? { interTokenMs: 300 } : {};
    await using client = clientOf([ill.url, well.url], { timeouts });
    const { text, error } = await read(client.chat(ask));
    assert.deepEqual([text, error?.code, error?.node], ['Hel', code, ill.url]);
    assert.equal(well.seen.length, 0);
  });
}

test('the same node is tried again after a pause, as often as allowed, and the error tells what was tried', async () => {
  const { url, seen } = await serve(status(500), status(503), good);
  await using client = clientOf([url]);
  assert.equal((await client.chat(ask).whole()).text, 'Hello');
  assert.equal(seen.length, 3);
  const ill = await serve(status(500));
  await using other = clientOf([ill.url], { retries: 1 });
  const { error } = await read(other.chat(ask));
  assert.equal(ill.seen.length, 2);
  assert.deepEqual(error?.attempts, [{ node: ill.url, code: 'refused', message: 'No.' }]);
  await read(other.chat(ask, { retries: 0 }));
  assert.equal(ill.seen.length, 3);
});

test('what would fail again is not tried again', async () => {
  for (const code of [400, 401, 403, 404, 413, 422]) {
    const { url, seen } = await serve(
      status(code, {}, '{"error":{"message":"Bad.","code":"bad","param":"n"}}'),
    );
    const other = await serve(good);
    await using client = clientOf([url, other.url]);
    const { error } = await read(client.chat(ask));
    assert.deepEqual(
      { ...error, cause: undefined, message: error?.message },
      {
        ...error,
        cause: undefined,
        name: 'ApiError',
        code: 'bad',
        status: code,
        param: 'n',
        message: 'Bad.',
      },
    );
    assert.deepEqual([seen.length, other.seen.length], [1, 0]);
  }
  const told = await serve(status(500, { 'x-should-retry': 'false' }));
  await using client = clientOf([told.url]);
  await read(client.chat(ask));
  assert.equal(told.seen.length, 1);
});

test('a node that asks for time gets it: it is waited for, or the call fails with how long', async () => {
  const { url, seen } = await serve(status(429, { 'retry-after-ms': '80' }), good);
  await using client = clientOf([url]);
  const start = performance.now();
  assert.equal((await client.chat(ask).whole()).text, 'Hello');
  assert.ok(performance.now() - start >= 79);
  assert.equal(seen.length, 2);
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  for (const value of ['3600', date]) {
    const busy = await serve(status(429, { 'retry-after': value }));
    await using other = clientOf([busy.url]);
    const { error } = await read(other.chat(ask));
    assert.equal(error?.code, 'no_node');
    assert.ok(error.retryAfter! > 3500 && error.retryAfter! <= 3600);
    assert.equal(busy.seen.length, 1);
  }
});

test('a node that fails in a row rests, and is tried again after its rest', async () => {
  let now = 0;
  const ill = await serve(status(500), status(500), good);
  const well = await serve(good);
  await using client = createClient(
    { nodes: [ill.url, well.url], breaker: { failures: 2, restMs: 1000 } },
    { now: () => now, random: () => 0 },
  );
  for (let i = 0; i < 4; i++) assert.equal((await client.chat(ask).whole()).node, well.url);
  assert.equal(ill.seen.length, 2);
  now = 1000;
  assert.equal((await client.chat(ask).whole()).node, ill.url);
});

test('a caller who leaves ends the request at the node, says nothing against it, and gets AbortError', async () => {
  const gone: Promise<unknown>[] = [];
  const watched: Behaviour = (request, response, body) => {
    gone.push(once(request.socket, 'close'));
    stallInTheMiddle(request, response, body);
  };
  const { url } = await serve(watched);
  await using client = clientOf([url], { breaker: { failures: 1 } });
  for (let i = 0; i < 2; i++) {
    const controller = new AbortController();
    const iterator = client.chat(ask, { signal: controller.signal })[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const waiting = iterator.next();
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError', code: 'aborted' });
  }
  for await (const event of client.chat(ask)) if (event.type === 'text') break;
  await Promise.all(gone);
  assert.equal(gone.length, 3);
  const early = client.chat(ask, { signal: AbortSignal.abort() });
  await assert.rejects(early.whole(), { code: 'aborted' });
  assert.equal(gone.length, 3);
});

test('the whole call has a limit, pauses and slow readers included', async () => {
  const { url } = await serve(status(500));
  await using client = clientOf([url], { retries: 100, timeouts: { totalMs: 100 } });
  const { error } = await read(client.chat(ask));
  assert.equal(error?.code, 'timeout_total');
  assert.ok(error.attempts.length > 0);
});

test('a connection that was kept and closed by the node is replaced without counting as a try', async () => {
  const { url, seen, server } = await serve(good);
  await using client = clientOf([url], { retries: 0, breaker: { failures: 1 } });
  for (let i = 0; i < 5; i++) {
    assert.equal((await client.chat(ask).whole()).text, 'Hello');
    server.closeIdleConnections();
  }
  assert.equal(seen.length, 5);
});

test('no node is an error that says how to reach one', async () => {
  const { url, server } = await serve(good);
  server.close();
  await once(server, 'close');
  await using client = clientOf([url], { retries: 1 });
  const { error } = await read(client.chat(ask));
  assert.equal(error?.code, 'unreachable');
  assert.match(error.message, /cannot be reached: connect ECONNREFUSED/);
  assert.throws(() => createClient({ nodes: [] }), { code: 'no_nodes' });
  await using other = clientOf([url], { apiKey: 'a\nb' });
  await assert.rejects(other.models(), { code: 'request_invalid' });
  await assert.rejects(other.chat({ ...ask, seed: 1n as never }).whole(), { code: 'request_invalid' });
  for (const bad of ['nonsense', 'ftp://host', 'http://user:pass@host', 'http://host?key=1']) {
    assert.throws(() => createClient({ nodes: [bad] }), { code: 'url_invalid' });
  }
});

test('calls of tools are whole, also from servers that leave out index and id', async () => {
  const call = (fields: object) => delta({ tool_calls: [fields] });
  const frames = [
    call({ index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '' } }),
    call({ index: 0, function: { arguments: '{"x"' } }),
    call({ index: 0, function: { arguments: ':1}' } }),
    call({ index: 1, id: 'b', function: { name: 'two', arguments: '{}' } }),
    delta({}, 'tool_calls'),
  ];
  const expected = [
    { id: 'a', name: 'one', arguments: '{"x":1}' },
    { id: 'b', name: 'two', arguments: '{}' },
  ];
  for (const change of [
    (text: string) => text,
    (text: string) => text.replace(/"index":[01],(?="(id|fun))/, ''),
  ]) {
    const { url } = await serve((_, response) => void head(response).end(frames.map(change).join('')));
    await using client = clientOf([url]);
    const { choices } = await client.chat(ask).whole();
    assert.deepEqual(choices[0], {
      text: '',
      reasoning: '',
      toolCalls: expected,
      finishReason: 'tool_calls',
    });
  }
});

test('vectors are read in both encodings, in order, and a missing one is an error', async () => {
  const base64 = Buffer.from(Float32Array.of(1, -2).buffer).toString('base64');
  const { url } = await serve(
    status(
      200,
      {},
      JSON.stringify({
        model: 'e',
        data: [
          { index: 1, embedding: [3, 4] },
          { index: 0, embedding: base64 },
        ],
      }),
    ),
    status(200, {}, JSON.stringify({ model: 'e', data: [{ index: 1, embedding: [3, 4] }] })),
  );
  await using client = clientOf([url], { retries: 0 });
  const { vectors } = await client.embed({ input: ['a', 'b'] });
  assert.deepEqual(vectors, [Float32Array.of(1, -2), Float32Array.of(3, 4)]);
  await assert.rejects(client.embed({ input: ['a', 'b'] }), { code: 'response_malformed' });
});

test('an answer larger than allowed is given up', async () => {
  const { url } = await serve(status(200, {}, JSON.stringify({ data: ['x'.repeat(2000)] })));
  await using client = clientOf([url], { retries: 0, maxResponseBytes: 1000 });
  await assert.rejects(client.models(), { code: 'response_too_large' });
});

test('an answer is read once, and closing the client ends what is under way', async () => {
  const { url } = await serve(stallInTheMiddle);
  const client = clientOf([url]);
  const answer = client.chat(ask);
  const iterator = answer[Symbol.asyncIterator]();
  await iterator.next();
  assert.throws(() => answer[Symbol.asyncIterator](), { code: 'already_read' });
  await iterator.next();
  const waiting = iterator.next();
  client.close();
  await assert.rejects(waiting, { code: 'aborted' });
  await assert.rejects(client.models(), { code: 'closed' });
});

test('the health of each node is told, of servers without a route for it too', async () => {
  const other = await serve((request, response, body) =>
    request.url === '/health'
      ? status(404)(request, response, body)
      : status(200, {}, '{"data":[]}')(request, response, body),
  );
  const bad = await serve(status(503, {}, '{"status":"stopping","message":"Bye."}'));
  await using client = clientOf([other.url, bad.url, 'http://127.0.0.1:1']);
  const health = await client.health();
  assert.deepEqual(
    health.map(({ ok, status: word, message }) => [ok, word, message !== null]),
    [
      [true, 'ok', false],
      [false, 'stopping', true],
      [false, 'unreachable', true],
    ],
  );
});
