/**
 * Measured speed, and what follows from it: how many prompt rows may join a pass in which others decode, tokens per
 * second, and when a client that was turned away may come back.
 *
 * @module engine/scheduler/pace
 */
export interface PaceOptions {
  readonly prefillChunk: number;
  /** ms that prompt rows may add to a pass with decodes. */
  readonly addedMs: number;
}

export interface Pace {
  /** Prompt rows for the next pass. */
  chunk(decoding: boolean): number;
  /** After a pass: rows of each kind, tokens that came out of it, ms it took. */
  pass(decodeRows: number, prefillRows: number, sampled: number, ms: number): void;
  /** After a job: ms from admission to its end. */
  job(ms: number): void;
  readonly tokensPerSecond: number;
  /** Seconds until about half of `waiting` jobs have had their turn; 1 .. 600. */
  retryAfter(waiting: number, maxActive: number): number;
}

/** Fewer rows than this per pass make a prompt crawl: matrix products of 16 rows are already 2 to 4 times as fast per
 *  row as single ones, and the bound on latency is soft. */
const LEAST_CHUNK = 16;
/** First guess before any prompt row was measured beside a decode. */
const FIRST_CHUNK = 32;
const WEIGHT = 0.25;
const WINDOW = 64;

export function createPace({ prefillChunk, addedMs }: PaceOptions): Pace {
  let decodeMs: number | null = null;
  let rowMs: number | null = null;
  let jobMs: number | null = null;
  const tokens = new Float64Array(WINDOW);
  const times = new Float64Array(WINDOW);
  let slot = 0;

  return {
    chunk(decoding) {
      if (!decoding) return prefillChunk;
      if (rowMs === null) return Math.min(prefillChunk, FIRST_CHUNK);
      if (rowMs <= 0) return prefillChunk;
      return Math.min(prefillChunk, Math.max(LEAST_CHUNK, Math.floor(addedMs / rowMs)));
    },
    pass(decodeRows, prefillRows, sampled, ms) {
      if (prefillRows === 0) decodeMs = blend(decodeMs, ms);
      else if (prefillRows >= LEAST_CHUNK / 2) {
        const own = decodeRows === 0 ? ms : ms - (decodeMs ?? 0);
        rowMs = blend(rowMs, Math.max(0, own) / prefillRows);
      }
      tokens[slot % WINDOW] = sampled;
      times[slot % WINDOW] = ms;
      slot++;
    },
    job(ms) {
      jobMs = blend(jobMs, ms);
    },
    get tokensPerSecond() {
      let count = 0;
      let ms = 0;
      for (let i = 0; i < WINDOW; i++) {
        count += tokens[i]!;
        ms += times[i]!;
      }
      return ms > 0 ? (count * 1000) / ms : 0;
    },
    retryAfter(waiting, maxActive) {
      // Before the first job has ended, guess 5 s for one.
      const turns = Math.max(1, waiting / 2) / maxActive;
      return Math.min(600, Math.max(1, Math.ceil((turns * (jobMs ?? 5000)) / 1000)));
    },
  };
}

function blend(old: number | null, value: number): number {
  return old === null ? value : old + WEIGHT * (value - old);
}
