/**
 * The swarm of a node while it runs: trust, network, registry and discovery, messages, opened in this order and
 * closed in the reverse. Loaded only where the swarm is switched on.
 *
 * @module node/swarm-running
 */
import { join } from 'node:path';
import { KithError, messageOf } from '../base/index.ts';
import { PEER_METHODS, type PeerService, servePeers } from '../gateway/index.ts';
import type { MessageNews, ShardDesk, SwarmDesk, SwarmSummary, SwarmView } from '../server/index.ts';
import {
  type Ban,
  createSwarm,
  openMessages,
  openRegistryStore,
  type PeerLink,
  Registry,
  readSpace,
  type Swarm,
  spaceWords,
  startDiscovery,
  type Views,
} from '../swarm/index.ts';
import { openTrust, type Trust } from '../trust/index.ts';
import { warnIfOpen } from './credentials.ts';
import { openNodeHivemind } from './hivemind.ts';
import { toldModels } from './hivemind-record.ts';
import { type NodeShards, openShards } from './shards/shards.ts';
import type { NodeSwarmOptions } from './swarm.ts';
import { type PeerAsking, peerAsking } from './swarm-asking.ts';
import { openBanFile } from './swarm-bans.ts';
import { connectTo } from './swarm-connecting.ts';
import { exchangeCredentials } from './swarm-credentials.ts';
import { CREDENTIAL_METHODS } from './swarm-credentials-wire.ts';
import { endorse, trustView, unendorse } from './swarm-endorsing.ts';
import { createFinder } from './swarm-finding.ts';
import { askNewcomers } from './swarm-newcomers.ts';
import { checkPorts, gateOptions, swarmOptions } from './swarm-options.ts';
import { peersView } from './swarm-peers.ts';
import { networkKeyText, networkName, readNetworkKey } from './swarm-psk.ts';
import { reachOf } from './swarm-reach.ts';
import { modelOffers, ownOffer, servingPolicy, withBlocks } from './swarm-serving.ts';
import { measuredEngine } from './swarm-speed.ts';
import { createConduct } from './swarm-trust.ts';
import { watchPeers } from './swarm-watching.ts';

export interface RunningOptions extends NodeSwarmOptions {
  readonly onMessage: (news: MessageNews) => void;
}

export interface RunningSwarm extends Omit<SwarmDesk, 'view' | 'onMessage' | 'receipts'>, AsyncDisposable {
  readonly addresses: readonly string[];
  /** For the backends over peers. */
  readonly asking: PeerAsking;
  /** Null: without an engine for blocks. */
  readonly shards: ShardDesk | null;
  /** What keeps it from working now, for people; null: nothing. */
  problem(): string | null;
  summary(): SwarmSummary;
  view(): Promise<Partial<SwarmView>>;
}

const PROTOCOLS = ['/kith/message/1.0.0', '/kith/registry/1.0.0', `/${CREDENTIAL_METHODS.credentials}`];
/** Others hear of new addresses and models within this time, ms. */
const OFFER_MS = 5_000;
const MAX_HANDED_OVER = 10_000;
/** Questions to shared knowledge bases (`knowledge/share/wire.ts`, which is not loaded for this). */
const RAG_METHOD = '/kith/rag/1';
/** What peers keep here (`vault/wire/messages.ts`). */
const VAULT_METHOD = '/kith/vault/1';
const VAULT_CAPS = { maxPayloadBytes: 4 << 20, maxMetadataBytes: 48 << 10, maxConcurrent: 8 } as const;
const RAG_CAPS = { maxPayloadBytes: 65_536, maxMetadataBytes: 64, maxConcurrent: 2 } as const;

export async function openRunningSwarm(options: RunningOptions): Promise<RunningSwarm> {
  await using stack = new AsyncDisposableStack();
  const { config, identity, clock, random, log } = options;
  const { home, swarm: settings } = config;
  const folder = join(home, 'swarm');
  const key = settings.pskFile === '' ? null : await readNetworkKey(settings.pskFile);
  if (key !== null)
    await warnIfOpen(
      settings.pskFile,
      'the key of the private network can be read by other users of this machine: chmod 600',
      (message, path) => log.warn(message, { path }),
    );
  const bans = await openBanFile(home, clock);
  await checkPorts(settings.listen);
  const trust = stack.use(openTrust({ home, clock, self: identity.peerId }));
  const standing = (peer: string) => trust.score(peer).score;
  const noteConduct = createConduct({ trust, clock, log });

  const seed = identity.networkSeed();
  const swarm = stack.use(
    await createSwarm({
      ...swarmOptions(config),
      seed,
      ...(key === null ? {} : { psk: new Uint8Array(Buffer.from(networkKeyText(key))) }),
      gate: {
        ...gateOptions(config),
        bans: [...bans.list(), ...handedOver(trust)],
        tierOf: (peer) => trust.tier(peer),
      },
      onMisbehaviour(peer, kind) {
        log.warn('a peer misbehaves', { peer, kind });
        noteConduct(peer, kind);
      },
      clock,
      log: log.child('host'),
    }),
  );
  seed.fill(0);

  const store = stack.use(
    openRegistryStore({
      path: join(folder, 'registry.sqlite'),
      onError: (error) => log.warn('the registry was not written', { err: String(error) }),
    }),
  );
  const registry = new Registry({ clock, random, self: identity.peerId, standing, store });
  const discovery = stack.use(
    await startDiscovery({
      network: swarm,
      registry,
      signer: identity,
      clock,
      random,
      standing,
      log: log.child('discovery'),
    }),
  );
  const offering = new AbortController();
  const policy = servingPolicy(config);
  const measured = measuredEngine(options.engine);
  let serving: PeerService | null = null;
  let shards: NodeShards | null = null;
  if (policy !== null)
    serving = stack.use(
      servePeers({
        swarm,
        engine: measured.engine,
        receipts: options.receipts,
        policy,
        tierOf: (peer) => trust.tier(peer),
        identity,
        clock,
        random,
        log: log.child('peers'),
      }),
    );
  if (options.rag !== undefined)
    stack.use(swarm.handle(RAG_METHOD, { caps: RAG_CAPS, handler: options.rag }));
  if (options.storage !== undefined)
    stack.use(swarm.handle(VAULT_METHOD, { caps: VAULT_CAPS, handler: options.storage }));
  /** Says anew what changed; what did not is said again in its own time. */
  const offer = async (): Promise<void> => {
    const space = (await options.space?.()) ?? null;
    const facts = {
      addresses: swarm.addresses,
      relayed: reachOf(swarm.addresses) === 'relay',
      protocols:
        policy === null
          ? PROTOCOLS
          : [...PROTOCOLS, ...Object.values(PEER_METHODS).map((method) => `/${method}`)],
      regions: settings.regions,
      serves: space === null ? [] : spaceWords(space),
    };
    const { engine, models } = options;
    const offers = await modelOffers(policy, engine, models, facts, measured.speedOf);
    discovery.offer([ownOffer(facts), ...withBlocks(offers, shards?.offers() ?? [], ownOffer(facts))]);
  };
  await offer();
  const keepOffering = (async () => {
    while (!offering.signal.aborted) {
      await clock.sleep(OFFER_MS, offering.signal).catch(() => {});
      if (!offering.signal.aborted)
        await offer().catch((error: unknown) =>
          log.warn('what is served was not told', { err: messageOf(error) }),
        );
    }
  })();
  stack.defer(async () => {
    offering.abort();
    await keepOffering;
  });

  stack.use(askNewcomers(swarm, registry, discovery, clock));
  const hivemind = stack.use(
    await openNodeHivemind({
      ...{ config, swarm, clock, random },
      models: () => toldModels(policy, options.engine, options.models, measured.speedOf),
      log: log.child('hivemind'),
    }),
  );
  stack.use(
    await exchangeCredentials({
      ...{ home, swarm, identity, trust, clock, random },
      refuse: (peer) => swarm.ban(peer, null),
      log: log.child('credentials'),
    }),
  );

  const { messages: from } = settings;
  const messages = stack.use(
    openMessages({
      network: swarm,
      signer: identity,
      clock,
      random,
      path: join(folder, 'messages.sqlite'),
      // Nobody reaches the highest tier then.
      tierOf: (peer) => (from === 'nobody' ? 'unknown' : trust.tier(peer)),
      minTier: from === 'nobody' ? 'trusted' : from,
      introduce: (peer) => discovery.introduce(peer),
      inbox: { messages: settings.inboxMessages },
      log: log.child('messages'),
    }),
  );
  messages.onMessage(({ id, from, receivedAt }) => options.onMessage({ id, from, receivedAt }));

  let nat: SwarmView['nat'] = null;
  /** Servers of STUN may be slow or away: what was learnt last is shown, and asked for again meanwhile. */
  const askNat = (): void => {
    if (swarm.state === 'running')
      swarm.nat().then(
        ({ mapping, address }) => {
          nat = { mapping, address };
        },
        () => {},
      );
  };
  askNat();

  const rtts = new Map<string, number>();
  /** Links with what was measured last, which the network does not remember for itself. */
  async function links(): Promise<readonly PeerLink[]> {
    const found = (await swarm.links()).map((link) => ({
      ...link,
      rttMs: link.rttMs ?? rtts.get(link.peer) ?? null,
    }));
    rtts.clear();
    for (const { peer, rttMs } of found)
      if (rttMs !== null) rtts.set(peer, Math.min(rttMs, rtts.get(peer) ?? rttMs));
    return found;
  }
  const views: Views = {
    standing(peer) {
      const { tier, score } = trust.score(peer);
      return {
        tier,
        score,
        pledge: trust.meets(peer, { pledge: true }, { latencyMs: null, region: null }).ok,
      };
    },
    latencyMs: (peer) => rtts.get(peer) ?? null,
  };
  const { watch } = stack.use(
    watchPeers({ ...options, swarm, registry, trust, policy, log: log.child('trust') }),
  );
  const endorsing = { home, identity, trust, clock, random };
  const search = createFinder({ registry, discovery, models: options.models, views, clock });

  if (options.shards !== undefined)
    shards = stack.use(
      await openShards({
        ...{ config, identity, swarm, registry, discovery, trust, views, clock, random },
        ...options.shards,
        announce: offer,
        log: log.child('shards'),
      }),
    );

  const owned = stack.move();
  const life: RunningSwarm = {
    get addresses() {
      return swarm.addresses;
    },
    asking: peerAsking({
      ...{ swarm, registry, discovery, trust, noteConduct, watch, clock, bans, readSpace },
      log: log.child('peers'),
    }),
    shards: shards?.desk ?? null,
    problem: () => problemOf(swarm),
    summary() {
      const peers = new Set([...registry.byPeer()].map(([peer]) => peer));
      peers.delete(identity.peerId);
      const { total, unread } = messages.counts();
      return {
        state: swarm.state === 'running' ? 'running' : swarm.state === 'restarting' ? 'restarting' : 'failed',
        message: problemOf(swarm),
        peer: identity.peerId,
        reach: reachOf(swarm.addresses),
        counters: { ...swarm.counters() },
        records: registry.size,
        peers: peers.size,
        messages: total,
        unread,
      };
    },
    async view() {
      askNat();
      return {
        nat,
        addresses: swarm.addresses,
        network: { kind: settings.network, key: key === null ? null : networkName(key) },
        links: swarm.state === 'running' ? await links() : [],
      };
    },
    async peers(limit) {
      const names = new Map(
        (await options.models.list()).map(({ manifest }) => [manifest.sha256, manifest.id]),
      );
      const banned = new Set(bans.list().map(({ peer }) => peer));
      return peersView(
        {
          registry,
          links: await links(),
          score: (peer) => trust.score(peer),
          banned,
          names,
          now: clock.now(),
        },
        limit,
      );
    },
    async find(query, limit) {
      // For the round trips that were measured.
      await links();
      return search(query, limit);
    },
    connect: (target, signal, deadlineMs) =>
      connectTo({ swarm, registry, discovery }, target, { signal, deadlineMs }),
    disconnect: (peer) => swarm.disconnect(peer),
    async ping(peer, signal, deadlineMs) {
      const rttMs = await swarm.ping(peer, { signal, deadlineMs });
      rtts.set(peer, rttMs);
      return rttMs;
    },
    send: (to, text, signal) => messages.send(to, text, { signal }),
    inbox: async (query) => messages.inbox(query),
    outbox: async (limit) => messages.outbox(limit),
    read: async (id) => messages.read(id),
    remove: async (id) => messages.remove(id),
    trust: async (peer) => trustView(trust, peer),
    endorse: (peer) => endorse(endorsing, peer),
    unendorse: async (peer) => unendorse(endorsing, peer),
    leases: async () => ({ leases: serving?.leases() ?? [], most: policy?.maxConcurrent ?? 0 }),
    bans: async () => bans.list(),
    async ban(peer, until) {
      if (peer === identity.peerId)
        throw new KithError('swarm_self', 'That is this node itself.', { status: 400, param: 'peer' });
      await bans.set(peer, until);
      await swarm.ban(peer, until);
      registry.forget(peer);
    },
    hivemind,
    async unban(peer) {
      const was = await bans.delete(peer);
      if (was) await swarm.unban(peer);
      return was;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return life;
}

/** Keys that nobody may use any more. */
function handedOver(trust: Trust): Ban[] {
  return trust.predecessors(MAX_HANDED_OVER).map((peer) => ({ peer, until: null }));
}

function problemOf(swarm: Swarm): string | null {
  if (swarm.state === 'running') return null;
  if (swarm.state === 'restarting') return 'its thread ended and is being started again';
  return swarm.state === 'broken'
    ? 'its thread died again and again; it is tried again in a minute'
    : 'it is being closed';
}
