/**
 * Asks peers to serve blocks that nobody serves, one after the other, until one does.
 *
 * @module shards/need/ask
 */
import { type Logger, messageOf } from '../../base/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import { decodeServed, encodeNeed, NEED_METHOD, type Need } from './wire.ts';

/** A peer that may be asked. */
export interface NeedCandidate {
  readonly peer: string;
  /** Multiaddrs; may be empty when a link stands. */
  readonly addresses: readonly string[];
}

export interface NeedAskOptions {
  readonly swarm: Pick<Swarm, 'call' | 'learn'>;
  /** Best first. */
  readonly candidates: readonly NeedCandidate[];
  /** Ms for one peer, loading included. @default 30000 */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly log: Logger;
}

/** Who serves exactly the blocks that are needed now; null when none of them does. */
export async function askForBlocks(need: Need, options: NeedAskOptions): Promise<ShardOffer | null> {
  const { swarm, candidates, deadlineMs = 30_000, signal, log } = options;
  for (const { peer, addresses } of candidates) {
    signal?.throwIfAborted();
    try {
      if (addresses.length > 0) await swarm.learn(peer, addresses);
      const { metadata } = await swarm.call(peer, NEED_METHOD, encodeNeed(need), undefined, {
        deadlineMs,
        maxReplyBytes: 0,
        ...(signal === undefined ? {} : { signal }),
      });
      decodeServed(metadata, need);
      return { peer, addresses, from: need.from, to: need.to };
    } catch (error) {
      signal?.throwIfAborted();
      log.debug('a peer does not serve blocks that are needed', { peer, err: messageOf(error) });
    }
  }
  return null;
}
