/**
 * What stands in for an answer when no backend gave one.
 *
 * @module gateway/ladder/types
 */
import type { KithError } from '../../base/index.ts';
import type { PrivacyLevel } from '../privacy/index.ts';
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
}

export interface Ladder extends AsyncDisposable {
  /** An answer that a search adapter found; null when none did. Never throws but for the caller's abort. */
  search(request: ChatRequest, distress: Distress): Promise<StandIn | null>;
  /** What happened and what to do, or where to find help when the question shows somebody in danger. */
  explain(request: ChatRequest, distress: Distress): StandIn;
}
