/**
 * Numbers that a state or its offices gave to a person, by their form and check digits; papers and plates near a cue.
 *
 * @module gateway/privacy/detectors/ids
 */
import { isAlphanumeric, isDigit, isWord } from '../characters.ts';
import { BSN_CUE, ID_CUE, OTHER_CUE, PASSPORT_CUE, PLATE_CUE, SSN_CUE, TAX_CUE } from '../cues.ts';
import type { Detector, PiiClass, Span } from '../types.ts';
import { NUMBER, type TextView, WORD } from '../view.ts';
import { type Chain, digitsOf, endsThere, readChain } from './chain.ts';
import {
  isAadhaar,
  isBsn,
  isCodiceFiscale,
  isCpf,
  isDni,
  isNino,
  isNir,
  isSsn,
  isSteuerId,
} from './checksums.ts';

/** Units between a cue and its number. */
const REACH = 50;

export const ids: Detector = {
  name: 'id',
  classes: ['id', 'plate'],
  detect(view) {
    const spans: Span[] = [];
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] === NUMBER) {
        const chain = readChain(view, token);
        const span = chain === null ? null : (numberAt(view, chain) ?? lettered(view, token));
        if (span !== null) spans.push(span);
      } else if (view.kinds[token] === WORD && !isWord(view.code(view.starts[token]! - 1))) {
        const span = lettered(view, token);
        if (span !== null) spans.push(span);
      }
      const paper = paperAt(view, token);
      if (paper !== null) spans.push(paper);
    }
    return spans;
  },
};

function numberAt(view: TextView, chain: Chain): Span | null {
  const start = view.starts[chain.token]!;
  if (chain.plus) return null;
  let best: Span | null = null;
  let digits = 0;
  for (let count = 1; count <= Math.min(7, chain.groups.length) && digits < 15; count++) {
    digits += chain.groups[count - 1]!.length;
    if (digits < 8 || digits > 15) continue;
    const end = chain.ends[count - 1]!;
    if (!endsThere(view, end)) continue;
    const found = judge(view, chain, count, start);
    if (found === null || (best !== null && best.confidence > found[1])) continue;
    best = { class: 'id', start, end, confidence: found[1], kind: found[0] };
  }
  return best;
}

function judge(view: TextView, chain: Chain, count: number, start: number): readonly [string, number] | null {
  const digits = digitsOf(chain, count);
  const shape = shapeOf(chain, count);
  view.steps += digits.length;
  const near = (mask: number) => view.cueBefore(mask, start, REACH) <= REACH;
  if (digits.length === 9) {
    const isSsnShape = shape === '3-2-4' || shape === '3 2 4' || shape === '3.2.4';
    if (isSsn(digits) && (isSsnShape || near(SSN_CUE))) return ['us_ssn', near(SSN_CUE) ? 0.98 : 0.85];
  }
  // As a number it has lost the zero that it begins with.
  if (shape === '8' && isSsn(`0${digits}`) && view.cueBefore(SSN_CUE, start, 4) <= 4) return ['us_ssn', 0.8];
  if (digits.length <= 9 && isBsn(digits)) {
    if (near(BSN_CUE)) return ['nl_bsn', 0.98];
    // One in eleven numbers passes the test: without a cue only the form with points is taken.
    if (shape === '4.2.3' || shape === '3.3.3' || shape === '3.2.3') return ['nl_bsn', 0.6];
    if (digits.length === 9) return ['nl_bsn', 0.35];
  }
  if (digits.length === 11) {
    const cue = near(ID_CUE | TAX_CUE);
    if (isCpf(digits)) {
      if (shape === '3.3.3-2') return ['br_cpf', 0.98];
      if (cue || !near(OTHER_CUE)) return ['br_cpf', cue ? 0.95 : 0.6];
    }
    if (isSteuerId(digits) && (cue || shape === '2 3 3 3')) return ['de_steuer_id', cue ? 0.97 : 0.85];
    if (isSteuerId(digits) && shape === '11' && !near(OTHER_CUE)) return ['de_steuer_id', 0.6];
  }
  if (digits.length === 12 && isAadhaar(digits) && (shape === '4 4 4' || near(ID_CUE))) {
    return ['in_aadhaar', near(ID_CUE) ? 0.97 : 0.7];
  }
  if (digits.length === 15 && isNir(digits)) return ['fr_nir', count > 1 || near(ID_CUE) ? 0.9 : 0.6];
  return null;
}

/** `3.3.3-2`: lengths of the groups and what is between them. */
function shapeOf(chain: Chain, count: number): string {
  let shape = '';
  for (let i = 0; i < count; i++) {
    shape += `${i === 0 ? '' : chain.separators[i - 1]}${chain.groups[i]!.length}`;
  }
  return shape;
}

/** DNI, NIE, NINO, codice fiscale, PAN: letters and digits, which may be parted by spaces, points and hyphens. */
function lettered(view: TextView, token: number): Span | null {
  const start = view.starts[token]!;
  if (isWord(view.code(start - 1)) || !mayBeLettered(view, token)) return null;
  let compact = '';
  let best: Span | null = null;
  for (let i = start; i < start + 26 && compact.length < 16; i++) {
    view.steps++;
    const code = view.code(i);
    if (isAlphanumeric(code)) {
      compact += view.text[i]!;
      if (isWord(view.code(i + 1))) continue;
      const cue = view.cueBefore(ID_CUE, start, REACH) <= REACH;
      const found = letteredKind(compact.toUpperCase());
      if (found === null) {
        // Mistyped: the check letter is wrong, but the word before it says what it is.
        const isShaped =
          /^(?:\d{8}|[XYZ]\d{7})[A-Z]$/i.test(compact) && view.cueBefore(ID_CUE, start, 8) <= 8;
        if (isShaped) best = { class: 'id', start, end: i + 1, confidence: 0.55, kind: 'es_mistyped' };
        continue;
      }
      if (!cue && found === 'in_pan' && compact !== compact.toUpperCase()) continue;
      best = { class: 'id', start, end: i + 1, confidence: cue ? 0.98 : 0.85, kind: found };
    } else if ((code !== 32 && code !== 45 && code !== 46) || !isAlphanumeric(view.code(i + 1))) break;
  }
  return best;
}

/** Digits begin such an id, or follow within a few letters: most words need not be read. */
function mayBeLettered(view: TextView, token: number): boolean {
  if (view.kinds[token] === NUMBER) return true;
  const end = view.ends[token]!;
  if (end - view.starts[token]! > 6) return false;
  return isDigit(view.code(end)) || isDigit(view.code(end + 1)) || end - view.starts[token]! === 3;
}

function letteredKind(text: string): string | null {
  if (text.length === 9) {
    if (/^\d{8}[A-Z]$/.test(text) && isDni(text)) return 'es_dni';
    if (/^[XYZ]\d{7}[A-Z]$/.test(text) && isDni(text)) return 'es_nie';
    return isNino(text) ? 'uk_nino' : null;
  }
  if (text.length === 10) return /^[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]$/.test(text) ? 'in_pan' : null;
  return text.length === 16 && isCodiceFiscale(text) ? 'it_codice_fiscale' : null;
}

/** Passports, identity cards and plates have many forms and no common check: they are taken only after their cue. */
function paperAt(view: TextView, token: number): Span | null {
  const start = view.starts[token]!;
  if (!isAlphanumeric(view.code(start)) || isWord(view.code(start - 1))) return null;
  const passport = view.cueBefore(PASSPORT_CUE, start, 40);
  const plate = view.cueBefore(PLATE_CUE, start, 40);
  if (passport > 40 && plate > 40) return null;
  if (view.cueBefore(OTHER_CUE, start, 40) < Math.min(passport, plate)) return null;
  return passport <= plate ? paper(view, start, 'id', 'passport') : paper(view, start, 'plate', 'plate');
}

/** Runs of capitals and digits, parted by one space or hyphen, as many as such a number may have. */
function paper(view: TextView, start: number, className: PiiClass, kind: string): Span | null {
  const [fewest, most, digitsAtLeast] = className === 'plate' ? [4, 9, 1] : [6, 10, 3];
  let compact = '';
  let end = start;
  for (let from = start; from < start + 16; ) {
    let to = from;
    while (to < from + most + 1 && isPaperCode(view.code(to))) to++;
    view.steps += to - from + 1;
    if (to === from || isWord(view.code(to)) || compact.length + to - from > most) break;
    compact += view.text.slice(from, to);
    end = to;
    const separator = view.code(to);
    if (separator !== 32 && separator !== 45) break;
    from = to + 1;
  }
  const digits = compact.replace(/\D/g, '').length;
  if (compact.length < fewest || digits < digitsAtLeast) return null;
  if (className === 'plate' && digits === compact.length) return null;
  return { class: className, start, end, confidence: 0.8, kind };
}

const isPaperCode = (code: number) =>
  isDigit(code) || (code >= 65 && code <= 90) || code === 0xc4 || code === 0xd6 || code === 0xdc;
