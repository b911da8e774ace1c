/**
 * Capacity leases: a peer that holds one may ask one thing at a time until it ends. Those that nobody uses make room for
 * others.
 *
 * @module gateway/peers/leases
 */
import type { Random } from '../../base/index.ts';
import type { SettledPolicy } from './policy.ts';
import { ID_BYTES, type PeerTask } from './protocol.ts';

export interface Lease {
  readonly id: string;
  readonly peer: string;
  readonly model: string;
  readonly task: PeerTask;
  /** Monotonic ms. */
  expires: number;
  usedAt: number;
  running: boolean;
}

export type LeaseOutcome =
  | { readonly state: 'granted'; readonly lease: Lease; readonly ms: number }
  | { readonly state: 'busy'; readonly ms: number };

export interface Leases {
  /** A new lease, while there is room or one that nobody uses. */
  ask(peer: string, model: string, task: PeerTask, ms: number, policy: SettledPolicy): LeaseOutcome;
  /** Begins a use; null when it is not the peer's, not for that, over, or in use. */
  take(id: string, peer: string, task: PeerTask): Lease | null;
  /** The use is over. */
  giveBack(lease: Lease): void;
  /** The peer wants it no longer. Those of others are left alone. */
  release(id: string, peer: string): void;
  /** It holds no longer; a use under way is not touched. */
  end(lease: Lease): void;
  /** Those that hold now. */
  all(): readonly Lease[];
  /** ms that a new peer would wait; 0 when there is room. */
  wait(policy: SettledPolicy): number;
}

/** ms after which a lease that is not used goes to another peer that asks. */
export const IDLE_MS = 15_000;
/** ms after which a peer's own lease makes room for its next one. */
export const OWN_IDLE_MS = 2000;
/** What a peer is told to wait for a lease in use: how long an answer takes nobody knows. */
const usualMs = 5000;
const maxWaitMs = 60_000;

export function createLeases(now: () => number, random: Pick<Random, 'bytes'>): Leases {
  const leases = new Map<string, Lease>();

  function purge(): void {
    const at = now();
    for (const lease of leases.values()) if (!lease.running && lease.expires <= at) leases.delete(lease.id);
  }

  const freeIn = ({ running, expires, usedAt }: Lease, idleMs: number): number =>
    running ? usualMs : Math.max(1, Math.min(expires, usedAt + idleMs) - now());
  /** ms until one of them makes room, when those that are idle for `idleMs` do. */
  const soonest = (some: readonly Lease[], idleMs: number): number =>
    Math.ceil(Math.min(maxWaitMs, ...some.map((lease) => freeIn(lease, idleMs))));

  /** Takes an idle lease from whoever does not use it. */
  function reclaim(some: readonly Lease[]): boolean {
    const idle = some
      .filter(({ running, usedAt }) => !running && usedAt + IDLE_MS <= now())
      .sort((a, b) => a.usedAt - b.usedAt)[0];
    return idle !== undefined && leases.delete(idle.id);
  }

  return {
    ask(peer, model, task, ms, policy) {
      purge();
      const at = now();
      const granted = Math.max(1, Math.min(ms, policy.leaseMs));
      const own = [...leases.values()].filter((lease) => lease.peer === peer);
      // One whose grant was lost on its way, or that it forgot: it would keep the peer from its own room.
      const forgotten = own.find((lease) => !lease.running && lease.usedAt + OWN_IDLE_MS <= at);
      if (own.length >= policy.maxPerPeer && (forgotten === undefined || !leases.delete(forgotten.id)))
        return { state: 'busy', ms: soonest(own, OWN_IDLE_MS) };
      if (leases.size >= policy.maxConcurrent && !reclaim([...leases.values()]))
        return { state: 'busy', ms: soonest([...leases.values()], IDLE_MS) };
      const lease: Lease = {
        id: Buffer.from(random.bytes(ID_BYTES)).toString('hex'),
        ...{ peer, model, task, expires: at + granted, usedAt: at, running: false },
      };
      leases.set(lease.id, lease);
      return { state: 'granted', lease, ms: granted };
    },
    take(id, peer, task) {
      purge();
      const lease = leases.get(id);
      if (lease === undefined || lease.peer !== peer || lease.task !== task || lease.running) return null;
      lease.running = true;
      return lease;
    },
    giveBack(lease) {
      lease.running = false;
      lease.usedAt = now();
      purge();
    },
    release(id, peer) {
      const lease = leases.get(id);
      if (lease !== undefined && lease.peer === peer && !lease.running) leases.delete(id);
    },
    end(lease) {
      lease.expires = Number.NEGATIVE_INFINITY;
      purge();
    },
    all() {
      purge();
      return [...leases.values()];
    },
    wait(policy) {
      purge();
      const held = [...leases.values()];
      const free = held.filter((lease) => !lease.running && lease.usedAt + IDLE_MS <= now()).length;
      return held.length - free < policy.maxConcurrent ? 0 : soonest(held, IDLE_MS);
    },
  };
}
