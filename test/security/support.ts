/**
 * A whole server on a real socket with keys, and a backend that answers at once: what comes in is real, what a model
 * does is not the question here.
 *
 * @module test/security/support
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  createIds,
  createSeededRandom,
  type Logger,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../src/base/index.ts';
import type { Backend, ChatEvent, ChatRequest, Gateway, Receipt } from '../../src/gateway/index.ts';
import type { Route } from '../../src/server/http/exchange.ts';
import '../openapi/watch.ts';
import { gatewayOver } from '../../src/gateway/testing/over.ts';
import {
  type AccessOptions,
  createAccess,
  createServer,
  defaultServerLimits,
  type KeyStore,
  keyScopes,
  type NodeControl,
  type NodeStatus,
  openKeyStore,
  type Server,
  type ServerLimits,
  type ServerOptions,
} from '../../src/server/index.ts';
import { type Outcome, outcomes } from '../../src/server/metrics/answer-facts.ts';
import { allRoutes } from '../../src/server/routes.ts';
import type { Answering, ServerContext } from '../../src/server/types.ts';

const receipt: Receipt = { backend: 'local', model: 'm', queueMs: 1, prefillMs: 2, decodeMs: 3, notes: [] };
export const start: ChatEvent = { type: 'start', backend: 'local', model: 'm' };
export const text = (value: string): ChatEvent => ({ type: 'text', choice: 0, text: value, logprobs: null });
export const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
export const usage: ChatEvent = {
  type: 'usage',
  promptTokens: 7,
  cachedTokens: 0,
  completionTokens: 3,
  receipt,
};

export type Script = (request: ChatRequest) => AsyncIterable<ChatEvent>;

export async function* whole(): AsyncGenerator<ChatEvent> {
  yield* [start, text('Hi'), finish, usage];
}

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
    countTokens: async () => 7,
    embed: async ({ inputs }) => ({
      vectors: new Float32Array(inputs.length * 2).fill(0.5),
      dimension: 2,
      tokens: inputs.map(() => 5),
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

const status: NodeStatus = {
  state: 'ready',
  message: null,
  version: '0.0.0',
  pid: 1,
  startedAt: 0,
  uptimeMs: 1500,
  url: 'http://127.0.0.1',
  home: '/home',
  identity: {
    peerId: '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq',
    did: 'did:key:z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH',
    protected: false,
  },
  defaultModel: 'm',
  embeddingModel: 'm',
  models: [],
  loaded: [],
  backends: [],
  policy: { privacy: 'minimum', route: 'auto', cache: 'off', degrade: 'none' },
  engine: { state: 'running', pid: null, restarts: 0, lastCause: null },
  requests: { active: 0, total: 0, refused: 0 },
  memory: { node: 1, engine: null, total: 2, free: 1 },
  diskFree: null,
  swarm: {
    state: 'off',
    message: null,
    peer: 'p',
    reach: 'none',
    counters: null,
    records: 0,
    peers: 0,
    messages: 0,
    unread: 0,
  },
  logLevel: 'info',
  threads: 1,
  limits: {
    max_active: 1,
    max_queue: 1,
    max_wait_ms: 1,
    max_run_ms: 1,
    max_tokens: 1,
    body_bytes: 1,
    connections: 1,
  },
  progress: null,
};

const control: NodeControl = {
  status: async () => status,
  shutdown() {},
  unload: async (model) => model === 'm',
  load: async () => {},
};

const row = {
  name: 'all',
  answers: 0,
  durationMs: null,
  timeToFirstTokenMs: null,
  interTokenMs: null,
  tokensPerSecond: null,
  queueWaitMs: null,
};
const groups = { models: [], agents: [], backends: [], routes: [] };
const totals = {
  ...row,
  outcomes: Object.fromEntries(outcomes.map((each) => [each, 0])) as Record<Outcome, number>,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  uncounted: 0,
};

/** Stands for the figures, so that their routes are there. */
const observability: NonNullable<ServerOptions['observability']> = {
  health: () => ({ window_s: 300, models: [], agents: [], backends: [], attempts: [] }),
  text: async () => '',
  view: async () => ({
    windowMs: 60_000,
    startedAt: '2026-01-01T00:00:00.000Z',
    requests: { active: 0, recent: { all: 0, failed: 0, refused: 0 } },
    recent: { all: row, ...groups },
    total: { all: totals, ...groups },
    alerts: { firing: [], recent: [] },
  }),
};

export const runToken = 'the-run-token-of-this-test-node';

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
  readonly keys: KeyStore;
  readonly home: string;
  /** Text of a key that may do everything. */
  readonly key: string;
}

export interface TestServerOptions {
  readonly script?: Script;
  /** @default one over a backend that plays `script` */
  readonly gateway?: Gateway;
  readonly limits?: Partial<ServerLimits>;
  readonly access?: Partial<AccessOptions>;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Besides the one for budgets. @default none */
  readonly observers?: ServerOptions['observers'];
  readonly tls?: ServerOptions['tls'];
  readonly onCertificate?: (fingerprint: string) => void;
}

/** Listens on `access.host`, by default 127.0.0.1, any port. */
export async function openServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = systemClock, log = silentLogger } = options;
  const home = await mkdtemp(join(tmpdir(), 'kith-access-'));
  const keys = openKeyStore(home, { clock, random: systemRandom });
  const { text: key } = keys.create({
    name: 'all',
    scopes: keyScopes,
    expiresAt: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
  });
  const host = options.access?.host ?? '127.0.0.1';
  const access = createAccess({
    keys,
    token: runToken,
    host,
    secure: options.tls !== undefined,
    requireKey: false,
    allowedHosts: [],
    corsOrigins: [],
    requestsPerMinute: null,
    tokensPerMinute: null,
    clock,
    log,
    ...options.access,
  });
  const server = await createServer({
    gateway: options.gateway ?? gatewayOver([backendOf(options.script ?? whole)]),
    control,
    host,
    port: 0,
    log,
    clock,
    ids: createIds(systemClock, createSeededRandom(1)),
    randomSeed: () => 1,
    limits: { ...defaultServerLimits, ...options.limits },
    version: '0.0.0',
    token: runToken,
    access,
    observers: [...(options.observers ?? []), access.budgets],
    observability,
    tls: options.tls ?? null,
    ...(options.onCertificate ? { onCertificate: options.onCertificate } : {}),
  });
  return {
    server,
    url: server.url,
    port: server.port,
    keys,
    home,
    key,
    async [Symbol.asyncDispose]() {
      await server.close(0);
      keys.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Every route there is, with a path that fits it. Nothing is asked of their handlers. */
export function everyRoute(): { readonly route: Route; readonly path: string }[] {
  const context = {
    gateway: gatewayOver([backendOf(whole)]),
    control,
    host: '127.0.0.1',
    port: 0,
    log: silentLogger,
    clock: systemClock,
    ids: createIds(systemClock, createSeededRandom(1)),
    randomSeed: () => 1,
    limits: defaultServerLimits,
    version: '0.0.0',
    token: runToken,
    observers: [],
    observability,
    fingerprint: 'kith-0.0.0',
    closing: new AbortController().signal,
    answering: {} as Answering,
  } as unknown as ServerContext;
  return allRoutes(context).map((route) => ({
    route,
    path: route.path.replace(/[:*][a-z]\w*/gi, 'm'),
  }));
}

/** Resolves when the connection is gone, however it went. */
export function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Sends bytes as they are and reads until the server closes. */
export async function raw(port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(bytes);
  await closed(socket);
  return answer;
}

export const chatBody = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] });
export const chatPath = '/v1/chat/completions';

export async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { error?: { code?: string; type?: string } | string };
  const error = body.error;
  return `${response.status} ${typeof error === 'object' ? (error.code ?? error.type) : 'error'}`;
}
