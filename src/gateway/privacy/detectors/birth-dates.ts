/**
 * Dates near a cue of birth, in the forms of figures and of words.
 *
 * @module gateway/privacy/detectors/birth-dates
 */
import { isWord } from '../characters.ts';
import { BIRTH_CUE } from '../cues.ts';
import type { Detector, Span } from '../types.ts';
import { NUMBER, type TextView, WORD } from '../view.ts';

const REACH = 40;
/** Names of months, and what they are shortened to. */
export const MONTHS: ReadonlySet<string> = new Set(
  `january february march april may june july august september october november december
  jan feb mar apr jun jul aug sep sept oct nov dec
  januar februar marz mai juni juli oktober dezember mrz okt dez janner
  enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre ene abr ago dic
  janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre
  januari februari maart mei augustus gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
  janeiro fevereiro marco maio junho julho setembro outubro novembro dezembro`.split(/\s+/),
);

export const birthDates: Detector = {
  name: 'birth',
  classes: ['birth'],
  detect(view) {
    const spans: Span[] = [];
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      const isMonth = view.kinds[token] === WORD && MONTHS.has(view.plain(token));
      if (view.kinds[token] !== NUMBER && !isMonth) continue;
      const start = view.starts[token]!;
      if (isWord(view.code(start - 1))) continue;
      const cue = view.cueBefore(BIRTH_CUE, start, REACH);
      const after = view.cueAfter(BIRTH_CUE, start, 35);
      if (cue > REACH && after > 35) continue;
      const end = isMonth ? monthFirst(view, token) : (figures(view, token) ?? dayFirst(view, token));
      if (end === null || isWord(view.code(view.ends[end]!))) continue;
      const confidence = cue <= REACH ? 0.9 : 0.6;
      spans.push({ class: 'birth', start, end: view.ends[end]!, confidence });
      token = end;
    }
    return spans;
  },
};

const number = (view: TextView, token: number) =>
  view.kinds[token] === NUMBER && view.ends[token]! - view.starts[token]! <= 4
    ? Number(view.word(token))
    : Number.NaN;
const isDay = (value: number) => value >= 1 && value <= 31;
const isYear = (value: number) => value >= 1880 && value <= 2100;

/** Last token of `03.05.1987`, `1987-05-03`, `5/3/87`; null when there is no such date. */
function figures(view: TextView, token: number): number | null {
  const sign = view.text[view.starts[token + 1] ?? -1];
  if (sign === undefined || !'./-'.includes(sign)) return null;
  if (!view.isMark(token + 3, sign) || view.gap(token) > 1 || view.gap(token + 2) > 1) return null;
  const [a, b, c] = [number(view, token), number(view, token + 2), number(view, token + 4)];
  const isLast = isYear(c) || (c <= 99 && view.word(token + 4).length === 2);
  return (isDay(a) && isDay(b) && isLast) || (isYear(a) && b <= 12 && isDay(c)) ? token + 4 : null;
}

/** `3 May 1987`, `3rd of May, 1987`, `3. Mai 1987`, `3 de mayo de 1987`. */
function dayFirst(view: TextView, token: number): number | null {
  if (!isDay(number(view, token))) return null;
  let at = token + 1;
  if (view.isMark(at, '.') || /^(?:st|nd|rd|th|er|o)$/.test(view.plain(at)) || view.isMark(at, 'º')) at++;
  if (/^(?:de|of|di|d)$/.test(view.plain(at))) at++;
  if (!MONTHS.has(view.plain(at))) return null;
  const year = yearAfter(view, at);
  return year ?? at;
}

/** `May 3, 1987`, `May 3rd 1987`. */
function monthFirst(view: TextView, token: number): number | null {
  let at = token + 1;
  if (view.isMark(at, '.')) at++;
  if (!isDay(number(view, at))) return null;
  if (/^(?:st|nd|rd|th)$/.test(view.plain(at + 1))) at++;
  return yearAfter(view, at);
}

/** A year within three tokens, over "," "." "de" "del". */
function yearAfter(view: TextView, token: number): number | null {
  for (let at = token + 1; at <= token + 3; at++) {
    view.steps++;
    if (isYear(number(view, at))) return at;
    if (!view.isMark(at, ',') && !view.isMark(at, '.') && !/^(?:de|del|of|do)$/.test(view.plain(at)))
      return null;
  }
  return null;
}
