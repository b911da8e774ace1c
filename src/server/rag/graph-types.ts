/**
 * The graph of a knowledge base for people: what it names, how that hangs together, when it was.
 *
 * @module server/rag/graph-types
 */

export interface EntityView {
  /** The form under which names are compared; what other calls take. */
  readonly key: string;
  /** As it is mostly written. */
  readonly name: string;
  /** Type of schema.org (`Person`, `Organization`, `Place`, `Event`, `CreativeWork`, `Thing`), and who says so; null: unknown. */
  readonly type: string | null;
  readonly aliases: readonly string[];
  /** Chunks that name it. */
  readonly mentions: number;
  readonly documents: number;
  /** Of the last communities that were made; null before. */
  readonly community: number | null;
}

/** A part of the graph to draw. */
export interface NetworkView {
  readonly nodes: readonly {
    readonly key: string;
    readonly name: string;
    readonly kind: 'entity' | 'document';
    readonly type: string | null;
    /** Mentions of an entity, chunks of a document. */
    readonly weight: number;
    readonly community: number | null;
  }[];
  /** Positions in `nodes`, and how strong the tie is, above 0. Each pair once. */
  readonly edges: readonly (readonly [number, number, number])[];
  /** Nodes of the whole graph; more than `nodes` when only the weightiest are given. */
  readonly of: number;
}

export interface NetworkQuery {
  /** Around this one; the weightiest of all without. */
  readonly around?: string;
  /** @default 500, at most 5000 */
  readonly limit?: number;
  readonly documents?: boolean;
}
