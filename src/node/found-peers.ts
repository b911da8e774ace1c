/**
 * Peers that become backends by themselves: those that announce answers, that the owner lets be asked, and that say that
 * they serve this node. They come and go with their announcements, their tier and bans.
 *
 * @module node/found-peers
 */
import {
  type Clock,
  type Config,
  type Logger,
  messageOf,
  type Random,
  reaches,
  TIERS,
} from '../base/index.ts';
import {
  createPeerBackend,
  type Gateway,
  type GatewayProvider,
  type PeerBackend,
  peerProvider,
} from '../gateway/index.ts';
import { answerLimits } from './backend-limits.ts';
import { peerIdOf } from './peer-backends.ts';
import type { PeerNetwork } from './swarm-asking.ts';
import { watchedPeer } from './swarm-trust-watch.ts';

export interface FoundPeersOptions {
  readonly config: Config;
  readonly gateway: Pick<Gateway, 'setFound' | 'backends'>;
  readonly peers: PeerNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** ms between two looks at who announces what. */
const LOOK_MS = 1_000;
/** ms in which those that are near have announced themselves to a swarm that has just started. */
const SETTLE_MS = 5_000;
/** ms for which it is believed what a peer says that it serves, and after which one that said nothing is asked again. */
const SAID_MS = 60_000;
/** Asks under way at once. */
const MAX_ASKS = 4;
/** Peers whose refusal is remembered. */
const MAX_REMEMBERED = 4096;

interface FoundPeer {
  readonly backend: PeerBackend;
  readonly provider: GatewayProvider;
  /** Ids, as the gateway was told of them. */
  models: string;
}

export function usePeers(options: FoundPeersOptions): AsyncDisposable {
  const { config, gateway, peers, clock, log } = options;
  const { use, usePeers: most, friends } = config.swarm;
  const least = use === 'nobody' || use === 'friends' ? null : use;
  // Those that stand in the configuration are not found a second time.
  const configured = new Set(
    config.backends.flatMap(({ peer }) => (peer === undefined ? [] : [peerIdOf(peer, 'backends.peer')])),
  );
  const ending = new AbortController();
  const found = new Map<string, FoundPeer>();
  /** When peers may be asked again what they serve, monotonic ms. */
  const askedUntil = new Map<string, number>();
  /** Of backends that are asked or found. */
  const names = new Set<string>();
  let asking = 0;

  const isAllowed = (peer: string): boolean =>
    use === 'friends' ? friends.includes(peer) : least !== null && reaches(peers.standing(peer).tier, least);

  /** Best first: by tier, then by how near they are. */
  function wanted(): readonly string[] {
    const rows = peers
      .serving()
      .filter((peer) => peer !== peers.self && !configured.has(peer) && isAllowed(peer))
      .map((peer) => ({
        peer,
        tier: TIERS.indexOf(peers.standing(peer).tier),
        ms: found.get(peer)?.backend.latencyMs() ?? Number.MAX_VALUE,
      }));
    rows.sort((a, b) => b.tier - a.tier || a.ms - b.ms || (a.peer < b.peer ? -1 : 1));
    // Those that said that they serve this node nothing take no place.
    const open = rows.filter(
      ({ peer }) => found.has(peer) || (askedUntil.get(peer) ?? 0) <= clock.monotonic(),
    );
    return open.slice(0, most).map(({ peer }) => peer);
  }

  function look(): void {
    const now = wanted();
    for (const peer of found.keys()) {
      if (now.includes(peer)) continue;
      leave(peer, 'it announces no answers any more, or may not be asked any more');
      // Should it come back, it is asked at once.
      askedUntil.delete(peer);
    }
    for (const peer of now) {
      if (asking >= MAX_ASKS) break;
      if ((askedUntil.get(peer) ?? 0) > clock.monotonic()) continue;
      if (askedUntil.size >= MAX_REMEMBERED) askedUntil.delete(askedUntil.keys().next().value!);
      askedUntil.set(peer, clock.monotonic() + SAID_MS);
      asking++;
      ask(peer)
        .catch((error: unknown) =>
          log.warn('a peer could not be made a backend', { peer, err: messageOf(error) }),
        )
        .finally(() => asking--);
    }
  }

  /** What the peer serves to this node; who serves it nothing is no backend. */
  async function ask(peer: string): Promise<void> {
    const known = found.get(peer);
    const backend = known?.backend ?? backendOf(peer);
    const said = await backend
      .models()
      .then(
        (rows) => (rows.length === 0 ? 'it serves this node no model' : rows.map(({ id }) => id)),
        messageOf,
      );
    const stays = !ending.signal.aborted && isAllowed(peer) && peers.serving().includes(peer);
    if (typeof said === 'string' || !stays) {
      if (known === undefined) await letGo(backend);
      else leave(peer, typeof said === 'string' ? said : 'it went');
      return;
    }
    const models = said.join(' ');
    if (known?.models === models) return;
    if (known === undefined) {
      found.set(peer, { backend, provider: providerOf(backend), models });
      log.info('a peer became a backend', { backend: backend.name, peer, models });
    } else known.models = models;
    tell();
  }

  function leave(peer: string, why: string): void {
    const left = found.get(peer);
    if (left === undefined) return;
    found.delete(peer);
    log.info('a peer is no backend any more', { backend: left.backend.name, peer, why });
    tell();
    // It gives back what leases there are; requests under way end by themselves.
    letGo(left.backend).then(undefined, () => {});
  }

  async function letGo(backend: PeerBackend): Promise<void> {
    names.delete(backend.name);
    await backend[Symbol.asyncDispose]();
  }

  function tell(): void {
    if (!ending.signal.aborted) gateway.setFound([...found.values()].map(({ provider }) => provider));
  }

  function backendOf(peer: string): PeerBackend {
    const isTaken = (name: string) => names.has(name) || gateway.backends().some((one) => one.name === name);
    // The ends of PeerIds differ; one made to look like another's is called by all of it.
    const short = `peer-${peer.slice(-8)}`;
    const name = isTaken(short) ? `peer-${peer}` : short;
    names.add(name);
    const backend = createPeerBackend({
      name,
      peer,
      swarm: peers.swarm,
      modelsTtlMs: SAID_MS / 2,
      reachMs: config.swarm.reachMs,
      minTier: least,
      clock,
      random: options.random,
      onReceipt: peers.keep,
      onMisconduct: peers.misconduct,
    });
    return watchedPeer(backend, peers.watch, clock);
  }

  function providerOf(backend: PeerBackend): GatewayProvider {
    const limits = answerLimits({ name: backend.name, kind: 'peer' }, config.gateway.timeoutMs, null, false);
    return peerProvider({
      backend,
      standing: () => peers.standing(backend.peer),
      meets: (...asked) => peers.meets(backend.peer, ...asked),
      minTier: least,
      ...(limits === null ? {} : { abilities: { limits } }),
    });
  }

  let runsSince: number | null = null;
  /** Who asks in the first moments is told to ask again, not that there is nothing. */
  function tellLooking(): void {
    runsSince ??= peers.swarm.state === 'running' ? clock.monotonic() : null;
    const settled = runsSince !== null && clock.monotonic() - runsSince >= SETTLE_MS && asking === 0;
    peers.looking = settled ? null : 'peers that may have it are being looked for (swarm.use)';
  }

  tellLooking();
  const looking = (async () => {
    while (!ending.signal.aborted) {
      await clock.sleep(LOOK_MS, ending.signal).catch(() => {});
      if (ending.signal.aborted) break;
      look();
      if (peers.looking !== null) tellLooking();
    }
  })();

  return {
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the node is leaving'));
      await looking;
      await Promise.all([...found.values()].map(({ backend }) => backend[Symbol.asyncDispose]()));
    },
  };
}
