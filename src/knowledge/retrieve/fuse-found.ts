/**
 * What several searches found, as one ranking.
 *
 * @module knowledge/retrieve/fuse-found
 */
import { type Print, printOf, sayTheSame } from './duplicates.ts';
import { fuse } from './fuse.ts';
import type { Found, Hit } from './types.ts';

/** Weight of each other way to ask, against 1 for the question itself. */
const WEIGHT = 0.5;
/** Each hit is compared with the ones before it: beyond so many, copies stay. */
const MOST_COMPARED = 200;
/** What another wording has in common with a hit says nothing about the question. */
const UNSAID = { words: null, vector: null, graph: null } as const;

/**
 * By z-scores, as words and meaning are. What a way did not find comes behind the last that it did.
 *
 * @param drop leaves out what says the same as a better hit, and names it there
 */
export function fuseFound(found: Found, others: readonly Found[], drop: boolean): Hit[] {
  const ways = [found, ...others].filter(({ hits }) => hits.length > 0);
  const known = new Map<number, Hit>();
  for (const way of ways)
    for (const hit of way.hits)
      if (!known.has(hit.chunk.row)) known.set(hit.chunk.row, way === found ? hit : { ...hit, ...UNSAID });
  const scores = fuse(
    ways.map((way) => ({
      weight: way === found ? 1 : WEIGHT,
      scores: new Map(way.hits.map(({ chunk, score }) => [chunk.row, score])),
      absent: behind(way.hits),
    })),
  );
  const ranked = [...scores]
    .map(([row, score]) => ({ ...known.get(row)!, score }))
    .sort((a, b) => b.score - a.score || compare(a.chunk.id, b.chunk.id) || a.chunk.row - b.chunk.row);
  return drop ? distinct(ranked) : ranked;
}

/** One step further down. */
function behind(hits: readonly Hit[]): number {
  const scores = hits.map(({ score }) => score);
  const [best, worst] = [Math.max(...scores), Math.min(...scores)];
  return worst - (best > worst ? (best - worst) / (scores.length - 1) : 1);
}

/** Each way left out its own copies; two ways may have kept different ones. */
function distinct(ranked: readonly Hit[]): Hit[] {
  const kept: { hit: Hit; print: Print | null }[] = [];
  for (const hit of ranked) {
    const print = kept.length < MOST_COMPARED ? printOf(hit.chunk.text) : null;
    const same =
      print === null
        ? undefined
        : kept.find((other) => other.print !== null && sayTheSame(other.print, print));
    if (same === undefined) kept.push({ hit, print });
    else {
      const duplicates = new Set([...same.hit.duplicates, hit.chunk.id, ...hit.duplicates]);
      duplicates.delete(same.hit.chunk.id);
      same.hit = { ...same.hit, duplicates: [...duplicates] };
    }
  }
  return kept.map(({ hit }) => hit);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
