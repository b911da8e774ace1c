/**
 * Where sentences end. `Intl.Segmenter` is not used: it ends them at every line break and after "Dr.".
 *
 * One pass over the text, in which nothing is looked at further than a few characters: time grows with the length alone.
 *
 * @module knowledge/chunk/sentences
 */

/** Words with a point that mostly do not end a sentence. */
const SHORT = new Set(
  (
    'mr mrs ms dr prof st sr jr rev hon gen col capt lt sgt vs etc al cf ca approx fig figs eq eqs ref refs sec ch vol no nos ' +
    'pp p ed eds inc ltd co corp dept univ est eg ie viz resp jan feb mar apr jun jul aug sep sept oct okt nov dec dez bzw usw evtl ggf nr'
  ).split(' '),
);

/** An end, what closes after it, and the space before the next sentence; or an empty line. Each part is bounded. */
const END = /(?:[.!?…]{1,8}["'”’»)\]]{0,4}(?=\s)|[。！？｡]{1,8}["'”’»）」』]{0,4})|\n[ \t]{0,8}\n/gu;
const LOWER = /^\p{Ll}/u;
/** What German counts with a point: "am 3. April", "im 19. Jahrhundert". */
const COUNTED =
  /^(?:Jan(?:uar|\.)|J[äa]nner|Feb(?:ruar|\.)|März|April|Apr\.|Mai|Juni|Juli|Aug(?:ust|\.)|Sept?(?:ember|\.)|Okt(?:ober|\.)|Nov(?:ember|\.)|Dez(?:ember|\.)|Jahrhundert|Weltkrieg|Quartal|Halbjahr|Stock|Etage|Klasse|Auflage|Kapitel|Platz|Lebensjahr|Geburtstag)(?!\p{L})/u;

/** Stretches of the text, one after the other: together they are all of it. Spaces belong to the sentence before them. */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { 0: end, index } of text.matchAll(END)) {
    if (index < start) continue;
    let stop = index + end.length;
    while (stop < text.length && isSpace(text.charCodeAt(stop))) stop++;
    if (stop >= text.length) break;
    if (end.startsWith('.') && !endsSentence(text, index, stop)) continue;
    sentences.push(text.slice(start, stop));
    start = stop;
  }
  if (start < text.length) sentences.push(text.slice(start));
  return sentences;
}

/** Whether the point at `index` does, with the next word at `next`. */
function endsSentence(text: string, index: number, next: number): boolean {
  if (LOWER.test(text.slice(next, next + 2))) return false;
  let from = index;
  while (from > 0 && index - from < 12 && isWord(text.charCodeAt(from - 1))) from--;
  const word = text.slice(from, index);
  // "J. Smith", but "plan B. Then" is rarer than initials.
  if (word.length === 1 && word !== 'I' && word === word.toUpperCase() && !/\d/.test(word)) return false;
  if (/^\d{1,2}$/.test(word)) return !COUNTED.test(text.slice(next, next + 16));
  // "z. B.", "d. h.", "i. A."
  if (/^[dizu]$/.test(word) && /^\p{Lu}\./u.test(text.slice(next, next + 2))) return false;
  return !SHORT.has(word.toLowerCase());
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x3000;
}

function isWord(code: number): boolean {
  return (
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code >= 0xc0
  );
}
