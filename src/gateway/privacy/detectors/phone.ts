/**
 * Phone numbers: international ones, national forms of the US, UK, DE, NL, FR, ES, IT, BR and IN, and near a cue any
 * number that could be dialled.
 *
 * @module gateway/privacy/detectors/phone
 */
import { isDigit, isWord } from '../characters.ts';
import { NUMBER_CUE, OTHER_CUE, PHONE_CUE } from '../cues.ts';
import type { Detector, Span } from '../types.ts';
import { NUMBER, type TextView } from '../view.ts';
import { type Chain, digitsOf, readChain } from './chain.ts';

/** E.164: digits of an international number. */
const MAX_DIGITS = 15;
const REACH = 45;
/** Behind a number they make it an amount. */
const UNITS = new Set(
  `km m cm mm mi ft kg g mg t lb hz mhz ghz w kw mw kwh mah bytes bits kb mb gb tb euro euros eur usd gbp dollars pesos
  people persons inhabitants personen einwohner menschen personas habitantes habitants personnes times mal veces fois
  points punkte puntos years jahre anos ans tokens rows lines units stuck mio million millionen millones millions`.split(
    /\s+/,
  ),
);

export const phones: Detector = {
  name: 'phone',
  classes: ['phone'],
  detect(view) {
    const spans: Span[] = [];
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] !== NUMBER) continue;
      const chain = readChain(view, token);
      const span = chain === null || isMoney(view, chain) ? null : phoneAt(view, chain);
      if (span === null) continue;
      spans.push(span);
      while (token + 1 < view.tokens && view.starts[token + 1]! < span.end) token++;
    }
    return spans;
  },
};

function isMoney(view: TextView, { start }: Chain): boolean {
  const before = view.text[start - 1] === ' ' ? view.text[start - 2] : view.text[start - 1];
  return before !== undefined && '$€£¥₹#='.includes(before) && !(before === '=' && view.text[start] === '+');
}

function phoneAt(view: TextView, chain: Chain): Span | null {
  const cue = Math.min(
    view.cueBefore(PHONE_CUE, chain.start, REACH),
    view.cueAfter(PHONE_CUE, chain.ends.at(-1)!, 25),
  );
  const other = view.cueBefore(OTHER_CUE, chain.start, REACH);
  const isCued = cue <= REACH && cue <= other;
  // The longest run of groups that makes a number is the number: `030 1234` is the start of `030 1234 5678`.
  let length = chain.groups.reduce((sum, group) => sum + group.length, 0);
  for (let count = chain.groups.length; count >= 1; count--) {
    view.steps++;
    const size = length;
    length -= chain.groups[count - 1]!.length;
    if (size > MAX_DIGITS + 2 || size < 7) continue;
    const digits = digitsOf(chain, count);
    const end = chain.ends[count - 1]!;
    if (!mayEnd(view, end)) continue;
    if (!chain.plus && !isCued && UNITS.has(view.plain(view.tokenAt(end)))) return null;
    const judged = judge(chain, count, digits, isCued);
    if (judged === null) continue;
    if (
      judged[1] === 0.4 &&
      !judged[0].endsWith('local') &&
      other > REACH &&
      view.cueBefore(NUMBER_CUE, chain.start, 20) <= 20
    ) {
      return { class: 'phone', start: chain.start, end, confidence: 0.55, kind: judged[0] };
    }
    const confidence = other < REACH && !isCued && !chain.plus ? judged[1] - 0.3 : judged[1];
    return { class: 'phone', start: chain.start, end, confidence, kind: judged[0] };
  }
  return null;
}

function mayEnd(view: TextView, end: number): boolean {
  const code = view.code(end);
  // Extensions are written right behind: 555-0100x12.
  if (code === 120 && isDigit(view.code(end + 1))) return true;
  if (isWord(code) || code === 37 || code === 64) return false;
  return !(
    (code === 46 || code === 44 || code === 45 || code === 58 || code === 47) &&
    isDigit(view.code(end + 1))
  );
}

function judge(chain: Chain, count: number, digits: string, cue: boolean): readonly [string, number] | null {
  const bonus = cue ? 0.2 : 0;
  if (!areGroupsSound(chain, count)) return null;
  if (chain.plus) {
    const isCountry = digits[0] !== '0' && digits.length >= 8;
    return isCountry && digits.length <= MAX_DIGITS + 1 ? ['international', 0.97] : null;
  }
  const shape = chain.groups
    .slice(0, count)
    .map(({ length }) => length)
    .join(' ');
  const separators = new Set(chain.separators.slice(0, count - 1));
  const grouped = count > 1;
  if (isDate(chain, count) || isDecimal(chain, count)) return null;
  if (digits.startsWith('00') && digits[2] !== '0' && digits.length >= 10) {
    return grouped || digits.length <= MAX_DIGITS + 2 ? ['international', 0.8 + bonus / 2] : null;
  }
  const national = judgeNational(digits, shape, separators, grouped);
  if (national !== null) return [national[0], Math.min(0.97, national[1] + bonus)];
  return cue && digits.length <= MAX_DIGITS ? ['cued', grouped || digits.length >= 8 ? 0.75 : 0.6] : null;
}

/** Forms by the lengths of their groups; the number of confidence is for a number that stands alone. */
function judgeNational(
  digits: string,
  shape: string,
  separators: ReadonlySet<string>,
  grouped: boolean,
): readonly [string, number] | null {
  const { length } = digits;
  const first = digits[0]!;
  if (first === '0') {
    // Trunk prefix: UK, DE, NL, FR, IT (landlines), IN.
    if (digits[1] === '0' || length < 8 || length > 13) return null;
    if (length >= 9 && length <= 12) return ['trunk', grouped ? 0.8 : length <= 11 ? 0.6 : 0.45];
    return ['trunk', grouped ? 0.5 : 0.35];
  }
  const nanp = length === 11 && first === '1' ? digits.slice(1) : digits;
  if (nanp.length === 10 && /^[2-9]/.test(nanp)) {
    if (/^(?:1 )?3 3 4$/.test(shape)) return ['us', 0.85];
    if (!grouped && /^\d{3}[2-9]/.test(nanp)) return ['us', 0.4];
  }
  if (length === 11 && shape === '1 3 3 4' && /^1[2-9]/.test(digits)) return ['us', 0.7];
  if (length === 7 && shape === '3 4' && !separators.has(' ')) return ['us_local', 0.4];
  if (length === 9 && /^[6-9]/.test(digits)) {
    if (/^(?:3 3 3|3 2 2 2|2 3 2 2|2 3 4|2 7|3 6)$/.test(shape))
      return ['es', shape === '3 3 3' && separators.has('.') ? 0.45 : 0.65];
    if (!grouped) return ['es', 0.4];
  }
  if (first === '3' && (length === 9 || length === 10)) {
    if (/^3 (?:3 4|7|6|3 3|2 2 3|4 3)$/.test(shape)) return ['it', 0.65];
  }
  if (length === 10 && /^[6-9]/.test(digits)) {
    if (shape === '5 5') return ['in', 0.75];
    if (!grouped) return ['in', 0.4];
  }
  if ((length === 10 || length === 11) && /^[1-9][1-9]/.test(digits)) {
    if (/^2 (?:5 4|4 4)$/.test(shape)) return ['br', 0.85];
    if (/^2 [89]$/.test(shape) && separators.has(')')) return ['br', 0.7];
    if (/^2 1 4 4$/.test(shape)) return ['br', 0.75];
  }
  if ((shape === '5 4' && first === '9') || (shape === '4 4' && separators.has('-')))
    return ['br_local', 0.4];
  return null;
}

/** Single digits between groups are no phone number, but for `(0)` and the first group. */
function areGroupsSound(chain: Chain, count: number): boolean {
  let singles = 0;
  for (let i = 1; i < count; i++) {
    if (chain.groups[i]!.length > 1) continue;
    const bracketed = chain.separators[i - 1] === ')';
    if (!bracketed && ++singles > 1) return false;
  }
  return true;
}

function isDate(chain: Chain, count: number): boolean {
  const lengths = chain.groups.slice(0, count).map(({ length }) => length);
  if (count < 3 || chain.separators[0] !== chain.separators[1] || chain.separators[0] === ')') return false;
  const [a, b, c] = chain.groups.map(Number) as [number, number, number];
  const isYear = (value: number, length: number) => length === 4 && value > 1000 && value < 2200;
  if (isYear(a, lengths[0]!) && b <= 12 && c <= 31 && lengths[1]! <= 2 && lengths[2]! <= 2) return true;
  return a <= 31 && b <= 31 && lengths[0]! <= 2 && lengths[1]! <= 2 && isYear(c, lengths[2]!);
}

/** `1.234.567`, `1 234 567`: thousands; `3.14`: a fraction; `2019-2024`: years. */
function isDecimal(chain: Chain, count: number): boolean {
  const separators = chain.separators.slice(0, count - 1);
  if (count === 2 && separators[0] === '.') return true;
  if (count === 2 && chain.groups[0]!.length === 4 && chain.groups[1]!.length === 4) {
    return /^(?:1[5-9]|20)/.test(chain.groups[0]!) && /^(?:1[5-9]|20)/.test(chain.groups[1]!);
  }
  if (count < 2 || separators.some((separator) => separator !== separators[0])) return false;
  if (separators[0] !== '.' && separators[0] !== ' ') return false;
  if (chain.groups[0]!.startsWith('0') || chain.groups[0]!.length > 3) return false;
  const isThousands = chain.groups.slice(1, count).every(({ length }) => length === 3);
  // 612 345 678 is a Spanish number as often as it is an amount: amounts with points are left out.
  return (
    isThousands &&
    (separators[0] === '.' ||
      count !== 3 ||
      !/^[679]/.test(chain.groups[0]!) ||
      chain.groups[0]!.length !== 3)
  );
}
