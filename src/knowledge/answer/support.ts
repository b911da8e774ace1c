/**
 * How far what was found speaks to a question, by the scores of the search: without support there is no answer.
 *
 * @module knowledge/answer/support
 */
import { type Found, isStopWord } from '../retrieve/index.ts';
import { hasRuns } from '../store/grams.ts';
import type { KnowledgeStore } from '../store/index.ts';
import { foldedWords, stem } from './claims/words.ts';
import { isGermanSmallWord, languageOf } from './language.ts';
import type { Source, Support } from './types.ts';

/**
 * Least sum of what words and meaning say, for all-MiniLM-L6-v2. Of 440 questions of four judged sets (SciFact, Cranfield, HotpotQA,
 * MuSiQue) 3.6 % are below it where they belong; asked of a set about something else, 0.3 % of 1,120 are above it, and of 200 asked of
 * the other one that is made of Wikipedia 7.5 %.
 */
const LEAST = 0.62;
/** Without vectors: the share of rare words that one source must have. Of the same questions, 4.8 % below, and 6.1 % (25 %) above. */
const LEAST_COVERAGE = 0.35;
/** Words of a question that are weighed, the longest. Each is one look into the index. */
const MOST_WORDS = 12;
/** Chunks of a word beyond which it is only "frequent". */
const MOST_COUNTED = 500;
/** Sources among which one must have the words. */
const BEST = 5;
/** What a pair of characters counts that no chunk has. */
const UNSEEN_PAIR = 0.3;
/** A word in fewer than one of so many chunks is rare. */
const RARE = 50;

export interface SupportThresholds {
  /** @default 0.62 */
  readonly least?: number;
  /** Where there are no cosines. @default 0.35 */
  readonly leastCoverage?: number;
}

export function supportOf(
  question: string,
  found: Found,
  sources: readonly Source[],
  store: Pick<KnowledgeStore, 'lexical' | 'counts'>,
  { least = LEAST, leastCoverage = LEAST_COVERAGE }: SupportThresholds = {},
): Support {
  const { chunks } = store.counts();
  const isGerman = languageOf(question) === 'de';
  const words = [...new Set(foldedWords(question))]
    .filter((word) => !isStopWord(word) && !ASKING.has(word) && !(isGerman && isGermanSmallWord(word)))
    .sort((a, b) => b.length - a.length)
    .slice(0, MOST_WORDS)
    .map((word) => {
      const count = store.lexical([word], MOST_COUNTED).length;
      return {
        word,
        stem: stem(word),
        rare: count * RARE < chunks,
        // A pair that stands nowhere mostly is the end of one word and the beginning of another.
        weight: hasRuns(word) && count === 0 ? UNSEEN_PAIR : Math.log(1 + chunks / (count + 0.5)),
      };
    });
  const whole = words.reduce((sum, { weight }) => sum + weight, 0);
  const best = sources
    .slice(0, BEST)
    .map((source) => new Set(foldedWords(`${source.title}\n${source.text}`).map(stem)));
  const shares = best.map((stems) =>
    words.reduce((sum, { stem: each, weight }) => (stems.has(each) ? sum + weight : sum), 0),
  );
  const coverage = whole === 0 ? null : Math.max(0, ...shares) / whole;
  const cosines = found.hits
    .map(({ vector }) => vector?.score)
    .filter((score) => score !== undefined)
    .sort((a, b) => b - a);
  const cosine = cosines[0] ?? null;
  return {
    enough: sources.length > 0 && isEnough(coverage, cosine, least, leastCoverage),
    coverage,
    cosine,
    margin: cosines.length < 5 ? null : cosines[0]! - cosines[4]!,
    missing: words
      .filter(
        ({ word, stem: each, rare }) => rare && !hasRuns(word) && !best.some((stems) => stems.has(each)),
      )
      .map(({ word }) => word),
  };
}

function isEnough(
  coverage: number | null,
  cosine: number | null,
  least: number,
  leastCoverage: number,
): boolean {
  if (cosine === null) return coverage !== null && coverage >= leastCoverage;
  return support(coverage, cosine) >= least;
}

/** One figure of both: words count half of what meaning does. */
export function support(coverage: number | null, cosine: number): number {
  return cosine + 0.5 * (coverage ?? 0.5);
}

/** What questions are made of, beside the words that are never looked up. */
const ASKING: ReadonlySet<string> = new Set(
  (
    'tell give show list explain describe say know find please name many much long old kind type mean means meaning definition ' +
    'define difference between about happen happened does use used way year date time also any all more most one two support supported ' +
    'supports possible available able can need needs work works who wrote written created made makes best'
  ).split(' '),
);
