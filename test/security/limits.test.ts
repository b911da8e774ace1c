/** What one client may cost: slow, large, deep, many and unread, on real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { createGrammarCheck } from '../../src/engine/index.ts';
import { createHome, startNode } from '../node-support.ts';
import {
  chatBody,
  chatPath,
  closed,
  errorCode,
  finish,
  openServer,
  raw,
  start,
  type TestServer,
  text,
  usage,
  whole,
} from './support.ts';

const head = (path: string, headers: string) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n`;
const post = (path: string, content: string, headers = '') =>
  head(path, `content-length: ${Buffer.byteLength(content)}\r\n${headers}`) + content;

async function stillAnswers(node: TestServer): Promise<void> {
  const response = await fetch(node.url + chatPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatBody,
  });
  assert.equal(response.status, 200);
}

/** Sends a byte whenever the one before has left, until the other end closes. */
async function drip(socket: Socket, byte: string): Promise<void> {
  while (!socket.destroyed && socket.writable) {
    await new Promise<void>((resolve) => socket.write(byte, () => setTimeout(resolve, 5)));
  }
}

async function answerTo(socket: Socket, work: (socket: Socket) => Promise<void> | void): Promise<string> {
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const gone = closed(socket);
  await work(socket);
  await gone;
  return answer;
}

test('slow headers, slow bodies and silent connections end in time, and others are served meanwhile', async () => {
  await using node = await openServer({ limits: { headersMs: 500, bodyMs: 1_000 } });
  const open = () => connect(node.port, '127.0.0.1');
  const slow = [
    ...Array.from({ length: 20 }, () =>
      answerTo(open(), (socket) => {
        socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
        return drip(socket, 'a');
      }),
    ),
    ...Array.from({ length: 20 }, () =>
      answerTo(open(), (socket) => {
        socket.write(head(chatPath, 'content-length: 100000\r\n'));
        return drip(socket, ' ');
      }),
    ),
    ...Array.from({ length: 20 }, () =>
      answerTo(open(), (socket) => {
        socket.write(head(chatPath, 'transfer-encoding: chunked\r\n'));
        return drip(socket, '1\r\n \r\n');
      }),
    ),
    ...Array.from({ length: 20 }, () => answerTo(open(), () => {})),
  ];
  await stillAnswers(node);
  for (const answer of await Promise.all(slow))
    assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*request_timeout|^$/);
  while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await stillAnswers(node);
});

test('large and many headers are refused by name', async () => {
  await using node = await openServer();
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: y\r\n`).join('');
  const get = (headers: string) =>
    raw(node.port, `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers}\r\n`);
  assert.match(await get(`x: ${'y'.repeat(20_000)}\r\n`), /^HTTP\/1\.1 431 [\s\S]*headerBytes/);
  assert.match(await get(lines(127)), /^HTTP\/1\.1 431 [\s\S]*headerCount/);
  assert.match(await get(lines(126)), /^HTTP\/1\.1 200 /);
  assert.match(await raw(node.port, `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /);
});

test('large bodies are refused: announced, chunked, with endless extensions, and all together', async () => {
  await using node = await openServer({
    limits: { bodyBytes: 100_000, bodiesBytes: 150_000, bodyMs: 2_000 },
  });
  const answer = (bytes: string) => raw(node.port, bytes);
  assert.match(await answer(head(chatPath, 'content-length: 99999999999\r\n')), /^HTTP\/1\.1 413 /);
  assert.match(await answer(head(chatPath, 'content-length: 18446744073709551617\r\n')), /^HTTP\/1\.1 400 /);
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  assert.match(
    await answer(head(chatPath, 'transfer-encoding: chunked\r\n') + chunk.repeat(7)),
    /^HTTP\/1\.1 413 [\s\S]*server\.bodyBytes/,
  );
  assert.match(
    await answer(`${head(chatPath, 'transfer-encoding: chunked\r\n')}1;${'e'.repeat(30_000)}\r\n`),
    /^HTTP\/1\.1 413 /,
  );
  // Two bodies of which one fits, held half-way.
  const open = async () => {
    const socket = connect(node.port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise<void>((resolve) =>
      socket.write(head(chatPath, 'content-length: 99999\r\n') + '['.repeat(90_000), () => resolve()),
    );
    return socket;
  };
  const first = await open();
  while (node.server.active < 1) await new Promise((resolve) => setTimeout(resolve, 2));
  const refused = await answerTo(await open(), () => {});
  assert.match(refused, /^HTTP\/1\.1 503 [\s\S]*bodiesBytes/);
  first.destroy();
  while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await stillAnswers(node);
});

test('deep, huge and strange JSON gets a typed answer', async () => {
  await using node = await openServer({ limits: { bodyBytes: 5_000_000 } });
  const code = async (content: string, path = chatPath) =>
    errorCode(
      await fetch(node.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: content,
      }),
    );
  const messages = '"messages":[{"role":"user","content":"Hi"}]';
  assert.equal(
    await code(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},${messages}}`),
    '400 json_too_deep',
  );
  assert.equal(await code(`{"a":${'{"a":'.repeat(40)}1${'}'.repeat(40)},${messages}}`), '400 json_too_deep');
  const many = (item: string, count: number) => `[${new Array(count).fill(item).join(',')}]`;
  assert.match(await code(`{"messages":${many('{"role":"user","content":""}', 100_000)}}`), /^400 /);
  assert.match(await code(`{"stop":${many('"x"', 100_000)},${messages}}`), /^400 /);
  assert.match(await code(`{"input":${many('"x"', 100_000)}}`, '/v1/embeddings'), /^400 /);
  assert.match(await code(`{"input":${many('[1]', 100_000)}}`, '/v1/embeddings'), /^400 /);
  assert.match(
    await code(
      `{"logit_bias":{${new Array(100_000)
        .fill(0)
        .map((_, i) => `"${i}":1`)
        .join(',')}},${messages}}`,
    ),
    /^400 /,
  );
  assert.match(
    await code(`{"__proto__":{"stream":1},"constructor":{"prototype":{}},"max_tokens":1e999,${messages}}`),
    /^400 /,
  );
  assert.equal(({} as { stream?: unknown }).stream, undefined);
  await stillAnswers(node);
});

test('more requests than may wait on one connection are refused, and those before them answered', async () => {
  const gate = Promise.withResolvers<void>();
  await using node = await openServer({
    limits: { pipelined: 4 },
    async *script() {
      await gate.promise;
      yield* whole();
    },
  });
  const socket = connect(node.port, '127.0.0.1');
  const answers = answerTo(socket, () => {
    socket.write(post(chatPath, chatBody).repeat(6));
  });
  while (node.server.total < 6) await new Promise((resolve) => setTimeout(resolve, 2));
  gate.resolve();
  const statuses = [...(await answers).matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '200', '200', '200', '429']);
  // Who goes on regardless is cut off, and nothing of its requests stays behind.
  const flood = connect(node.port, '127.0.0.1');
  await answerTo(flood, () => {
    flood.write('GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(5_000));
  });
  while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await stillAnswers(node);
});

test('requests that wait behind another one end with their connection', async () => {
  const signals: AbortSignal[] = [];
  await using node = await openServer({
    async *script(request) {
      signals.push(request.signal);
      yield start;
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
    },
  });
  const socket = connect(node.port, '127.0.0.1');
  socket.write(post(chatPath, chatBody).repeat(3));
  while (signals.length < 3) await new Promise((resolve) => setTimeout(resolve, 2));
  socket.destroy();
  while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(signals.every((signal) => signal.aborted));
});

test('a connection ends after so many requests, in order', async () => {
  await using node = await openServer({ limits: { requestsPerConnection: 3 } });
  const get = 'GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n';
  const socket = connect(node.port, '127.0.0.1');
  const answer = await answerTo(socket, async () => {
    for (let i = 0; i < 3; i++) {
      socket.write(get);
      await once(socket, 'data');
    }
  });
  assert.equal([...answer.matchAll(/HTTP\/1\.1 200/g)].length, 3);
  assert.equal([...answer.matchAll(/\r\nconnection: close/gi)].length, 1);
});

test('a WebSocket, a tunnel and an unknown expectation are refused in words', async () => {
  await using node = await openServer();
  const upgrade = (to: string) =>
    raw(
      node.port,
      `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\nupgrade: ${to}\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n`,
    );
  assert.match(await upgrade('websocket'), /^HTTP\/1\.1 400 [\s\S]*upgrade_refused/);
  // Java's client asks for HTTP/2 with its first request and goes on with HTTP/1.1.
  assert.match(await upgrade('h2c'), /^HTTP\/1\.1 200 /);
  assert.match(
    await raw(node.port, 'CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n'),
    /^HTTP\/1\.1 405 [\s\S]*method_not_allowed/,
  );
  assert.match(
    await raw(node.port, post(chatPath, chatBody, 'expect: miracles\r\n')),
    /^HTTP\/1\.1 417 [\s\S]*expectation_failed/,
  );
});

test('bytes after a request do not break into the answer before them', async () => {
  const gate = Promise.withResolvers<void>();
  await using node = await openServer({
    async *script() {
      yield* [start, text('first')];
      await gate.promise;
      yield* [text('second'), finish, usage];
    },
  });
  const socket = connect(node.port, '127.0.0.1');
  const body = JSON.stringify({ ...JSON.parse(chatBody), stream: true });
  const answer = await answerTo(socket, async () => {
    socket.write(post(chatPath, body));
    await once(socket, 'data');
    socket.write('\0\0\0 garbage \r\n\r\n');
  });
  gate.resolve();
  assert.equal([...answer.matchAll(/HTTP\/1\.1/g)].length, 1);
  assert.doesNotMatch(answer, /invalid_http/);
});

const endless = {
  async *script() {
    yield start;
    for (;;) yield text('x'.repeat(16_384));
  },
  limits: { slowReaderMs: 100 },
};

for (const [name, path, content] of [
  ['server-sent events', chatPath, JSON.stringify({ ...JSON.parse(chatBody), stream: true })],
  ['lines of JSON', '/api/chat', JSON.stringify({ ...JSON.parse(chatBody), model: 'm', stream: true })],
] as const) {
  test(`readers of ${name} who stop reading are cut off, with bounded memory`, async () => {
    await using node = await openServer(endless);
    const before = process.memoryUsage().rss;
    const sockets = Array.from({ length: 24 }, () => {
      const socket = connect(node.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      socket.write(post(path, content));
      return socket;
    });
    while (node.server.total < 24) await new Promise((resolve) => setTimeout(resolve, 2));
    while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const grown = process.memoryUsage().rss - before;
    for (const socket of sockets) socket.destroy();
    assert.ok(grown < 300_000_000, `memory grew by ${grown} bytes`);
  });
}

test('a whole answer that nobody reads is cut off, one that is read slowly is not', async () => {
  const size = 30_000_000;
  await using node = await openServer({
    async *script() {
      yield* [start, text('x'.repeat(size)), finish, usage];
    },
    limits: { slowReaderMs: 800 },
  });
  const deaf = connect(node.port, '127.0.0.1');
  deaf.on('error', () => {});
  deaf.pause();
  deaf.write(post(chatPath, chatBody));
  while (node.server.total < 1) await new Promise((resolve) => setTimeout(resolve, 2));
  while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  deaf.destroy();
  // More than the limit in all, never the limit without a byte.
  const slow = connect(node.port, '127.0.0.1');
  let seen = 0;
  slow.write(post(chatPath, chatBody, 'connection: close\r\n'));
  slow.on('data', (chunk) => {
    seen += chunk.length;
    if (seen % 1_000_000 < chunk.length) {
      slow.pause();
      setTimeout(() => slow.resume(), 60);
    }
  });
  await closed(slow);
  assert.ok(seen > size, `${seen} of ${size} bytes came`);
});

test('schemas that are small and would take minutes are refused by count, and others are served meanwhile', async () => {
  const record = (count: number, name: string, value: unknown = true) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, value]));
  const choice = (count: number, make: (i: number) => unknown, ...first: unknown[]) => ({
    anyOf: [...first, ...Array.from({ length: count }, (_, i) => make(i))],
  });
  const refused = {
    type: 'object',
    properties: record(4000, 'p'),
    allOf: ['q', 'r'].map((name) => choice(130, (i) => ({ properties: { [`${name}${i}`]: true } }))),
  };
  const taken = {
    properties: record(4000, 'p'),
    allOf: [
      choice(90, (i) => ({ type: 'array', minItems: i }), { type: 'boolean' }),
      choice(90, (i) => ({ type: 'string', minLength: i }), { type: 'boolean' }),
    ],
  };
  const check = createGrammarCheck();
  const outcomes = [refused, taken].map((schema) => check.outcome({ kind: 'json_schema', schema }));
  assert.deepEqual(
    outcomes.map(({ fault }) => fault?.code),
    ['grammar_too_large', undefined],
  );
  for (const { work } of outcomes) assert.ok(work < 300_000, `${work} counted`);

  await using home = await createHome();
  const node = await startNode(home);
  try {
    const ask = (path: string, body: object) =>
      fetch(node.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 20, ...body }),
      });
    const format = (schema: object) => ({
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    });
    const tool = (name: string, parameters: object, strict = true) => ({
      type: 'function',
      function: { name, parameters, strict },
    });
    const wide = {
      type: 'object',
      properties: record(200, 'p', { anyOf: [{ type: 'string' }, { type: 'null' }] }),
    };
    const wides = Array.from({ length: 128 }, (_, i) => tool(`t${i}`, wide, false));
    const [answers, models] = await Promise.all([
      Promise.all([
        ask(chatPath, format(refused)),
        ask(chatPath, format(refused)),
        ask(chatPath, { tools: [tool('f', refused)] }),
        ask('/api/chat', { model: 'tiny', stream: false, format: refused }),
        ask(chatPath, { tools: wides }),
        ask(chatPath, format({ type: 'string', pattern: '([]|[]|[]){9999}'.repeat(200) })),
      ]),
      fetch(`${node.url}/v1/models`),
    ]);
    assert.equal(models.status, 200);
    assert.deepEqual(
      await Promise.all(answers.slice(0, 3).map(errorCode)),
      new Array(3).fill('400 grammar_too_large'),
    );
    assert.equal(answers[3]!.status, 400);
    assert.match(await answers[3]!.text(), /is too large: the work/);
    const tooMany = await answers[4]!.text();
    assert.deepEqual(
      [answers[4]!.status, /tools_too_large/.test(tooMany), /262144/.test(tooMany)],
      [400, true, true],
    );
    assert.equal(await errorCode(answers[5]!), '400 grammar_too_large');

    // What only one alternative is left of is written, and an answer that reads its text in ever more ways is ended.
    const boolean = (await (await ask(chatPath, format(taken))).json()) as {
      choices: { message: { content: string } }[];
    };
    assert.match(boolean.choices[0]!.message.content, /^(true|false)$/);
    const letters = [...'abcdefghijklmnopqrstuvwxyz'];
    const pattern = `(${letters.map((letter) => `.*${letter}.{30}`).join('|')})`;
    const ended = await ask(chatPath, { ...format({ type: 'string', pattern }), max_tokens: 200 });
    assert.equal(await errorCode(ended), '400 grammar_too_complex');
    assert.equal((await ask(chatPath, {})).status, 200);
  } finally {
    await node.close();
  }
});
