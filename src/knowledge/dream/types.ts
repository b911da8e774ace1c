/**
 * Runs of a dream: what they may do, how far they are, and what they came to.
 *
 * @module knowledge/dream/types
 */
import type { Completeness } from './score.ts';

export interface DreamOrder {
  /** ms that it may take in all, also over kills. */
  readonly ms: number;
  /** Calls of a model at most; 0: none. */
  readonly calls: number;
  /** Who reads passages, as the gateway names it; null: rules alone. */
  readonly model: string | null;
  /** Merges that are at least so sure are made. Above 1: none are. */
  readonly mergeAt: number;
}

/** Why it ended before all was done; null when all was, or while it runs. */
export type DreamStop = 'budget' | 'busy' | 'model';

export interface DreamFigures {
  readonly types: number;
  readonly summaries: number;
  readonly relations: number;
  readonly merges: number;
  /** Names that count less from now on when the graph is walked. */
  readonly weights: number;
  /** Passages that a model has read, values of its that stood up to the checks, and those that did not. */
  readonly calls: number;
  readonly kept: number;
  readonly refused: number;
}

/** Of a run that reads while nobody wants anything else: all that was read in one day. */
export interface IdleNote {
  /** UTC, `2026-11-22`. */
  readonly day: string;
  /** That were asked for: of questions, and the most that their answers could have. */
  readonly tokens: number;
}

/** What the store keeps of a run. */
export interface DreamState {
  readonly order: DreamOrder;
  /** @default somebody began it */
  readonly idle?: IdleNote;
  /** What it is at; `done` when it is over. */
  readonly phase: 'reading' | 'asserting' | 'merging' | 'weighing' | 'asking' | 'done';
  /** Of this phase: passages, names or proposals. */
  readonly looked: number;
  readonly of: number;
  readonly spentMs: number;
  readonly found: DreamFigures;
  readonly before: Completeness;
  readonly after: Completeness | null;
  readonly stopped: DreamStop | null;
  /** For people: why it stopped. */
  readonly note: string | null;
}
