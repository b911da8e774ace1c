/**
 * What kind of thing a question asks for, and how well a piece of a source is of that kind. By the forms of questions in English
 * and German, and the commonest of French and Spanish.
 *
 * @module knowledge/answer/asked-for
 */
import { isStopWord } from '../retrieve/index.ts';
import { namesOf } from './claims/names.ts';
import { numbersOf, type Quantity } from './claims/numbers.ts';
import { foldedWords, stem } from './claims/words.ts';
import type { Piece } from './pieces.ts';

export type Wanted = 'person' | 'time' | 'number' | 'place' | null;

export interface AskedFor {
  readonly wanted: Wanted;
  /** Stems of what is to be said what it is: "what is a relay?". Null: something else is asked. */
  readonly subject: readonly string[] | null;
  /** Asks how something is done, or for what is typed: code may answer. */
  readonly how: boolean;
  /** Asks which there are: rows and items may answer. */
  readonly which: boolean;
}

const DEFINES =
  /^(?:what(?:'s| is| are| was| were)|who (?:is|are|was|were)|what does|define|was (?:ist|sind|war|bedeutet|macht)|wer (?:ist|war)|qu['’]est-ce qu(?:e|['’])(?: c['’]est)?|qui est|qu[eé] (?:es|son)|qui[eé]n (?:es|era))\s+(.{1,80}?)(?:\s+(?:do|mean|stand for|for|da|good for|about))?\s*[?？.!]*$/iu;
/** A subject with these is more than a name: something about it is asked. */
const FURTHER =
  /\b(?:of|in|for|with|between|when|that|which|by|from|to|on|at|and|default|difference|size|limit|von|im|für|zwischen|beim?|der|des)\b/iu;
const HOW =
  /^(?:how (?:do|can|to|should|would|does one)|wie (?:kann|mache|lasse|installiere|starte|stelle|f[üu]ge|geht)|comment|c[oó]mo)\b|\b(?:command|install|code|example|syntax|befehl|beispiel|commande|comando)\b/iu;
const WHICH = /^(?:which|what (?:kinds?|types?|are)|welche[rsnm]?|quels?|quelles?|cu[aá]les?)\b|\bwhich\b/iu;

export function askedFor(question: string): AskedFor {
  const text = question.trim();
  const named = DEFINES.exec(text)?.[1]?.replace(
    /^(?:the|an?|der|die|das|eine?|l[ea]s?|une?|el|los|las|una?)\s+/iu,
    '',
  );
  const words = named === undefined || FURTHER.test(named) ? [] : foldedWords(named);
  const subject = words.filter((word) => !isStopWord(word)).map(stem);
  return {
    wanted: wantedBy(text),
    subject: subject.length > 0 && words.length <= 5 ? subject : null,
    how: HOW.test(text),
    which: WHICH.test(text),
  };
}

function wantedBy(question: string): Wanted {
  if (/\bwho(?:m|se)?\b|\bwer\b/iu.test(question)) return 'person';
  if (/\bwhen\b|\bwhat (?:year|date|day|time)\b|\bwann\b/iu.test(question)) return 'time';
  if (
    /\bhow (?:many|much|old|tall|far|long|big|high|deep|often|large|heavy|fast)\b|\bwie (?:viele?|lange|hoch|weit|oft|gro(?:ß|ss)|schnell|teuer)\b/iu.test(
      question,
    )
  )
    return 'number';
  if (/^where\b|^wo(?:hin|her)?\b|^où\b|^d[oó]nde\b/iu.test(question)) return 'place';
  return null;
}

/** A place, a folder, a file, an address. */
const PLACE =
  /\b(?:in|at|near|from|to|bei|nach|aus|à|en)\s+(?:the\s+|der\s+|dem\s+)?\p{Lu}|[\w~.-]+\/[\w.-]+|\b[\w-]+\.(?:ya?ml|json|md|txt|conf|ini|toml|sqlite|log)\b/u;

export function hasWanted(sentence: string, wanted: Wanted): boolean {
  if (wanted === null) return false;
  if (wanted === 'person') return namesOf(sentence).length > 0;
  if (wanted === 'place') return PLACE.test(sentence);
  const { quantities, dates } = numbersOf(sentence);
  const isYear = ({ values, unit }: Quantity) =>
    unit === null && values.some((value) => value >= 1000 && value < 2200);
  if (wanted === 'number') return quantities.some((quantity) => !quantity.weak && !isYear(quantity));
  return (
    dates.length > 0 || quantities.some(({ values }) => values.some((value) => value >= 1000 && value < 2200))
  );
}

const ARTICLE = /^(?:the|an?|der|die|das|eine?|une?|l[ea]|el|la|una?)$/;
const GENERAL = /^(?:an?|eine?|une?|una?)$/;
const IS =
  /^(?:is|are|was|were|ist|sind|war|est|sont|es|son|means?|denotes|bezeichnet|bedeutet|hei(?:ß|ss)t)$/;
const A_THING =
  /^(?:an?|the|one|any|what|where|how|eine?[rmns]?|der|die|das|une?|l[ea]s?|una?|el|los|short)$/;
const DOES =
  /^(?:provides?|lets|allows?|makes?|gives?|offers?|helps?|passes|holds?|keeps?|reads?|writes?|converts?|detects?|implements?|describes?)$/;

/** How much a sentence says what its subject is: 0 to 0.5. */
export function defines(sentence: string, subject: readonly string[]): number {
  const words = foldedWords(sentence.slice(0, 200));
  const general = GENERAL.test(words[0] ?? '');
  let at = ARTICLE.test(words[0] ?? '') ? 1 : 0;
  const from = at;
  // The name may have a word or two around it: "the libffi library", "Nodes that ... form a swarm".
  const end = Math.min(words.length, from + subject.length + 2);
  const found = new Set<string>();
  while (at < end && found.size < subject.length) {
    const each = stem(words[at]!);
    if (subject.includes(each)) found.add(each);
    at++;
  }
  if (found.size < subject.length) return formsIt(words, subject) ? 0.3 : 0;
  for (let i = at; i < Math.min(words.length, at + 3); i++) {
    if (IS.test(words[i]!)) return A_THING.test(words[i + 1] ?? '') ? 0.5 : 0.1;
    if (DOES.test(words[i]!)) return 0.35;
  }
  return general ? 0.25 : 0;
}

/** "Nodes that know each other form a swarm." */
function formsIt(words: readonly string[], subject: readonly string[]): boolean {
  for (let i = 1; i + 1 < Math.min(words.length, 25); i++) {
    if (!/^(?:forms?|called|named|hei(?:ß|ss)t|hei(?:ß|ss)en|nennt|appelee?|llamad[oa]s?)$/.test(words[i]!))
      continue;
    const next = words.slice(i + 1, i + 2 + subject.length).map(stem);
    if (subject.every((each) => next.includes(each))) return true;
  }
  return false;
}

const ELSEWHERE =
  /^(?:please |for (?:more|further|a|full|detailed)|see\b|refer to|read (?:this|the|more)|consult|check (?:out|the)|take a look|siehe|weitere|mehr dazu)|\b(?:see|refer to|consult|please read|have a look at|described in|documented (?:in|at)|can be found|is available at)\b.{0,60}$/iu;
const LEGAL = /\b(?:licen[cs]e[ds]?|copyright|warrant(?:y|ies)|lizenz|urheberrecht)\b|©/iu;
const POINTS =
  /^(?:it|its|they|their|this|that|these|those|he|she|his|her|both|such|there|so|otherwise|also|then|e[rs]|sie|dies(?:e[rsnm]?)?|beide|dort|dann|sonst|il|elle|ils|elles|cela|esto|esta|este)\b/iu;

/** Whether it can be understood only by what stands before it. */
export function pointsBack(sentence: string): boolean {
  return POINTS.test(sentence);
}

/** More marks of programs than a sentence has. */
function isCluttered(sentence: string): boolean {
  const marks = sentence.match(/[{}()=<>[\];|\\$`"*_#~]/gu)?.length ?? 0;
  return marks > 4 && marks > sentence.length * 0.08;
}

/** What speaks for a piece, or against it, by its kind and form alone: about -0.5 to 0.1. */
export function fitness(
  piece: Piece,
  question: string,
  { how, which, wanted }: AskedFor,
  keyed: boolean,
): number {
  const { kind, sentence } = piece;
  let sum = 0;
  if (kind === 'scrap') sum -= 0.4;
  else if (kind === 'code') sum += how ? 0.2 : -0.45;
  else if (kind === 'row') sum += keyed ? (which || wanted === 'number' ? 0.15 : 0) : -0.25;
  else if (kind === 'item') sum -= 0.05;
  if (kind !== 'code' && sentence.endsWith(':')) sum -= 0.3;
  if (kind !== 'code' && isCluttered(sentence)) sum -= 0.3;
  if (ELSEWHERE.test(sentence)) sum -= 0.3;
  if (LEGAL.test(sentence) && !LEGAL.test(question) && wanted !== 'person') sum -= 0.3;
  if (pointsBack(sentence) && piece.before === null) sum -= 0.15;
  return sum;
}
