/**
 * The leases that this node holds at one peer: one for each request under way, kept for the next one until they end.
 *
 * @module gateway/backends/peer/lease-pool
 */
import type { Clock } from '../../../base/index.ts';
import type { Swarm } from '../../../swarm/index.ts';
import type { Tier } from '../../../trust/index.ts';
import {
  decodeLease,
  encodeLeaseAsk,
  type LeaseAnswer,
  PEER_METHODS,
  type PeerTask,
} from '../../peers/index.ts';
import { type PeerName, peerError, wayFailure } from './errors.ts';

export interface HeldLease {
  readonly id: Uint8Array;
  readonly model: string;
  readonly task: PeerTask;
  /** Monotonic ms. */
  readonly expires: number;
}

/** How far what is done on behalf of a request may go. */
export interface Asking {
  readonly signal: AbortSignal;
  readonly minTier?: Tier | undefined;
}

/** Whom nothing is sent to, and how long one who may be asked has to say something. */
export interface Reach {
  /** ms, dialling included. */
  readonly reachMs: number;
  readonly minTier: Tier | null;
}

export interface LeasePool {
  /** A lease to ask under: one that is kept, else a new one. Throws `peer_busy`, `peer_denied`, failures of the way. */
  take(model: string, task: PeerTask, asking: Asking): Promise<HeldLease>;
  /** Keeps it for the next request. */
  keep(lease: HeldLease): void;
  /** ms that the peer said to wait, as far as they are not over; 0 when it did not. */
  busyMs(): number;
  /** Gives all of them back. A peer that does not take them is not waited for. */
  close(): Promise<void>;
}

/** ms of a lease that is asked for; the peer may grant less. */
const askMs = 600_000;
/** A lease that ends before the request arrives is of no use. */
const spareMs = 1000;
const releaseMs = 2000;

export function createLeasePool(
  swarm: Pick<Swarm, 'call'>,
  who: PeerName,
  clock: Pick<Clock, 'monotonic'>,
  { reachMs, minTier: least }: Reach,
): LeasePool {
  const idle: HeldLease[] = [];
  let busyUntil = 0;

  async function ask(model: string, task: PeerTask, { signal, minTier }: Asking): Promise<LeaseAnswer> {
    try {
      const metadata = encodeLeaseAsk({ kind: 'want', model, task, ms: askMs });
      const options = {
        signal,
        deadlineMs: reachMs,
        maxReplyBytes: 0,
        ...(minTier === undefined ? {} : { minTier }),
      };
      return decodeLease(
        (await swarm.call(who.peer, PEER_METHODS.lease, metadata, undefined, options)).metadata,
      );
    } catch (error) {
      throw wayFailure(error, who, signal);
    }
  }

  /** One that is not given back ends by itself. */
  async function release({ id }: HeldLease): Promise<void> {
    const metadata = encodeLeaseAsk({ kind: 'release', lease: id });
    const options = {
      deadlineMs: releaseMs,
      maxReplyBytes: 0,
      ...(least === null ? {} : { minTier: least }),
    };
    await swarm.call(who.peer, PEER_METHODS.lease, metadata, undefined, options).catch(() => {});
  }

  return {
    async take(model, task, asking) {
      const now = clock.monotonic();
      const live = idle.filter(({ expires }) => expires > now + spareMs);
      const found = live.find((lease) => lease.model === model && lease.task === task);
      idle.splice(0, idle.length, ...live.filter((lease) => lease !== found));
      if (found !== undefined) return found;
      let answer = await ask(model, task, asking);
      if (answer.state === 'busy' && idle.length > 0) {
        // What is held for other models may be what is in the way.
        await Promise.all(idle.splice(0).map(release));
        answer = await ask(model, task, asking);
      }
      switch (answer.state) {
        case 'granted':
          busyUntil = 0;
          return { id: answer.lease, model, task, expires: now + answer.ms };
        case 'busy':
          busyUntil = clock.monotonic() + answer.ms;
          throw peerError('rate_limited', 'peer_busy', who, `is busy for ${Math.ceil(answer.ms / 1000)} s.`, {
            retryAfterMs: answer.ms,
          });
        case 'denied':
          throw peerError(
            'auth',
            'peer_denied',
            who,
            `grants no lease: ${answer.message} (${answer.reason})`,
            {
              logged: `The peer '${who.name}' grants no lease (${answer.reason}).`,
              details: { said: answer.reason },
            },
          );
        case 'released':
          throw peerError('bad_response', 'peer_bad_answer', who, 'gave a lease back that it was asked for.');
      }
    },
    keep(lease) {
      idle.push(lease);
    },
    busyMs: () => Math.max(0, busyUntil - clock.monotonic()),
    async close() {
      await Promise.all(idle.splice(0).map(release));
    },
  };
}
