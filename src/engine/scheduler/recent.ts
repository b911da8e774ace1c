/**
 * Decoding speed over the last minute, in sums per second of the clock.
 *
 * @module engine/scheduler/recent
 */
import type { Clock } from '../../base/index.ts';

const SECONDS = 60;

export interface RecentDecoding {
  /** After a pass in which sequences decoded: their tokens, and ms from the start of the pass to the last choice. */
  add(tokens: number, ms: number): void;
  /** Tokens per second spent on such passes; null when there was none in the last minute. */
  readonly tokensPerSecond: number | null;
}

export function createRecentDecoding(clock: Pick<Clock, 'monotonic'>): RecentDecoding {
  const second = new Float64Array(SECONDS).fill(-1);
  const tokens = new Float64Array(SECONDS);
  const spent = new Float64Array(SECONDS);
  const now = () => Math.floor(clock.monotonic() / 1000);
  return {
    add(count, ms) {
      const at = now();
      const slot = at % SECONDS;
      if (second[slot] !== at) {
        second[slot] = at;
        tokens[slot] = 0;
        spent[slot] = 0;
      }
      tokens[slot]! += count;
      spent[slot]! += ms;
    },
    get tokensPerSecond() {
      const oldest = now() - SECONDS;
      let count = 0;
      let ms = 0;
      for (let slot = 0; slot < SECONDS; slot++) {
        if (second[slot]! <= oldest) continue;
        count += tokens[slot]!;
        ms += spent[slot]!;
      }
      return ms > 0 ? (count * 1000) / ms : null;
    },
  };
}
