/**
 * The graph of a knowledge base for people: what it names, how that hangs together, when it was.
 *
 * @module server/rag/graph-types
 */
import type { EntityMerge, MergeProposal, Place } from '../../knowledge/index.ts';

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

export interface EntityQuery {
  /** Some word of the name begins with it; capitals and accents do not count. */
  readonly prefix?: string;
  readonly type?: string;
  /** Key of the last one of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface EntityPage {
  /** The most often named first; of equals by key. */
  readonly entities: readonly EntityView[];
  /** How many there are in all with this prefix and type. */
  readonly of: number;
}

/** Who says something about an entity, and on what ground. */
export interface Said {
  readonly by: 'rule' | 'model' | 'owner';
  /** For people. */
  readonly why: string;
}

export interface EntityChunk {
  readonly id: string;
  /** In the document, from 0. */
  readonly position: number;
  readonly place: Place;
  /** The sentence that names it, or how the chunk begins where it stands in its title alone. */
  readonly sentence: string;
}

/** Chunks of one document that name an entity. */
export interface EntityDocument {
  readonly path: string;
  readonly title: string;
  /** All of its chunks that name it. */
  readonly mentions: number;
  /** The first of them. */
  readonly chunks: readonly EntityChunk[];
}

export interface Neighbour {
  readonly key: string;
  readonly name: string;
  readonly type: string | null;
  /** Sum over the chunks that name both of 1 / (names there - 1) (Newman 2001); above 0. */
  readonly weight: number;
  /** Chunks that name both. */
  readonly shared: number;
}

export interface EntityRelation {
  /** Of schema.org where it has one. */
  readonly property: string;
  /** Key and name of what it leads to; or a value. */
  readonly object: { readonly key: string; readonly name: string } | null;
  readonly value: string | null;
  readonly said: Said;
  /** Chunk and sentence that say so; null where the owner said it. */
  readonly chunk: string | null;
  readonly sentence: string | null;
}

export interface EntityDetail extends EntityView {
  readonly said: Said | null;
  readonly summary: { readonly text: string; readonly said: Said } | null;
  readonly relations: readonly EntityRelation[];
  /** Documents about it, then those with the most mentions, up to 50, of each up to 5 chunks. */
  readonly places: readonly EntityDocument[];
  /** The strongest first, up to 50. */
  readonly neighbours: readonly Neighbour[];
  /** By time, up to 50. */
  readonly timeline: readonly TimelineEntry[];
}

/** A date that a document names, with the sentence in which it does. */
export interface TimelineEntry {
  /** First and last day, `YYYY-MM-DD`; equal for a day. */
  readonly from: string;
  readonly to: string;
  readonly precision: 'day' | 'month' | 'year' | 'years';
  /** As it is written. */
  readonly written: string;
  /** Around it in the text; of a date that frontmatter or a mail's head gives, its name and the title of the document. */
  readonly sentence: string;
  readonly source: 'text' | 'property';
  readonly chunk: string;
  readonly path: string;
  readonly title: string;
  readonly place: Place;
}

export interface TimelineQuery {
  /** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; dates that touch the span are given. */
  readonly from?: string;
  readonly to?: string;
  /** Key or name: only what is said in a sentence that names it, or in its own document. */
  readonly entity?: string;
  /** How many to pass over. */
  readonly offset: number;
  readonly limit: number;
}

export interface TimelinePage {
  /** By first day, then the shorter ones first, then by path. */
  readonly entries: readonly TimelineEntry[];
  readonly of: number;
}

/** Names that stand together more than with others. */
export interface CommunityView {
  /** From 0, the largest first. Numbers are of one version of the knowledge base. */
  readonly id: number;
  /** Its weightiest members. */
  readonly name: string;
  readonly size: number;
  /** The weightiest first, up to 20. */
  readonly members: readonly { readonly key: string; readonly name: string; readonly mentions: number }[];
}

export interface CommunitiesView {
  /** Of two members at least. */
  readonly communities: readonly CommunityView[];
  /** Newman's modularity of the division, -0.5 to 1. */
  readonly modularity: number;
  /** Entities that were divided: in large knowledge bases those named most. */
  readonly of: number;
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
  /** With the documents that name them; a document's key is its path. */
  readonly documents?: boolean;
}

export interface NewMerge {
  /** Keys or names. */
  readonly alias: string;
  readonly entity: string;
  /** For people. */
  readonly reason: string;
}

export interface GraphDesk {
  entities(kb: string, query: EntityQuery): Promise<EntityPage>;
  /** @param key or a name @throws KithError `entity_unknown` */
  entity(kb: string, key: string): Promise<EntityDetail>;
  /** @throws KithError `entity_unknown` */
  network(kb: string, query: NetworkQuery): Promise<NetworkView>;
  /** All that ever were, in order. */
  merges(kb: string): Promise<EntityMerge[]>;
  /** @throws KithError `entity_unknown`, InputError `merge_invalid` */
  merge(kb: string, merge: NewMerge): Promise<EntityMerge>;
  /** @throws KithError `merge_unknown`: there is none that holds */
  unmerge(kb: string, id: number): Promise<EntityMerge>;
  /** Names that probably stand for the same; nothing is merged by itself. */
  proposals(kb: string): Promise<MergeProposal[]>;
  /** @throws KithError `entity_unknown` */
  timeline(kb: string, query: TimelineQuery): Promise<TimelinePage>;
  communities(kb: string): Promise<CommunitiesView>;
}
