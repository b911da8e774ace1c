/**
 * E-mail addresses, from each `@` outwards, and those written out with "(at)" and "(dot)".
 *
 * @module gateway/privacy/detectors/email
 */
import { isAlphanumeric, isLetter } from '../characters.ts';
import type { Detector, Span } from '../types.ts';
import { BREAK, NUMBER, type TextView, WORD } from '../view.ts';

/** RFC 5321, 4.5.3.1: octets of the local part and of the domain. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** RFC 5322 atext other than letters and digits, and the dot. `/` and `|` part words far more often than they name one. */
const LOCAL_SIGNS = new Set([...".!#$%&'*+-=?^_`{}~"].map((sign) => sign.charCodeAt(0)));
/** Signs that stand around an address rather than at its beginning. */
const LEADING = new Set([..."'`.*{=?!&#$%^~"].map((sign) => sign.charCodeAt(0)));

export const emails: Detector = {
  name: 'email',
  classes: ['email'],
  detect(view) {
    const { text } = view;
    const spans: Span[] = [];
    let floor = 0;
    const add = (start: number, end: number, confidence: number) => {
      spans.push({ class: 'email', start, end, confidence });
      floor = end;
    };
    view.steps += text.length;
    for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
      const start = localStart(view, at, floor);
      if (start < 0 || isUserInfo(view, start)) continue;
      const end = domainEnd(view, at + 1);
      if (end > 0) add(start, end, 0.99);
    }
    for (let token = 1; token + 1 < view.tokens; token++) {
      view.steps++;
      const plain = view.plain(token);
      if (plain === 'at' || plain === 'arroba') spellOut(view, token, add);
    }
    return spans;
  },
};

function localStart(view: TextView, at: number, floor: number): number {
  const { text } = view;
  if (text[at - 1] === '"') return quotedStart(view, at, floor);
  const lowest = Math.max(floor, at - MAX_LOCAL);
  let start = at;
  while (start > lowest) {
    view.steps++;
    const code = text.charCodeAt(start - 1);
    if (!isAlphanumeric(code) && !LOCAL_SIGNS.has(code) && !(code > 0x7f && isLetter(code))) break;
    start--;
  }
  while (start < at && LEADING.has(text.charCodeAt(start))) start++;
  return start < at && text[at - 1] !== '.' ? start : -1;
}

/** `scheme://user:password@host`: no address, and the password is found elsewhere. */
function isUserInfo(view: TextView, start: number): boolean {
  if (view.code(start - 1) !== 58) return false;
  const before = view.text.slice(Math.max(0, start - 80), start);
  view.steps += before.length;
  return /:\/\/[^\s/@]*:$/.test(before);
}

function quotedStart(view: TextView, at: number, floor: number): number {
  const lowest = Math.max(floor, at - MAX_LOCAL - 2);
  for (let start = at - 2; start >= lowest; start--) {
    view.steps++;
    const code = view.code(start);
    if (code === 10 || code === 13) return -1;
    if (code === 34) return start < at - 2 ? start : -1;
  }
  return -1;
}

/** End of a domain with at least one dot and a last label of letters, or of an address literal; -1 when there is none. */
function domainEnd(view: TextView, from: number): number {
  const { text } = view;
  const limit = Math.min(text.length, from + MAX_DOMAIN);
  if (text[from] === '[') {
    for (let i = from + 1; i < Math.min(limit, from + 50); i++) {
      view.steps++;
      if (text[i] === ']') return i > from + 4 ? i + 1 : -1;
      if (!/[0-9a-fA-F:.]/.test(text[i]!)) return -1;
    }
    return -1;
  }
  let end = from;
  let last = -1;
  let labelStart = from;
  let letters = true;
  let dots = 0;
  for (; ; end++) {
    view.steps++;
    const code = end < limit ? text.charCodeAt(end) : Number.NaN;
    if (isAlphanumeric(code) || (code > 0x7f && isLetter(code)) || code === 45) {
      if (code >= 48 && code <= 57 && text.slice(labelStart, labelStart + 4).toLowerCase() !== 'xn--')
        letters = false;
      if (code === 45 && end === labelStart) break;
      continue;
    }
    // A label ends here.
    if (end === labelStart) break;
    if (dots > 0 && letters && end - labelStart >= 2 && text[end - 1] !== '-') last = end;
    if (code !== 46) break;
    dots++;
    labelStart = end + 1;
    letters = true;
  }
  return last;
}

/** `anna (at) example (dot) org`, and with words only when a dot is spelt too: "at" alone is a word of English. */
function spellOut(view: TextView, token: number, add: (start: number, end: number, c: number) => void): void {
  const bracketed = view.isMark(token - 1, '(') || view.isMark(token - 1, '[') || view.isMark(token - 1, '{');
  let before = bracketed ? token - 2 : token - 1;
  let after = bracketed ? token + 2 : token + 1;
  if (before < 0 || !/[\p{L}\d]/u.test(view.text[view.ends[before]! - 1]!)) return;
  const nameEnd = before;
  // The name may hold dots, signs and digits without spaces.
  while (before > 0 && nameEnd - before < 8 && view.gap(before - 1) === 0 && !isBracket(view, before - 1)) {
    view.steps++;
    before--;
  }
  let end = -1;
  let dots = 0;
  for (let labels = 0; labels < 5 && after < view.tokens; labels++) {
    view.steps++;
    // Labels may hold digits and hyphens without spaces.
    if (view.kinds[after] === BREAK) break;
    for (let parts = 0; parts < 8 && after + 1 < view.tokens && view.gap(after) === 0; parts++) {
      view.steps++;
      if (!/[\p{L}\d-]/u.test(view.text[view.starts[after + 1]!]!)) break;
      after++;
    }
    if (view.kinds[after] !== WORD && view.kinds[after] !== NUMBER) break;
    if (dots > 0) end = view.ends[after]!;
    const next = dotAfter(view, after, bracketed);
    if (next < 0) break;
    dots++;
    after = next;
  }
  if (end < 0) return;
  const domain = view.text.slice(view.starts[token]!, Math.min(end, view.starts[token]! + MAX_DOMAIN));
  if (/[\r\n]/.test(domain)) return;
  add(view.starts[before]!, Math.min(end, view.starts[token]! + MAX_DOMAIN), bracketed ? 0.9 : 0.7);
}

const isBracket = (view: TextView, token: number) =>
  /[()[\]{}<>,;:"\s]/.test(view.text[view.starts[token]!]!);

/** Token after a dot, spelt or written; a written one only where "at" was in brackets, -1 when there is none. */
function dotAfter(view: TextView, token: number, bracketed: boolean): number {
  const next = token + 1;
  if (/^(?:dot|punkt|punto|point)$/.test(view.plain(next)) && next + 1 < view.tokens) return next + 1;
  if (
    next < view.tokens &&
    /[([{]/.test(view.text[view.starts[next]!]!) &&
    /^(?:dot|punkt|punto|point)$/.test(view.plain(next + 1))
  ) {
    return next + 3 < view.tokens ? next + 3 : -1;
  }
  const touches = bracketed && view.isMark(next, '.') && view.gap(token) === 0 && view.gap(next) === 0;
  return touches && next + 1 < view.tokens ? next + 1 : -1;
}
