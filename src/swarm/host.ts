/**
 * The swarm as the node sees it. Everything of the network happens in a thread of its own; here its parts in the node thread
 * are put together: calls, handlers, links, topics, provided keys.
 *
 * @module swarm/host
 */
import {
  type CborMap,
  type Clock,
  compileCacheFolder,
  InputError,
  systemClock,
  systemRandom,
} from '../base/index.ts';
import { Counters } from './gate/counters.ts';
import { MAX_PEERS } from './gate/gate.ts';
import { Ledger } from './gate/ledger.ts';
import { LANE_METHOD } from './lane/agreement.ts';
import { LANE_MS, Lanes, type LanesOptions } from './lane/lanes.ts';
import type { WireError } from './rpc/errors.ts';
import { STREAM_LIMITS, type StreamLimits } from './rpc/framed-stream.ts';
import { Calling } from './thread/calling.ts';
import { deliver, type Receivers } from './thread/deliver.ts';
import { Exchanges } from './thread/exchanges.ts';
import { Foreign } from './thread/foreign.ts';
import { Life, STOP_GRACE_MS } from './thread/life.ts';
import { Links } from './thread/links.ts';
import type { Post, ThreadSettings } from './thread/messages.ts';
import { Providers } from './thread/providers.ts';
import { LOST, Serving } from './thread/serving.ts';
import { Topics } from './thread/topics.ts';
import { Trust } from './thread/trust.ts';
import {
  type Ban,
  type CallOptions,
  COUNTERS,
  type CounterName,
  type ForeignHandler,
  type ForeignOptions,
  type Method,
  type NatReport,
  type Payload,
  type PeerLink,
  type ProviderRecord,
  type Reply,
  type Session,
  type SessionMethod,
  type SessionOptions,
  type Subscription,
  type Swarm,
  type SwarmOptions,
} from './types.ts';

class SwarmHost implements Swarm {
  readonly #options: SwarmOptions;
  /** Of the swarm thread, and of lanes in this one. */
  readonly #counters = new Counters();
  readonly #own = new Counters();
  readonly #lanes: Lanes | null;
  #ledger = new Ledger(MAX_PEERS);
  readonly #life: Life;
  readonly #exchanges: Exchanges;
  readonly #serving: Serving;
  readonly #calling: Calling;
  readonly #links: Links;
  readonly #topics: Topics;
  readonly #providers: Providers;
  readonly #foreign: Foreign;
  #peer = '';
  #addresses: readonly string[] = [];

  constructor(options: SwarmOptions, streams: StreamLimits) {
    this.#options = options;
    const { gate = {}, clock = systemClock, log, onMisbehaviour } = options;
    const settings = () => {
      // What calls of the last life hold must not count in the next.
      this.#ledger = new Ledger(MAX_PEERS);
      return threadSettings(options, streams, this.#counters.buffer, this.#ledger.buffer);
    };
    this.#life = new Life(settings, options.limits?.heapMb ?? 512, clock, {
      message: (message) => deliver(message, receivers),
      born: (post) => {
        this.#links.born(post);
        this.#serving.born(post);
        this.#lanes?.born(this.#ledger);
      },
      ready: (peer, addresses) => this.#onReady(peer, addresses),
      died: (why) => this.#onDeath(why),
    });
    const { post } = this.#life;
    this.#exchanges = new Exchanges(post, () => this.#life.state);
    const trust = new Trust(gate, log);
    this.#serving = new Serving(post, trust, () => clock.monotonic());
    const now = () => clock.monotonic();
    this.#lanes = hasLanes(options) ? new Lanes(this.#laneOptions(post, trust, clock, streams)) : null;
    this.#calling = new Calling({
      post,
      exchanges: this.#exchanges,
      serving: this.#serving,
      trust,
      lanes: this.#lanes,
      now,
    });
    if (this.#lanes !== null) this.#serving.handle(LANE_METHOD, this.#laneMethod(this.#lanes));
    this.#links = new Links(this.#exchanges, { bans: gate.bans ?? [], clock, log, onMisbehaviour });
    this.#topics = new Topics(this.#exchanges, log);
    this.#providers = new Providers(this.#exchanges);
    this.#foreign = new Foreign(this.#exchanges, log);
    const receivers: Receivers = {
      exchanges: this.#exchanges,
      serving: this.#serving,
      calling: this.#calling,
      links: this.#links,
      lanes: this.#lanes,
      topics: this.#topics,
      foreign: this.#foreign,
      trust,
      post,
      addresses: (addresses) => {
        this.#addresses = addresses;
      },
      fault: (why) => log?.child('swarm').warn('something failed in the swarm thread', { why }),
    };
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
    const [thread, own] = [this.#counters.read(), this.#own.read()];
    const sum = Object.fromEntries(COUNTERS.map((name) => [name, thread[name] + own[name]]));
    return { ...(sum as Record<CounterName, number>), bytesInFlight: this.#ledger.held(0) };
  }

  call(
    peer: string,
    method: string,
    metadata: CborMap = {},
    payload?: Payload,
    options: CallOptions = {},
  ): Promise<Reply> {
    return this.#calling.call(peer, method, metadata, payload, options);
  }

  openSession(
    peer: string,
    method: string,
    metadata: CborMap = {},
    options: SessionOptions = {},
  ): Promise<Session> {
    if (peer !== this.#peer) return this.#calling.openSession(peer, method, metadata, options);
    options.signal?.throwIfAborted();
    return this.#serving.openOwn(peer, method, metadata);
  }

  handle(method: string, what: Method | SessionMethod): Disposable {
    return this.#serving.handle(method, what);
  }

  dial(target: string, options: Parameters<Links['dial']>[1] = {}): Promise<PeerLink> {
    return this.#links.dial(target, options).then((link) => this.#withLanes(link));
  }

  async learn(peer: string, addresses: readonly string[]): Promise<void> {
    await this.#exchanges.run('learn', [peer, addresses]);
  }

  async disconnect(peer: string): Promise<void> {
    await this.#exchanges.run('disconnect', [peer]);
  }

  async links(): Promise<readonly PeerLink[]> {
    return (await this.#exchanges.run('links', [])).map((link) => this.#withLanes(link));
  }

  #withLanes(link: PeerLink): PeerLink {
    return { ...link, lanes: this.#lanes?.count(link.peer) ?? 0 };
  }

  nat(): Promise<NatReport> {
    return this.#exchanges.run('nat', []);
  }

  ping(peer: string, options: Parameters<Links['ping']>[1] = {}): Promise<number> {
    return this.#links.ping(peer, options);
  }

  onPeer(listener: (peer: string, connected: boolean) => void): Disposable {
    return this.#links.onPeer(listener);
  }

  ban(peer: string, until: number | null): Promise<void> {
    this.#lanes?.cut(peer);
    return this.#links.ban(peer, until);
  }

  unban(peer: string): Promise<void> {
    return this.#links.unban(peer);
  }

  bans(): readonly Ban[] {
    return this.#links.bans();
  }

  subscribe(topic: string, subscription: Subscription): Promise<AsyncDisposable> {
    return this.#topics.subscribe(topic, subscription);
  }

  publish(topic: string, data: Uint8Array): Promise<number> {
    return this.#exchanges.run('publish', [topic, data]);
  }

  subscribers(topic: string): Promise<readonly string[]> {
    return this.#exchanges.run('subscribers', [topic]);
  }

  provide(key: Uint8Array, options: { readonly signal?: AbortSignal } = {}): Promise<AsyncDisposable> {
    return this.#providers.provide(key, options.signal);
  }

  findProviders(
    key: Uint8Array,
    options: Parameters<Providers['find']>[1] = {},
  ): AsyncGenerator<ProviderRecord> {
    return this.#providers.find(key, options);
  }

  askForeign(
    peer: string,
    protocol: string,
    request: Uint8Array,
    options: ForeignOptions = {},
  ): Promise<Uint8Array> {
    return this.#foreign.ask(peer, protocol, request, options);
  }

  handleForeign(protocol: string, handler: ForeignHandler): Promise<AsyncDisposable> {
    return this.#foreign.handle(protocol, handler);
  }

  addressesOf(peers: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#exchanges.run('addressesOf', [peers]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'running')
      await this.#exchanges.run('close', [], AbortSignal.timeout(STOP_GRACE_MS)).catch(() => {
        // What cannot end in time is ended with its thread.
      });
    this.#lanes?.close();
    await this.#life.stop();
    this.#lose({ code: 'swarm_lost', message: 'The swarm was closed.', status: 503 });
  }

  #laneOptions(post: Post, trust: Trust, clock: Clock, limits: StreamLimits): LanesOptions {
    const { gate = {}, lanePort = 0 } = this.#options;
    const serving = this.#serving;
    return {
      port: lanePort,
      settings: gate,
      limits,
      counters: this.#own,
      acceptor: {
        method: (name) => serving.rules(name),
        onCall: (call, answer) => serving.onCall(call, answer, false),
        onSession: serving.onLaneSession,
      },
      clock,
      random: systemRandom,
      link: (peer, asking, signal) => this.#exchanges.run('lane', [peer, asking], signal),
      unpin: (peer, pins) => post({ k: 'unpin', peer, pins }),
      agree: async (peer, metadata, signal) => {
        const options = { signal, deadlineMs: LANE_MS };
        return (await this.#calling.call(peer, LANE_METHOD, metadata, undefined, options)).metadata;
      },
      admits: (peer) => trust.admits(peer),
      misbehaved: (peer, kind) => post({ k: 'strike', peer, kind }),
    };
  }

  #laneMethod(lanes: Lanes): Method {
    const caps = { maxPayloadBytes: 0, maxMetadataBytes: 256, maxConcurrent: 8 };
    return { caps, handler: (call) => lanes.answer(call) };
  }

  #onReady(peer: string, addresses: readonly string[]): void {
    this.#peer = peer;
    this.#addresses = addresses;
    for (const again of [...this.#topics.again(), ...this.#providers.again(), ...this.#foreign.again()])
      again.catch((error: Error) =>
        this.#options.log?.child('swarm').warn('not taken up again', { why: error.message }),
      );
  }

  #onDeath(why: string): void {
    this.#counters.add('restarts');
    this.#options.log?.child('swarm').error('the swarm thread ended', { why, state: this.state });
    this.#lose(LOST);
  }

  #lose(error: WireError): void {
    this.#lanes?.died();
    this.#serving.died();
    this.#exchanges.lose(error);
    this.#calling.lose(error);
  }
}

/** What the thread is told at its start: of the options what is data. */
function threadSettings(
  options: SwarmOptions,
  streams: StreamLimits,
  counters: SharedArrayBuffer,
  ledger: SharedArrayBuffer,
): ThreadSettings {
  const { tierOf: _function, minTier: _tier, bans: _bans, ...gate } = options.gate ?? {};
  const { seed, listen, announce, bootstrap, psk, network, dht, relay, webrtc, mdns, upnp, limits } = options;
  const node = { listen, announce, bootstrap, psk, network, dht, relay, webrtc, mdns, upnp, limits };
  const given = Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined));
  return {
    node: { seed: new Uint8Array(seed), ...given },
    gate,
    streams,
    counters,
    ledger,
    compileCache: compileCacheFolder(),
  };
}

function hasLanes({ lanes = 'auto', psk }: SwarmOptions): boolean {
  return lanes === 'always' || (lanes === 'auto' && psk === undefined);
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
