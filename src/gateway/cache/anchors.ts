/**
 * What two questions must have exactly in common to have one answer, however close their vectors are.
 *
 * Vectors put "born 1884" beside "born 1914" and "is" beside "is not". So numbers, dates, units, names, quotations,
 * code-like words, negations and words of direction are taken out of each text in their order and compared as lists:
 * any difference is a miss. A text that shows no name (all in lower case, or a script without case) does not say which
 * of its words are names; there each word that carries meaning counts.
 *
 * @module gateway/cache/anchors
 */
import { FUNCTION_WORDS, markOf, NUMBER_WORDS, OPENERS, unitOf } from './anchor-words.ts';

/** Lists of each class, joined into one text: equal texts, equal anchors. */
export function anchorsOf(text: string): string {
  const quoted: string[] = [];
  const plain = text
    .normalize('NFKC')
    .trimStart()
    .replace(POLITE, '')
    .replace(QUOTED, (whole, ...groups: unknown[]) => {
      const inner = groups.slice(0, 5).find((group): group is string => typeof group === 'string');
      quoted.push((inner ?? whole).trim());
      return ' ";" ';
    });
  const tokens = [...plain.matchAll(TOKEN)].map(([token], index, all) => ({
    token,
    opens:
      index === 0 ||
      /[.!?:;"\n]/.test(plain.slice(all[index - 1]!.index + all[index - 1]![0].length, all[index]!.index)),
  }));

  const numbers: string[] = [];
  const units: string[] = [];
  const marks: string[] = [];
  const names: string[] = [];
  const codes: string[] = [];
  const content: string[] = [];
  let counted = false;
  for (const { token, opens } of tokens) {
    const afterNumber = counted;
    counted = false;
    const lower = token.toLowerCase().replace(/[’`]/g, "'");
    const number = numberOf(lower);
    if (number !== null) {
      numbers.push(number.value);
      counted = number.unit === '';
      if (number.unit !== '') units.push(unitOf(number.unit) ?? number.unit);
      continue;
    }
    const unit = afterNumber ? countedUnitOf(lower) : unitOf(lower);
    if (unit !== null) {
      units.push(unit);
      continue;
    }
    const mark = markOf(lower);
    if (mark !== null) marks.push(mark);
    else if (/[\p{N}_@#/\\]|\p{Ll}\p{Lu}|\w\.\w/u.test(token) || SYMBOL.test(token)) codes.push(token);
    else if (/^\p{Lu}/u.test(token) && !FUNCTION_WORDS.has(stem(lower)) && !(opens && OPENERS.has(lower))) {
      names.push(stem(lower));
    } else if (!FUNCTION_WORDS.has(lower) && !OPENERS.has(lower)) content.push(stem(lower));
  }
  const nameless = names.length === 0;
  return JSON.stringify([numbers, units, marks, names, codes, quoted, nameless ? content : []]);
}

/** The text from where it asks: without a greeting, "please", "could you tell me". */
export function withoutPoliteness(text: string): string {
  return text.trimStart().replace(POLITE, '');
}

/** What a vector is made of: the bare question, always with its mark, whose absence alone moves a vector by a tenth. */
export function questionText(text: string): string {
  return `${withoutPoliteness(text)
    .slice(0, 4096)
    .trimEnd()
    .replace(/[.?!…]{1,8}$/, '')}?`;
}

/** How people begin before they ask. */
const POLITE =
  /^(?:(?:hi|hello|hey|please|ok|okay)[,!.\s]{1,4}){0,3}(?:(?:can|could|would|will) you (?:please )?|do you know |i(?:'d| would) like to know |i want to know )?(?:(?:please )?(?:tell me|explain to me|explain)[,:]? )?/i;

/** Straight and typographic quotations, and code between backticks. */
const QUOTED =
  /"([^"\n]{1,512})"|“([^”\n]{1,512})”|«([^»\n]{1,512})»|„([^“”\n]{1,512})[“”]|`([^`\n]{1,512})`/g;

/** Numbers with signs, separators and what clings to them; words with inner apostrophes, dots, hyphens; symbols. */
const TOKEN =
  /[-+−]?(?:[$€£¥]\s?)?\p{N}[\p{N}.,:/'’-]*(?<![.,:/'’-])(?:\s?[%‰°][CFK]?|[\p{L}]+)?|[\p{L}\p{M}](?:[\p{L}\p{M}\p{N}_@/\\]|['’.-](?=[\p{L}\p{N}]))*[#+]*|[-+*/=<>≤≥≠^%&|~$€£¥@#_\\√∑∫π]+|\p{Extended_Pictographic}/gu;
const SYMBOL = /^[-+*/=<>≤≥≠^%&|~$€£¥@#_\\√∑∫π]|\p{Extended_Pictographic}/u;

function numberOf(token: string): { value: string; unit: string } | null {
  const word = NUMBER_WORDS.get(token);
  if (word !== undefined) return { value: word, unit: '' };
  const match = /^([-+−]?)([$€£¥]?)\s?(\p{N}[\p{N}.,:/'’-]*?)(?:\s?([%‰°]\w?|\p{L}+))?$/u.exec(token);
  if (match === null) return null;
  const [, sign, currency, digits, tail = ''] = match;
  // 1,000,000 and 1'000'000 are groups; every other form counts as it is written.
  const plain = /^\d{1,3}([,'’]\d{3})+$/.test(digits!) ? digits!.replace(/[,'’]/g, '') : digits!;
  const ordinal = /^(?:st|nd|rd|th)$/.test(tail);
  return {
    value: `${sign === '−' ? '-' : sign}${plain}${ordinal ? '.' : ''}`,
    unit: ordinal ? (currency ?? '') : `${currency}${tail}`,
  };
}

/** What stands right after a number is what it counts: a unit, or whatever else carries meaning. */
function countedUnitOf(word: string): string | null {
  return unitOf(word, true) ?? (FUNCTION_WORDS.has(word) || markOf(word) !== null ? null : stem(word));
}

/** Plural and possessive away; nothing else, since endings carry meaning. */
function stem(word: string): string {
  const bare = word.replace(/'s?$/, '');
  return bare.length > 3 && /[^su]s$/.test(bare) ? bare.slice(0, -1) : bare;
}
