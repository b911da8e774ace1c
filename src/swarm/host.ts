/**
 * The swarm as the node sees it. Everything of the network happens in a thread of its own; here are the promises of callers,
 * the handlers of methods, and the questions of trust.
 *
 * @module swarm/host
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import {
  AbortedError,
  type CborMap,
  InputError,
  KithError,
  LimitError,
  systemClock,
  systemRandom,
  throwIfAborted,
} from '../base/index.ts';
import { TIERS, type Tier } from '../trust/index.ts';
import { MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES } from './frames/format.ts';
import { Counters } from './gate/counters.ts';
import { CALL_ID_BYTES, encodeMetadata, encodeRequest, isMethodName } from './rpc/envelope.ts';
import { fromWireError, type WireError, wayErrors } from './rpc/errors.ts';
import { STREAM_LIMITS, type StreamLimits } from './rpc/framed-stream.ts';
import { Life, STOP_GRACE_MS } from './thread/life.ts';
import { alone, movable, type OperationName, type Operations, type ToNode } from './thread/messages.ts';
import { LOST, Serving } from './thread/serving.ts';
import type {
  Ban,
  CallOptions,
  CounterName,
  GossipMessage,
  GossipVerdict,
  Method,
  Payload,
  PeerLink,
  ProviderRecord,
  Reply,
  Session,
  SessionMethod,
  SessionOptions,
  Subscription,
  Swarm,
  SwarmOptions,
} from './types.ts';

const CALL_MS = 30_000;
const OPEN_MS = 15_000;
const DIAL_MS = 10_000;
const FIND_MS = 20_000;
const PING_MS = 10_000;
/** Payload bytes of calls under way from this node. */
const MAX_OUT_BYTES = 512 * 1024 * 1024;

interface Pending {
  readonly peer: string;
  settle(message: Extract<ToNode, { k: 'reply' | 'failed' | 'done' }>): void;
  provider?(provider: ProviderRecord): void;
}

class SwarmHost implements Swarm {
  readonly #options: SwarmOptions;
  readonly #counters = new Counters();
  readonly #life: Life;
  readonly #serving: Serving;
  readonly #pending = new Map<number, Pending>();
  readonly #opening = new Map<number, (error: WireError | null) => void>();
  readonly #topics = new Map<string, Subscription>();
  readonly #provided = new Map<string, Uint8Array>();
  readonly #bans = new Map<string, number | null>();
  readonly #peerListeners = new Set<(peer: string, connected: boolean) => void>();
  #outBytes = 0;
  #next = 0;
  #peer = '';
  #addresses: readonly string[] = [];

  constructor(options: SwarmOptions, streams: StreamLimits) {
    this.#options = options;
    const { gate = {}, limits } = options;
    for (const ban of gate.bans ?? []) this.#bans.set(ban.peer, ban.until);
    const { tierOf: _function, minTier: _tier, bans: _bans, ...rules } = gate;
    const { seed, listen, announce, bootstrap, psk, network, dht, relay, webrtc, mdns, upnp } = options;
    const node = { listen, announce, bootstrap, psk, network, dht, relay, webrtc, mdns, upnp, limits };
    const given = Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined));
    this.#life = new Life(
      {
        node: { seed: new Uint8Array(seed), ...given },
        gate: rules,
        streams,
        counters: this.#counters.buffer,
        compileCache: compileCache(),
      },
      limits?.heapMb ?? 512,
      {
        message: (message) => this.#onMessage(message),
        born: (post) => {
          for (const ban of this.bans()) post({ k: 'do', n: 0, op: 'ban', args: [ban.peer, ban.until] });
          this.#serving.born(post);
        },
        ready: (peer, addresses) => this.#onReady(peer, addresses),
        died: (why) => this.#onDeath(why),
      },
    );
    this.#serving = new Serving(
      (message, move) => this.#life.post(message, move),
      (peer, tier) => this.#trusts(peer, tier),
    );
  }

  async start(): Promise<void> {
    await this.#life.start();
  }

  get peer(): string {
    return this.#peer;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get state(): Swarm['state'] {
    return this.#life.state;
  }

  counters(): Record<CounterName, number> {
    return this.#counters.read();
  }

  // Calls

  async call(
    peer: string,
    method: string,
    metadata: CborMap = {},
    payload?: Payload,
    options: CallOptions = {},
  ): Promise<Reply> {
    const { signal, deadlineMs = CALL_MS, minTier, id = systemRandom.bytes(CALL_ID_BYTES) } = options;
    throwIfAborted(signal);
    const envelope = requestBytes(method, id, metadata);
    const bytes = alone(payload);
    const size = bytes?.length ?? 0;
    if (size > MAX_PAYLOAD_BYTES)
      throw new KithError(
        'swarm_too_large',
        `${size} bytes pass the ${MAX_PAYLOAD_BYTES} of a call. Open a session.`,
        {
          status: 413,
        },
      );
    if (this.#outBytes + size > MAX_OUT_BYTES)
      throw new LimitError(
        'swarm.outBytes',
        MAX_OUT_BYTES,
        'Too many bytes of calls are under way. Try again later.',
      );
    await this.#require(peer, minTier);
    this.#alive();
    return new Promise((resolve, reject) => {
      const n = this.#even();
      const timer = setTimeout(() => leave(fromWireError(wayErrors.timeout(deadlineMs), peer)), deadlineMs);
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(n);
        this.#outBytes -= size;
      };
      const leave = (error: Error) => {
        finish();
        this.#life.post({ k: 'abort', n });
        reject(error);
      };
      const onAbort = () => leave(new AbortedError(undefined, { cause: signal!.reason }));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#outBytes += size;
      this.#pending.set(n, {
        peer,
        settle: (message) => {
          finish();
          if (message.k === 'reply') resolve({ metadata: message.metadata, payload: message.payload });
          else if (message.k === 'failed') reject(fromWireError(message.error, peer));
        },
      });
      const maxReplyBytes = Math.min(options.maxReplyBytes ?? MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES);
      this.#life.post(
        { k: 'call', n, peer, envelope, payload: bytes, deadlineMs: Math.ceil(deadlineMs), maxReplyBytes },
        movable(bytes),
      );
    });
  }

  async openSession(
    peer: string,
    method: string,
    metadata: CborMap = {},
    options: SessionOptions = {},
  ): Promise<Session> {
    const { signal, openMs = OPEN_MS, minTier, caps = {} } = options;
    throwIfAborted(signal);
    const envelope = requestBytes(method, systemRandom.bytes(CALL_ID_BYTES), metadata);
    await this.#require(peer, minTier);
    this.#alive();
    const s = this.#even();
    const handle = this.#serving.open(s, peer, method, metadata);
    const { maxPayloadBytes = MAX_PAYLOAD_BYTES, maxMetadataBytes = MAX_METADATA_BYTES } = caps;
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#life.post({ k: 'abort', n: s });
      this.#opening.set(s, (error) => {
        this.#opening.delete(s);
        signal?.removeEventListener('abort', onAbort);
        if (error === null) resolve(handle);
        else {
          this.#serving.forget(s);
          reject(
            signal?.aborted
              ? new AbortedError(undefined, { cause: signal.reason })
              : fromWireError(error, peer),
          );
        }
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#life.post({ k: 'open', s, peer, envelope, caps: { maxPayloadBytes, maxMetadataBytes }, openMs });
    });
  }

  handle(method: string, what: Method | SessionMethod): Disposable {
    return this.#serving.handle(method, what);
  }

  // Links

  dial(
    target: string,
    options: { readonly signal?: AbortSignal; readonly deadlineMs?: number } = {},
  ): Promise<PeerLink> {
    return this.#do('dial', [target, options.deadlineMs ?? DIAL_MS], options.signal);
  }

  async learn(peer: string, addresses: readonly string[]): Promise<void> {
    await this.#do('learn', [peer, addresses]);
  }

  async disconnect(peer: string): Promise<void> {
    await this.#do('disconnect', [peer]);
  }

  links(): Promise<readonly PeerLink[]> {
    return this.#do('links', []);
  }

  ping(
    peer: string,
    options: { readonly signal?: AbortSignal; readonly deadlineMs?: number } = {},
  ): Promise<number> {
    return this.#do('ping', [peer, options.deadlineMs ?? PING_MS], options.signal);
  }

  onPeer(listener: (peer: string, connected: boolean) => void): Disposable {
    this.#peerListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#peerListeners.delete(listener) };
  }

  async ban(peer: string, until: number | null): Promise<void> {
    this.#bans.set(peer, until);
    await this.#do('ban', [peer, until]);
  }

  async unban(peer: string): Promise<void> {
    this.#bans.delete(peer);
    await this.#do('unban', [peer]);
  }

  bans(): readonly Ban[] {
    const now = (this.#options.clock ?? systemClock).now();
    for (const [peer, until] of this.#bans) if (until !== null && until <= now) this.#bans.delete(peer);
    return [...this.#bans].map(([peer, until]) => ({ peer, until }));
  }

  // Discovery

  async subscribe(topic: string, subscription: Subscription): Promise<AsyncDisposable> {
    if (this.#topics.has(topic))
      throw new InputError('swarm_topic_taken', `The topic ${topic} is subscribed already.`);
    this.#topics.set(topic, subscription);
    try {
      await this.#do('subscribe', [topic, topicLimits(subscription)]);
    } catch (error) {
      this.#topics.delete(topic);
      throw error;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#topics.get(topic) !== subscription) return;
        this.#topics.delete(topic);
        if (this.state === 'running') await this.#do('unsubscribe', [topic]);
      },
    };
  }

  publish(topic: string, data: Uint8Array): Promise<number> {
    return this.#do('publish', [topic, data]);
  }

  subscribers(topic: string): Promise<readonly string[]> {
    return this.#do('subscribers', [topic]);
  }

  async provide(key: Uint8Array, options: { readonly signal?: AbortSignal } = {}): Promise<AsyncDisposable> {
    const name = keyName(key);
    this.#provided.set(name, key);
    await this.#do('provide', [key], options.signal);
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#provided.delete(name) && this.state === 'running') await this.#do('unprovide', [key]);
      },
    };
  }

  async *findProviders(
    key: Uint8Array,
    options: { readonly signal?: AbortSignal; readonly limit?: number; readonly deadlineMs?: number } = {},
  ): AsyncGenerator<ProviderRecord> {
    keyName(key);
    const found: ProviderRecord[] = [];
    let wake = () => {};
    let over = false;
    let failure: unknown;
    const stop = new AbortController();
    const signal =
      options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    this.#do(
      'findProviders',
      [key, options.limit ?? 64, options.deadlineMs ?? FIND_MS],
      signal,
      (provider) => {
        found.push(provider);
        wake();
      },
    )
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        over = true;
        wake();
      });
    try {
      for (;;) {
        const next = found.shift();
        if (next !== undefined) yield next;
        else if (over) break;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      if (failure !== undefined) throw failure;
    } finally {
      stop.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'running')
      await this.#do('close', [], AbortSignal.timeout(STOP_GRACE_MS)).catch(() => {
        // What cannot end in time is ended with its thread.
      });
    await this.#life.stop();
    this.#lose({ code: 'swarm_lost', message: 'The swarm was closed.', status: 503 });
  }

  // The thread

  #even(): number {
    this.#next += 2;
    return this.#next;
  }

  #alive(): void {
    const state = this.#life.state;
    if (state === 'running') return;
    if (state === 'broken')
      throw new KithError(
        'swarm_breaker',
        'The swarm thread died again and again and rests for a minute. See the log.',
        {
          status: 503,
          retryAfter: 60,
        },
      );
    throw new KithError(
      'swarm_lost',
      state === 'closed' ? 'The swarm is closed.' : 'The swarm thread starts again.',
      {
        status: 503,
        retryAfter: 1,
      },
    );
  }

  async #do<Name extends OperationName>(
    op: Name,
    args: Parameters<Operations[Name]>,
    signal?: AbortSignal,
    provider?: (record: ProviderRecord) => void,
  ): Promise<ReturnType<Operations[Name]>> {
    throwIfAborted(signal);
    this.#alive();
    return new Promise((resolve, reject) => {
      const n = this.#even();
      const onAbort = () => {
        this.#pending.delete(n);
        this.#life.post({ k: 'abort', n });
        reject(new AbortedError(undefined, { cause: signal!.reason }));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(n, {
        peer: '',
        settle: (message) => {
          this.#pending.delete(n);
          signal?.removeEventListener('abort', onAbort);
          if (message.k === 'done') resolve(message.value as ReturnType<Operations[Name]>);
          else if (message.k === 'failed') reject(fromWireError(message.error, ''));
        },
        ...(provider !== undefined && { provider }),
      });
      this.#life.post({ k: 'do', n, op, args });
    });
  }

  #onMessage(message: ToNode): void {
    switch (message.k) {
      case 'reply':
      case 'failed':
      case 'done':
        this.#pending.get(message.n)?.settle(message);
        return;
      case 'message':
        this.#serving.session(message.s)?.onMessage(message, message.cost);
        return;
      case 'request':
        void this.#serving.onRequest(message);
        return;
      case 'gone':
        this.#serving.gone(message.n);
        return;
      case 'session':
        void this.#serving.onSession(message);
        return;
      case 'opened':
        this.#opening.get(message.s)?.(null);
        return;
      case 'sent':
        this.#serving.session(message.s)?.onSent(message.bytes);
        return;
      case 'ended':
        this.#serving.session(message.s)?.onEnded();
        return;
      case 'over':
        this.#serving.session(message.s)?.onOver(message.error);
        this.#serving.forget(message.s);
        this.#opening.get(message.s)?.(message.error ?? wayErrors.reset('the peer ended it'));
        return;
      default:
        this.#onEvent(message);
    }
  }

  #onEvent(message: ToNode): void {
    switch (message.k) {
      case 'provider':
        this.#pending.get(message.n)?.provider?.(message.provider);
        return;
      case 'gossip':
        void this.#onGossip(message.n, message);
        return;
      case 'admit':
        void this.#admit(message.peer).then((admitted) =>
          this.#life.post({ k: 'admitted', n: message.n, admitted }),
        );
        return;
      case 'misbehaved':
        if (message.banned !== null) this.#bans.set(message.peer, message.banned);
        this.#tell(() => this.#options.onMisbehaviour?.(message.peer, message.kind));
        return;
      case 'peer':
        for (const listener of this.#peerListeners)
          this.#tell(() => listener(message.peer, message.connected));
        return;
      case 'fault':
        this.#options.log
          ?.child('swarm')
          .warn('something failed in the swarm thread', { why: message.message });
        return;
      case 'addresses':
        this.#addresses = message.addresses;
        return;
    }
  }

  /** What a listener throws is its own affair: the next message must not wait for it. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.log?.child('swarm').warn('a listener failed', { why: String(error) });
    }
  }

  #onReady(peer: string, addresses: readonly string[]): void {
    this.#peer = peer;
    this.#addresses = addresses;
    const again = (op: Promise<unknown>) =>
      op.catch((error: Error) =>
        this.#options.log?.child('swarm').warn('not taken up again', { why: error.message }),
      );
    for (const [topic, subscription] of this.#topics)
      void again(this.#do('subscribe', [topic, topicLimits(subscription)]));
    for (const key of this.#provided.values()) void again(this.#do('provide', [key]));
  }

  #onDeath(why: string): void {
    this.#counters.add('restarts');
    this.#options.log?.child('swarm').error('the swarm thread ended', { why, state: this.state });
    this.#lose(LOST);
  }

  #lose(error: WireError): void {
    this.#serving.died();
    for (const [n, pending] of [...this.#pending]) pending.settle({ k: 'failed', n, error });
    for (const opened of [...this.#opening.values()]) opened(error);
  }

  async #onGossip(n: number, message: GossipMessage): Promise<void> {
    let verdict: GossipVerdict = 'ignore';
    try {
      verdict = (await this.#topics.get(message.topic)?.validate(message)) ?? 'ignore';
    } catch (error) {
      this.#options.log
        ?.child('swarm')
        .warn('a gossip validator failed', { topic: message.topic, why: String(error) });
    }
    this.#life.post({ k: 'verdict', n, verdict });
  }

  // Trust

  async #admit(peer: string): Promise<boolean> {
    const { minTier = 'unknown' } = this.#options.gate ?? {};
    return minTier === 'unknown' || this.#trusts(peer, minTier);
  }

  async #trusts(peer: string, tier: Tier): Promise<boolean> {
    try {
      const has = (await this.#options.gate?.tierOf?.(peer)) ?? 'unknown';
      return TIERS.indexOf(has) >= TIERS.indexOf(tier);
    } catch (error) {
      this.#options.log?.child('swarm').warn('the tier of a peer is not known', { why: String(error) });
      return false;
    }
  }

  async #require(peer: string, asked: Tier | undefined): Promise<void> {
    const gate = this.#options.gate?.minTier ?? 'unknown';
    const tier = asked !== undefined && TIERS.indexOf(asked) > TIERS.indexOf(gate) ? asked : gate;
    if (tier === 'unknown' || (await this.#trusts(peer, tier))) return;
    throw new KithError(
      'swarm_denied',
      `The peer ${peer} is below the tier ${tier} that the request asks for.`,
      {
        status: 403,
        details: { peer, tier },
      },
    );
  }
}

function requestBytes(method: string, id: Uint8Array, metadata: CborMap): Uint8Array {
  if (!isMethodName(method))
    throw new InputError('swarm_method_invalid', `${JSON.stringify(method)} is no name of a method.`);
  if (id.length !== CALL_ID_BYTES)
    throw new InputError(
      'swarm_call_id_invalid',
      `The id of a call has ${CALL_ID_BYTES} bytes, not ${id.length}.`,
    );
  // Judged by itself first, so that the envelope's own bytes never decide.
  encodeMetadata(metadata);
  return encodeRequest(method, id, metadata);
}

function keyName(key: Uint8Array): string {
  if (key.length !== 32)
    throw new InputError(
      'swarm_key_invalid',
      `A key of the network has 32 bytes, not ${key.length}: give a SHA-256.`,
    );
  return Buffer.from(key).toString('hex');
}

/** The folder that the process keeps compiled code in, without the part that names the version of Node. */
function compileCache(): string | undefined {
  const folder = getCompileCacheDir();
  return folder === undefined ? undefined : dirname(folder);
}

function topicLimits({ maxBytes = 16_384, maxPerSecond = 50 }: Subscription) {
  return { maxBytes, maxPerSecond };
}

/**
 * Starts the swarm thread and a node in it.
 *
 * @example
 * await using swarm = await createSwarm({ seed: identity.networkSeed(), network: 'lan' });
 * swarm.handle('echo', { handler: ({ payload }) => ({ payload }) });
 *
 * @throws {KithError} `swarm_start_failed`: the port is taken, an address is none
 */
export async function createSwarm(
  options: SwarmOptions,
  streams: Partial<StreamLimits> = {},
): Promise<Swarm> {
  if (options.seed.length !== 32)
    throw new InputError(
      'swarm_seed_invalid',
      `The seed of a node has 32 bytes, not ${options.seed.length}.`,
    );
  const host = new SwarmHost(options, { ...STREAM_LIMITS, ...streams });
  await host.start();
  return host;
}
