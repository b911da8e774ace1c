/**
 * Two or three real hosts on loopback, one of which serves an engine that says what the test tells it.
 *
 * @module test/peers/support
 */
import { createHash } from 'node:crypto';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import type { PeerBackend } from '../../src/gateway/backends/peer/index.ts';
import { createPeerBackend } from '../../src/gateway/backends/peer/index.ts';
import type { BackendModel, ChatEvent, ChatRequest, EmbeddingRequest } from '../../src/gateway/index.ts';
import type { ServingPolicy } from '../../src/gateway/peers/index.ts';
import {
  openReceipts,
  type PeerService,
  type Receipts,
  type ServedEngine,
  servePeers,
} from '../../src/gateway/peers/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import { createSwarm, type Swarm } from '../../src/swarm/index.ts';
import type { Tier } from '../../src/trust/index.ts';

export interface Host extends AsyncDisposable {
  readonly swarm: Swarm;
  readonly identity: ReturnType<typeof createIdentity>;
}

export interface HostOptions {
  /** Multiaddr. @default a port of loopback that is free */
  readonly listen?: string;
  /** What others are told in place of it. */
  readonly announce?: readonly string[];
  readonly tierOf?: (peer: string) => Tier;
}

export async function startHost(name: string, options: HostOptions = {}): Promise<Host> {
  const { listen = '/ip4/127.0.0.1/tcp/0', announce, tierOf } = options;
  const seed = new Uint8Array(createHash('sha256').update(`peers ${name} ${process.pid}`).digest());
  const swarm = await createSwarm({
    seed,
    listen: [listen],
    ...(announce === undefined ? {} : { announce }),
    network: 'lan',
    dht: 'off',
    mdns: false,
    upnp: false,
    webrtc: false,
    limits: { connectionsPerSecond: 1000 },
    ...(tierOf === undefined ? {} : { gate: { tierOf } }),
    log: silentLogger,
  });
  return {
    swarm,
    identity: createIdentity(seed),
    [Symbol.asyncDispose]: () => swarm[Symbol.asyncDispose](),
  };
}

/** What an engine was asked for, and how it answers. */
export interface ScriptedEngine extends ServedEngine {
  readonly chats: ChatRequest[];
  readonly embeddings: EmbeddingRequest[];
}

export const chatModel = 'scripted-chat';
export const embeddingModel = 'scripted-embedding';

const rows: BackendModel[] = [
  { id: chatModel, task: 'chat', state: 'loaded', ownedBy: 'kith', context: 4096, since: null },
  { id: embeddingModel, task: 'embedding', state: 'ready', ownedBy: 'kith', context: 512, since: null },
  { id: 'not-fetched', task: 'chat', state: 'available', ownedBy: 'kith', context: 512, since: null },
];

/** Plays this machine's engine: `answer` makes the events of a chat, by default the words it was sent, one by one. */
export function scriptedEngine(
  answer: (request: ChatRequest) => AsyncIterable<ChatEvent> = echo,
): ScriptedEngine {
  const chats: ChatRequest[] = [];
  const embeddings: EmbeddingRequest[] = [];
  return {
    chats,
    embeddings,
    models: async () => rows,
    async *chat(request) {
      chats.push(request);
      yield* answer(request);
    },
    async embed(request) {
      embeddings.push(request);
      const vectors = new Float32Array(request.inputs.length * 4);
      for (const [index, input] of request.inputs.entries()) vectors.set([input.length, 3, 0, 0], index * 4);
      return {
        vectors,
        dimension: 4,
        tokens: request.inputs.map((input) => input.length),
        receipt: receipt(embeddingModel),
      };
    },
  };
}

const receipt = (model: string) => ({
  backend: 'local',
  model,
  queueMs: 0,
  prefillMs: 1,
  decodeMs: 1,
  notes: [],
});

export const start = (promptTokens: number): ChatEvent => ({
  type: 'start',
  backend: 'local',
  model: chatModel,
  promptTokens,
  cachedTokens: 0,
});
export const text = (words: string, choice = 0): ChatEvent => ({
  type: 'text',
  choice,
  text: words,
  logprobs: null,
});
export const finish = (reason: 'stop' | 'length' | 'tool_calls' = 'stop', choice = 0): ChatEvent => ({
  type: 'finish',
  choice,
  reason,
  stop: null,
  slidTokens: 0,
});
export const usage = (promptTokens: number, completionTokens: number): ChatEvent => ({
  type: 'usage',
  promptTokens,
  cachedTokens: 0,
  completionTokens,
  receipt: receipt(chatModel),
});

async function* echo(request: ChatRequest): AsyncGenerator<ChatEvent> {
  const words = (request.messages.at(-1)?.content ?? '').split(/(?<= )/);
  yield start(7);
  for (const word of words) yield text(word);
  yield finish();
  yield usage(7, words.length);
}

export interface Friends extends AsyncDisposable {
  readonly asker: Host;
  readonly server: Host;
  readonly engine: ScriptedEngine;
  readonly service: PeerService;
  /** What the server did for others. */
  readonly receipts: Receipts;
  readonly backend: PeerBackend;
  /** What the backend found fault with. */
  readonly misconduct: string[];
}

export interface FriendsOptions {
  readonly engine?: ScriptedEngine;
  readonly policy?: ServingPolicy;
  readonly tierOf?: (peer: string) => Tier;
  readonly names?: readonly [string, string];
}

export const openPolicy: ServingPolicy = {
  minTier: 'unknown',
  models: [chatModel, embeddingModel],
  tokensPerMinute: 1_000_000,
};

/** A host that serves its engine, and one that asks it. */
export async function startFriends(options: FriendsOptions = {}): Promise<Friends> {
  const { engine = scriptedEngine(), policy = openPolicy, names = ['asker', 'server'] } = options;
  const parts = new AsyncDisposableStack();
  const [asker, server] = await Promise.all([startHost(names[0]), startHost(names[1])]);
  parts.use(asker);
  parts.use(server);
  const receipts = parts.use(inMemory());
  const service = parts.use(serve(server, engine, policy, options.tierOf, receipts));
  await asker.swarm.learn(server.swarm.peer, server.swarm.addresses);
  const misconduct: string[] = [];
  const backend = parts.use(askingBackend(asker, server, 'friend', (what) => misconduct.push(what)));
  return {
    asker,
    server,
    engine,
    service,
    receipts,
    backend,
    misconduct,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

const inMemory = () => openReceipts({ path: ':memory:', clock: systemClock, log: silentLogger });

export function serve(
  { swarm, identity }: Host,
  engine: ServedEngine,
  policy: ServingPolicy,
  tierOf: (peer: string) => Tier = () => 'known',
  receipts: Receipts = inMemory(),
): PeerService {
  return servePeers({
    ...{ swarm, engine, policy, tierOf, identity, receipts },
    clock: systemClock,
    random: createSeededRandom(7),
    log: silentLogger,
  });
}

export function askingBackend(
  asker: Host,
  server: Host,
  name: string,
  onMisconduct: (what: string) => void = () => {},
): PeerBackend {
  return createPeerBackend({
    name,
    peer: server.swarm.peer,
    swarm: asker.swarm,
    clock: systemClock,
    random: createSeededRandom(11),
    onMisconduct: (_peer, what) => onMisconduct(what),
  });
}

export function chatRequest(words: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: chatModel,
    messages: [{ role: 'user', content: words }],
    n: 1,
    sampler: { temperature: 0, seed: 1, topLogprobs: null },
    maxTokens: 64,
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal: new AbortController().signal,
    ...more,
  };
}

export async function collect(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const all: ChatEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export const textOf = (events: readonly ChatEvent[]): string =>
  events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('');
