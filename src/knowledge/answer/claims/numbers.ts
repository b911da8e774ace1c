/**
 * Numbers and dates of a text, however they are written: `1,000`, `1.000`, `1 000`, `3.5 million`, `twenty-one`, `12 March 2020`,
 * `2020-03-12`. Where a form can be read in two ways (`1.000`, `03/04/2020`), both are kept.
 *
 * @module knowledge/answer/claims/numbers
 */
import { comparable, monthOf, ordinalValue, scaleOf, type Unit, unitOf, wordValue } from './units.ts';
import { fold } from './words.ts';

export interface Quantity {
  /** All that the form can mean. */
  readonly values: readonly number[];
  /** Of what; null when the text does not say. */
  readonly unit: Unit | null;
  /** Written as a word that often is none: `one`, `second`. */
  readonly weak: boolean;
  /** What is meant is near it: `about 3.5 million`. */
  readonly rough: boolean;
  /** Significant digits as written. */
  readonly digits: number;
  readonly surface: string;
}

export interface DateParts {
  readonly year: number | null;
  readonly month: number | null;
  readonly day: number | null;
}

export interface Dated {
  readonly readings: readonly DateParts[];
  readonly surface: string;
}

export interface Numbers {
  readonly quantities: readonly Quantity[];
  readonly dates: readonly Dated[];
}

/** Characters of a text that are looked at. */
const MOST = 100_000;

const MONTH_WORD = '([\\p{L}\\p{M}]{3,10})\\.?';
const DATES = [
  // 2020-03-12, 2020/3/12
  /(?<![\d.-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d.-]*\d)/gu,
  // 12/03/2020, 12.3.2020, 12-03-20 is left alone
  /(?<![\d.,/-])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?![\d/-])/gu,
  // 12 March 2020, 12th of March, 2020, 12. März 2020, 12 March
  new RegExp(
    `(?<![\\d.,])(\\d{1,2})(?:st|nd|rd|th|\\.)?\\s+(?:of\\s+|de\\s+)?${MONTH_WORD}(?:,?\\s+(?:de\\s+)?(\\d{4})(?!\\d))?`,
    'gu',
  ),
  // March 12, 2020; March 12
  new RegExp(
    `${MONTH_WORD}\\s+(\\d{1,2})(?:st|nd|rd|th)?(?![\\d.,]*\\d\\s*%)(?!\\d)(?:,?\\s+(\\d{4})(?!\\d))?`,
    'gu',
  ),
  // March 2020
  new RegExp(`${MONTH_WORD},?\\s+(\\d{4})(?!\\d)`, 'gu'),
] as const;

/** A number, its sign and currency before it, and a word behind it. Bounded: what is longer is no number of anything. */
const NUMBER =
  /(?<![\p{L}\p{N}_])(?<!\p{L}[-−]|\p{N}[.,])(US\$|[$€£¥])?\s?([-−]?)(\d{1,40}(?:[.,'’\u00a0\u2009\u202f ]\d{1,40}){0,8})(?:(st|nd|rd|th)\b)?(\s?)(%|°\s?[CF]|[$€£¥]|[\p{L}µμ]+)?/gu;
const NUMBER_WORD = /(?<![\p{L}\p{N}-])(\p{L}+(?:-\p{L}+)?)(?![\p{N}])(?=\s{1,4}([\p{L}µμ]{1,30}|%)|)/gu;
const ROUGH =
  /(?:\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|over|under|more than|less than|up to|ca\.?|circa|etwa|rund)|[~≈])\s*(?:US\$|[$€£¥])?\s*$/iu;

export function numbersOf(raw: string): Numbers {
  let text = raw.slice(0, MOST);
  const dates: Dated[] = [];
  for (const [kind, pattern] of DATES.entries()) {
    // What was read as a date is no number any more.
    text = text.replace(pattern, (surface: string, a: string, b: string, c: string | undefined) => {
      const readings = readingsOf(kind, a, b, c);
      if (readings.length === 0) return surface;
      dates.push({ readings, surface: surface.trim() });
      return ' '.repeat(surface.length);
    });
  }
  const quantities: Quantity[] = [];
  const taken = new Uint8Array(text.length);
  for (const match of text.matchAll(NUMBER)) {
    const [, currency, sign, figures, ordinal, gap, behind] = match;
    const rough = ROUGH.test(text.slice(Math.max(0, match.index - 24), match.index));
    const found = figured(figures!, sign !== '');
    // Letters right behind digits that are no unit make it a name: 3D, 4x4.
    const next = behindOf(text, match.index + match[0].length, behind, gap === '');
    if (
      behind !== undefined &&
      gap === '' &&
      ordinal === undefined &&
      next === null &&
      /^\p{L}/u.test(behind)
    )
      continue;
    taken.fill(1, match.index, match.index + match[0].length);
    const scale = next?.scale ?? 1;
    const unit = (currency === undefined ? null : unitOf(currency)) ?? next?.unit ?? null;
    const surface = match[0]
      .slice(0, next === null && behind !== undefined ? -behind.length : undefined)
      .trim();
    for (const values of found)
      quantities.push({
        values: values.map((value) => value * scale),
        ...{ unit, weak: false, rough, digits: digitsOf(figures!), surface },
      });
  }
  quantities.push(...worded(text, taken));
  return { quantities, dates };
}

/** Scale and unit in the words behind a number; null when there is neither. */
function behindOf(text: string, end: number, behind: string | undefined, attached: boolean) {
  if (behind === undefined) return null;
  const scale = scaleOf(behind, attached);
  if (scale === null) {
    const unit = unitOf(behind.replace(/\s/gu, '')) ?? perCent(behind, text, end);
    return unit === null ? null : { scale: 1, unit };
  }
  const following = /^\s+([\p{L}µμ]+|[%$€£¥])/u.exec(text.slice(end, end + 40));
  return { scale, unit: following === null ? null : unitOf(following[1]!) };
}

function perCent(word: string, text: string, end: number): Unit | null {
  return word.toLowerCase() === 'per' && /^\s+cent\b/iu.test(text.slice(end, end + 8)) ? unitOf('%') : null;
}

function worded(text: string, taken: Uint8Array): Quantity[] {
  const found: Quantity[] = [];
  for (const match of text.matchAll(NUMBER_WORD)) {
    const [, word, behind] = match;
    if (taken[match.index] === 1) continue;
    const value = wordValue(word!);
    const ordinal = value === null ? ordinalValue(word!) : null;
    if (value === null && ordinal === null) continue;
    const end = match.index + word!.length;
    const from = behind === undefined ? end : text.indexOf(behind, end) + behind.length;
    const next = value === null ? null : behindOf(text, from, behind, false);
    found.push({
      values: [(value ?? ordinal!) * (next?.scale ?? 1)],
      unit: next?.unit ?? null,
      weak: ordinal !== null || (value! <= 1 && next === null),
      ...{ rough: false, digits: 15 },
      surface: next === null ? word! : text.slice(match.index, from),
    });
  }
  return found;
}

/** Marks between thousands, and before decimals. */
const GROUPS = [
  [/^\d{1,3}(?:,\d{3})+(?!\d)/u, ',', '.'],
  [/^\d{1,3}(?:\.\d{3})+(?!\d)/u, '.', ','],
  [/^\d{1,3}(?: \d{3})+(?!\d)/u, ' ', '.'],
  [/^\d{1,3}(?: \d{3})+(?!\d)/u, ' ', ','],
] as const;

/** Significant digits of figures as they are written. */
function digitsOf(figures: string): number {
  const digits = figures.replace(/\D/gu, '').replace(/^0+/u, '');
  return Math.max(1, (/[.,]\d{1,2}$/u.test(figures) ? digits : digits.replace(/0+$/u, '')).length);
}

/** What figures can mean: separators of thousands and of decimals differ by country. Several where they are no single number. */
function figured(figures: string, negative: boolean): number[][] {
  const plain = figures.replace(/['’\u00a0\u2009\u202f ]/gu, ' ');
  const readings = new Set<number>();
  const add = (text: string) => {
    const value = Number(text);
    if (Number.isFinite(value)) readings.add(negative ? -value : value);
  };
  for (const [grouped, group, point] of GROUPS) {
    const whole = grouped.exec(plain)?.[0] ?? /^\d+/u.exec(plain)![0];
    const rest = plain.slice(whole.length);
    if (rest === '') add(whole.replaceAll(group, ''));
    else if (rest.startsWith(point) && /^\d+$/u.test(rest.slice(1)))
      add(`${whole.replaceAll(group, '')}.${rest.slice(1)}`);
  }
  // 12.5.3 and the like: versions and numbers of chapters, which are compared digit by digit.
  if (readings.size > 0) return [[...readings]];
  return plain.split(/[ .,]/u).map((part) => [Number(part)]);
}

function readingsOf(kind: number, a: string, b: string, c: string | undefined): DateParts[] {
  const readings: DateParts[] = [];
  const add = (year: number | null, month: number, day: number | null) => {
    if (month < 1 || month > 12 || (day !== null && (day < 1 || day > 31))) return;
    if (readings.some((reading) => reading.month === month && reading.day === day)) return;
    readings.push({ year, month, day });
  };
  const optional = c === undefined ? null : Number(c);
  if (kind === 0) add(Number(a), Number(b), Number(c));
  else if (kind === 1) {
    add(Number(c), Number(b), Number(a));
    add(Number(c), Number(a), Number(b));
  } else if (kind === 2) add(optional, monthOf(fold(b)), Number(a));
  else if (kind === 3) add(optional, monthOf(fold(a)), Number(b));
  else add(Number(b), monthOf(fold(a)), null);
  return readings;
}

/** Whether a source's numbers have this one. @param text of the source, folded, in which a unit may stand apart from its number */
export function hasQuantity(claim: Quantity, source: Numbers, text: string): boolean {
  if (source.quantities.some((other) => sameQuantity(claim, other, text))) return true;
  // A year or a day that the source has within a date.
  return (
    claim.unit === null &&
    source.dates.some(({ readings }) =>
      readings.some(({ year, day }) => claim.values.some((value) => value === year || value === day)),
    )
  );
}

function sameQuantity(claim: Quantity, other: Quantity, text: string): boolean {
  for (const value of claim.values)
    for (const known of other.values) {
      if (claim.unit !== null && other.unit !== null) {
        const factors = comparable(claim.unit, other.unit);
        if (factors !== null && near(value * factors[0], known * factors[1], claim)) return true;
      } else if (near(value, known, claim)) {
        // The head of a table may name the unit once for all rows.
        if (claim.unit === null || namesUnit(text, claim.unit)) return true;
      }
    }
  return false;
}

function near(value: number, known: number, { rough, digits }: Quantity): boolean {
  const size = Math.max(Math.abs(value), Math.abs(known));
  if (Math.abs(value - known) <= size * 1e-9) return true;
  if (!rough || Math.sign(value) !== Math.sign(known)) return false;
  const rounded = Number(known.toPrecision(Math.min(15, digits)));
  return Math.abs(rounded - value) <= size * 1e-9;
}

function namesUnit(text: string, unit: Unit): boolean {
  for (const word of text.match(/[\p{L}µμ°]+|[%$€£¥]/gu) ?? []) {
    const named = unitOf(word);
    if (named !== null && named.kind === unit.kind && named.factor === unit.factor) return true;
  }
  return false;
}

/** Whether a source says this date, at least as exactly. A year alone is enough for a year alone. */
export function hasDate(claim: Dated, source: Numbers): boolean {
  const holds = (asked: DateParts, known: DateParts) =>
    (asked.year === null || asked.year === known.year) &&
    (asked.month === null || asked.month === known.month) &&
    (asked.day === null || asked.day === known.day);
  return source.dates.some(({ readings }) =>
    readings.some((known) => claim.readings.some((asked) => holds(asked, known))),
  );
}
