/**
 * Requests that no client would send, against every route: bytes of valid requests mutated, and JSON of the right shape
 * with wrong values. What is asked of the server: an answer that is valid HTTP and, where it is an error, one of its
 * own typed errors; or a closed connection where the bytes were no request.
 *
 * @module test/security/fuzz
 */
import { connect, type Socket } from 'node:net';
import type { Random } from '../../src/base/index.ts';
import { chatBody, everyRoute } from './support.ts';

export interface FuzzReport {
  readonly sent: number;
  /** Answers by status. */
  readonly statuses: Map<number, number>;
  /** Connections that were closed without an answer. */
  silent: number;
  /** What must not be: answers that are no HTTP, or errors without a code. At most 20 are kept. */
  readonly faults: string[];
}

const words = [
  '',
  '*',
  'm',
  'user',
  'system',
  'tool',
  'json_schema',
  'auto',
  '\u0000',
  '\ud800',
  '../..',
  '💥'.repeat(40),
  'a'.repeat(3000),
  '__proto__',
  'constructor',
];
const numbers = [0, -0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, 1e-308, 4096];
const fields = [
  ...'model messages role content stream max_tokens temperature top_p n stop seed tools tool_choice function parameters'.split(
    ' ',
  ),
  ...'response_format json_schema schema logit_bias logprobs top_logprobs input prompt suffix encoding_format dimensions'.split(
    ' ',
  ),
  ...'system options format keep_alive images thinking metadata stream_options include_usage kith name arguments id type text'.split(
    ' ',
  ),
];

/** Bodies that each API takes, to start from. */
const seeds: readonly string[] = [
  chatBody,
  '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"stream":true,"max_tokens":4,"tools":[{"type":"function","name":"f","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}},"input_schema":{"type":"object"}}],"tool_choice":"auto"}',
  '{"model":"m","prompt":"Hi","input":"Hi","text":"Hi","stream":false,"options":{"temperature":0,"num_predict":4},"format":"json"}',
  '{"model":"m","input":["a",[1,2]],"encoding_format":"base64","dimensions":2,"truncate":true}',
  '{"model":"m","instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"Hi"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"}],"tools":[{"type":"function","name":"f"}],"tool_choice":"auto","text":{"format":{"type":"text"}},"truncation":"auto","stream":true,"max_output_tokens":4}',
  '{"model":"m","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","properties":{"a":{"enum":["x",1]}},"required":["a"],"additionalProperties":false}}},"max_tokens":8}',
];

const pick = <T>(random: Random, list: readonly T[]): T => list[random.uint32() % list.length]!;
const chance = (random: Random, part: number): boolean => random.float() < part;

function anyValue(random: Random, depth: number): unknown {
  switch (random.uint32() % (depth > 0 ? 8 : 5)) {
    case 0:
      return null;
    case 1:
      return chance(random, 0.5);
    case 2:
      return pick(random, numbers);
    case 3:
    case 4:
      return pick(random, words);
    case 5:
      return Array.from({ length: random.uint32() % 4 }, () => anyValue(random, depth - 1));
    case 6:
      return new Array(random.uint32() % 300).fill(pick(random, words).slice(0, 20));
    default:
      return Object.fromEntries(
        Array.from({ length: random.uint32() % 5 }, () => [
          pick(random, fields),
          anyValue(random, depth - 1),
        ]),
      );
  }
}

/** The same shape with some of its parts exchanged, dropped or doubled. */
function mutateValue(random: Random, value: unknown): unknown {
  if (chance(random, 0.06)) return anyValue(random, 3);
  if (Array.isArray(value)) {
    const items = value.map((each) => mutateValue(random, each));
    return chance(random, 0.1) ? [...items, ...items] : chance(random, 0.1) ? items.slice(1) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => !chance(random, 0.04))
    .map(([key, each]) => [chance(random, 0.03) ? pick(random, fields) : key, mutateValue(random, each)]);
  if (chance(random, 0.3)) entries.push([pick(random, fields), anyValue(random, 3)]);
  return Object.fromEntries(entries);
}

function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  const pieces: Buffer[] = [];
  for (let i = 1 + (random.uint32() % 4); i > 0; i--) {
    const at = random.uint32() % out.length;
    switch (random.uint32() % 5) {
      case 0:
        out[at] = random.uint32() & 255;
        break;
      case 1:
        out[at]! ^= 1 << (random.uint32() % 8);
        break;
      case 2:
        out.copyWithin(at, random.uint32() % out.length);
        break;
      case 3:
        pieces.push(out.subarray(at));
        break;
      default:
        out.write(
          pick(random, [
            '\r\n',
            '\n',
            '\0',
            ': ',
            ' HTTP/1.1\r\n',
            'transfer-encoding: chunked\r\n',
            '0\r\n\r\n',
            ',',
            '"',
            '[{',
          ]),
          at,
          'latin1',
        );
    }
  }
  const whole = Buffer.concat([out, ...pieces]);
  return chance(random, 0.1) ? whole.subarray(0, random.uint32() % whole.length) : whole;
}

const headerLines = [
  'accept: text/html',
  'authorization: Bearer kith_0000000000_wrong',
  'authorization: Basic !!!',
  'x-api-key: \u00ff\u00fe',
  'expect: 100-continue',
  'upgrade: websocket\r\nconnection: upgrade',
  'origin: null',
  'content-encoding: gzip',
  'content-type: text/plain',
  'transfer-encoding: chunked',
  'content-length: 5',
  'anthropic-version: 2023-06-01',
  `x-long: ${'y'.repeat(9000)}`,
  'x-kith-agent: a b c',
  'traceparent: 00-zz-zz-zz',
  'host: evil.example',
  'cookie: ;;;=',
  'range: bytes=0-',
];

/** One request: mostly with a good head and a strange body, so that it gets past the first door. */
function request(random: Random, routes: ReturnType<typeof everyRoute>, key: string): Buffer {
  const { route, path } = pick(random, routes);
  const method = chance(random, 0.9)
    ? route.method
    : pick(random, ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT']);
  let target = path;
  if (chance(random, 0.1))
    target += pick(random, [
      '/',
      '//',
      '?a=b&a=%',
      '%2e%2e%2f',
      '%zz',
      '/x'.repeat(500),
      '?'.repeat(99),
      '%00',
    ]);
  let body = '';
  if (method === 'POST') {
    const value = mutateValue(random, JSON.parse(pick(random, seeds)));
    body = JSON.stringify(value) ?? '';
    if (chance(random, 0.05)) body = body.slice(0, random.uint32() % (body.length + 1));
  }
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'host: localhost',
    'connection: close',
    `authorization: Bearer ${key}`,
    ...(method === 'POST'
      ? ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]
      : []),
    ...(chance(random, 0.15) ? [pick(random, headerLines)] : []),
  ];
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'utf8');
  return chance(random, 0.3) ? mutateBytes(random, bytes) : bytes;
}

/** What came back for one request, until the connection closed or the client gave up waiting for more. */
function exchange(port: number, bytes: Buffer, stopEarly: boolean): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (stopEarly) socket.destroy();
    });
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    // A half-closed connection: bytes that are no whole request end, and are not waited for.
    socket.end(bytes);
  });
}

/** What is wrong with an answer; null when nothing is. */
function faultOf(answer: string): string | null {
  const head = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(answer);
  if (!head) return 'it is no HTTP';
  const status = Number(head[1]);
  if (status === 500) return 'it is an internal error';
  if (status < 400) return null;
  const body = answer.slice(answer.indexOf('\r\n\r\n', head[0].length - 2) + 4);
  // HEAD has none.
  if (body === '') return null;
  return /"(error|detail|message)"/.test(body) ? null : 'the error has no shape';
}

/** Sends `count` requests from 16 clients. Deterministic for a seed, as far as the order of answers is. */
export async function fuzz(
  port: number,
  key: string,
  count: number,
  random: Random,
  onProgress: (sent: number) => void = () => {},
): Promise<FuzzReport> {
  // What ends the node is not asked for, and a stream without an end is asked for by tests of its own.
  const routes = everyRoute().filter(({ path }) => !/shutdown|\/kith\/v1\/events/.test(path));
  const report: FuzzReport = { sent: count, statuses: new Map(), silent: 0, faults: [] };
  let sent = 0;
  const client = async () => {
    while (sent < count) {
      sent++;
      if (sent % 10_000 === 0) onProgress(sent);
      const bytes = request(random, routes, key);
      const answer = await exchange(port, bytes, chance(random, 0.05));
      if (answer === '') {
        report.silent++;
        continue;
      }
      const status = Number(
        /HTTP\/1\.1 (\d{3})/.exec(answer.replace(/^HTTP\/1\.1 100[^\r]*\r\n\r\n/, ''))?.[1] ?? 0,
      );
      report.statuses.set(status, (report.statuses.get(status) ?? 0) + 1);
      const fault = faultOf(answer);
      if (fault !== null && report.faults.length < 20)
        report.faults.push(
          `${fault}\n--- sent\n${bytes.toString('latin1').slice(0, 1500)}\n--- got\n${answer.slice(0, 600)}`,
        );
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return report;
}
