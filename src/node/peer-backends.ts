/**
 * The backends of kind `peer`: other nodes of the swarm that answer with their own engine.
 *
 * @module node/peer-backends
 */
import { type Clock, type Config, InputError, isKithError, type Random } from '../base/index.ts';
import { createPeerBackend, type GatewayProvider, type PeerBackend, peerProvider } from '../gateway/index.ts';
import { peerIdOfDid } from '../identity/index.ts';
import { answerLimits, withoutUndefined } from './backend-limits.ts';
import type { PeerNetwork } from './swarm-asking.ts';
import { watchedPeer } from './swarm-trust-watch.ts';
import type { DescribedBackend } from './variables.ts';

export interface PeerBackendParts {
  readonly config: Config;
  readonly peers: PeerNetwork;
  readonly clock: Clock;
  readonly random: Random;
}

/** Throws InputError `config_invalid` for a name that is no node's, or this node's own. Asks nobody. */
export function openPeerBackend(
  { backend: entry, source }: DescribedBackend,
  { config, peers, clock, random }: PeerBackendParts,
): { readonly provider: GatewayProvider; readonly backend: PeerBackend } {
  const { name } = entry;
  const peer = peerIdOf(entry.peer!, `${source}.peer`);
  if (peer === peers.self)
    throw new InputError(
      'config_invalid',
      `${source}.peer is this node itself: write the other node's PeerId there.`,
      { param: `${source}.peer` },
    );
  const plain = createPeerBackend({
    ...{ name, peer, swarm: peers.swarm, clock, random },
    // The check of the configuration takes plain ids alone.
    ...(entry.models === undefined ? {} : { models: entry.models as readonly string[] }),
    ...(entry.defaults === undefined ? {} : { defaults: withoutUndefined(entry.defaults) }),
    ...(entry.modelsTtlMs === undefined ? {} : { modelsTtlMs: entry.modelsTtlMs }),
    reachMs: config.swarm.reachMs,
    onReceipt: peers.keep,
    onMisconduct: peers.misconduct,
  });
  const backend = watchedPeer(plain, peers.watch, clock);
  const limits = answerLimits(entry, config.gateway.timeoutMs, null, false);
  const facts = Object.entries(entry.facts ?? {}).map(
    ([id, known]) => [id, withoutUndefined(known)] as const,
  );
  const provider = peerProvider({
    backend,
    group: name,
    standing: () => peers.standing(peer),
    meets: (...asked) => peers.meets(peer, ...asked),
    ...(entry.aliases === undefined ? {} : { aliases: withoutUndefined(entry.aliases) }),
    ...(limits === null ? {} : { abilities: { limits } }),
    facts: Object.fromEntries(facts),
  });
  return { provider, backend };
}

/** The form is right already; the key that it names may yet be none. Throws InputError `config_invalid`. */
export function peerIdOf(text: string, place: string): string {
  if (!text.startsWith('did:')) return text;
  try {
    return peerIdOfDid(text);
  } catch (error) {
    if (!isKithError(error)) throw error;
    throw new InputError('config_invalid', `${place} names no node: ${error.message}`, {
      param: place,
      cause: error,
    });
  }
}
