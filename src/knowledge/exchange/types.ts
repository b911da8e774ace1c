/**
 * What of a knowledge base stands in a folder of notes, and what came of it there.
 *
 * @module knowledge/exchange/types
 */

/** What an entity is said to have to do with another, or with a value. One of `target` and `value` is null. */
export interface Relation {
  /** As schema.org names it: `worksFor`. */
  readonly property: string;
  /** Key of the other entity. */
  readonly target: string | null;
  readonly value: string | null;
}

/** What a note says of an entity and its owner may change there. */
export interface Told {
  readonly name: string;
  /** Null: unknown. */
  readonly type: string | null;
  readonly aliases: readonly string[];
  /** Plain text, paragraphs divided by an empty line; null: none. */
  readonly summary: string | null;
  readonly relations: readonly Relation[];
}

/** What a note said when it was last taken in. */
export interface Taken extends Told {
  /** Its heading; `name` is what it was named then, by that or by its file. */
  readonly title: string;
}

export interface Evidence {
  /** The sentence that says so. */
  readonly quote: string;
  /** Path of its document in the knowledge base; null when that is gone. */
  readonly path: string | null;
}

/** An entity with all that its note shows. */
export interface EntityFacts extends Omit<Told, 'relations'> {
  /** The form under which names are compared. */
  readonly key: string;
  /** Chunks that name it. */
  readonly mentions: number;
  readonly documents: number;
  readonly relations: readonly (Relation & { readonly evidence: Evidence | null })[];
  /** Documents that name it, most often first. */
  readonly sources: readonly { readonly path: string; readonly mentions: number }[];
  /** Entities that the same chunks name, most often first. */
  readonly beside: readonly { readonly key: string; readonly chunks: number }[];
}

/** A document that notes refer to. */
export interface SourceFacts {
  readonly path: string;
  readonly title: string;
  readonly type: string;
  /** Absolute path of the file, where a followed folder has it. */
  readonly file: string | null;
}

export type Edit =
  | { readonly kind: 'name'; readonly key: string; readonly from: string; readonly to: string }
  | {
      readonly kind: 'type' | 'summary';
      readonly key: string;
      readonly from: string | null;
      readonly to: string | null;
    }
  | { readonly kind: 'alias'; readonly key: string; readonly alias: string; readonly holds: boolean }
  | {
      readonly kind: 'relation';
      readonly key: string;
      readonly relation: Relation;
      readonly holds: boolean;
    }
  /** All that is said of `key` is said of `into`. */
  | { readonly kind: 'merge'; readonly key: string; readonly into: string }
  /** What was made one with another is one of its own again. */
  | { readonly kind: 'part'; readonly key: string };

/** Characters and counts of a folder of notes. What has more is named and left alone. */
export const EXCHANGE_LIMITS = {
  /** Files that are looked at. */
  notes: 200_000,
  noteBytes: 1024 * 1024,
  /** Bytes of the list of what was exported. */
  listBytes: 256 * 1024 * 1024,
  summary: 4000,
  aliases: 200,
  relations: 1000,
  property: 100,
  value: 1000,
} as const;
