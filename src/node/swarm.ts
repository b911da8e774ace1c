/**
 * The swarm of a node: switched off it costs nothing, since its rooms are not even loaded; switched on it starts in the
 * background, and when it cannot start the node goes on without and says so.
 *
 * @module node/swarm
 */
import {
  type Clock,
  type Config,
  isKithError,
  KithError,
  type Logger,
  messageOf,
  type Random,
} from '../base/index.ts';
import type { PeerServiceOptions, Receipts } from '../gateway/index.ts';
import type { Identity } from '../identity/index.ts';
import type { ModelStore } from '../models/index.ts';
import type { MessageNews, ShardDesk, SwarmDesk, SwarmSummary, SwarmView } from '../server/index.ts';
import type { Method, SpaceTerms } from '../swarm/index.ts';
import { shardDesk } from './shards/desk.ts';
import type { ShardParts } from './shards/types.ts';
import type { AskingSource } from './swarm-asking.ts';
import { receiptsView } from './swarm-receipts.ts';
import type { RunningSwarm } from './swarm-running.ts';

export interface NodeSwarmOptions {
  readonly config: Config;
  readonly identity: Identity;
  /** This machine's engine, which answers peers. */
  readonly engine: PeerServiceOptions['engine'];
  /** Of what this node and its peers did for each other. */
  readonly receipts: Receipts;
  /** What computes blocks. @default nothing: no sharded inference */
  readonly shards?: Pick<ShardParts, 'engine' | 'models' | 'found'>;
  /** Answers peers about knowledge bases. @default none are shared */
  readonly rag?: Method['handler'];
  /** Answers peers who keep something here. @default this node lends no space */
  readonly storage?: Method['handler'];
  /** On which terms it lends space now; null: not now. Within a second or two. */
  readonly space?: () => Promise<SpaceTerms | null>;
  /** Names of the models on this node. */
  readonly models: Pick<ModelStore, 'list'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface NodeSwarm extends AskingSource {
  readonly desk: SwarmDesk;
  /** Each topic over the swarm that runs, once it does. */
  readonly shards: ShardDesk;
  summary(): SwarmSummary;
  /** Starts it in the background, where it is switched on. Never throws. */
  start(): void;
  /** Says farewell and leaves. Safe to call twice, and while it starts. */
  close(): Promise<void>;
}

/** A start that failed is tried again after this long, ms: the port may be free by then. */
export const RETRY_MS = 30_000;

const OFF: Omit<SwarmSummary, 'peer'> = {
  state: 'off',
  message: null,
  reach: 'none',
  counters: null,
  records: 0,
  peers: 0,
  messages: 0,
  unread: 0,
};

export function createNodeSwarm(options: NodeSwarmOptions): NodeSwarm {
  const { config, identity, clock, log } = options;
  const { swarm: settings } = config;
  const none: SwarmSummary = { ...OFF, peer: identity.peerId };
  const listeners = new Set<(news: MessageNews) => void>();
  const ending = new AbortController();
  let running: RunningSwarm | null = null;
  let failure: string | null = null;
  /** Settles when a first start has gone well or failed; null before `start`. */
  let starting: Promise<void> | null = null;
  let living: Promise<void> = Promise.resolve();

  async function open(): Promise<void> {
    const { openRunningSwarm } = await import('./swarm-running.ts');
    const opened = await openRunningSwarm({
      ...options,
      onMessage: (news) => {
        for (const listener of listeners) listener(news);
      },
    });
    if (ending.signal.aborted) await opened[Symbol.asyncDispose]();
    else {
      running = opened;
      failure = null;
      log.info('the swarm runs', { peer: identity.peerId, addresses: opened.addresses.join(' ') });
    }
  }

  /** The first start, and others after it as long as they fail. */
  async function live(first: () => void): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await open();
        return first();
      } catch (error) {
        const said = isKithError(error) ? `${error.message}` : messageOf(error);
        if (failure === null) log.error('the swarm did not start', { err: said });
        failure = said;
        first();
        await clock.sleep(RETRY_MS, ending.signal).catch(() => {});
      }
    }
    first();
  }

  /** The swarm, once it runs. */
  async function need(): Promise<RunningSwarm> {
    if (!settings.enabled)
      throw new KithError(
        'swarm_off',
        'The swarm of this node is off. Switch it on with kith config set swarm.enabled true, and start the node again.',
        { status: 409 },
      );
    await starting;
    if (running !== null && running.problem() === null) return running;
    const why = running?.problem() ?? failure ?? 'the node has not started it, or is leaving';
    throw new KithError('swarm_down', `The swarm of this node does not run: ${why}`, {
      status: 503,
      retryAfter: RETRY_MS / 1000,
    });
  }

  function summary(): SwarmSummary {
    if (!settings.enabled || ending.signal.aborted) return none;
    if (running !== null) return running.summary();
    return { ...none, state: failure === null ? 'starting' : 'failed', message: failure };
  }

  async function view(): Promise<SwarmView> {
    const { relays, relayServe, regions, network } = settings;
    return {
      ...summary(),
      did: identity.did,
      addresses: [],
      network: { kind: network, key: null },
      relay: {
        uses: relays,
        serves: relayServe
          ? {
              reservations: settings.relayReservations,
              unlimited: settings.relayUnlimited,
              unlimitedTier: settings.relayUnlimitedTier,
              minTier: settings.relayMinTier,
            }
          : null,
      },
      regions,
      nat: null,
      links: [],
      ...(await running?.view()),
    };
  }

  const desk: SwarmDesk = {
    view,
    peers: async (limit) => (await need()).peers(limit),
    find: async (query, limit) => (await need()).find(query, limit),
    connect: async (target, signal, deadlineMs) => (await need()).connect(target, signal, deadlineMs),
    disconnect: async (peer) => (await need()).disconnect(peer),
    ping: async (peer, signal, deadlineMs) => (await need()).ping(peer, signal, deadlineMs),
    send: async (to, text, signal) => (await need()).send(to, text, signal),
    inbox: async (query) => (await need()).inbox(query),
    outbox: async (limit) => (await need()).outbox(limit),
    read: async (id) => (await need()).read(id),
    remove: async (id) => (await need()).remove(id),
    trust: async (peer) => (await need()).trust(peer),
    endorse: async (peer) => (await need()).endorse(peer),
    unendorse: async (peer) => (await need()).unendorse(peer),
    leases: async () => (await need()).leases(),
    async receipts(query) {
      await need();
      return receiptsView(options.receipts, query);
    },
    bans: async () => (await need()).bans(),
    ban: async (peer, until) => (await need()).ban(peer, until),
    unban: async (peer) => (await need()).unban(peer),
    hivemind: {
      view: async () => (await need()).hivemind.view(),
      find: async (query, signal) => (await need()).hivemind.find(query, signal),
      announce: async (signal) => (await need()).hivemind.announce(signal),
    },
    onMessage(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };

  /** @throws KithError `swarm_off`, `swarm_down` */
  async function needShards(): Promise<ShardDesk> {
    const { shards } = await need();
    if (shards !== null) return shards;
    throw new KithError('swarm_off', 'This node has no engine for blocks.', { status: 409 });
  }

  let closed: Promise<void> | null = null;
  return {
    desk,
    shards: shardDesk(needShards),
    summary,
    asking: async () => (await need()).asking,
    get askingNow() {
      return running?.asking ?? null;
    },
    start() {
      if (!settings.enabled || starting !== null || ending.signal.aborted) return;
      starting = new Promise((resolve) => {
        living = live(resolve);
      });
    },
    close() {
      closed ??= (async () => {
        ending.abort();
        await living;
        const leaving = running;
        // Its stores are closed from now on: who asks for its state is told that there is none.
        running = null;
        await leaving?.[Symbol.asyncDispose]();
      })();
      return closed;
    },
  };
}
