/**
 * The ways in which the mock upstream fails, by name.
 *
 * @module test/upstreams/faults
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Answer, jsonAnswer } from './answers.ts';
import type { Seen } from './index.ts';

export interface Stage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: Seen;
  readonly answer: Answer;
  /** Which request for this fault and path it is, from 1. */
  readonly nth: number;
  /** Answers as it should. */
  readonly ok: () => Promise<void>;
  /** The connection has carried a request before. */
  readonly reused: boolean;
}

export type Play = (stage: Stage) => void | Promise<void>;

/** Tokens before the streams that end early do so. */
export const BEFORE = 5;
/** ms before the first token of a slow stream. */
export const SLOW_MS = 400;
const sse = { 'content-type': 'text/event-stream' };

const nothing = (): void => {};
const status =
  (code: number, type: string, message: string, headers: Record<string, string> = {}): Play =>
  ({ response, answer }) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    jsonAnswer(response, answer.error(type, message), code);
  };

/** Headers, what begins the stream, and `count` tokens. */
async function begin({ response, answer, entry }: Stage, count: number): Promise<void> {
  response.writeHead(200, sse);
  response.flushHeaders();
  for (const frame of answer.frames) {
    if (frame.token && entry.tokens === count) break;
    if (!frame.token && entry.tokens === count && count > 0) break;
    await write(response, frame.text, entry);
    if (frame.token) entry.tokens++;
  }
}

async function write(response: ServerResponse, text: string | Uint8Array, entry: Seen): Promise<void> {
  entry.bytes += text.length;
  if (response.write(text) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/** `text` again and again until the client leaves, or a gigabyte is written. */
async function endless({ response, entry }: Stage, text: () => string | Uint8Array): Promise<void> {
  while (!response.destroyed && entry.bytes < 2 ** 30) {
    await write(response, text(), entry);
    // Both ends live in this process: the other one has to get its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

const after =
  (count: number, play: Play): Play =>
  async (stage) => {
    await begin(stage, count);
    await play(stage);
  };

/** The whole stream, each frame passed through `change`; null leaves it out. */
const changed =
  (change: (text: string, answer: Answer) => string | null): Play =>
  ({ response, answer, entry }) => {
    response.writeHead(200, sse);
    for (const frame of answer.frames) {
      const text = change(frame.text, answer);
      if (text !== null) response.write(text);
      if (frame.token) entry.tokens++;
    }
    response.end();
  };

const plain =
  (type: string | null, body: string | Uint8Array, code = 200): Play =>
  ({ response }) => {
    response.writeHead(code, type === null ? {} : { 'content-type': type });
    response.end(body);
  };

const HTML = '<!doctype html><html><head><title>502</title></head><body>Bad gateway</body></html>';

const failed = status(500, 'server_error', 'The server had an error.');
const busy = status(503, 'server_error', 'No capacity.', { 'retry-after-ms': '250' });

export const FAULTS = {
  'never-answers': nothing,
  'headers-then-nothing': ({ response }) => {
    response.writeHead(200, sse);
    response.flushHeaders();
  },
  'json-headers-then-nothing': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  },
  'error-500': failed,
  'error-503': busy,
  'error-529': status(529, 'overloaded_error', 'Overloaded'),
  'error-429': status(429, 'rate_limit_error', 'Too many requests.', { 'retry-after': '7' }),
  'error-429-in-body': ({ response }) => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.5s' }];
    jsonAnswer(
      response,
      [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota.', details } }],
      429,
    );
  },
  'error-401': status(401, 'authentication_error', 'Incorrect API key provided.'),
  'context-length': status(
    400,
    'invalid_request_error',
    "This model's maximum context length is 128 tokens.",
  ),
  'content-filter': status(400, 'invalid_request_error', 'Blocked by our content management policy.'),
  'html-502': plain('text/html', HTML, 502),
  'html-200': plain('text/html; charset=utf-8', HTML),
  'wrong-content-type': plain('text/plain', 'data: {"choices":[]}\n\ndata: [DONE]\n\n'),
  'sse-as-json': ({ response, answer }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(answer.frames.map((frame) => frame.text).join('') || 'data: 1\n\n');
  },
  'json-as-sse': ({ response, answer }) => {
    response.writeHead(200, sse);
    response.end(JSON.stringify(answer.json));
  },
  'truncated-json': ({ response, answer }) => {
    const text = JSON.stringify(answer.json);
    plain('application/json', text.slice(0, text.length >> 1))({ response } as Stage);
  },
  'short-body': ({ response, answer }) => {
    const text = JSON.stringify(answer.json);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    response.write(text.slice(0, text.length >> 1), () => response.socket?.end());
  },
  'error-in-200': ({ response, answer }) => {
    jsonAnswer(response, answer.error('server_error', 'The engine died.'));
  },
  'error-first-frame': ({ response, answer }) => {
    response.writeHead(200, sse);
    response.end(`data: ${JSON.stringify(answer.error('server_error', 'The engine died.'))}\n\n`);
  },
  'error-after-tokens': after(BEFORE, ({ response, answer }) => {
    response.end(`event: error\ndata: ${JSON.stringify(answer.error('overloaded_error', 'Overloaded'))}\n\n`);
  }),
  'empty-body': plain('text/event-stream', ''),
  'empty-json': plain('application/json', ''),
  'cut-after-tokens': after(BEFORE, ({ response }) => {
    response.socket?.destroySoon();
  }),
  'reset-after-tokens': after(BEFORE, ({ response }) => {
    setImmediate(() => response.socket?.resetAndDestroy());
  }),
  'ends-after-tokens': after(BEFORE, ({ response }) => {
    response.end();
  }),
  'ends-inside-line': after(BEFORE, ({ response, answer }) => {
    response.end(answer.token(BEFORE).slice(0, 30));
  }),
  'stall-after-tokens': after(BEFORE, nothing),
  'pings-after-tokens': after(BEFORE, ({ response }) => {
    const timer = setInterval(() => response.write(': ping\n\n'), 5);
    response.on('close', () => clearInterval(timer));
  }),
  'pings-without-tokens': ({ response }) => {
    response.writeHead(200, sse);
    const timer = setInterval(() => response.write(': ping\n\n'), 5);
    response.on('close', () => clearInterval(timer));
  },
  'malformed-frame': after(BEFORE, ({ response }) => {
    response.end('data: {"choices":[{"index":0,"delta":{"content":"wo\n\n');
  }),
  'malformed-http': after(BEFORE, ({ response }) => {
    response.socket?.end('zz\r\nthis is no chunk\r\n');
  }),
  'not-http': ({ response }) => {
    response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n');
  },
  'garbage-stream': ({ response }) => {
    response.writeHead(200, sse);
    response.end(`data: ${'\u0001\u0002]]}}'.repeat(50)}\n\n`);
  },
  'invalid-utf8': after(1, ({ response }) => {
    response.end(
      Buffer.concat([
        Buffer.from('data: {"choices":"'),
        Buffer.from([0xff, 0xfe, 0xc0]),
        Buffer.from('"}\n\n'),
      ]),
    );
  }),
  reset: ({ response }) => {
    response.socket?.resetAndDestroy();
  },
  'closes-without-answer': ({ response }) => {
    response.socket?.end();
  },
  redirect: ({ response }) => {
    response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/secret?token=1' }).end();
  },
  'no-content': ({ response }) => {
    response.writeHead(204).end();
  },
  'gzip-bomb': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(packedBlanks());
  },
  'endless-tokens': after(1, (stage) =>
    endless(stage, () => stage.answer.token(1).repeat(20) || ' '.repeat(1000)),
  ),
  'endless-line': ({ response, entry }) => {
    response.writeHead(200, sse);
    return endless({ response, entry } as Stage, () => 'data: xxxxxxxxxxxxxxxxxxxx'.repeat(40));
  },
  'endless-json': ({ response, entry }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    return endless({ response, entry } as Stage, () => ' '.repeat(4096));
  },
  'no-done': changed((text, { api }) =>
    text.includes('[DONE]') || (api === 'anthropic' && text.includes('message_stop')) ? null : text,
  ),
  'no-usage': changed((text, { api }) =>
    text.includes('"usage"') && api !== 'anthropic' && text.includes('"choices":[]') ? null : text,
  ),
  'crlf-bom-pings': changed(
    (text) => `${text.includes('assistant') ? '\ufeff' : ''}: ping\r\n\r\n${text.replaceAll('\n', '\r\n')}`,
  ),
  'never-ends': ({ response, answer, entry }) => {
    response.writeHead(200, sse);
    for (const frame of answer.frames) {
      response.write(frame.text);
      if (frame.token) entry.tokens++;
    }
  },
  'whole-json': ({ response, answer }) => {
    jsonAnswer(response, answer.json);
  },
  'fails-once': (stage) => (stage.nth === 1 ? failed(stage) : stage.ok()),
  /** Every other request fails, from the first on. */
  flaps: (stage) => (stage.nth % 2 === 1 ? busy(stage) : stage.ok()),
  'refuses-prefill': (stage) => {
    const messages = (stage.entry.body?.messages ?? []) as readonly { role?: string }[];
    if (messages.at(-1)?.role !== 'assistant') return stage.ok();
    const message = 'The last message must not be of the role assistant: prefill is not supported.';
    return status(400, 'invalid_request_error', message)(stage);
  },
  'slow-first-token': async (stage) => {
    stage.response.writeHead(200, sse);
    stage.response.flushHeaders();
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    await stage.ok();
  },
  /** Kept connections turn out to be closed when the next request comes over them. */
  'stale-connection': ({ request, response, answer, reused }) => {
    if (reused) request.socket.destroy();
    else jsonAnswer(response, answer.json);
  },
} satisfies Record<string, Play>;

export type FaultName = keyof typeof FAULTS;

let bomb: Buffer | null = null;
/** 16 MiB of blanks in 16 KiB. */
function packedBlanks(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(16 * 2 ** 20, 32));
  return bomb;
}
