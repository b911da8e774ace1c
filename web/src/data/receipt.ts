/**
 * The receipt of an answer as the node sends it. Times in ms; null = unknown.
 *
 * @module web/data/receipt
 */

export interface Receipt {
  readonly backend: string;
  readonly model: string;
  readonly queue_ms: number | null;
  readonly prefill_ms: number | null;
  readonly decode_ms: number | null;
  readonly notes: readonly string[];
  /** Absent in receipts that an earlier node wrote. */
  readonly route?: Route;
  /** Of an answer whose blocks several nodes computed. */
  readonly path?: Path;
}

/** Blocks `from` up to, not including, `to`. */
export interface PathPart {
  /** PeerId. */
  readonly peer: string;
  readonly from: number;
  readonly to: number;
}

export interface Path {
  /** Of the model. */
  readonly blocks: number;
  /** Those that were computed for this machine; the others it computed itself. */
  readonly span: { readonly from: number; readonly to: number };
  /** Who computed when the answer ended, in order. */
  readonly shards: readonly PathPart[];
  /** Who did so before, and why no longer. */
  readonly lost: readonly (PathPart & { readonly reason: string })[];
  /** Who took the places, some of them lost again since. */
  readonly joined: readonly PathPart[];
  /** ms for which the answer stood still meanwhile. */
  readonly paused_ms: number;
}

/** How the node came by the answer. */
export interface Route {
  /** `local`, `swarm`, `peer`, `remote`: who computed it; `cache`, `stale`: kept; the others stand in for an answer. */
  readonly step: string;
  /** Backends that were asked or passed over, in order. */
  readonly attempts: readonly Attempt[];
  readonly privacy: {
    readonly level: string;
    /** Where it was computed; null when nothing was. */
    readonly where: string | null;
    /** How it got there; null on this machine. */
    readonly link: string | null;
    /** What was replaced before it left; null when nothing had to be. */
    readonly replaced: readonly Replaced[] | null;
  };
  readonly cache: {
    readonly status: string;
    /** ms since the answer was made. */
    readonly age_ms: number;
    readonly saved_tokens: number | null;
  } | null;
  /** In the unit of the owner's prices. */
  readonly cost: number | null;
  readonly complexity: Complexity | null;
}

export interface Attempt {
  readonly backend: string;
  readonly model: string;
  readonly reason: string;
  readonly outcome: string;
  readonly code: string | null;
  readonly wait_ms: number | null;
  readonly first_token_ms: number | null;
  readonly ms: number | null;
}

export interface Replaced {
  readonly class: string;
  /** Places where something was replaced. */
  readonly count: number;
}

/** The choice between this machine's model and the strongest. */
export interface Complexity {
  readonly side: string;
  readonly by: string;
  /** 0 to 1; above the threshold the strongest is asked. Null where nothing was scored. */
  readonly score: number | null;
  readonly threshold: number;
  /** Name under which the node can be told how good the answer was. */
  readonly decision: string;
}
