/**
 * What the files about receipts of work share.
 *
 * @module shards/work/types
 */
import type { CarriedPart } from '../../engine/index.ts';

/** Whole numbers that are counted of a session. */
export interface Work {
  /** Rows that come with others of their sequence: a prompt. */
  readonly prompt: number;
  /** Rows that come alone, or as guesses that are checked each by itself: tokens of an answer. */
  readonly decode: number;
  /** Rows computed again, by a shard that took another's place. */
  readonly replayed: number;
  readonly steps: number;
}

export const NO_WORK: Work = { prompt: 0, decode: 0, replayed: 0, steps: 0 };

/** What a shard that is given this step computes. */
export function workOf(step: { readonly replay: boolean; readonly parts: readonly CarriedPart[] }): Work {
  let [prompt, decode, replayed] = [0, 0, 0];
  for (const part of step.parts)
    if (step.replay) replayed += part.count;
    else if (part.count === 1 || part.outputs === 'each') decode += part.count;
    else prompt += part.count;
  return { prompt, decode, replayed, steps: 1 };
}

export const combined = (a: Work, b: Work, sign: 1 | -1 = 1): Work => ({
  prompt: a.prompt + sign * b.prompt,
  decode: a.decode + sign * b.decode,
  replayed: a.replayed + sign * b.replayed,
  steps: a.steps + sign * b.steps,
});

export const rowsOf = ({ prompt, decode, replayed }: Work): number => prompt + decode + replayed;

/** One end of a session, as its receipts name it. */
export interface WorkSession {
  /** PeerId of the other node. */
  readonly peer: string;
  /** Content hash of the model, 64 hex digits. */
  readonly model: string;
  readonly from: number;
  readonly to: number;
  /** Number of the session. */
  readonly session: Uint8Array;
}

/** A receipt as it travels: what was computed, and that the shard says so. */
export interface Account {
  readonly receipt: Uint8Array;
  /** The shard's signature. */
  readonly signature: Uint8Array;
}
