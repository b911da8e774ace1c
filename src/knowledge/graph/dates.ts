/**
 * Dates in texts and in the properties of documents, from the year 1000 to 2100.
 *
 * A number alone is a year only where the words around it say so. Left out: years before Christ, centuries, `3/4/2020` (day or month
 * first?), `2001-02` (month or season?), times of day, and what is relative to a day that the text does not name.
 *
 * @module knowledge/graph/dates
 */
import type { Property } from '../types.ts';

export type Precision = 'day' | 'month' | 'year' | 'years';

export interface When {
  /** First and last day as year × 10000 + month × 100 + day. */
  readonly from: number;
  readonly to: number;
  readonly precision: Precision;
}

export interface Dated extends When {
  /** Characters of the text. */
  readonly start: number;
  readonly end: number;
}

export interface PropertyDate extends When {
  readonly name: string;
  /** As it is written. */
  readonly value: string;
}

/** Of one text. */
const MOST_DATES = 1000;
const MOST_PROPERTIES = 50;
const [FIRST_YEAR, LAST_YEAR] = [1000, 2100];

// English, then German, French and Spanish where they differ. Points after short forms are taken by the pattern.
const MONTHS: readonly string[] = [
  'january jan januar jänner janvier enero',
  'february feb februar février febrero',
  'march mar märz mars marzo',
  'april apr avril abril',
  'may mai mayo',
  'june jun juni juin junio',
  'july jul juli juillet julio',
  'august aug août agosto',
  'september sep sept septembre septiembre',
  'october oct oktober okt octobre octubre',
  'november nov novembre noviembre',
  'december dec dezember dez décembre diciembre',
];
const MONTH_OF = new Map(
  MONTHS.flatMap((names, i) => names.split(' ').map((name): [string, number] => [name, i + 1])),
);
const MONTH = [...MONTH_OF.keys()].sort((a, b) => b.length - a.length).join('|');
const YEAR = '1\\d{3}|20\\d{2}|2100';
const WORD_BEFORE = '(?<![\\p{L}\\p{N}])';
const NO_MORE = '(?![\\p{L}\\p{N}])';

/** Each of the forms, in the order in which they are tried at one place. Every part is bounded. */
const DATE = new RegExp(
  [
    `(?<![\\p{L}\\p{N}/.-])(?<iy>${YEAR})[-/](?<im>0[1-9]|1[0-2])[-/](?<id>0[1-9]|[12]\\d|3[01])(?:(?=T\\d)|(?![\\p{L}\\p{N}/-]))`,
    `(?<![\\p{L}\\p{N}/.])(?<dd>0?[1-9]|[12]\\d|3[01])\\.\\s?(?<dm>0?[1-9]|1[0-2])\\.\\s?(?<dy>${YEAR})${NO_MORE}`,
    `(?<![\\p{L}\\p{N}/])(?<sa>0?[1-9]|[12]\\d|3[01])/(?<sb>0?[1-9]|[12]\\d|3[01])/(?<sy>${YEAR})(?![\\p{L}\\p{N}/])`,
    `${WORD_BEFORE}(?<ad>0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th|\\.)?\\s{1,3}(?:of\\s|de\\s)?(?<am>${MONTH})\\.?,?\\s{1,3}(?:de\\s|del\\s)?(?<ay>${YEAR})${NO_MORE}`,
    `${WORD_BEFORE}(?<bm>${MONTH})\\.?\\s{1,3}(?<bd>0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?,?\\s{1,3}(?<by>${YEAR})${NO_MORE}`,
    `${WORD_BEFORE}(?<mm>${MONTH})\\.?,?\\s{1,3}(?:of\\s|de\\s)?(?<my>${YEAR})${NO_MORE}`,
    `${WORD_BEFORE}(?<ry>${YEAR})(?:\\s?[–—]\\s?|-|\\s(?:to|and|until|bis)\\s)(?<rz>${YEAR})${NO_MORE}`,
    `${WORD_BEFORE}(?<ey>1\\d{2}|20\\d)0['’]?s${NO_MORE}`,
    `${WORD_BEFORE}(?<yy>${YEAR})${NO_MORE}`,
  ].join('|'),
  'giu',
);
/** Right before a year that stands alone, or before two of them. */
const BEFORE =
  /(?:(?<![\p{L}\p{N}])(?:in|since|by|until|till|from|after|before|during|around|circa|ca\.?|c\.|year|years|early|late|mid|spring|summer|autumn|fall|winter|born|died|founded|established|between|anno|ad|im jahr|seit|en|depuis|desde|jahr|año|année|b\.|d\.|to|and|january|february|march|april|june|july|august|september|october|november|december|christmas|easter)[\s-]{1,3}|[(©*†]\s?|\(\p{L}{1,12}\s)$/iu;
/** A number of things, of money or of years before Christ; or a part of another number. */
const NO_YEAR = /^(?:\s?(?:bce?|b\.\s?c\.)|\s?[%‰€$£°]|[.,:/-]\d|\s?[x×*]\s?\d)/iu;
/** What may follow a year that stands alone: no noun that it counts. */
const AFTER =
  /^(?:\s{0,3}(?:$|[.,;:!?)\]–—'’"”/-])|\s{1,3}(?:\p{Lu}|[(–—]|(?:and|or|but|to|until|till|when|where|while|as|at|by|for|from|in|into|on|of|off|over|the|a|an|he|she|it|its|they|we|i|his|her|their|our|my|there|this|that|these|those|was|were|is|are|had|has|have|with|without|after|before|under|who|which|because|during|election|edition|und|et|y|wurde|war)(?![\p{L}\p{N}])))/u;

export function datesIn(text: string): Dated[] {
  const found: Dated[] = [];
  for (const match of text.matchAll(DATE)) {
    if (found.length >= MOST_DATES) break;
    const when = whenOf(match, text);
    if (when !== null) found.push({ start: match.index, end: match.index + match[0].length, ...when });
  }
  return found;
}

function whenOf({ 0: written, index, groups = {} }: RegExpExecArray, text: string): When | null {
  const rest = text.slice(index + written.length, index + written.length + 24);
  if (/^\s?(?:bce?|b\.\s?c\.)/iu.test(rest)) return null;
  const { iy, im, id, dd, dm, dy, sa, sb, sy, ad, am, ay, bm, bd, by, mm, my, ry, rz, ey, yy } = groups;
  if (iy !== undefined) return dayOf(iy, Number(im), id!);
  if (dy !== undefined) return dayOf(dy, Number(dm), dd!);
  if (sy !== undefined) {
    // Only where one of the two can be no month.
    const [one, two] = [Number(sa), Number(sb)];
    if (one > 12 === two > 12) return null;
    return one > 12 ? dayOf(sy, two, sa!) : dayOf(sy, one, sb!);
  }
  if (ay !== undefined) return dayOf(ay, monthOf(am!), ad!);
  if (by !== undefined) return dayOf(by, monthOf(bm!), bd!);
  // The planet, or the god; the French month is written small.
  if (my !== undefined) return mm === 'Mars' ? null : monthIn(my, monthOf(mm!));
  if (NO_YEAR.test(rest)) return null;
  const before = text.slice(Math.max(0, index - 24), index);
  if (ey !== undefined) {
    const year = Number(`${ey}0`);
    return year < FIRST_YEAR || year + 9 > LAST_YEAR ? null : years(year, year + 9);
  }
  if (ry !== undefined) {
    const [from, to] = [Number(ry), Number(rz)];
    // A span without a word before it is one within brackets or one that ends where a year would.
    return from < to && to - from <= 200 && (BEFORE.test(before) || AFTER.test(rest))
      ? years(from, to)
      : null;
  }
  if (yy === undefined || !BEFORE.test(before) || !AFTER.test(rest)) return null;
  const year = Number(yy);
  return { from: year * 10_000 + 101, to: year * 10_000 + 1231, precision: 'year' };
}

const years = (from: number, to: number): When => ({
  ...{ from: from * 10_000 + 101, to: to * 10_000 + 1231, precision: 'years' as const },
});

function dayOf(year: string, month: number, day: string): When | null {
  const [y, d] = [Number(year), Number(day)];
  if (d < 1 || d > lengthOf(y, month)) return null;
  const date = y * 10_000 + month * 100 + d;
  return { from: date, to: date, precision: 'day' };
}

function monthIn(year: string, month: number): When {
  const first = Number(year) * 10_000 + month * 100;
  return { from: first + 1, to: first + lengthOf(Number(year), month), precision: 'month' };
}

const monthOf = (name: string): number => MONTH_OF.get(name.toLowerCase()) ?? 0;

function lengthOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** When a file came about or was written last is not what it tells of. */
const OF_THE_FILE = /^(?:creat|modif|updat|change|saved|printed|producer|generator|mtime|ctime|last)/iu;
const OF_TIME =
  /date|year|born|birth|died|death|found|publish|release|start|begin|end|when|time|day|open|clos|establish|datum|jahr|geboren|gestorben/iu;

/** What frontmatter, infoboxes and the heads of mails date. */
export function propertyDates(properties: Readonly<Record<string, Property>>): PropertyDate[] {
  const found: PropertyDate[] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (found.length >= MOST_PROPERTIES) break;
    if (OF_THE_FILE.test(name)) continue;
    const value = Array.isArray(property) ? String(property[0] ?? '') : String(property);
    const when = wholeDate(value.trim().slice(0, 200), OF_TIME.test(name));
    if (when !== null) found.push({ name, value: value.trim().slice(0, 200), ...when });
  }
  return found;
}

/** @param isOfTime a year or a month may stand alone, and a date within other words */
function wholeDate(value: string, isOfTime: boolean): When | null {
  const span = spanOf(value);
  if (span !== null && (span.precision === 'day' || isOfTime)) return span;
  const inside = datesIn(value).find(({ precision }) => precision === 'day');
  if (inside === undefined) return null;
  const { from, to, precision } = inside;
  return isOfTime || inside.end - inside.start === value.length ? { from, to, precision } : null;
}

/** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, the whole of the text; null for anything else. */
export function spanOf(text: string): When | null {
  const match = /^(1\d{3}|20\d{2}|2100)(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/u.exec(text);
  if (match === null) return null;
  const [, year, month, day] = match as unknown as [string, string, string?, string?];
  if (month === undefined) return { ...years(Number(year), Number(year)), precision: 'year' };
  return day === undefined ? monthIn(year, Number(month)) : dayOf(year, Number(month), day);
}

/** Year × 10000 + month × 100 + day as `YYYY-MM-DD`. */
export function dayText(date: number): string {
  const text = String(date);
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
}

const WEEKDAYS =
  'monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag'.split(
    ' ',
  );
/** Months that are no names of people or words besides. */
const PLAIN_MONTHS = new Set(
  MONTHS.flatMap((names, i) => (i === 2 || i === 3 || i === 4 || i === 5 || i === 7 ? [] : names.split(' '))),
);
const DATE_FORM = new RegExp(
  `^(?:(?:${WEEKDAYS.join('|')}) ?)?(?:\\d{1,2} )?(?:${foldedMonths()})(?: \\d{1,2})?(?: \\d{4})?$`,
  'u',
);

/** Whether a name, in the form under which names are compared, is nothing but a date. */
export function isDate(form: string): boolean {
  if (form.includes(' '))
    return (
      DATE_FORM.test(form) || /^(?:early|late|mid|spring|summer|autumn|fall|winter|year) \d{4}$/u.test(form)
    );
  return PLAIN_MONTHS.has(form) || WEEKDAYS.includes(form);
}

function foldedMonths(): string {
  return [...MONTH_OF.keys()].map((name) => name.normalize('NFKD').replace(/\p{M}+/gu, '')).join('|');
}
