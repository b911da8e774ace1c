/**
 * A graph that follows the store: made of its mentions when first asked for, then brought up to its version by what changed. The
 * same store gives the same graph, whichever way it came about.
 *
 * Titles are looked for in the texts here and not when a document is put: most of those that it names come later.
 *
 * @module knowledge/graph/follow
 */
import { setImmediate } from 'node:timers/promises';
import {
  type Assertion,
  type Changes,
  type EntityMerge,
  factsOf,
  type KnowledgeStore,
} from '../store/index.ts';
import { ChunkNames } from './chunk-names.ts';
import { following } from './following.ts';
import { foldedOf, Gazetteer } from './gazetteer.ts';
import type { Network, Weights } from './network.ts';
import { WordHashes } from './word-hashes.ts';
import { wordsIn } from './words.ts';

export type GraphStore = Pick<
  KnowledgeStore,
  'version' | 'changes' | 'allChunks' | 'chunks' | 'mentions' | 'merges'
> &
  Partial<Pick<KnowledgeStore, 'allAssertions'>>;

export interface Graph {
  readonly network: Network;
  /** Titles and aliases of the knowledge base. */
  readonly titles: Gazetteer;
}

export interface FollowingGraph {
  /** The graph as the store is now. Calls at the same time share the work. */
  current(): Promise<Graph>;
}

/** Chunks between which others get their turn: some 10 ms. */
const SLICE = 128;

export function followGraph(store: GraphStore, weights: Partial<Weights> = {}): FollowingGraph {
  interface Held {
    readonly names: ChunkNames;
    readonly titles: Gazetteer;
    /** Forms by which each chunk's document is known. */
    readonly known: Map<number, readonly string[]>;
    readonly hashes: WordHashes;
    graph: Graph;
  }

  function look(
    { names, titles, hashes }: Pick<Held, 'names' | 'titles' | 'hashes'>,
    row: number,
    text: string,
  ): void {
    const words = wordsIn(text);
    const folded = foldedOf(words);
    hashes.set(row, folded);
    names.setText(row, words, titles.in(words, folded));
  }

  function compiled({ names, titles }: Pick<Held, 'names' | 'titles'>): Graph {
    return { network: names.compile(inForce(store.merges()), weightsIn(store)), titles };
  }

  async function make(): Promise<Held> {
    const parts = {
      names: new ChunkNames(weights),
      titles: new Gazetteer(),
      known: new Map<number, readonly string[]>(),
      hashes: new WordHashes(),
    };
    let count = 0;
    for (const { row } of store.allChunks()) {
      const forms = parts.names.put(row, store.mentions([row]));
      parts.known.set(row, forms);
      for (const form of forms) parts.titles.add(form);
      if (++count % SLICE === 0) await setImmediate();
    }
    for (const { row, text } of store.allChunks()) {
      if (parts.names.has(row)) look(parts, row, text);
      if (++count % SLICE === 0) await setImmediate();
    }
    return { ...parts, graph: compiled(parts) };
  }

  /** Takes over what changed, and looks again for titles where some came or went. */
  async function apply(now: Held, { added, removed }: Changes): Promise<void> {
    const { names, titles, known, hashes } = now;
    const came = new Set<string>();
    const went = new Set<string>();
    const again = new Set<number>();
    const forget = (row: number): void => {
      for (const form of known.get(row) ?? []) {
        if (!titles.remove(form)) continue;
        went.add(form);
        came.delete(form);
      }
      known.delete(row);
      names.remove(row);
      hashes.delete(row);
    };
    for (const row of removed) forget(row);
    for (const [i, row] of added.entries()) {
      forget(row);
      if (store.chunks([row])[0] === null) continue;
      const forms = names.put(row, store.mentions([row]));
      known.set(row, forms);
      for (const form of forms) {
        if (!titles.add(form)) continue;
        if (!went.delete(form)) came.add(form);
      }
      again.add(row);
      if (i % SLICE === SLICE - 1) await setImmediate();
    }
    for (const row of hashes.rowsWith(came)) again.add(row);
    for (const row of names.rowsFinding(went)) again.add(row);
    let count = 0;
    for (const row of again) {
      const chunk = names.has(row) ? store.chunks([row])[0] : null;
      if (chunk !== null && chunk !== undefined) look(now, row, chunk.text);
      if (++count % SLICE === 0) await setImmediate();
    }
    now.graph = compiled(now);
  }

  const current = following(store, make, apply);
  return { current: async () => (await current()).graph };
}

/** Aliases to what they stand for in the end, by the merges that hold. */
export function inForce(merges: readonly EntityMerge[]): Map<string, string> {
  const direct = new Map(
    merges.filter(({ undone }) => undone === null).map(({ alias, entity }) => [alias, entity]),
  );
  const ends = new Map<string, string>();
  for (const alias of direct.keys()) {
    let end = alias;
    // The store lets no circles in; a file that was tampered with may have them.
    for (let steps = 0; direct.has(end) && steps <= direct.size; steps++) end = direct.get(end)!;
    ends.set(alias, end);
  }
  return ends;
}

/** Assertions that are read at a time. */
const PAGE = 1000;

/** Names of which somebody said that they count less than others. */
function weightsIn(store: GraphStore): Map<string, number> {
  const said = new Map<string, Assertion[]>();
  for (let after = 0; ; ) {
    const page = store.allAssertions?.({ after, limit: PAGE, property: 'weight' }) ?? [];
    for (const each of page) said.set(each.subject, [...(said.get(each.subject) ?? []), each]);
    if (page.length < PAGE) break;
    after = page.at(-1)!.id;
  }
  const weights = new Map<string, number>();
  for (const [name, all] of said) {
    const { weight } = factsOf(all);
    if (weight < 1) weights.set(name, weight);
  }
  return weights;
}
