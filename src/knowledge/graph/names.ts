/**
 * Proper names in a text by their capitals: runs of capitalised words, with particles between and initials.
 *
 * @module knowledge/graph/names
 */
import { type Word, wordsIn } from './words.ts';

export interface Name {
  readonly surface: string;
  readonly span: readonly [number, number];
  readonly sentence: number;
  /** 0 to 1. */
  readonly confidence: number;
}

/** May stand between capitalised words of one name. */
const PARTICLES = new Set(
  'of the de du des del della di da do dos das la le les el al bin ibn ben von van der den zu zur y e for on in and &'.split(
    ' ',
  ),
);
/** Of these only `of`-like ones join by themselves; others only in a row after them (`of the`) or in titles. */
const JOINERS = new Set(
  'of de du des del della di da do dos das la le el al bin ibn ben von van der den zu zur &'.split(' '),
);
/** Written with a capital where a sentence begins, and no name by themselves. */
const COMMON = new Set(
  (
    'a an the this that these those it its he she they we you i his her their our my your him them us me who what which when where why how ' +
    'in on at by for from to of with without within into onto over under after before during since until while as if but and or nor so yet ' +
    'because although though however therefore thus moreover furthermore meanwhile also then there here now once often sometimes usually ' +
    'is are was were be been being has have had do does did can could will would shall should may might must not no yes all any both each ' +
    'every few many more most much other others some such several one two three four five six seven eight nine ten first second third last ' +
    'another same only own than too very just even still again further about above across against along among around behind below beneath ' +
    'beside between beyond despite down except like near off out outside past per through throughout toward towards up upon via whether ' +
    'according additionally currently originally recently eventually finally later early today following initially together unlike let please note see ' +
    "it's he's she's they're we're i'm don't didn't doesn't isn't wasn't"
  ).split(' '),
);
const MOST_WORDS = 8;

export function namesIn(text: string, words: readonly Word[] = wordsIn(text)): Name[] {
  const small = new Set<string>();
  const large = new Set<string>();
  for (const { text: word, opens } of words) {
    if (!isCapital(word)) small.add(word);
    else if (!opens) large.add(word);
  }
  const names: Name[] = [];
  for (let at = 0; at < words.length; ) {
    const end = runFrom(words, at);
    if (end === at) {
      at++;
      continue;
    }
    let from = at;
    at = end;
    // Common words before the name are the sentence's.
    while (from < end && (isCommon(text, words[from]!) || !isCapital(words[from]!.text))) from++;
    if (from === end) continue;
    const first = words[from]!;
    const isOne = end - from === 1;
    if (isOne && (first.text.length < 2 || COMMON.has(first.text.toLowerCase()))) continue;
    let confidence = 0.9;
    if (first.opens && isOne) {
      if (small.has(first.text.toLowerCase())) continue;
      confidence = large.has(first.text) ? 0.8 : 0.5;
    } else if (isOne) confidence = 0.7;
    const span = [first.start, words[end - 1]!.end] as const;
    names.push({ surface: text.slice(...span), span, sentence: first.sentence, confidence });
  }
  return names;
}

/** "A. Lee" begins with an initial. */
function isCommon(text: string, { text: word, start, end }: Word): boolean {
  return COMMON.has(word.toLowerCase()) && !(end - start === 1 && text[end] === '.');
}

/** Behind the last word of the name that begins at `at`; `at` when none does. */
function runFrom(words: readonly Word[], at: number): number {
  if (!isCapital(words[at]!.text)) return at;
  let end = at + 1;
  while (end < words.length && end - at < MOST_WORDS) {
    const next = words[end]!;
    if (!next.joins) break;
    if (isCapital(next.text) || /^\p{N}+$/u.test(next.text)) {
      end++;
      continue;
    }
    if (!JOINERS.has(next.text)) break;
    let after = end + 1;
    if (after < words.length && words[after]!.joins && PARTICLES.has(words[after]!.text)) after++;
    if (after >= words.length || !words[after]!.joins || !isCapital(words[after]!.text)) break;
    end = after + 1;
  }
  return end;
}

export function isCapital(word: string): boolean {
  return /^\p{Lu}|^\p{Lt}/u.test(word);
}
