/**
 * One ranking of what several knowledge bases found.
 *
 * Their scores cannot be compared: each has its own words, and often its own model for vectors. So ranks count (reciprocal rank
 * fusion, Cormack et al. 2009): a hit has 1 / (60 + rank) from each source that found it, and passages that several have rise.
 * The order is the same however the sources answered: of equal hits the one of the source that was named first, then by rank.
 *
 * @module knowledge/share/fuse
 */
import type { RagHit } from './wire.ts';

const K = 60;

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

/** @param sources in the order in which they were named */
export function fuseSources(sources: readonly SourceHits[], limit: number): FusedHit[] {
  interface Joined {
    readonly hit: RagHit;
    readonly order: readonly [source: number, rank: number];
    readonly places: FoundPlace[];
    score: number;
  }
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
  return [...joined.values()]
    .sort((a, b) => b.score - a.score || a.order[1] - b.order[1] || a.order[0] - b.order[0])
    .slice(0, limit)
    .map(({ hit, places, score }) => ({ ...hit, score, places }));
}
