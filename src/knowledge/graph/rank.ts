/**
 * Chunks by what the question names and what the best hits name: walks from few seeds over the graph, weighed by meaning.
 *
 * @module knowledge/graph/rank
 */
import type { Graph } from './follow.ts';
import { namesIn } from './names.ts';
import { normalForm } from './normal.ts';
import type { Walked } from './ppr.ts';
import { wordsIn } from './words.ts';

/** Characters of a question in which names are looked for. */
const MOST_CHARACTERS = 20_000;
/** Chunks of documents whose titles a question names, that are weighed as seeds. */
const MOST_OWN = 200;

export interface Named {
  /** In the network. */
  readonly entity: number;
  readonly form: string;
  /** It is the title or an alias of a document. */
  readonly isTitle: boolean;
}

/** What a question names, of what the knowledge base names: titles by their longest run of words, and proper names. */
export function namedIn({ network, titles }: Graph, question: string): Named[] {
  const text = question.slice(0, MOST_CHARACTERS);
  const words = wordsIn(text);
  const forms = [
    ...titles.in(words).map(({ form }) => form),
    ...namesIn(text, words).map(({ surface }) => normalForm(surface)),
  ];
  const named = new Map<number, Named>();
  for (const form of forms) {
    const entity = network.entityOf(form);
    if (entity >= 0 && !named.has(entity))
      named.set(entity, { entity, form, isTitle: network.ownOf(entity).length > 0 });
  }
  return [...named.values()];
}

/** Rows of the documents whose titles are named. */
export function ownRows({ network }: Graph, named: readonly Named[]): number[] {
  return [...new Set(named.flatMap(({ entity }) => network.ownOf(entity)))].slice(0, MOST_OWN);
}

/** What is known of a question's candidates. */
export interface Candidates {
  /** BM25; rows that are not there have none of the words. */
  readonly words: ReadonlyMap<number, number>;
  /** Cosines; empty when there are no vectors. */
  readonly vectors: ReadonlyMap<number, number>;
  /** Of documents whose titles are named, among those that a filter keeps. */
  readonly own: readonly number[];
}

export interface SeedOptions {
  /** Chunks at which walks begin. @default 2 */
  readonly seeds?: number;
  /** Added for a title that the question names. @default 0.3 */
  readonly titleBonus?: number;
  /** Scores of seeds are raised to it. @default 4 */
  readonly power?: number;
}

export interface Seeded {
  /** Score of each candidate without the graph: halves of BM25 and cosine, each against its best. */
  readonly base: ReadonlyMap<number, number>;
  /** By index in the network. */
  readonly seeds: ReadonlyMap<number, number>;
}

export function seedsOf(
  { network }: Graph,
  { words, vectors, own }: Candidates,
  { seeds: count = 2, titleBonus = 0.3, power = 4 }: SeedOptions = {},
): Seeded {
  const best = { words: largest(words), vectors: largest(vectors) };
  const base = new Map<number, number>();
  const half = vectors.size === 0 ? 1 : 0.5;
  for (const row of [...words.keys(), ...vectors.keys(), ...own])
    base.set(
      row,
      half * share(words.get(row), best.words) +
        (vectors.size === 0 ? 0 : 0.5 * share(vectors.get(row), best.vectors)),
    );
  const isOwn = new Set(own);
  const order = [...base]
    .map(([row, score]) => ({
      row,
      score: score + (isOwn.has(row) ? titleBonus : 0),
      chunk: network.indexOf(row),
    }))
    .filter(({ chunk, score }) => chunk >= 0 && score > 0)
    .sort((a, b) => b.score - a.score || a.row - b.row);
  return { base, seeds: new Map(order.slice(0, count).map(({ chunk, score }) => [chunk, score ** power])) };
}

/** Rows that walks reach, best first, with the share of the best one. */
export function reached(
  { network }: Graph,
  { chunks, reached: all }: Walked,
  limit: number,
): { row: number; share: number }[] {
  const chances = Float64Array.from(all, (chunk) => chunks[chunk]!).sort();
  const most = chances.at(-1) ?? 0;
  // Walks reach half of a large network: only those that can be among the best are put in order.
  const least = chances.at(-limit) ?? 0;
  return all
    .filter((chunk) => chunks[chunk]! >= least)
    .map((chunk) => ({ row: network.rows[chunk]!, share: chunks[chunk]! / most }))
    .sort((a, b) => b.share - a.share || a.row - b.row)
    .slice(0, limit);
}

/** Weight of the ranking without the graph: it orders what no walk reaches. */
const PRIOR = 0.02;

/** @param cosine 0 where there are no vectors */
export function graphScore(share: number, cosine: number, base: number): number {
  return share * Math.exp(cosine) + PRIOR * base;
}

/** Names by way of which walks came to a chunk, the most used first. */
export function throughOf({ network }: Graph, { entities }: Walked, row: number, limit = 3): string[] {
  const chunk = network.indexOf(row);
  if (chunk < 0) return [];
  const { fromChunks, fromEntities } = network;
  const through: { name: string; flow: number }[] = [];
  for (let i = fromChunks.start[chunk]!; i < fromChunks.start[chunk + 1]!; i++) {
    const entity = fromChunks.to[i]!;
    const chance = entities[entity]!;
    if (chance === 0) continue;
    const { start, to, weight } = fromEntities;
    for (let k = start[entity]!; k < start[entity + 1]!; k++)
      if (to[k] === chunk) through.push({ name: network.nameOf(entity), flow: chance * weight[k]! });
  }
  return through
    .sort((a, b) => b.flow - a.flow || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

function share(score: number | undefined, best: number): number {
  return score === undefined || !(best > 0) ? 0 : Math.max(0, score) / best;
}

function largest(scores: ReadonlyMap<number, number>): number {
  let most = 0;
  for (const score of scores.values()) most = Math.max(most, score);
  return most;
}
