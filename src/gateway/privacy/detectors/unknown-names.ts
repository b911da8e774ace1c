/**
 * Capitals that could be somebody's name, though nothing says so: two or more in a row within a sentence, and a last word
 * that stands alone like a signature.
 *
 * Most of these are towns, firms and products, so their confidence is under the default threshold: they count where the
 * owner would rather have too much replaced than too little.
 *
 * @module gateway/privacy/detectors/unknown-names
 */
import type { Detector, Span } from '../types.ts';
import { BREAK, MARK, type TextView, WORD } from '../view.ts';
import { NO_NAMES, PARTICLES } from './name-cues.ts';

const list = (words: string) => new Set(words.trim().split(/\s+/));

const GERMAN = list('der die das und ist nicht ich ein eine mit fur von zu auf den dem sie wir auch bei');
const OTHERS = list(
  'the and of to is a for it with that el la que los las en un una por para le les et des du est pour il',
);
/** Words in German before names of people more often than before things. */
const BEFORE_PEOPLE = list('von mit an bei fur durch und oder laut gegen');
/** Second words of places, firms and institutions. */
export const NO_PEOPLE = list(`
  city county state states kingdom republic union nations island islands river lake mountain mountains valley beach bay park
  house museum library theatre theater station airport bridge tower church cathedral institute college academy council
  committee ministry department agency office court commission association foundation group bank insurance airlines hotel
  restaurant cafe inc ltd llc corp gmbh ag sa sl studio code cloud drive docs word excel windows server database engine
  learning intelligence language model models act law rights war day week year party league cup prize award`);

/** Tokens that are read to tell the language. */
const SAMPLE = 2000;

export const unknownNames: Detector = {
  name: 'unknown name',
  classes: ['name'],
  detect(view) {
    const spans: Span[] = [];
    const german = isGerman(view);
    for (let token = 1; token < view.tokens; token++) {
      view.steps++;
      if (!isCandidate(view, token) || !isWithinSentence(view, token)) continue;
      let last = token;
      let words = 1;
      for (let at = token + 1; words < 4 && at < view.tokens && view.gap(at - 1) === 1; at++) {
        view.steps++;
        if (isCandidate(view, at)) {
          last = at;
          words++;
        } else if (!PARTICLES.has(view.plain(at))) break;
      }
      if (words < 2) continue;
      const isPerson = !NO_PEOPLE.has(view.plain(last)) && !NO_PEOPLE.has(view.plain(token));
      if (isPerson && (!german || BEFORE_PEOPLE.has(view.plain(token - 1)))) {
        spans.push({
          class: 'name',
          start: view.starts[token]!,
          end: view.ends[last]!,
          confidence: 0.42,
          kind: 'unknown',
        });
      }
      token = last;
    }
    const last = lastWords(view);
    if (last !== null) spans.push(last);
    return spans;
  },
};

/** A capital and small letters: no abbreviation, no word that begins sentences. */
function isCandidate(view: TextView, token: number): boolean {
  if (!view.isCapital(token)) return false;
  const length = view.ends[token]! - view.starts[token]!;
  if (length < 2 || length > 24 || NO_NAMES.has(view.plain(token))) return false;
  const second = view.text[view.starts[token]! + 1]!;
  return second !== second.toUpperCase();
}

export function isWithinSentence(view: TextView, token: number): boolean {
  const before = token - 1;
  if (view.kinds[before] === WORD) return view.gap(before) === 1;
  return (view.isMark(before, ',') && view.gap(before) === 1) || view.isMark(before, '(');
}

export function isGerman(view: TextView): boolean {
  let german = 0;
  let others = 0;
  for (let token = 0; token < Math.min(view.tokens, SAMPLE); token++) {
    view.steps++;
    if (view.kinds[token] !== WORD) continue;
    if (GERMAN.has(view.plain(token))) german++;
    else if (OTHERS.has(view.plain(token))) others++;
  }
  return german > others;
}

/** One to three capitals after the last sentence of a text: "See you on Friday. Ffion". */
function lastWords(view: TextView): Span | null {
  let at = view.tokens - 1;
  for (let signs = 0; signs < 4 && (view.kinds[at] === MARK || view.kinds[at] === BREAK); signs++) at--;
  const last = at;
  while (at >= 0 && last - at < 3 && isCandidate(view, at)) at--;
  const words = last - at;
  if (words === 0 || words > 3 || at < 6) return null;
  const isEnd =
    view.kinds[at] === BREAK || view.isMark(at, '.') || view.isMark(at, '!') || view.isMark(at, '?');
  if (!isEnd) return null;
  return {
    class: 'name',
    start: view.starts[at + 1]!,
    end: view.ends[last]!,
    confidence: 0.55,
    kind: 'last_words',
  };
}
