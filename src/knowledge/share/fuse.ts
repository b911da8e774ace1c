/**
 * One ranking of what several knowledge bases found.
 *
 * Their scores cannot be compared: each has its own words, and often its own model for vectors. So ranks count (reciprocal rank
 * fusion, Cormack et al. 2009): a hit has 1 / (60 + rank) from each source that found it, so that passages that several have rise.
 * The first of a source that has nothing to say would stand beside the first of one that knows; hence one more ranking counts
 * likewise, made here: how much of the question's words the passages have, the rare ones among all that came more. The order is
 * the same however the sources answered: of equal hits the one of the source that was named first.
 *
 * @module knowledge/share/fuse
 */
import { foldedWords, stem } from '../answer/claims/words.ts';
import { wordsOf } from '../retrieve/index.ts';
import type { RagHit } from './wire.ts';

const K = 60;
/** Characters of a passage in which words are looked for. */
const LOOKED_AT = 4000;

export interface SourceHits {
  /** As the question named it. */
  readonly source: string;
  /** Best first. */
  readonly hits: readonly RagHit[];
}

/** Where a passage was found. */
export interface FoundPlace {
  readonly source: string;
  readonly path: string;
  readonly position: number;
  /** From 1, there. */
  readonly rank: number;
  /** Comparable within that source only. */
  readonly score: number;
}

export interface FusedHit extends Omit<RagHit, 'score'> {
  /** Larger is better; comparable within one answer only. */
  readonly score: number;
  /** All places of the same passage, as the sources were named, then by rank. */
  readonly places: readonly FoundPlace[];
}

interface Joined {
  readonly hit: RagHit;
  readonly order: readonly [source: number, rank: number];
  readonly places: FoundPlace[];
  score: number;
}

/** @param sources in the order in which they were named */
export function fuseSources(question: string, sources: readonly SourceHits[], limit: number): FusedHit[] {
  const joined = new Map<string, Joined>();
  sources.forEach(({ source, hits }, at) => {
    const counted = new Set<string>();
    hits.forEach((hit, i) => {
      const { id, title, text, path, position, score } = hit;
      // The text too: a peer may say of any text that it is the passage of that id.
      const key = JSON.stringify([id, title, text]);
      const place: FoundPlace = { source, path, position, rank: i + 1, score };
      let same = joined.get(key);
      if (same === undefined) {
        same = { hit, order: [at, i], places: [], score: 0 };
        joined.set(key, same);
      }
      same.places.push(place);
      // Copies within one source say nothing more of how good the passage is.
      if (!counted.has(key)) same.score += 1 / (K + i + 1);
      counted.add(key);
    });
  });
  const all = [...joined.values()];
  // Among the hits of one source its own ranking is the better one.
  if (sources.filter(({ hits }) => hits.length > 0).length > 1) countWords(question, all);
  return all
    .sort((a, b) => b.score - a.score || a.order[1] - b.order[1] || a.order[0] - b.order[0])
    .slice(0, limit)
    .map(({ hit, places, score }) => ({ ...hit, score, places }));
}

/** Adds what the ranking by words gives; equal ones have the same rank. */
function countWords(question: string, all: readonly Joined[]): void {
  const wanted = new Set(wordsOf(question).flatMap(foldedWords).map(stem));
  const has = all.map(({ hit: { title, text } }) => {
    const words = new Set(foldedWords(`${title} ${text.slice(0, LOOKED_AT)}`).map(stem));
    return [...wanted].filter((word) => words.has(word));
  });
  const counts = new Map<string, number>();
  for (const word of has.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  // As BM25 weighs words (Robertson and Spärck Jones), never below 0.
  const weights = has.map((words) =>
    words.reduce((sum, word) => {
      const n = counts.get(word)!;
      return sum + Math.log(1 + (all.length - n + 0.5) / (n + 0.5));
    }, 0),
  );
  all.forEach((each, i) => {
    if (weights[i]! > 0) each.score += 1 / (K + 1 + weights.filter((other) => other > weights[i]!).length);
  });
}
