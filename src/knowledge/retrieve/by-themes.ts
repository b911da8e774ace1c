/**
 * A question about everything that a knowledge base has: the best passages of each of its largest themes, in turn. By words and
 * meaning alone such a question finds what is worded like it ("summary", "main topics"), and not what is there.
 *
 * @module knowledge/retrieve/by-themes
 */
import { formatPlural } from '../../base/index.ts';
import type { Theme } from '../graph/index.ts';
import type { GraphEvidence } from './types.ts';

/** Themes that are drawn from. */
const MOST_THEMES = 24;
/** Passages of each that are weighed by the question: the most telling ones. */
const WEIGHED = 32;
/** Names of a theme that are told. */
const TOLD = 3;

export interface Themed {
  /** Falls in the order in which passages were drawn. */
  readonly scores: ReadonlyMap<number, number>;
  readonly why: string;
  evidenceOf(row: number): GraphEvidence | null;
}

export interface ByThemesOptions {
  /** Passages wanted. */
  readonly limit: number;
  readonly keeps: (row: number) => boolean;
  /** Cosines of rows to the question; those that are missing count as 0. */
  readonly cosinesOf: (rows: readonly number[]) => ReadonlyMap<number, number>;
}

/** Null where no theme has a passage. */
export function byThemes(
  themes: readonly Theme[],
  { limit, keeps, cosinesOf }: ByThemesOptions,
): Themed | null {
  const kept = themes
    .map(({ names, passages }) => ({ names, passages: passages.filter(({ row }) => keeps(row)) }))
    .filter(({ passages }) => passages.length > 0)
    .sort((a, b) => b.passages.length - a.passages.length)
    .slice(0, Math.min(MOST_THEMES, limit));
  if (kept.length === 0) return null;
  const weighed = kept.map(({ names, passages }) => ({ names, passages: passages.slice(0, WEIGHED) }));
  const cosines = cosinesOf(weighed.flatMap(({ passages }) => passages.map(({ row }) => row)));
  const ranked = weighed.map(({ names, passages }) => ({
    names,
    passages: passages
      .map((passage) => ({ ...passage, worth: passage.share * Math.exp(cosines.get(passage.row) ?? 0) }))
      .sort((a, b) => b.worth - a.worth || a.row - b.row),
  }));
  const drawn = new Map<number, GraphEvidence>();
  for (let turn = 0; turn < WEIGHED; turn++)
    for (const { names, passages } of ranked) {
      const passage = passages[turn];
      if (passage === undefined) continue;
      drawn.set(passage.row, {
        ...{ score: passage.share, rank: drawn.size + 1 },
        through: names.slice(0, TOLD),
      });
    }
  const told = kept
    .slice(0, TOLD)
    .map(({ names: [name] }) => `'${name}'`)
    .join(', ');
  return {
    scores: new Map([...drawn].map(([row, { rank }]) => [row, 1 / rank])),
    why: `it asks for an overview of everything: passages of ${formatPlural(kept.length, 'group')} of names that stand together, the largest around ${told}`,
    evidenceOf: (row) => drawn.get(row) ?? null,
  };
}
