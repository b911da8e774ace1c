/**
 * IPv4, IPv6 and MAC addresses.
 *
 * @module gateway/privacy/detectors/network
 */
import { isIPv6 } from 'node:net';
import { isDigit, isWord } from '../characters.ts';
import { IP_CUE, VERSION_CUE } from '../cues.ts';
import type { Detector, Span } from '../types.ts';
import { NUMBER, type TextView } from '../view.ts';

/** Longest text form of an IPv6 address, RFC 4291. */
const MAX_IPV6 = 45;
/** As reports write an address so that nobody follows it: `203[.]0[.]113[.]77`. */
const DEFANGED = /^\d{1,3}(?:(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\))\d{1,3}){3}/i;
const MAX_DEFANGED = 27;
const MAC = /^(?:[\da-f]{2}(?::[\da-f]{2}){5}|[\da-f]{2}(?:-[\da-f]{2}){5})$/i;

export const networkAddresses: Detector = {
  name: 'network',
  classes: ['ip', 'mac'],
  detect(view) {
    const spans: Span[] = [];
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] !== NUMBER) continue;
      const span = ipv4At(view, token) ?? defangedAt(view, token) ?? dottedMacAt(view, token);
      if (span !== null) spans.push(span);
    }
    hexadecimal(view, spans);
    return spans;
  },
};

function ipv4At(view: TextView, token: number): Span | null {
  const start = view.starts[token]!;
  if (token + 6 >= view.tokens) return null;
  const before = view.code(start - 1);
  if (isWord(before) || before === 46 || before === 45) return null;
  for (let part = 0; part < 4; part++) {
    view.steps++;
    const at = token + part * 2;
    const length = view.ends[at]! - view.starts[at]!;
    if (view.kinds[at] !== NUMBER || length > 3 || Number(view.word(at)) > 255) return null;
    if (part < 3 && !(view.isMark(at + 1, '.') && view.gap(at) === 0 && view.gap(at + 1) === 0)) return null;
  }
  const end = view.ends[token + 6]!;
  const after = view.code(end);
  if (isWord(after) || (after === 46 && isDigit(view.code(end + 1)))) return null;
  const first = Number(view.word(token));
  // Every machine's own addresses and masks say nothing of anybody.
  if (first === 127 || first === 0 || view.text.startsWith('255.255', start)) return null;
  const version = view.cueBefore(VERSION_CUE, start, 14);
  const isVersion = version <= 14 && version < view.cueBefore(IP_CUE, start, 30);
  return { class: 'ip', start, end, confidence: isVersion ? 0.3 : 0.95, kind: 'ipv4' };
}

function defangedAt(view: TextView, token: number): Span | null {
  const start = view.starts[token]!;
  if (view.ends[token]! - start > 3 || !'.[({'.includes(view.text[view.ends[token]!] ?? '-')) return null;
  const before = view.code(start - 1);
  if (isWord(before) || before === 46 || before === 45) return null;
  const text = view.text.slice(start, start + MAX_DEFANGED);
  view.steps += MAX_DEFANGED;
  const found = /[[({]/.test(text) ? DEFANGED.exec(text)?.[0] : undefined;
  if (found === undefined || isWord(view.code(start + found.length))) return null;
  const parts = found.match(/\d+/g)!.map(Number);
  if (parts.some((part) => part > 255) || parts[0] === 127 || parts[0] === 0) return null;
  return { class: 'ip', start, end: start + found.length, confidence: 0.9, kind: 'ipv4' };
}

/** `0123.4567.89ab`. */
function dottedMacAt(view: TextView, token: number): Span | null {
  const start = view.starts[token]!;
  if (isWord(view.code(start - 1))) return null;
  const text = view.text.slice(start, start + 14);
  view.steps += 14;
  if (!/^[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4}$/i.test(text) || isWord(view.code(start + 14))) return null;
  if (!/[a-f]/i.test(text)) return null;
  return { class: 'mac', start, end: start + 14, confidence: 0.8, kind: 'mac' };
}

const isHex = (code: number) =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);

/** Runs of hexadecimal digits, colons, points and hyphens: IPv6 and MAC. */
function hexadecimal(view: TextView, spans: Span[]): void {
  const { text } = view;
  for (let i = 0; i < text.length; i++) {
    view.steps++;
    if (!isHex(text.charCodeAt(i)) && text.charCodeAt(i) !== 58) continue;
    const start = i;
    let colons = 0;
    let hyphens = 0;
    for (; i < text.length; i++) {
      view.steps++;
      const code = text.charCodeAt(i);
      if (code === 58) colons++;
      else if (code === 45) hyphens++;
      else if (!isHex(code) && code !== 46) break;
    }
    if (
      (colons >= 2 || hyphens === 5) &&
      !isWord(text.charCodeAt(i)) &&
      !isWord(text.charCodeAt(start - 1))
    ) {
      const span = addressIn(view, start, i);
      if (span !== null) spans.push(span);
    }
    // The rest of a word that only began with hexadecimal digits.
    while (i < text.length && isWord(text.charCodeAt(i))) {
      view.steps++;
      i++;
    }
  }
}

function addressIn(view: TextView, from: number, to: number): Span | null {
  let start = from;
  let end = to;
  const strip = (code: number) => code === 46 || code === 45;
  while (
    end > start &&
    (strip(view.code(end - 1)) || (view.code(end - 1) === 58 && view.code(end - 2) !== 58))
  )
    end--;
  while (start < end && (strip(view.code(start)) || (view.code(start) === 58 && view.code(start + 1) !== 58)))
    start++;
  view.steps += to - from;
  if (end - start < 6 || end - start > MAX_IPV6) return null;
  const text = view.text.slice(start, end);
  if (MAC.test(text)) return { class: 'mac', start, end, confidence: 0.97, kind: 'mac' };
  if (!isIPv6(text) || !/\d/.test(text)) return null;
  const groups = text.split(':').filter((group) => group !== '').length;
  return groups < 2 ? null : { class: 'ip', start, end, confidence: 0.9, kind: 'ipv6' };
}
