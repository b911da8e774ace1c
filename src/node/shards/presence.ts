/**
 * Which peers that serve blocks are gone, long before their announcements expire: who is killed says no farewell, but his
 * connection breaks.
 *
 * A peer whose last link broke is asked whether it lives, by a new connection. One try may fail for many reasons, so that it
 * counts as gone after several in a row only, and is asked again as long as its announcement holds. It is back at once when
 * a link to it stands, when it answers, or when it announces something new.
 *
 * @module node/shards/presence
 */
import { type Clock, isKithError, type Random } from '../../base/index.ts';
import type { Registry, Swarm } from '../../swarm/index.ts';

export interface PresenceParts {
  readonly swarm: Pick<Swarm, 'onPeer' | 'ping' | 'learn' | 'peer'>;
  readonly registry: Pick<Registry, 'of'>;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Presence extends AsyncDisposable {
  /** Since when the peer cannot be reached, ms since 1970; null: nothing speaks against it. */
  goneSince(peer: string): number | null;
  /** Others asked it: whether it answered. */
  note(peer: string, answered: boolean): void;
}

/** Tries in a row without an answer after which a peer counts as gone. */
const TRIES = 3;
const TRY_MS = 3_000;
/** ms between two of them, and between those after it counts as gone; each with up to as much again. */
const SOON_MS = 250;
const LATER_MS = 15_000;
/** Peers that are asked at once, and that are watched. */
const MOST_ASKED = 8;
const MOST_WATCHED = 256;

interface Doubt {
  readonly ending: AbortController;
  readonly begun: number;
  failures: number;
  /** Of its newest announcement when it failed last. */
  seq: number;
}

export function watchPresence({ swarm, registry, clock, random }: PresenceParts): Presence {
  const doubts = new Map<string, Doubt>();
  const lives = new Set<Promise<void>>();
  let asking = 0;

  /** Null: it announces no blocks, or not any more. */
  function announced(peer: string): { readonly seq: number; readonly addresses: readonly string[] } | null {
    const now = clock.now();
    const live = registry.of(peer).filter(({ exp, serves }) => exp > now && serves.includes('blocks'));
    if (live.length === 0) return null;
    const newest = live.reduce((one, other) => (other.seq > one.seq ? other : one));
    return { seq: newest.seq, addresses: newest.addrs };
  }

  function clear(peer: string): void {
    doubts.get(peer)?.ending.abort();
    doubts.delete(peer);
  }

  async function watch(peer: string, doubt: Doubt): Promise<void> {
    const { signal } = doubt.ending;
    while (!signal.aborted) {
      const base = doubt.failures < TRIES ? SOON_MS : LATER_MS;
      await clock.sleep(base * (1 + random.float()), signal);
      const said = announced(peer);
      if (said === null) return clear(peer);
      if (asking >= MOST_ASKED) continue;
      asking++;
      try {
        if (said.addresses.length > 0) await swarm.learn(peer, said.addresses);
        await swarm.ping(peer, { signal, deadlineMs: TRY_MS });
        return clear(peer);
      } catch (error) {
        if (!isKithError(error)) throw error;
        doubt.failures++;
        doubt.seq = said.seq;
      } finally {
        asking--;
      }
    }
  }

  function doubt(peer: string): Doubt | null {
    const there = doubts.get(peer);
    if (there !== undefined) return there;
    const said = announced(peer);
    if (said === null || peer === swarm.peer || doubts.size >= MOST_WATCHED) return null;
    const begun: Doubt = { ending: new AbortController(), begun: clock.now(), failures: 0, seq: said.seq };
    doubts.set(peer, begun);
    const life = watch(peer, begun)
      .catch(() => {})
      .finally(() => {
        lives.delete(life);
        if (doubts.get(peer) === begun) doubts.delete(peer);
      });
    lives.add(life);
    return begun;
  }

  const listening = swarm.onPeer((peer, connected) => {
    if (connected) clear(peer);
    else doubt(peer);
  });

  return {
    goneSince(peer) {
      const one = doubts.get(peer);
      if (one === undefined || one.failures < TRIES) return null;
      // What is newer than the last try was said by a peer that lives.
      return (announced(peer)?.seq ?? one.seq) > one.seq ? null : one.begun;
    },
    note(peer, answered) {
      if (answered) clear(peer);
      else doubt(peer);
    },
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      for (const { ending } of doubts.values()) ending.abort();
      await Promise.all(lives);
    },
  };
}

/** For people; null: it is there. */
export function absenceOf(presence: Pick<Presence, 'goneSince'>, peer: string, now: number): string | null {
  const since = presence.goneSince(peer);
  if (since === null) return null;
  const seconds = Math.max(1, Math.round((now - since) / 1000));
  return `Its connection broke ${seconds} s ago, and it does not answer since.`;
}
