/**
 * Names of people by long lists of first and family names, where nothing around them tells that they are names.
 *
 * A first name counts alone only within a sentence, where words have capitals for a reason; not in German, where all
 * nouns have them. A family name counts behind another capital. Places, firms and institutions have second words of
 * their own.
 *
 * @module gateway/privacy/detectors/gazetteer
 */
import type { Detector, Span } from '../types.ts';
import { BREAK, type TextView, WORD } from '../view.ts';
import { familyNames } from './family-names.ts';
import { givenNames } from './given-names.ts';
import { NO_NAMES } from './name-cues.ts';
import { isGerman, isWithinSentence, NO_PEOPLE } from './unknown-names.ts';

/** Particles within names, and articles behind them: alone these are words of their own ("Torben den Schlüssel"). */
const OPENING = new Set('van von vom zu de di da do dos del della bin ibn al ter ten'.split(' '));
const CLOSING = new Set('der den het la las los le'.split(' '));

/** Words of the longest name. */
const MAX_WORDS = 5;

export const gazetteer: Detector = {
  name: 'listed name',
  classes: ['name'],
  detect(view) {
    const spans: Span[] = [];
    const first = givenNames();
    const family = familyNames();
    let german: boolean | null = null;
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (!isCandidate(view, token)) continue;
      const last = lastOf(view, token);
      const isFirst = first.has(view.plain(token));
      let confidence = 0;
      if (last > token) {
        const ends = view.plain(last);
        if (NO_PEOPLE.has(ends)) continue;
        if (isFirst) confidence = 0.62;
        else if (family.has(ends) && isWithinSentence(view, token)) confidence = 0.55;
        // "Sehr geehrter", "Guten Tag": nouns with capitals before a family name that is a noun too.
        if (!isFirst && confidence > 0) {
          german ??= isGerman(view);
          if (german) confidence = first.has(ends) ? 0.55 : 0;
        }
      } else if (isFirst && isAlone(view, token)) {
        german ??= isGerman(view);
        confidence = german ? 0.5 : 0.56;
      }
      if (confidence > 0)
        spans.push({
          class: 'name',
          start: view.starts[token]!,
          end: view.ends[last]!,
          confidence,
          kind: 'listed',
        });
      token = last;
    }
    return spans;
  },
};

/** A capital and small letters, and no part of a path, an identifier or an address. */
function isCandidate(view: TextView, token: number): boolean {
  if (!view.isCapital(token) || NO_NAMES.has(view.plain(token))) return false;
  const start = view.starts[token]!;
  const end = view.ends[token]!;
  if (end - start < 3 || end - start > 24) return false;
  const second = view.text[start + 1]!;
  if (second === second.toUpperCase()) return false;
  const before = view.text[start - 1];
  const after = view.text[end];
  return (
    !(before !== undefined && '_/@.\\-#$&='.includes(before)) &&
    !(after !== undefined && '_/@(\\=-'.includes(after))
  );
}

/** Last word of the capitals from a token on, particles between them. */
function lastOf(view: TextView, token: number): number {
  let last = token;
  for (let at = token + 1, words = 1; words < MAX_WORDS && at < view.tokens; at++, words++) {
    view.steps++;
    if (view.gap(at - 1) !== 1) break;
    if (isCandidate(view, at)) last = at;
    else if (
      !OPENING.has(view.plain(at)) &&
      !(CLOSING.has(view.plain(at)) && OPENING.has(view.plain(at - 1)))
    )
      break;
  }
  return last;
}

/** Within a sentence, or where a sentence begins that goes on in small letters. */
function isAlone(view: TextView, token: number): boolean {
  if (isWithinSentence(view, token)) return true;
  const next = token + 1;
  if (next >= view.tokens || view.kinds[next] === BREAK) return false;
  return view.kinds[next] === WORD && view.gap(token) === 1 && !view.isCapital(next);
}
