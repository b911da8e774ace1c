/**
 * Servers that answer with anything but an answer: each is met by a client of either form. What comes of it is bounded,
 * an error with a code, never a crash, and nothing that they point to is visited. Each row is printed.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type { Play } from '../upstreams/faults.ts';
import { createMockUpstream, type FaultName, type MockUpstream } from '../upstreams/index.ts';
import { type Answerer, createAnswerer } from './answerer.ts';
import { chunk, questionIn, say, speak } from './plays.ts';
import {
  ask,
  FORMS,
  isTypedError,
  isWhole,
  openGateway,
  type Place,
  row,
  until,
  verdictOf,
} from './support.ts';

let mock: MockUpstream;
/** Where hostile servers point to. */
let trap: Answerer;
let good: Answerer;
const raws: { server: Server; sockets: Set<Socket> }[] = [];

before(async () => {
  mock = await createMockUpstream();
  trap = await createAnswerer('trap');
  good = await createAnswerer('good');
});
after(async () => {
  for (const { server, sockets } of raws) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  for (const server of [mock, trap, good]) await server[Symbol.asyncDispose]();
});

/** A server that writes bytes as it likes. */
async function raw(play: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    play(socket);
  });
  raws.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** Writes `next()` as fast as it is taken, until the other side closes or `most` bytes are written. */
function pour(socket: Socket, next: () => string, most = 8 * 2 ** 20): void {
  let bytes = 0;
  const more = () => {
    for (let turn = 0; turn < 16 && bytes < most && !socket.destroyed; turn++) {
      const text = next();
      bytes += text.length;
      if (!socket.write(text)) return void socket.once('drain', more);
    }
    if (bytes < most && !socket.destroyed) setImmediate(more);
  };
  more();
}

/** Answers the first bytes of each connection. */
const answers = (bytes: string | ((socket: Socket) => void)) =>
  raw((socket) =>
    typeof bytes === 'string'
      ? socket.on('data', () => socket.write(bytes))
      : socket.once('data', () => bytes(socket)),
  );

const head = (status = '200 OK', ...lines: string[]) =>
  `HTTP/1.1 ${status}\r\ncontent-type: text/event-stream\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const sse = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
const hex = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

interface Case {
  readonly name: string;
  readonly base: () => string | Promise<string>;
  readonly code: RegExp;
  /** It falls silent, or would go on forever without a token: it gets a short limit. */
  readonly silent?: true;
  readonly tls?: Place['tls'];
}

const fault = (name: FaultName, code: RegExp, silent?: true): Case => ({
  name,
  base: () => mock.base(name),
  code,
  ...(silent ? { silent } : {}),
});
const play = (name: string, code: RegExp, how: Play): Case => ({
  name,
  code,
  base() {
    mock.custom(how);
    return mock.base('custom');
  },
});
/** A stream with one event of the server's own making between good ones. */
const event = (name: string, code: RegExp, value: unknown): Case =>
  play(name, code, (stage) => {
    stage.response.writeHead(200, { 'content-type': 'text/event-stream' });
    stage.response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
    stage.response.end();
  });
const redirect = (status: number, to: () => string): Case =>
  play(
    `redirect ${status} to ${to().replace(/\d{4,5}/, '<port>')}`,
    /^upstream_redirect$/,
    ({ response }) => {
      response.writeHead(status, { location: to() }).end();
    },
  );

const certificate = (name: string) =>
  readFileSync(new URL(`../security/certificates/${name}.pem`, import.meta.url), 'utf8');
const silence = /^(first_token_timeout|upstream_timeout_\w+)$/;
const badHttp = /^upstream_bad_http$/;

const cases: readonly Case[] = [
  fault('html-200', /^upstream_content_type$/),
  fault('wrong-content-type', /^upstream_content_type$/),
  fault('sse-as-json', /^upstream_invalid_json$/),
  fault('json-as-sse', /^upstream_(cut|empty)$/),
  fault('garbage-stream', /^upstream_invalid_json$/),
  fault('malformed-http', /^(upstream_cut|stream_cut)$/),
  fault('not-http', /^upstream_bad_http$/),
  fault('invalid-utf8', /^(upstream_invalid_utf8|stream_cut)$/),
  fault('endless-line', /^upstream_line_too_long$/),
  fault('endless-json', /^upstream_too_large$/),
  fault('gzip-bomb', /^upstream_encoded$/),
  fault('no-content', /^upstream_/),
  fault('pings-without-tokens', silence, true),
  redirect(307, () => 'http://169.254.169.254/latest/meta-data/'),
  redirect(302, () => 'file:///etc/passwd'),
  ...[301, 302, 303, 307, 308].map((status) =>
    redirect(status, () => trap?.base ?? 'http://127.0.0.1:65535'),
  ),
  redirect(300, () => '//127.0.0.1/'),
  {
    name: 'headers without end',
    base: () =>
      answers((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        let line = 0;
        pour(socket, () => `x-${line++}: ${'y'.repeat(1000)}\r\n`);
      }),
    code: /^upstream_bad_http$/,
  },
  {
    name: 'one header of 8 MiB',
    base: () =>
      answers((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        pour(socket, () => 'y'.repeat(65_536));
      }),
    code: /^upstream_bad_http$/,
  },
  {
    name: 'a status line without end',
    base: () => answers((socket) => pour(socket, () => 'HTTP/1.1 200 '.repeat(1000))),
    code: /^upstream_bad_http$/,
  },
  {
    name: 'chunk size of 2^64',
    base: () => answers(`${head('200 OK', 'transfer-encoding: chunked')}FFFFFFFFFFFFFFFFF\r\n${sse}`),
    code: /^upstream_cut$/,
  },
  {
    name: 'negative chunk size',
    base: () => answers(`${head('200 OK', 'transfer-encoding: chunked')}-1\r\n${sse}\r\n`),
    code: /^upstream_cut$/,
  },
  {
    name: 'chunk extension without end',
    base: () =>
      answers((socket) => {
        socket.write(`${head('200 OK', 'transfer-encoding: chunked')}1;`);
        pour(socket, () => 'z'.repeat(65_536));
      }),
    code: /^upstream_cut$/,
  },
  {
    name: 'trailers without end',
    base: () =>
      answers((socket) => {
        socket.write(`${head('200 OK', 'transfer-encoding: chunked')}${hex(': ping\n\n')}0\r\n`);
        pour(socket, () => `x: ${'y'.repeat(1000)}\r\n`);
      }),
    code: /^(upstream_|first_token_timeout)/,
  },
  {
    name: 'both content-length and chunked',
    base: () => answers(`${head('200 OK', 'content-length: 5', 'transfer-encoding: chunked')}${hex(sse)}`),
    code: /^upstream_(bad_http|reset)$/,
  },
  {
    name: 'two lengths that differ',
    base: () => answers(`${head('200 OK', 'content-length: 5', 'content-length: 6')}abcdef`),
    code: /^upstream_(bad_http|reset)$/,
  },
  {
    name: '100 Continue without end',
    base: () => answers((socket) => pour(socket, () => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))),
    code: /^(upstream_|first_token_timeout)/,
    silent: true,
  },
  {
    name: '103 Early Hints without end',
    base: () =>
      answers((socket) => pour(socket, () => 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(100))),
    code: /^(upstream_|first_token_timeout)/,
    silent: true,
  },
  {
    name: '101 Switching Protocols',
    base: () => answers('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhello'),
    code: /^upstream_/,
  },
  {
    name: 'answer before the request',
    base: () => raw((socket) => socket.write(`${head('200 OK', 'content-length: 9999')}${sse}`)),
    code: /^(upstream_|first_token_timeout|stream_stalled)/,
    silent: true,
  },
  {
    name: 'another language (HTTP/2)',
    base: () => raw((socket) => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')),
    code: badHttp,
  },
  {
    name: 'status 999',
    base: () => answers(head('999 What', 'content-length: 0')),
    code: /^upstream_/,
  },
  {
    name: 'TLS: closed in the handshake',
    base: async () => (await answers((socket) => socket.destroy())).replace('http:', 'https:'),
    code: /^upstream_connect_failed$/,
  },
  {
    name: 'TLS: garbage in the handshake',
    base: async () => (await answers('no TLS here\r\n\r\n')).replace('http:', 'https:'),
    code: /^upstream_connect_failed$/,
  },
  {
    name: 'TLS: a handshake that never ends',
    base: async () => (await raw(() => {})).replace('http:', 'https:'),
    code: /^(upstream_timeout_connect|first_token_timeout)$/,
    silent: true,
  },
  {
    name: 'TLS: a certificate nobody vouches for',
    async base() {
      const tls = await createMockUpstream({ cert: certificate('first'), key: certificate('first-key') });
      after(() => tls[Symbol.asyncDispose]());
      return tls.base('ok');
    },
    code: /^upstream_connect_failed$/,
  },
  event('an event that is a list', /^upstream_/, []),
  event('an event nested 100,000 deep', /^upstream_/, `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
  event('a choice that is a number', /^upstream_/, { choices: [1] }),
  event('choice 4294967296', /^upstream_/, { choices: [{ index: 2 ** 32, delta: { content: 'a' } }] }),
  event('choice -1, content a number', /^upstream_/, { choices: [{ index: -1, delta: { content: 1 } }] }),
  event('tool call 4294967296', /^(upstream|stream)_cut$/, {
    choices: [{ index: 0, delta: { tool_calls: [{ index: 2 ** 32, id: 'x', function: { name: 'f' } }] } }],
  }),
  event(
    'prototypes and constructors',
    /^upstream_/,
    '{"__proto__":{"choices":[]},"constructor":{"prototype":{}}}',
  ),
  play('2,000 tool calls', /^(upstream_|stream_cut|answer_malformed)/, (stage) => {
    stage.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let index = 0; index < 2000; index++)
      stage.response.write(
        chunk(stage, {
          choices: [
            { index: 0, delta: { tool_calls: [{ index, id: `c${index}`, function: { name: 'f' } }] } },
          ],
        }),
      );
    stage.response.end();
  }),
];

/** A body that a server may get as it is. */
const plain = { kith: undefined, max_tokens: 50 };

row('hostile server', 'JSON', 'stream', 'with another to turn to');
row('---', '---', '---', '---');
for (const { name, base, code, silent, tls } of cases) {
  test(`${name}: an error with a code, or another server's answer`, async () => {
    const short = silent ? { firstTokenMs: 200, interTokenMs: 200 } : {};
    const place: Place = {
      name: 'hostile',
      base: await base(),
      limits: short,
      upstream: {
        maxResponseBytes: 2 ** 20,
        maxLineBytes: 65_536,
        ...(silent ? { connectMs: 200 } : {}),
      },
      ...(tls === undefined ? {} : { tls }),
    };
    const cells: string[] = [];
    {
      await using bench = await openGateway([place], {
        retries: 0,
        breaker: { failures: Number.POSITIVE_INFINITY },
      });
      for (const form of FORMS) {
        const answer = await ask(bench.url, { form });
        cells.push(verdictOf(answer));
        isTypedError(answer, code);
        assert.notEqual(answer.error!.code, 'internal_error');
        // The same without a receipt: it may go the short way, on which bytes are passed on as they came.
        isTypedError(await ask(bench.url, { form, body: plain }), code);
      }
      assert.equal(bench.inFlight, 0);
      await until(() => bench.busy === 0);
    }
    await using bench = await openGateway([place, { name: 'good', base: good.base }], { retries: 0 });
    const rescued = await ask(bench.url, { prompt: 'Hi there' });
    cells.push(verdictOf(rescued));
    isWhole(rescued, 'Hi there');
    assert.equal(rescued.receipt!.backend, 'good');
    row(name, ...cells);
    assert.equal(trap.asked, 0, 'nothing is followed');
  });
}

test('figures that cannot be are not passed on', async () => {
  mock.custom((stage) => {
    speak(stage, ['a']);
    stage.response.write(chunk(stage, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
    const usage = '{"prompt_tokens":-5,"completion_tokens":1e308,"total_tokens":"many"}';
    stage.response.end(`data: {"choices":[],"usage":${usage}}\n\ndata: [DONE]\n\n`);
  });
  await using bench = await openGateway([{ name: 'mock', base: mock.base('custom') }]);
  for (const form of FORMS) {
    const answer = await ask(bench.url, { form });
    row(`figures that cannot be, ${form}`, verdictOf(answer), JSON.stringify(answer.usage), '');
    assert.equal(answer.text, 'a');
    assert.ok(answer.ended);
    for (const count of Object.values(answer.usage ?? {}))
      assert.ok(count === null || typeof count === 'object' || (Number.isSafeInteger(count) && count >= 0));
  }
});

test('an answer after the answer is nobody’s: what a server sends unasked never answers the next request', async () => {
  // It sends a second whole answer right behind the first, or a moment later, over the same connection.
  for (const late of [false, true]) {
    mock.custom((stage) => {
      const marker = questionIn(stage);
      stage.response.on('finish', () => {
        const body = `data: {"choices":[{"index":0,"delta":{"content":"poison"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
        const poison = `${head('200 OK', `content-length: ${body.length}`)}${body}`;
        const { socket } = stage.request;
        if (late) setImmediate(() => socket.write(poison));
        else socket.write(poison);
      });
      say(stage, [marker]);
    });
    await using bench = await openGateway([{ name: 'mock', base: mock.base('custom'), maxConnections: 2 }], {
      retries: 3,
    });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        ask(bench.url, { prompt: `q${index}`, form: index % 2 === 0 ? 'JSON' : 'stream' }),
      ),
    );
    let whole = 0;
    for (const [index, answer] of answers.entries()) {
      assert.ok(!answer.text.includes('poison'), `answer ${index} is not one that nobody asked for`);
      if (answer.error === null) {
        isWhole(answer, `q${index}`);
        whole++;
      } else isTypedError(answer, /^(upstream_|stream_cut|backends_unavailable|no_backend_answered)/);
    }
    row(`unasked answers${late ? ', late' : ''}`, `${whole} of 60 whole`, `${60 - whole} errors`, '');
  }
});

test('a gigabyte of tokens ends at a limit, with memory that is bounded', async () => {
  await using bench = await openGateway(
    [{ name: 'mock', base: mock.base('endless-tokens'), upstream: { maxResponseBytes: 4 * 2 ** 20 } }],
    { retries: 0 },
  );
  for (const form of FORMS) {
    const before = process.memoryUsage.rss();
    let most = before;
    let bytes = 0;
    let last = '';
    // It keeps nothing of what comes: what grows is the server's.
    const response = await new Promise<IncomingMessage>((resolve) => {
      const request = httpRequest(
        `${bench.url}/v1/chat/completions`,
        { method: 'POST', agent: false },
        resolve,
      );
      request.setHeader('content-type', 'application/json');
      const messages = [{ role: 'user', content: 'Go.' }];
      request.end(JSON.stringify({ model: 'm', stream: form === 'stream', messages }));
    });
    response.setEncoding('utf8');
    for await (const piece of response) {
      bytes += piece.length;
      last = `${last}${piece}`.slice(-500);
      most = Math.max(most, process.memoryUsage.rss());
    }
    const code = /"code":"(\w+)"/.exec(last)?.[1];
    row(
      `a gigabyte of tokens, ${form}`,
      `${response.statusCode} ${code}`,
      `${(bytes / 2 ** 20).toFixed(1)} MiB came`,
      `resident memory +${((most - before) / 2 ** 20).toFixed(0)} MiB`,
    );
    assert.match(code ?? last, form === 'JSON' ? /^(answer_too_long|upstream_too_large)$/ : /^stream_cut$/);
    assert.ok(!last.includes('[DONE]'));
  }
  assert.equal(bench.inFlight, 0);
  const written = mock.seen.filter(({ fault }) => fault === 'endless-tokens').map(({ bytes }) => bytes);
  assert.ok(written.every((bytes) => bytes < 32 * 2 ** 20));
});

test('a client that reads nothing holds the server back, and is cut off', async () => {
  await using bench = await openGateway(
    [
      {
        name: 'mock',
        base: mock.base('endless-tokens'),
        upstream: { maxResponseBytes: 2 ** 30, maxEvents: 1e9 },
      },
    ],
    { retries: 0 },
    { slowReaderMs: 300 },
  );
  const nth = mock.seen.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  const url = new URL(bench.url);
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Go.' }] });
  const socket = connect(Number(url.port), url.hostname);
  socket.pause();
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await until(() => mock.seen.length > nth);
  await mock.seen[nth]!.gone;
  const { bytes } = mock.seen[nth]!;
  row('a client that reads nothing', '', `${(bytes / 2 ** 20).toFixed(1)} MiB written by the server`, '');
  assert.ok(bytes < 32 * 2 ** 20, `${bytes} bytes were written for nobody`);
  await until(() => bench.inFlight === 0);
  assert.equal(bench.of('mock').breaker.failures, 0, 'it is the client who was slow');
  socket.destroy();
  await promise;
});
