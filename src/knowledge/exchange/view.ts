/**
 * A knowledge base as notes show it, at one moment.
 *
 * @module knowledge/exchange/view
 */
import type { EntityFacts, SourceFacts } from './types.ts';

export interface NotesView {
  /** Id and name of the knowledge base. */
  readonly id: string;
  readonly name: string;
  /** Keys of the entities that get a note: named in so many chunks, or spoken of by the owner. In order of their characters. */
  keys(least: number): readonly string[];
  /** A part of `facts` that costs little. */
  basics(key: string): Pick<EntityFacts, 'name' | 'type' | 'mentions'>;
  /** Of any form of a name, also of one that no chunk has: then it has no mentions. */
  facts(key: string): EntityFacts;
  /** Whether some chunk names it, itself or by way of a merge, or something is said of it. */
  has(key: string): boolean;
  /** The key that all is said of that was said of this one. */
  standsFor(key: string): string;
  /** All that stand for the same as this one, itself among them. */
  formsOf(key: string): readonly string[];
  /** Null when there is no such document. */
  source(path: string): SourceFacts | null;
}
