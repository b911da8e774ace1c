/**
 * What happened on a circuit, and what went through it.
 *
 * @module shards/circuits/figures
 */
import type { Carry } from '../../engine/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import type { PathEvent } from '../path/types.ts';
import type { CircuitFigures, CircuitsOptions } from './types.ts';

/** Losses and joins that are remembered. */
const MOST_REMEMBERED = 100;

/** What happens on a circuit, told and counted. */
export class Told {
  readonly #clock: CircuitsOptions['clock'];
  #steps = 0;
  #rows = 0;
  #ms = 0;
  #bytes = 0;
  #pausedMs = 0;
  #lost: CircuitFigures['lost'] = [];
  #joined: CircuitFigures['joined'] = [];

  constructor(clock: CircuitsOptions['clock']) {
    this.#clock = clock;
  }

  over(carry: Carry): Carry {
    return async (parts, hidden, signal) => {
      const from = this.#clock.monotonic();
      const bytes = hidden.byteLength;
      const back = await carry(parts, hidden, signal);
      this.#steps++;
      this.#rows += parts.reduce((sum, { count }) => sum + count, 0);
      this.#bytes += bytes + back.byteLength;
      this.#ms += this.#clock.monotonic() - from;
      return back;
    };
  }

  /** @param shards who computes now */
  note(event: PathEvent, shards: readonly ShardOffer[]): void {
    const at = this.#clock.now();
    if (event.type === 'lost') {
      const { peer, span, reason } = event;
      this.#lost = [...this.#lost, { peer, span, reason, at }].slice(-MOST_REMEMBERED);
    } else if (event.type === 'joined') {
      const { peer, span } = event;
      this.#joined = [...this.#joined, { peer, span, at }].slice(-MOST_REMEMBERED);
    } else if (event.type === 'recovered') this.#pausedMs += event.ms;
    else if (event.type === 'moved') {
      const { from, to, cells } = event;
      const place = shards.find(({ peer }) => peer === to);
      if (place === undefined) return;
      const span = { from: place.from, to: place.to };
      const kept = cells === null ? 'what it had was computed again' : 'with the KV rows that it had';
      this.#lost = [...this.#lost, { peer: from, span, reason: `it left in order, ${kept}`, at }].slice(
        -MOST_REMEMBERED,
      );
      // Who took the place joined before.
      this.#pausedMs += event.ms;
    }
  }

  figures(): CircuitFigures {
    return {
      steps: this.#steps,
      rows: this.#rows,
      ms: this.#ms,
      bytes: this.#bytes,
      pausedMs: this.#pausedMs,
      lost: this.#lost,
      joined: this.#joined,
    };
  }
}

/** Lists only grow at their end, but for the oldest of very many. */
export function differenceOf(now: CircuitFigures, before: CircuitFigures): CircuitFigures {
  const twice = now.twice && {
    compared: now.twice.compared - (before.twice?.compared ?? 0),
    alone: now.twice.alone - (before.twice?.alone ?? 0),
    unsettled: now.twice.unsettled - (before.twice?.unsettled ?? 0),
  };
  return {
    ...(twice !== undefined && { twice }),
    steps: now.steps - before.steps,
    rows: now.rows - before.rows,
    ms: now.ms - before.ms,
    bytes: now.bytes - before.bytes,
    pausedMs: now.pausedMs - before.pausedMs,
    lost: now.lost.filter((one) => !before.lost.includes(one)),
    joined: now.joined.filter((one) => !before.joined.includes(one)),
  };
}
