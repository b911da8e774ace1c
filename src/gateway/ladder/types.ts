/**
 * What stands in for an answer when no backend gave one, and what search adapters are.
 *
 * @module gateway/ladder/types
 */
import type { KithError } from '../../base/index.ts';
import type { Destination, FoundClass, PrivacyLevel } from '../privacy/index.ts';
import type { ChatRequest } from '../types.ts';

export interface Distress {
  /** Why no backend answered. */
  readonly error: KithError;
  readonly privacy: PrivacyLevel;
  /** BCP 47 tag; null = unknown. */
  readonly locale: string | null;
  readonly signal: AbortSignal;
}

/** A text in place of an answer. It is labelled as what it is, to the reader in its first line and in the receipt. */
export interface StandIn {
  readonly step: 'search' | 'explanation' | 'crisis';
  /** Who made it: the adapter's name, or `kith`. */
  readonly source: string;
  readonly text: string;
  /** For the receipt. */
  readonly notes: readonly string[];
  /** Where the question went to be answered; null when it went nowhere. */
  readonly destination: SearchPlace | null;
  /** What of the question was replaced before it left; null when nothing had to be. */
  readonly replaced: readonly FoundClass[] | null;
}

export interface Ladder extends AsyncDisposable {
  /**
   * An answer that a search adapter found; null when none did. Null too when the newest question shows somebody in danger,
   * and when the request holds the answer to a form that a text of ours would break. Never throws but for the caller's
   * abort.
   */
  search(request: ChatRequest, distress: Distress): Promise<StandIn | null>;
  /** What happened and what to do, or where to find help when the question shows somebody in danger. */
  explain(request: ChatRequest, distress: Distress): StandIn;
  /** The newest question shows somebody in danger: help comes before a search, and before an old answer. */
  inDanger(request: ChatRequest): boolean;
}

/**
 * Where a question ends up, not only where it goes first: a program on this machine that asks search engines on the
 * internet is a `provider`.
 */
export type SearchPlace = Exclude<Destination, { readonly kind: 'peer' }>;

export interface SearchOptions {
  /** BCP 47 tag; null = unknown. */
  readonly locale: string | null;
  /** Fires when the time limit passes or the caller leaves. What is found after that is dropped. */
  readonly signal: AbortSignal;
}

/** A place where something was found. */
export interface SearchSource {
  readonly title: string;
  /** `http:` or `https:`; others are left out. Null where there is none. */
  readonly url: string | null;
  /** The passage; may be empty. */
  readonly text: string;
}

/** Taken as it comes from outside: what is too long is cut, what has another shape counts as nothing found. */
export interface SearchFinding {
  /** The answer itself, where the adapter has one: `12.5% × 480 = 60`. */
  readonly text: string | null;
  /** Best first. */
  readonly sources: readonly SearchSource[];
}

/** Answers questions without a model. Whatever it throws counts as nothing found. */
export interface SearchAdapter extends Partial<AsyncDisposable> {
  /** Shown to the reader and in receipts: 1 to 64 of A-Z, a-z, 0-9, `.`, `_`, `-`. */
  readonly name: string;
  readonly destination: SearchPlace;
  /** Null: nothing found, or not a question for this adapter. */
  search(question: string, options: SearchOptions): Promise<SearchFinding | null>;
}
