/**
 * Names and quotes in a sentence, and whether a source has them.
 *
 * @module knowledge/answer/claims/names
 */
import { isStopWord } from '../../retrieve/index.ts';
import { fold, foldedWords, stem } from './words.ts';

/** Words with which sentences begin, so that their capital says nothing. */
const STARTERS: ReadonlySet<string> = new Set(
  (
    'according additionally after all although also among another any around based because before between both during each ' +
    'either every finally first furthermore given hence here however instead just last later like many more moreover most much ' +
    'neither nevertheless no none nor now often once one only other others otherwise over overall per perhaps probably second ' +
    'several similarly since some sometimes soon still such sure thanks therefore third though through thus today together two ' +
    'under unfortunately unless unlike until upon usually via well whereas whether while within without yes yet'
  ).split(' '),
);
/** Words that stand capitalised inside sentences and name nothing of their own. */
const TITLES: ReadonlySet<string> = new Set(
  'mr mrs ms dr prof professor doctor sir lord lady st king queen president captain i monday tuesday wednesday thursday friday saturday sunday source sources'.split(
    ' ',
  ),
);
/** Capitalised words, with the small words inside names, on one line. */
const RUN =
  /(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{M}\p{N}'’.-]{0,60}(?:[ \u00a0](?:(?:of|de|da|di|du|la|le|van|von|der|den|and|the|für|y)[ \u00a0]){0,2}\p{Lu}[\p{L}\p{M}\p{N}'’.-]{0,60}){0,8}/gu;
/** GPT-4, COVID-19, v2.1, ISO27001: letters and digits in one word. */
const CODE =
  /(?<![\p{L}\p{N}])(?=[\p{L}\p{N}._-]{0,40}\p{L})(?=[\p{L}\p{N}._-]{0,40}\p{N})[\p{L}\p{N}]+(?:[._-][\p{L}\p{N}]+){0,6}/gu;
/** 192.168.7.1, 2.1.3: addresses and versions, unless it is 1.000.000 or 12.3.2020. */
const DOTTED = /(?<![\p{L}\p{N}.,])\d{1,5}(?:\.\d{1,5}){2,6}(?![\p{L}\p{N}])/gu;
const NO_CODE = /^(?:\d{1,3}(?:\.\d{3})+|\d{1,2}\.\d{1,2}\.\d{4}|\d{4}\.\d{1,2}\.\d{1,2})$/u;
/** 5km, 12th, 80s, 3.5m: numbers with what belongs to them. */
const MEASURED = /^[\d.,_-]+\p{L}{1,3}$/u;
/** A verb behind a lone first word makes it a subject without an article: mostly a name. */
const VERB =
  /^[ \u00a0]+(?:is|was|has|had|did|does|became|died|wrote|won|said|says|lives|lived|founded|invented|moved|worked|led|made|built|\p{Ll}+ed)\b/u;

export interface Named {
  readonly surface: string;
  /** Folded words that a source must have. */
  readonly words: readonly string[];
  /** A code, which must stand there as one. */
  readonly whole: boolean;
}

/** @param sentence one sentence, without marks of citation */
export function namesOf(sentence: string): Named[] {
  const names: Named[] = [];
  const seen = new Set<string>();
  const add = (surface: string, whole = false) => {
    const words = foldedWords(surface).filter(
      (word) => whole || (!TITLES.has(word) && !isStopWord(word) && (word.length > 1 || /\d/.test(word))),
    );
    const key = words.join(' ');
    if (words.length === 0 || seen.has(key)) return;
    seen.add(key);
    names.push({ surface, words, whole });
  };
  for (const { 0: match, index } of sentence.matchAll(RUN)) {
    let surface = match.replace(/[.'’-]+$/u, '');
    if (beginsSentence(sentence, index)) {
      const first = /^[^ \u00a0]+/u.exec(surface)![0];
      const word = fold(first);
      const alone = first.length === surface.length;
      const isName = alone
        ? /^\p{Lu}{2,}$/u.test(first) ||
          (!STARTERS.has(word) &&
            !isStopWord(word) &&
            !/(?:s|ly|ing)$/u.test(word) &&
            VERB.test(sentence.slice(index + first.length, index + first.length + 40)))
        : // "Use GPT-4": what goes before a code is mostly no part of it.
          !STARTERS.has(word) && !isStopWord(word) && !/\d/.test(surface.split(/[ \u00a0]/u)[1]!);
      if (!isName) surface = alone ? '' : surface.slice(first.length).trim();
      // "The Great Wall" begins with nothing of the name; "After of X" cannot be.
      surface = surface.replace(/^(?:of|de|and|the|von|van)[ \u00a0]/u, '');
    }
    for (const part of surface.split(/[ \u00a0]and[ \u00a0](?:the[ \u00a0])?/u)) if (part !== '') add(part);
  }
  for (const [match] of sentence.matchAll(CODE)) if (!MEASURED.test(match)) add(match, true);
  for (const [match] of sentence.matchAll(DOTTED)) if (!NO_CODE.test(match)) add(match, true);
  return names;
}

function beginsSentence(text: string, index: number): boolean {
  return /(?:^|[.!?:]["”’)]?\s|[\n•]\s*|[-*]\s|["“„«(])\s*$/u.test(
    text.slice(Math.max(0, index - 6), index) || '',
  );
}

/** What of a source names are looked up in. */
export interface NameIndex {
  readonly words: ReadonlySet<string>;
  readonly stems: ReadonlySet<string>;
  /** Of runs of capitalised words: `nasa`. */
  readonly initials: ReadonlySet<string>;
  /** All its words, one space between them. */
  readonly line: string;
  /** Those that are no stop words, in their order. */
  readonly telling: readonly string[];
}

/** Endings by which a name becomes an adjective or a plural. */
const DERIVED = new Set(['s', 'es', 'y', 'ese', 'ish', 'ian', 'ean']);

export function nameIndexOf(text: string): NameIndex {
  const words = foldedWords(text);
  const initials = new Set<string>();
  for (const [run] of text.matchAll(RUN)) {
    const big = run.split(/[ \u00a0-]/u).filter((word) => /^\p{Lu}/u.test(word));
    const letters = fold(big.map((word) => word[0]).join(''));
    for (let from = 0; from < letters.length; from++)
      for (let to = from + 2; to <= letters.length; to++) initials.add(letters.slice(from, to));
  }
  return {
    ...{ words: new Set(words), stems: new Set(words.map(stem)), initials, line: ` ${words.join(' ')} ` },
    telling: words.filter((word) => !isStopWord(word)),
  };
}

export function hasName({ words, whole }: Named, index: NameIndex): boolean {
  if (whole) {
    const apart = words.join(' ');
    return [apart, apart.replaceAll(' ', ''), apart.replace(/(\p{L})(\d)/gu, '$1 $2')].some((each) =>
      index.line.includes(` ${each} `),
    );
  }
  const forms = words.map(formsOf);
  const [first, ...rest] = forms;
  if (rest.length === 0 && index.initials.has(words[0]!)) return true;
  // "Ines Okafor" is not in "Ines Caldeira, Tom Okafor": the words of a name stand together, one other word between two at most.
  const from = index.telling.flatMap((word, at) => (first!.has(word) ? [at] : []));
  return from.some((start) => {
    let at = start;
    return rest.every((form) => {
      const next = [1, 2].find((step) => form.has(index.telling[at + step] ?? ''));
      at += next ?? 0;
      return next !== undefined;
    });
  });
}

/** A word of a name and what it is as an adjective or a plural. */
function formsOf(word: string): ReadonlySet<string> {
  const forms = new Set([word]);
  if (word.length < 4) return forms;
  for (const end of DERIVED) {
    forms.add(word + end);
    if (word.length - end.length >= 4 && word.endsWith(end)) forms.add(word.slice(0, -end.length));
  }
  return forms;
}

/** Two quotation marks and what is between them. Single ones are mostly apostrophes. */
const QUOTE = /"([^"\n]{2,2000})"|“([^”\n]{2,2000})[”“]|„([^“”\n]{2,2000})[“”]|«([^»\n]{2,2000})»/gu;
/** Fewer words are a term, not what somebody said. */
const LEAST_QUOTED = 3;

/** Texts in quotation marks that are long enough to be checked word for word. */
export function quotesOf(sentence: string): string[] {
  const quotes: string[] = [];
  for (const match of sentence.matchAll(QUOTE)) {
    const quote = match.slice(1).find((part) => part !== undefined)!;
    if (foldedWords(quote).length >= LEAST_QUOTED) quotes.push(quote);
  }
  return quotes;
}

/** Word for word, but for marks and capitals; what is left out (`…`) may be anything, in this order. */
export function hasQuote(quote: string, { line }: NameIndex): boolean {
  let from = 0;
  for (const part of quote.split(/\[?(?:\.{3}|…)\]?/u)) {
    const words = foldedWords(part).join(' ');
    if (words === '') continue;
    const at = line.indexOf(` ${words} `, from);
    if (at < 0) return false;
    from = at + words.length + 1;
  }
  return true;
}
