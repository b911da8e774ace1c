/**
 * What is said about names beyond that they are named: types, summaries, relations, dates. Each assertion says who said it and
 * what sentence of which chunk says so; it is never changed or deleted, only undone.
 *
 * ```ts
 * store.assert([{ subject: 'ada lovelace', property: 'type', value: 'Person', by: 'owner', made: clock.now() }]);
 * const { type, relations } = factsOf(store.assertionsOf(['ada lovelace']));
 * ```
 *
 * @module knowledge/store/assertion-types
 */
import type { Relation } from './vocabulary.ts';

/** Who said it. The owner's word counts before a rule's, a rule's before a model's. */
export type Asserter = 'rule' | 'model' | 'owner';

/** The sentence that says so. Whoever asserts has checked that it stands in the chunk. */
export interface Evidence {
  /** Id of the chunk, by content: it is the same when the chunk comes back, or stands elsewhere. */
  readonly chunk: string;
  /** As it stands there. */
  readonly sentence: string;
}

/** Properties that have one value. All others may have several. */
export const SINGLE = ['type', 'summary', 'weight'] as const;

export interface NewAssertion {
  /** The name that is spoken of, in the form under which the graph compares names (`normalForm`). */
  readonly subject: string;
  /**
   * - `type`: value is a type of schema.org (`Person`; those that Kith knows are `TYPES`)
   * - `summary`: value is a sentence or a few
   * - `relation`: `relation` and `object` are given
   * - `alias`: value is another way in which the name is written
   * - `weight`: value is a number from 0 to 1: how much the name counts when the graph is walked
   * - `date`, `birthDate`, `foundingDate`, ...: any other name of a-z, A-Z, 0-9, `.`, `_`, `-`; value is text
   */
  readonly property: string;
  /** Of a `relation`. Names that are not in the list are `relatedTo` (`relationOf`). */
  readonly relation?: Relation;
  /** Of a `relation`: the other name, in the form under which the graph compares names. */
  readonly object?: string;
  /** Of everything else; of a relation how its object is written, where that is known. */
  readonly value?: string;
  /** Says that this is not so: what is said by less or earlier does not hold then. @default false */
  readonly denies?: boolean;
  /** Only the owner may speak without. What a rule or a model says holds while its chunk is there. */
  readonly evidence?: Evidence;
  readonly by: Asserter;
  /** Id of the model that said so. */
  readonly model?: string;
  /** For people: which rule, or what of. */
  readonly reason?: string;
  /** 0 to 1. @default 1 */
  readonly confidence?: number;
  /** The run (`beginRun`) that it is undone with. */
  readonly run?: number;
  /** ms since 1970. */
  readonly made: number;
}

export interface Assertion {
  /** Grows; never given again. */
  readonly id: number;
  readonly subject: string;
  readonly property: string;
  readonly relation: Relation | null;
  readonly object: string | null;
  readonly value: string | null;
  readonly denies: boolean;
  readonly evidence: Evidence | null;
  /** Whether its chunk is in the knowledge base now; true for what the owner said. What is not supported does not hold. */
  readonly supported: boolean;
  readonly by: Asserter;
  readonly model: string | null;
  readonly reason: string;
  readonly confidence: number;
  readonly run: number | null;
  /** ms since 1970; `undone`: null until then. */
  readonly made: number;
  readonly undone: number | null;
}

/** What holds of a name: of what contradicts itself the best. */
export interface Facts {
  readonly type: Assertion | null;
  readonly summary: Assertion | null;
  /** 1 where nothing is said. */
  readonly weight: number;
  /** By relation, then object. */
  readonly relations: readonly Assertion[];
  /** By value. */
  readonly aliases: readonly Assertion[];
  /** Dates and all the others, by property, then value. */
  readonly properties: readonly Assertion[];
}

/** A span of work whose assertions and merges are undone together: a dream, an import. */
export interface StoredRun {
  readonly id: number;
  /** `dream`, `import`. */
  readonly kind: string;
  /** What it was asked to do, and how far it is: JSON of the one who began it. */
  readonly state: Readonly<Record<string, unknown>>;
  /** ms since 1970; null until then. A run that has not ended goes on. */
  readonly began: number;
  readonly ended: number | null;
  readonly undone: number | null;
}

export interface AssertionPage {
  /** Id of the last one of the page before. */
  readonly after?: number;
  /** @default 100, at most 1000 */
  readonly limit?: number;
}

/** A chunk that a model has read, so that no other run reads it again. */
export interface Reading {
  /** Id of the chunk. */
  readonly chunk: string;
  /** Model, and how it was asked. */
  readonly by: string;
  readonly run: number;
  /** Values that stood up to the checks, and those that did not. */
  readonly kept: number;
  readonly refused: number;
  /** ms since 1970. */
  readonly at: number;
}

/** The part of the store with what is said about names. Every call that changes something is one transaction. */
export interface AssertionStore {
  /**
   * Adds all or none. One that says the same as one in force, of the same asserter, model and evidence, is not added again.
   *
   * @returns ids in their order; of what is there already its id
   * @throws InputError `assertion_invalid`; LimitError `knowledge.assertions`
   */
  assert(assertions: readonly NewAssertion[]): number[];
  /** @param at ms since 1970 @returns how many were in force until now */
  undoAssertions(ids: readonly number[], at: number): number;
  /** By id, those that were not undone. Give a name with all that are merged into it to have all that is said of it. */
  assertionsOf(subjects: readonly string[]): Assertion[];
  /** By id: relations, in force, whose object is one of these. */
  assertionsAbout(objects: readonly string[]): Assertion[];
  /** By id, undone ones too. */
  assertionsOfRun(run: number, page?: AssertionPage): Assertion[];
  /** All that were not undone, by id. */
  allAssertions(page?: AssertionPage & { readonly property?: string }): Assertion[];
  assertion(id: number): Assertion | null;
  /** Id of the last one that was added; 0 before the first. */
  newestAssertion(): number;
  /** Names that something in force is said of, in order of their characters. @param after the last one of the page before */
  assertedNames(after?: string, limit?: number): string[];

  /** Its id. @param state JSON of at most 64 KB @throws LimitError `knowledge.runs` */
  beginRun(kind: string, state: Readonly<Record<string, unknown>>, at: number): number;
  /** Notes how far it is. @param ended ms since 1970 when it is over */
  noteRun(id: number, state: Readonly<Record<string, unknown>>, ended?: number): void;
  run(id: number): StoredRun | null;
  /** Newest first. */
  runs(limit?: number): StoredRun[];
  /** Undoes its assertions, merges and readings at once. False when there is no such run, or it was undone before. */
  undoRun(id: number, at: number): boolean;

  /** Which of these chunks were read so, in runs that were not undone. */
  readBy(chunks: readonly string[], by: string): Set<string>;
  /** Assertions of a chunk and that it was read, in one transaction. */
  noteReading(reading: Reading, assertions: readonly NewAssertion[]): number[];
  /** Of a run, by the time they were noted. */
  readingsOf(run: number): Reading[];

  /** Adds how often questions named names. Does not count as a change. */
  noteAsked(names: ReadonlyMap<string, number>): void;
  /** How often questions named each; names never asked for are left out. */
  asked(names: readonly string[]): Map<string, number>;
}
