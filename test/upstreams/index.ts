/**
 * A server on real sockets that speaks OpenAI's and Anthropic's API, and can fail in every way that servers fail.
 *
 * The first part of a request's path names how it is answered: `<url>/stall-after-tokens/v1` is the base address of a
 * server whose streams stall. `<url>/ok/v1` answers as it should. What it received is counted by `seen`, which says of
 * each request whether and when its client went away.
 *
 * @module test/upstreams
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Answer, type Api, answerOf, jsonAnswer } from './answers.ts';
import { FAULTS, type FaultName, type Play, type Stage } from './faults.ts';

export { FAULTS, type FaultName } from './faults.ts';

export interface Seen {
  readonly fault: string;
  /** Below the fault's name. */
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON, or null without a body. */
  readonly body: Record<string, unknown> | null;
  /** Monotonic ms at which the client's side of the connection closed while the answer was under way; null before. */
  goneAt: number | null;
  /** Resolves when it did. */
  readonly gone: Promise<number>;
  /** Tokens written. */
  tokens: number;
  /** Bytes of body written. */
  bytes: number;
}

export interface MockUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Connections that were opened so far. */
  readonly connections: number;
  /** Base address for a fault, `/v1` included. */
  base(fault: FaultName | 'ok' | 'custom'): string;
  /** Requests so far that asked for a fault. */
  count(fault: string): number;
  /** Answers further requests to `/custom/v1`. */
  custom(play: Play): void;
}

const maxBody = 64 * 2 ** 20;

/** @param tls PEM; serves `https:` with it */
export async function createMockUpstream(tls?: {
  readonly cert: string;
  readonly key: string;
}): Promise<MockUpstream> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const used = new WeakSet<Socket>();
  let connections = 0;
  let custom: Play | null = null;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, fault = '', ...rest] = (request.url ?? '').split('/');
    const path = `/${rest.join('/')}`;
    const text = await bodyOf(request);
    const gone = Promise.withResolvers<number>();
    const entry: Seen = {
      fault,
      path,
      method: request.method ?? '',
      headers: request.headers,
      body: text === '' ? null : JSON.parse(text),
      goneAt: null,
      gone: gone.promise,
      tokens: 0,
      bytes: 0,
    };
    seen.push(entry);
    response.on('close', () => {
      if (response.writableFinished) return;
      entry.goneAt = performance.now();
      gone.resolve(entry.goneAt);
    });
    // A client that leaves in the middle is what is tested, not a failure of the test.
    response.on('error', () => {});
    const play = fault === 'ok' ? null : fault === 'custom' ? custom : FAULTS[fault as FaultName];
    if (play === undefined) {
      response.writeHead(404).end();
      return;
    }
    const answer: Answer = answerOf(apiOf(path), entry);
    const reused = used.has(request.socket);
    used.add(request.socket);
    const nth = seen.filter((each) => each.fault === fault && each.path === path).length;
    const stage = {
      request,
      response,
      entry,
      answer,
      reused,
      nth,
      ok: () => Promise.resolve(answered(stage)),
    };
    await (play ?? answered)(stage);
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch((error: unknown) => {
      console.error('mock upstream:', error);
      response.destroy();
    });
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    get connections() {
      return connections;
    },
    base: (fault) => `${url}/${fault}/v1`,
    count: (fault) => seen.filter((each) => each.fault === fault).length,
    custom(play) {
      custom = play;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How it answers without a fault. */
const answered = async ({ response, answer, entry }: Pick<Stage, 'response' | 'answer' | 'entry'>) => {
  // Models and embeddings have no streams.
  if (answer.api === 'chat' && entry.body?.stream !== true) {
    jsonAnswer(response, answer.json);
    return;
  }
  if (!entry.path.endsWith('/messages') && !entry.path.endsWith('completions')) {
    if (!response.headersSent) jsonAnswer(response, answer.json);
    else response.end();
    return;
  }
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (const frame of answer.frames) {
    if (!response.write(frame.text)) await new Promise((resolve) => response.once('drain', resolve));
    if (frame.token) entry.tokens++;
    entry.bytes += frame.text.length;
  }
  response.end();
};

function apiOf(path: string): Api {
  if (path.endsWith('/messages')) return 'anthropic';
  if (path.endsWith('/chat/completions')) return 'chat';
  if (path.endsWith('/completions')) return 'completions';
  return path.endsWith('/embeddings') ? 'embeddings' : 'models';
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBody) throw new Error(`a request of more than ${maxBody} bytes`);
  }
  return Buffer.concat(chunks).toString();
}
