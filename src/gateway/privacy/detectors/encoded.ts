/**
 * Values inside base64: a run of it whose text holds something personal counts as that, as a whole.
 *
 * @module gateway/privacy/detectors/encoded
 */
import { isAlphanumeric } from '../characters.ts';
import type { Detector, Span } from '../types.ts';
import { TextView } from '../view.ts';

/** Shorter runs hold less than any value. */
const MIN_RUN = 16;
/** Longer runs are read in parts, cut where base64 may be cut. */
const MAX_PART = 16_384;
/** Octets of the beginning that are tried first: what is no text shows soon. */
const SAMPLE = 64;

const isBase64 = (code: number) =>
  isAlphanumeric(code) || code === 43 || code === 47 || code === 45 || code === 95;

/** @param inner what is looked for inside */
export function encoded(inner: readonly Detector[]): Detector {
  return {
    name: 'base64',
    classes: [...new Set(inner.flatMap(({ classes }) => classes))],
    detect(view) {
      const spans: Span[] = [];
      const { text } = view;
      for (let at = 0; at < text.length; at++) {
        view.steps++;
        if (!isBase64(text.charCodeAt(at))) continue;
        const start = at;
        while (at < text.length && isBase64(text.charCodeAt(at))) {
          view.steps++;
          at++;
        }
        if (at - start < MIN_RUN) continue;
        let end = at;
        while (end < at + 2 && text.charCodeAt(end) === 61) end++;
        const found = inside(view, inner, start, at);
        if (found !== null) spans.push({ ...found, start, end });
      }
      return spans;
    },
  };
}

function inside(
  view: TextView,
  inner: readonly Detector[],
  start: number,
  end: number,
): Omit<Span, 'start' | 'end'> | null {
  for (let from = start; from < end; from += MAX_PART) {
    const plain = decoded(view, from, Math.min(end, from + MAX_PART));
    if (plain === null) continue;
    const part = new TextView(plain);
    for (const detector of inner) {
      const best = detector.detect(part).find(({ confidence }) => confidence >= 0.7);
      if (best !== undefined) {
        view.steps += part.steps;
        return { class: best.class, confidence: 0.7, kind: 'base64' };
      }
    }
    view.steps += part.steps;
  }
  return null;
}

/** The text that a run stands for; null when it stands for none. */
function decoded(view: TextView, start: number, end: number): string | null {
  const sample = textOf(view.text.slice(start, Math.min(end, start + SAMPLE)), end - start > SAMPLE);
  view.steps += SAMPLE;
  if (sample === null || end - start <= SAMPLE) return sample;
  view.steps += end - start;
  return textOf(view.text.slice(start, end), true);
}

/** @param isCut the last character may be half there */
function textOf(run: string, isCut: boolean): string | null {
  const bytes = Buffer.from(run, 'base64');
  // Letters that are no base64 decode to octets that are hardly ever text.
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i]!;
    if (octet < 32 && octet !== 9 && octet !== 10 && octet !== 13) return null;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return null;
  }
}
