/**
 * Whether a source says what a sentence says. Numbers, names and quotes decide first: each must stand in the source. Then most of
 * the sentence's telling words must, close together.
 *
 * This finds invented figures and names for certain, and most sentences about something else. It does not understand: a sentence
 * that puts a source's own words together wrongly passes.
 *
 * @module knowledge/answer/claims/verify
 */
import type { Missing } from '../types.ts';
import { hasName, hasQuote, type NameIndex, nameIndexOf, namesOf, quotesOf } from './names.ts';
import { hasDate, hasQuantity, type Numbers, numbersOf } from './numbers.ts';
import { quotableSentences } from './sentences.ts';
import { fold, foldedWords, stem, tellingStems } from './words.ts';

/** Share of a sentence's telling words that the source must have near each other. */
const WORDS_NEEDED = 0.6;
/** From this share on a sentence is nearly the source's own, so that a `not` more or less turns it around. */
const NEARLY_SAME = 0.8;
const NEGATION =
  /\b(?:not|never|no|none|neither|nor|without|cannot|can't|won't|[a-z]+n['’]t|nicht|kein\w*|nie)\b/iu;
const SELF = /(?<![\p{L}\p{N}.])I(?:['’](?:m|ve|ll|d))?(?![\p{L}\p{N}.])/u;
const URL = /\b(?:https?:\/\/|www\.)[^\s<>()[\]]+/giu;

export interface SourceSentence {
  readonly text: string;
  readonly stems: ReadonlySet<string>;
  readonly negated: boolean;
}

/** A source's text, taken apart once. */
export interface Checked {
  readonly folded: string;
  /** The text alone, its spaces single. */
  readonly flat: string;
  readonly numbers: Numbers;
  readonly names: NameIndex;
  readonly sentences: readonly SourceSentence[];
}

export interface Claim {
  readonly text: string;
  readonly stems: readonly string[];
  readonly quotes: readonly string[];
  readonly numbers: Numbers;
  readonly negated: boolean;
  readonly links: readonly string[];
  /** True when there is something to check. */
  readonly tells: boolean;
}

export interface Judged {
  readonly supported: boolean;
  readonly missing: readonly Missing[];
  /** The source's sentence that supports it most; null when none shares a word with it. */
  readonly sentence: string | null;
  /** Share of the telling words that stand near each other in the source. */
  readonly words: number;
}

/** @param title counts as said: chunks rarely repeat what they are about */
export function checkable(title: string, text: string): Checked {
  const whole = `${title}\n${text}`;
  return {
    folded: fold(whole),
    flat: flat(text),
    numbers: numbersOf(whole),
    names: nameIndexOf(whole),
    sentences: quotableSentences(text).map((sentence) => ({
      text: sentence,
      stems: new Set(foldedWords(sentence).map(stem)),
      negated: NEGATION.test(sentence),
    })),
  };
}

/** @param text a sentence without marks of citation */
export function claimOf(text: string): Claim {
  const numbers = numbersOf(text);
  const names = namesOf(text);
  const stems = tellingStems(text).filter((word) => !NEGATION.test(word));
  const links = text.match(URL) ?? [];
  const strong = numbers.dates.length + numbers.quantities.filter(({ weak }) => !weak).length + names.length;
  return {
    ...{ text, stems, numbers, links, quotes: quotesOf(text), negated: NEGATION.test(text) },
    tells: strong > 0 || stems.length >= 3 || links.length > 0,
  };
}

export function judge(claim: Claim, source: Checked): Judged {
  const same = flat(claim.text);
  if (claim.stems.length > 0 && standsWhole(same, source.flat))
    return {
      supported: true,
      missing: [],
      sentence: nearest(claim, source).sentence?.text ?? null,
      words: 1,
    };
  const missing: Missing[] = [];
  for (const quantity of claim.numbers.quantities)
    if (!quantity.weak && !hasQuantity(quantity, source.numbers, source.folded))
      missing.push({ kind: 'number', what: quantity.surface });
  for (const date of claim.numbers.dates)
    if (!hasDate(date, source.numbers)) missing.push({ kind: 'number', what: date.surface });
  for (const name of namesOf(claim.text))
    if (!hasName(name, source.names)) missing.push({ kind: 'name', what: name.surface });
  for (const quote of claim.quotes)
    if (!hasQuote(quote, source.names)) missing.push({ kind: 'quote', what: quote });
  for (const link of claim.links)
    if (!source.folded.includes(fold(link).replace(/[.,;:!?]+$/u, '')))
      missing.push({ kind: 'link', what: link });

  const { words, sentence, alike } = nearest(claim, source);
  // Documents may say "I". A writer that does so by itself speaks of itself, and mostly because a document told it to.
  if (SELF.test(claim.text) && !SELF.test(sentence?.text ?? '')) missing.push({ kind: 'name', what: 'I' });
  if (words < WORDS_NEEDED && claim.stems.length > 0)
    missing.push({ kind: 'words', what: absent(claim, source).join(' ') });
  else if (sentence !== null && alike >= NEARLY_SAME && claim.negated !== sentence.negated)
    missing.push({ kind: 'negation', what: claim.text });
  return { supported: missing.length === 0, missing, sentence: sentence?.text ?? null, words };
}

const flat = (text: string): string => text.replace(/\s+/gu, ' ').trim();

/** Whether a source has a sentence word for word, and whole: "they are allowed" is none of "it is not so that they are allowed". */
function standsWhole(sentence: string, text: string): boolean {
  if (!/[.!?…。！？:;]["'”’»)]*$/u.test(sentence)) return false;
  for (let at = text.indexOf(sentence); at >= 0; at = text.indexOf(sentence, at + 1)) {
    if (at === 0 || /[.!?…。！？]["'”’»)]* ?$/u.test(text.slice(Math.max(0, at - 6), at))) return true;
  }
  return false;
}

function absent({ stems }: Claim, { names }: Checked): string[] {
  return stems.filter((word) => !names.stems.has(word)).slice(0, 8);
}

/** The place of the source that has most of the claim's words: a sentence with those beside it. */
function nearest({ stems, numbers, text }: Claim, { sentences, names }: Checked) {
  if (stems.length === 0) return { words: 1, sentence: sentences[0] ?? null, alike: 0 };
  // Weak points of a window: a number that only a neighbour has still counts; what no sentence has, the title may.
  const holds = (set: ReadonlySet<string>) => stems.filter((word) => set.has(word)).length;
  const own = sentences.map(({ stems: set }) => holds(set));
  let best = -1;
  let most = 0;
  let bestOwn = 0;
  sentences.forEach(({ stems: set, text: sentence }, at) => {
    if (own[at] === 0) return;
    const around = new Set([
      ...(sentences[at - 1]?.stems ?? []),
      ...set,
      ...(sentences[at + 1]?.stems ?? []),
    ]);
    const within = holds(around);
    // Of equal places the one whose own sentence has more, and then that with the claim's numbers.
    const value = own[at]! + figures(sentence, numbers) * 0.5;
    if (within + value > most + bestOwn) {
      best = at;
      most = within;
      bestOwn = value;
    }
  });
  if (best < 0) return { words: holds(names.stems) === stems.length ? 1 : 0, sentence: null, alike: 0 };
  // What the title says (the subject, mostly) counts for every place.
  const sentence = sentences[best]!;
  const near = new Set([
    ...(sentences[best - 1]?.stems ?? []),
    ...sentence.stems,
    ...(sentences[best + 1]?.stems ?? []),
  ]);
  const named = new Set(namesOf(text).flatMap(({ words }) => words.map(stem)));
  const words =
    stems.filter((word) => near.has(word) || (named.has(word) && names.stems.has(word)) || /\d/.test(word))
      .length / stems.length;
  return { words, sentence, alike: own[best]! / stems.length };
}

function figures(sentence: string, { quantities, dates }: Numbers): number {
  const folded = fold(sentence);
  return [...quantities, ...dates].filter(({ surface }) => folded.includes(fold(surface))).length;
}
