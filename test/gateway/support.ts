/**
 * Kith's server and gateway in front of other servers, all of it over real sockets, and the client that asks it.
 *
 * @module test/gateway/support
 */
import assert from 'node:assert/strict';
import { type Agent, type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import {
  type Backend,
  createAnthropicBackend,
  createGateway,
  createOpenAiBackend,
  type Gateway,
  type GatewayOptions,
  type GatewayProvider,
  type OpenAiBackendOptions,
  type TimeLimits,
} from '../../src/gateway/index.ts';
import type { UpstreamLimits } from '../../src/gateway/upstream/index.ts';
import type { ServerLimits } from '../../src/server/index.ts';
import { openServer } from '../security/support.ts';

/** The model that callers ask for; each place calls it otherwise. */
export const MODEL = 'm';

/** Times that do not pass unless nothing comes at all. */
const patient: TimeLimits = { firstTokenMs: 20_000, interTokenMs: 20_000, totalMs: 60_000 };

/** Another server, as the owner would configure it. */
export interface Place {
  readonly name: string;
  /** Base address, with its version. */
  readonly base: string;
  /** @default 'openai' */
  readonly api?: 'openai' | 'anthropic';
  /** @default the name and `-model` */
  readonly model?: string;
  /** Time limits of the answer. */
  readonly limits?: Partial<TimeLimits>;
  /** Limits of the connection. */
  readonly upstream?: Partial<UpstreamLimits>;
  readonly tls?: NonNullable<OpenAiBackendOptions['tls']>;
  /** @default false */
  readonly continues?: boolean;
  readonly context?: number;
  /** Money for a million tokens. */
  readonly price?: { readonly prompt: number; readonly completion: number };
  readonly group?: string;
  readonly maxConnections?: number;
  /** It is somebody else's: personal data is replaced where the level of privacy demands it. @default false */
  readonly outside?: boolean;
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly url: string;
  /** Calls under way, of all backends. */
  readonly inFlight: number;
  /** Requests that hold a connection or wait for one, of all backends. */
  readonly busy: number;
  /** The report on one backend. */
  of(backend: string): ReturnType<Gateway['backends']>[number];
}

function providerOf(place: Place, index: number): GatewayProvider & { backend: Backend & AsyncDisposable } {
  const { name, base, api = 'openai', model = `${name}-model`, continues = false, context } = place;
  const options = {
    name,
    baseUrl: base,
    models: [{ id: MODEL, upstreamId: model, ...(context === undefined ? {} : { context }) }],
    defaults: { chat: MODEL },
    limits: { connectMs: 20_000, headersMs: 30_000, firstTokenMs: 30_000, ...place.upstream },
    ...(place.tls === undefined ? {} : { tls: place.tls }),
    ...(place.maxConnections === undefined ? {} : { maxConnections: place.maxConnections }),
    clock: systemClock,
    random: createSeededRandom(index + 1),
  };
  const backend =
    api === 'openai'
      ? createOpenAiBackend({ ...options, ...(continues ? { abilities: { prefill: 'last_message' } } : {}) })
      : createAnthropicBackend(options);
  return {
    backend,
    destination: place.outside
      ? { kind: 'provider', link: 'encrypted' }
      : { kind: 'owned', link: 'owned_network' },
    step: 'remote',
    ownMachine: place.outside !== true,
    ...(place.group === undefined ? {} : { group: place.group }),
    abilities: {
      continues,
      limits: { ...patient, ...place.limits },
      ...(context === undefined ? {} : { context }),
      ...(place.price === undefined ? {} : { price: place.price }),
    },
  };
}

/** Nobody is probed unless the options say so. Retries wait a moment only. */
export async function openGateway(
  places: readonly Place[],
  options: Partial<GatewayOptions> = {},
  limits: Partial<ServerLimits> = {},
): Promise<TestGateway> {
  const providers = places.map(providerOf);
  const gateway = createGateway({
    providers,
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLogger,
    probeMs: 0,
    backoff: { baseMs: 1, maxMs: 1 },
    ...options,
  });
  const server = await openServer({ gateway, limits });
  return {
    gateway,
    url: server.url,
    get inFlight() {
      return gateway.backends().reduce((sum, { inFlight }) => sum + inFlight, 0);
    },
    get busy() {
      return providers.reduce((sum, { backend }) => sum + (backend.connections?.().busy ?? 0), 0);
    },
    of: (name) => gateway.backends().find((one) => one.name === name)!,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      for (const { backend } of providers) await backend[Symbol.asyncDispose]();
    },
  };
}

export type Form = 'JSON' | 'stream';
export const FORMS: readonly Form[] = ['JSON', 'stream'];

export interface AskOptions {
  /** @default 'JSON' */
  readonly form?: Form;
  /** Of the user. @default 'Count.' */
  readonly prompt?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
  /** Called with the request once it is sent, and with all that has come of the answer at each piece of it. */
  readonly onSent?: (request: ClientRequest) => void;
  readonly onText?: (text: string, request: ClientRequest) => void;
}

export interface Answer {
  /** 0: the connection ended before a status came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly finish: string | null;
  /** It says of itself that it is whole: a JSON body, or `[DONE]`. */
  readonly ended: boolean;
  readonly error: { readonly code: string; readonly type: string; readonly message: string } | null;
  /** True when the connection broke, with or without an error event before. */
  readonly broken: boolean;
  readonly model: string | null;
  readonly usage: Usage | null;
  readonly receipt: ReceiptBody | null;
  /** Bytes of the body. */
  readonly bytes: number;
  readonly ms: number;
}

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

interface ReceiptBody {
  readonly backend: string;
  readonly model: string;
  readonly notes: readonly string[];
  readonly route: {
    readonly step: string;
    readonly attempts: readonly {
      readonly backend: string;
      readonly model: string;
      readonly reason: string;
      readonly outcome: string;
      readonly code: string | null;
    }[];
  };
}

/** Asks for a chat completion, with usage and receipt, and reads whatever comes of it. */
export function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { form = 'JSON', prompt = 'Count.', body, headers = {}, agent, onSent, onText } = options;
  const stream = form === 'stream';
  const text = JSON.stringify({
    model: MODEL,
    messages: [{ role: 'user', content: prompt }],
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    kith: { receipt: true },
    ...body,
  });
  const began = performance.now();
  return new Promise((resolve) => {
    let got = '';
    let over = false;
    const end = (status: number, given: IncomingHttpHeaders, broken: boolean) => {
      if (over) return;
      over = true;
      resolve(read(got, status, given, broken, performance.now() - began));
    };
    const request = httpRequest(
      `${url}/v1/chat/completions`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...headers,
        },
        agent: agent ?? false,
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          got += piece;
          onText?.(got, request);
        });
        response.on('error', () => end(statusCode, response.headers, true));
        response.on('close', () => end(statusCode, response.headers, !response.complete));
      },
    );
    request.on('error', () => end(0, {}, true));
    request.end(text, () => onSent?.(request));
  });
}

// biome-ignore lint/suspicious/noExplicitAny: the answer is held to the API document elsewhere
type Json = any;

function read(
  got: string,
  status: number,
  headers: IncomingHttpHeaders,
  broken: boolean,
  ms: number,
): Answer {
  const parts: Json[] = [];
  let ended = false;
  if (String(headers['content-type']).startsWith('text/event-stream')) {
    const lines = got.replaceAll('\r\n', '\n');
    for (const frame of lines.split('\n\n')) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === '[DONE]') ended = true;
      // One that was cut has no end of line.
      else if (data !== undefined && lines.includes(`${data}\n`)) parts.push(JSON.parse(data));
    }
  } else if (!broken && got !== '') {
    parts.push(JSON.parse(got));
    ended = status === 200;
  }
  const pick = (of: (part: Json) => Json) => parts.map(of).findLast((value) => value != null) ?? null;
  const choices = parts.flatMap(({ choices = [] }) => choices);
  return {
    status,
    headers,
    text: choices.map(({ delta, message }: Json) => (delta ?? message)?.content ?? '').join(''),
    finish:
      choices.map(({ finish_reason }: Json) => finish_reason).findLast((one: Json) => one != null) ?? null,
    ended,
    error: pick(({ error }) => error),
    broken,
    model: pick(({ model }) => model),
    usage: pick(({ usage }) => usage),
    receipt: pick(({ kith }) => kith),
    bytes: Buffer.byteLength(got),
    ms,
  };
}

/** Prints a line of a table. */
export const row = (...cells: readonly (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);

/** What became of an answer, in a word. */
export function verdictOf({ error, ended, status, receipt }: Answer): string {
  if (error !== null) return `${status === 200 ? 'error event' : status} ${error.code}`;
  if (!ended) return 'SILENT';
  return receipt !== null && receipt.route.attempts.length > 1 ? 'rescued' : 'answered';
}

/** Holds that it says of itself that it is whole, and is. */
export function isWhole(answer: Answer, text: string): void {
  assert.equal(answer.error, null, answer.error?.message);
  assert.equal(answer.status, 200);
  assert.equal(answer.text, text);
  assert.equal(answer.finish, 'stop');
  assert.ok(answer.ended && !answer.broken);
}

/** Holds that it is an error with a code, and no client can take it for a whole answer. */
export function isTypedError(answer: Answer, code: RegExp): void {
  assert.match(answer.error?.code ?? 'no error', code);
  assert.ok(answer.error!.message.length > 10);
  assert.equal(answer.finish, null);
  assert.ok(!answer.ended);
  assert.ok(answer.status === 200 || answer.status >= 400);
}

/** Waits for a condition, which is looked at every 2 ms. Throws when it does not come true in 30 s. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (performance.now() > end) throw new Error(`Waited in vain for ${condition}`);
  }
}

/** An address at which nothing listens. */
export async function refusing(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/v1`;
}
