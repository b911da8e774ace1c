/**
 * Runs detectors over a text and makes of what they find spans that do not overlap.
 *
 * @module gateway/privacy/detect
 */
import { isWord } from './characters.ts';
import { cards, ibans } from './detectors/accounts.ts';
import { addresses } from './detectors/address.ts';
import { birthDates } from './detectors/birth-dates.ts';
import { emails } from './detectors/email.ts';
import { encoded } from './detectors/encoded.ts';
import { gazetteer } from './detectors/gazetteer.ts';
import { ids } from './detectors/ids.ts';
import { names } from './detectors/names.ts';
import { networkAddresses } from './detectors/network.ts';
import { phones } from './detectors/phone.ts';
import { secrets } from './detectors/secrets.ts';
import { tables } from './detectors/tables.ts';
import { unknownNames } from './detectors/unknown-names.ts';
import { type Detector, PII_CLASSES, type Span } from './types.ts';
import { TextView } from './view.ts';

export const BUILT_IN_DETECTORS: readonly Detector[] = [
  emails,
  phones,
  cards,
  ibans,
  ids,
  secrets,
  networkAddresses,
  birthDates,
  addresses,
  names,
  tables,
  unknownNames,
  gazetteer,
  encoded([emails, phones, cards, ibans, ids, secrets, networkAddresses]),
];

/** What is hardly ever a part of a name that somebody gave a model or a tool. */
const IN_NAMES: readonly Detector[] = [emails, cards, ibans, secrets];

/** True when a name that cannot be replaced, such as a model's, holds something personal. */
export const isPersonalName = (name: string): boolean =>
  detect(name, { detectors: IN_NAMES }).spans.length > 0 ||
  // Names are joined by `_`, which is part of words elsewhere.
  detect(name.replaceAll('_', ' '), { detectors: [cards, ibans] }).spans.length > 0;

/** Units of the longest span; a detector that says more is cut. A PEM block is the longest thing looked for. */
const MAX_SPAN = 16_384;
export const DEFAULT_THRESHOLD = 0.5;
/** For owners who would rather have too much replaced than too little. */
export const CAUTIOUS_THRESHOLD = 0.4;

export interface DetectOptions {
  /** @default the built-in ones */
  readonly detectors?: readonly Detector[];
  /** Spans of less confidence are dropped. @default 0.5 */
  readonly threshold?: number;
  /** Called now and then; what it throws ends the search. */
  readonly checkpoint?: () => void;
}

export interface Detection {
  /** In the text's own offsets, ascending, not overlapping, not empty. */
  readonly spans: readonly Span[];
  /** Units of work done; at most a constant times the text's length. */
  readonly steps: number;
}

export function detect(text: string, options: DetectOptions = {}): Detection {
  const { detectors = BUILT_IN_DETECTORS, threshold = DEFAULT_THRESHOLD } = options;
  const view = new TextView(text);
  const found: Span[] = [];
  for (const detector of detectors) {
    options.checkpoint?.();
    for (const span of detector.detect(view)) {
      const start = Math.max(0, span.start);
      const end = Math.min(view.text.length, span.end, start + MAX_SPAN);
      if (!(span.confidence >= threshold) || !(end > start)) continue;
      found.push({ ...span, ...wholePairs(text, view.original(start, end)) });
    }
  }
  view.steps += found.length;
  return { spans: resolveOverlaps(found, text), steps: view.steps };
}

/** A span that cut a surrogate pair would leave halves that no encoding can carry. */
function wholePairs(
  text: string,
  { start, end }: { start: number; end: number },
): { start: number; end: number } {
  const isCut = (at: number) => isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
  return { start: isCut(start) ? start - 1 : start, end: isCut(end) ? end + 1 : end };
}

const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff;

const rank = (span: Span) => PII_CLASSES.indexOf(span.class);

/**
 * Spans that do not overlap and cover all that `spans` cover, but for signs at the edges of what is left over.
 *
 * A span within another goes up in the other; of two that have the same place the surer one stays; of two that cross,
 * the surer one stays whole and the other keeps its rest. The order of `spans` does not matter.
 */
export function resolveOverlaps(spans: readonly Span[], text: string): Span[] {
  const sorted = [...spans].sort(
    (a, b) =>
      a.start - b.start ||
      b.end - a.end ||
      b.confidence - a.confidence ||
      rank(a) - rank(b) ||
      (a.kind ?? '').localeCompare(b.kind ?? ''),
  );
  const result: Span[] = [];
  let current: Span | null = null;
  let floor = 0;
  const close = (span: Span) => {
    result.push(span);
    floor = span.end;
  };
  for (const span of sorted) {
    const next = trim({ ...span, start: Math.max(span.start, floor) }, span, text);
    if (next === null) continue;
    if (current === null) current = next;
    else if (next.start >= current.end) {
      close(current);
      current = next;
    } else if (next.end > current.end) {
      if (next.confidence > current.confidence) {
        const rest = trim({ ...current, end: next.start }, current, text);
        if (rest !== null) close(rest);
        current = next;
      } else {
        close(current);
        current = trim({ ...next, start: current.end }, next, text);
      }
    }
  }
  if (current !== null) result.push(current);
  return result;
}

/** What is left of a span that was cut, without signs at its edges; null when no letter or digit is left. */
function trim(span: Span, whole: Span, text: string): Span | null {
  let { start, end } = span;
  if (start !== whole.start) while (start < end && !isWord(text.charCodeAt(start))) start++;
  if (end !== whole.end) while (end > start && !isWord(text.charCodeAt(end - 1))) end--;
  return start < end ? { ...span, start, end } : null;
}
