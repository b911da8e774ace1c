/**
 * How much of what an answer should say is in it, by the rules of KwaaiNet's evaluation, so that figures can be compared.
 *
 * A group is one expected thing: a keyword, or several that mean the same. A keyword of one or two words needs all of them
 * in the text, one of more words at least half, rounded up; what has no words, or not enough of them there, must stand in the text
 * as it is. A number is worth what is left of its tolerance. Groups that are hit over groups, summed over questions: a long text that
 * quotes everything wins, so its length belongs beside the score.
 *
 * @module knowledge/evaluate/keywords
 */
export interface ExpectedNumber {
  readonly value: number;
  /** At this distance and beyond nothing is left of the point; 0 asks for the number itself. */
  readonly tolerance: number;
}

export interface Expectation {
  /** One of each group. */
  readonly groups: readonly (readonly string[])[];
  readonly number?: ExpectedNumber;
}

export interface KeywordScore {
  /** Groups hit, and what the number is worth. */
  readonly hits: number;
  readonly groups: number;
  /** Groups that are missing, by their first keyword. */
  readonly missing: readonly string[];
}

const WORD = /[\p{L}\p{N}]+/gu;
/** Whole numbers of four digits, as years are. */
const NUMBER = /(?<![\d.,])\d{1,20}(?:[.,\u00a0\u202f]\d{1,20}){0,8}/gu;
const GROUPED = /^(\d{1,3}(?:[.,\u00a0\u202f]\d{3})+)([.,]\d+)?$/u;
const YEAR = /(?<!\d)\d{4}(?!\d)/g;

export function keywordScore(text: string, expected: Expectation): KeywordScore {
  const folded = text.toLowerCase();
  const words = new Set(folded.match(WORD) ?? []);
  const missing: string[] = [];
  let hits = 0;
  for (const group of expected.groups) {
    if (group.some((keyword) => isHit(keyword.toLowerCase(), folded, words))) hits++;
    else missing.push(group[0] ?? '');
  }
  let groups = expected.groups.length;
  if (expected.number !== undefined) {
    const worth = numberScore(text, expected.number);
    groups++;
    hits += worth;
    if (worth === 0) missing.push(String(expected.number.value));
  }
  return { hits, groups, missing };
}

function isHit(keyword: string, text: string, words: ReadonlySet<string>): boolean {
  const wanted = keyword.match(WORD) ?? [];
  const found = wanted.filter((word) => words.has(word)).length;
  const needed = wanted.length <= 2 ? wanted.length : Math.ceil(wanted.length / 2);
  return (wanted.length > 0 && found >= needed) || (keyword !== '' && text.includes(keyword));
}

/** 1 for the number itself, falling in a line to 0 at the tolerance, for the closest number in the text. */
function numberScore(text: string, { value, tolerance }: ExpectedNumber): number {
  let best = 0;
  for (const found of numbersIn(text, Number.isInteger(value) && value >= 1000 && value <= 9999)) {
    const distance = Math.abs(found - value);
    best = Math.max(best, distance === 0 ? 1 : tolerance > 0 ? 1 - distance / tolerance : 0);
  }
  return best;
}

/** In each way that they can be read: "2.400" is 2400 and 2.4. Where a year may be meant, those of four digits alone. */
function* numbersIn(text: string, isYear: boolean): Generator<number> {
  if (isYear) for (const [found] of text.matchAll(YEAR)) yield Number(found);
  for (const [found] of text.matchAll(NUMBER)) {
    const [, groups, fraction = ''] = GROUPED.exec(found) ?? [];
    if (groups !== undefined) {
      const value = Number(`${groups.replace(/\D/gu, '')}.${fraction.slice(1)}0`);
      if (!isYear || (value >= 1000 && value < 10_000)) yield value;
    }
    if (!isYear && /^\d+(?:[.,]\d+)?$/u.test(found)) yield Number(found.replace(',', '.'));
  }
}

/** Over all groups of all questions. */
export function overall(scores: readonly KeywordScore[]): number {
  const groups = scores.reduce((sum, each) => sum + each.groups, 0);
  return groups === 0 ? 0 : scores.reduce((sum, { hits }) => sum + hits, 0) / groups;
}
