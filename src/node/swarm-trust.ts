/**
 * What this node sees of its peers, as observations of the trust room.
 *
 * Breaking the rules of the wire is an observation of conduct: a whole one for what no program does that means well, a
 * quarter for what a slow or busy one may do. A peer that has something to lose and does the former three times within ten
 * minutes, by when the swarm has cut it, is struck (`hostile_conduct`), once a day at most.
 *
 * @module node/swarm-trust
 */
import { type Clock, isKithError, type Logger, messageOf } from '../base/index.ts';
import type { Misbehaviour } from '../swarm/index.ts';
import type { Trust } from '../trust/index.ts';

/** How much of an observation of conduct each is. */
export const CONDUCT: Readonly<Record<Misbehaviour | 'bad_answer', number>> = {
  garbage: 1,
  oversize: 1,
  protocol: 1,
  window: 1,
  stream_flood: 1,
  bad_answer: 1,
  rate: 0.5,
  gossip: 0.25,
  half_open: 0.25,
  slow_reader: 0.25,
};

const STRIKE_AFTER = 3;
const STRIKE_WITHIN_MS = 600_000;
const DAY_MS = 86_400_000;
const MAX_REMEMBERED = 4096;

export interface ConductParts {
  readonly trust: Pick<Trust, 'observe' | 'incident' | 'tier'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Notes what a peer did wrong. Never throws. */
export type NoteConduct = (peer: string, kind: keyof typeof CONDUCT) => void;

export function createConduct({ trust, clock, log }: ConductParts): NoteConduct {
  const grave = new Map<string, number[]>();

  /** True when this makes three within ten minutes. */
  function isTooMuch(peer: string): boolean {
    const now = clock.monotonic();
    const times = (grave.get(peer) ?? []).filter((at) => now - at < STRIKE_WITHIN_MS);
    grave.delete(peer);
    if (times.push(now) >= STRIKE_AFTER) return true;
    grave.set(peer, times);
    if (grave.size > MAX_REMEMBERED) grave.delete(grave.keys().next().value!);
    return false;
  }

  return (peer, kind) => {
    const weight = CONDUCT[kind];
    try {
      // Before it is lowered by what follows. Strangers are not struck: each would be kept for as long as its quarantine.
      const hasSomething = trust.tier(peer) !== 'unknown';
      trust.observe(peer, 'conduct', 0, weight);
      if (weight === 1 && isTooMuch(peer) && hasSomething)
        trust.incident(peer, 'hostile_conduct', `conduct ${Math.floor(clock.now() / DAY_MS)}`);
    } catch (error) {
      // A store that is full of peers in quarantine has no place for one more; it was cut all the same.
      if (!isKithError(error)) log.warn('what a peer did was not noted', { peer, err: messageOf(error) });
    }
  };
}
