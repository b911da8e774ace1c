/**
 * A whole server of Kith's with everything that writes something down: log at its most talkative, access log, figures,
 * traces. What is behind it is another server, and no engine.
 *
 * @module test/gateway-privacy/kith
 */
import {
  createIds,
  createLogger,
  createSeededRandom,
  type Logger,
  systemClock,
} from '../../src/base/index.ts';
import {
  createAnthropicBackend,
  createGateway,
  createOpenAiBackend,
  type Gateway,
  type GatewayOptions,
  type GatewayProvider,
  type OpenAiBackendOptions,
} from '../../src/gateway/index.ts';
import { createObservability } from '../../src/server/index.ts';
import { openServer } from '../security/support.ts';

export const MODEL = 'm';

export interface Place {
  readonly name: string;
  readonly base: string;
  readonly api?: 'openai' | 'anthropic';
  /** @default a provider over TLS, as the owner says: what is captured is not encrypted */
  readonly destination?: GatewayProvider['destination'];
  readonly more?: Partial<GatewayProvider>;
  readonly backend?: Partial<OpenAiBackendOptions>;
}

export interface TestKith extends AsyncDisposable {
  readonly url: string;
  readonly gateway: Gateway;
  /** All that was logged. */
  logged(): string;
  /** The figures as text. */
  figures(): Promise<string>;
}

function providerOf(place: Place) {
  const { name, base, api = 'openai' } = place;
  const options = {
    name,
    baseUrl: base,
    models: [
      { id: MODEL, upstreamId: 'upstream-m' },
      { id: 'e', upstreamId: 'upstream-e', task: 'embedding' as const },
    ],
    defaults: { chat: MODEL, embedding: 'e' },
    clock: systemClock,
    random: createSeededRandom(1),
    ...place.backend,
  };
  const backend = api === 'openai' ? createOpenAiBackend(options) : createAnthropicBackend(options);
  const provider: GatewayProvider = {
    backend,
    destination: place.destination ?? { kind: 'provider', link: 'encrypted' },
    step: 'remote',
    ...place.more,
  };
  return { backend, provider };
}

/** Nobody is probed unless the options say so. Providers of the options come before `places`. */
export async function openKith(
  places: readonly Place[],
  options: Partial<GatewayOptions> = {},
  otlpUrl = '',
): Promise<TestKith> {
  let logged = '';
  const log: Logger = createLogger({
    level: 'trace',
    env: { DEBUG: 'kith:*' },
    stderr: { write: (line) => (logged += line) },
  });
  const opened = places.map(providerOf);
  const { providers: first = [], ...more } = options;
  const gateway = createGateway({
    providers: [...first, ...opened.map(({ provider }) => provider)],
    clock: systemClock,
    random: createSeededRandom(1),
    log: log.child('gateway'),
    probeMs: 0,
    backoff: { baseMs: 1, maxMs: 1 },
    ...more,
  });
  const observability = await createObservability({
    version: '0.0.0',
    clock: systemClock,
    ids: createIds(systemClock, createSeededRandom(2)),
    log: log.child('server'),
    access: true,
    status: () => Promise.reject(new Error('there is no node around this server')),
    models: [MODEL],
    alerts: { holdMs: 60_000, webhook: '', webhookSecret: '' } as never,
    telemetry: { otlpUrl, headers: '', sampleRatio: 1 },
  });
  const server = await openServer({ gateway, log, observers: [observability.observer] });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await server[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await observability.close(5_000);
    for (const { backend } of opened) await backend[Symbol.asyncDispose]();
  };
  return {
    url: server.url,
    gateway,
    logged: () => logged,
    figures: () => observability.text('prometheus'),
    [Symbol.asyncDispose]: close,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are held to the API document elsewhere
export type Json = any;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, or the events of a stream. */
  readonly parts: readonly Json[];
}

export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, parts: partsOf(text) };
}

/** A JSON value, lines of JSON, or the data of server-sent events. */
function partsOf(text: string): Json[] {
  if (/^(?:event|data|:)/m.test(text.slice(0, 8)))
    return [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data!));
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));
}
