/**
 * Keys, tokens and passwords: by the shapes that services give them, inside PEM blocks and addresses, and near a cue.
 *
 * @module gateway/privacy/detectors/secrets
 */
import { isAlphanumeric, isWord } from '../characters.ts';
import { HASH_CUE, PASSWORD_CUE, SECRET_CUE } from '../cues.ts';
import type { Detector, Span } from '../types.ts';
import { type TextView, WORD } from '../view.ts';
import { passwordAfter } from './passwords.ts';

/** A PEM block without an end is taken up to here. */
const MAX_PEM = 16_384;
const MAX_TOKEN = 4096;
const REACH = 40;

/** Beginnings of keys, and how many characters at least follow. */
const PREFIXES: readonly (readonly [prefix: string, kind: string, rest: number])[] = [
  ['sk-', 'api_key', 16],
  ['sk_', 'stripe', 16],
  ['rk_', 'stripe', 16],
  ['pk_live_', 'stripe', 16],
  ['whsec_', 'stripe', 16],
  ['ghp_', 'github', 30],
  ['gho_', 'github', 30],
  ['ghu_', 'github', 30],
  ['ghs_', 'github', 30],
  ['ghr_', 'github', 30],
  ['github_pat_', 'github', 22],
  ['glpat-', 'gitlab', 16],
  ['AKIA', 'aws', 16],
  ['ASIA', 'aws', 16],
  ['AROA', 'aws', 16],
  ['AIDA', 'aws', 16],
  ['AIza', 'google', 30],
  ['ya29.', 'google', 20],
  ['GOCSPX-', 'google', 20],
  ['xoxb-', 'slack', 20],
  ['xoxp-', 'slack', 20],
  ['xoxa-', 'slack', 20],
  ['xoxs-', 'slack', 20],
  ['xoxr-', 'slack', 20],
  ['xapp-', 'slack', 20],
  ['hf_', 'hugging_face', 20],
  ['npm_', 'npm', 30],
  ['pypi-', 'pypi', 30],
  ['SG.', 'sendgrid', 30],
  ['shpat_', 'shopify', 24],
  ['dop_v1_', 'digitalocean', 32],
  ['gsk_', 'api_key', 20],
  ['xai-', 'api_key', 20],
  ['r8_', 'api_key', 20],
  ['tvly-', 'api_key', 16],
  ['key-', 'api_key', 24],
  ['sq0atp-', 'square', 16],
  ['EAACEdEose0cBA', 'facebook', 8],
  ['AGE-SECRET-KEY-1', 'age', 40],
];
const BY_FIRST = new Map<string, (typeof PREFIXES)[number][]>();
for (const prefix of PREFIXES) {
  const first = prefix[0][0]!;
  const list = BY_FIRST.get(first);
  if (list === undefined) BY_FIRST.set(first, [prefix]);
  else list.push(prefix);
}

/** Letters, digits and the signs of base64, base64url, JWT and prefixed keys. */
const isTokenCode = (code: number) =>
  isAlphanumeric(code) ||
  code === 45 ||
  code === 95 ||
  code === 46 ||
  code === 43 ||
  code === 47 ||
  code === 61 ||
  code === 126;

export const secrets: Detector = {
  name: 'secret',
  classes: ['secret'],
  detect(view) {
    const spans: Span[] = [];
    pemBlocks(view, spans);
    const { text } = view;
    for (let i = 0; i < text.length; i++) {
      view.steps++;
      if (!isAlphanumeric(text.charCodeAt(i)) && text.charCodeAt(i) !== 95) continue;
      const start = i;
      while (i < text.length && isTokenCode(text.charCodeAt(i))) {
        view.steps++;
        i++;
      }
      if (i - start >= 12) tokenIn(view, start, i, spans);
    }
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] === WORD) {
        const span = passwordAfter(view, token);
        if (span !== null) spans.push(span);
      } else if (view.isMark(token, '-') && /^(?:u|user)$/.test(view.plain(token + 1))) {
        const span = credentialsInOption(view, view.ends[token + 1]!);
        if (span !== null) spans.push(span);
      } else if (view.isMark(token, '=')) {
        const span = secretInQuery(view, view.starts[token]!);
        if (span !== null) spans.push(span);
      } else if (view.isMark(token, ':') && text.startsWith('://', view.starts[token]!)) {
        const span = credentialsInAddress(view, view.starts[token]! + 3);
        if (span !== null) spans.push(span);
      }
    }
    return spans;
  },
};

function pemBlocks(view: TextView, spans: Span[]): void {
  const { text } = view;
  view.steps += text.length;
  const limit = (start: number) => Math.min(text.length, start + MAX_PEM);
  for (let at = text.indexOf('-----BEGIN '); at >= 0; ) {
    const head = text.slice(at, at + 64);
    let end = at + 11;
    if (/^-----BEGIN [A-Z0-9 ]{0,30}(?:PRIVATE KEY|PGP MESSAGE|OPENSSH)/.test(head)) {
      const close = /-----END [A-Z0-9 ]{1,40}-----/.exec(text.slice(at, limit(at)));
      end = close === null ? limit(at) : at + close.index + close[0].length;
      view.steps += end - at;
      spans.push({ class: 'secret', start: at, end, confidence: 0.99, kind: 'private_key' });
    }
    at = text.indexOf('-----BEGIN ', Math.max(end, at + 11));
  }
}

/** What a run of token characters holds: a known key, a JWT, or something random near a cue. */
function tokenIn(view: TextView, from: number, to: number, spans: Span[]): void {
  const { text } = view;
  let start = from;
  // Assignments are written without spaces too.
  for (let i = from; i < to; i++) {
    view.steps++;
    if (text[i] === '=' && i + 1 < to && text[i + 1] !== '=') start = i + 1;
  }
  let end = to;
  while (end > start && (text[end - 1] === '.' || text[end - 1] === '/' || text[end - 1] === '-')) end--;
  if (end - start < 12 || isWord(view.code(start - 1))) return;
  const bounded = Math.min(end, start + MAX_TOKEN);
  const add = (spanEnd: number, confidence: number, kind: string) =>
    spans.push({ class: 'secret', start, end: spanEnd, confidence, kind });

  for (const [prefix, kind, rest] of BY_FIRST.get(text[start]!) ?? []) {
    view.steps += prefix.length;
    if (
      end - start >= prefix.length + rest &&
      text.startsWith(prefix, start) &&
      mixes(view, start, bounded)
    ) {
      add(bounded, 0.99, kind);
      return;
    }
  }
  if (text.startsWith('eyJ', start)) {
    const dots = count(view, start, bounded, 46);
    if (dots >= 1 && dots <= 4) {
      add(bounded, 0.98, 'jwt');
      return;
    }
  }
  if (/^(?:bearer|basic)$/.test(view.plain(view.tokenAt(start) - 1)) && end - start >= 16) {
    add(bounded, mixes(view, start, bounded) ? 0.97 : 0.5, 'bearer');
    return;
  }
  const cue = Math.min(view.cueBefore(SECRET_CUE, start, REACH), view.cueBefore(PASSWORD_CUE, start, REACH));
  if (end - start < 16 || cue > REACH) return;
  if (view.cueBefore(HASH_CUE, start, REACH) < cue) return;
  const size = Math.min(bounded - start, 256);
  view.steps += size;
  const bits = entropy(text.slice(start, start + size));
  const isPath =
    count(view, start, bounded, 47) > size / 8 || /^[a-z./_-]+$/i.test(text.slice(start, start + size));
  if (bits >= 3.3 && mixes(view, start, bounded) && !isPath) add(bounded, 0.85, 'high_entropy');
}

function count(view: TextView, start: number, end: number, code: number): number {
  let found = 0;
  for (let i = start; i < end; i++) {
    view.steps++;
    if (view.text.charCodeAt(i) === code) found++;
  }
  return found;
}

/** Digits beside letters: words with hyphens have none. */
function mixes(view: TextView, start: number, end: number): boolean {
  let digits = 0;
  let letters = 0;
  let capitals = 0;
  for (let i = start; i < Math.min(end, start + 128); i++) {
    view.steps++;
    const code = view.text.charCodeAt(i);
    if (code >= 48 && code <= 57) digits++;
    else if (code >= 97 && code <= 122) letters++;
    else if (code >= 65 && code <= 90) capitals++;
  }
  return digits > 0 && letters + capitals > 0;
}

/** Bits per character of a text, Shannon. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const each of counts.values()) bits -= (each / text.length) * Math.log2(each / text.length);
  return bits;
}

/** `curl -u name:password`: the password. */
function credentialsInOption(view: TextView, from: number): Span | null {
  if (view.code(from) !== 32 && view.code(from) !== 61) return null;
  let colon = -1;
  let end = from + 1;
  for (; end < from + 128 && end < view.text.length && !/\s/.test(view.text[end]!); end++) {
    view.steps++;
    if (view.text[end] === ':' && colon < 0) colon = end;
  }
  let start = colon + 1;
  if (/["'$]/.test(view.text[start] ?? '')) start++;
  while (end > start && /["']/.test(view.text[end - 1]!)) end--;
  if (colon < 0 || end - start < 3) return null;
  return { class: 'secret', start, end, confidence: 0.8, kind: 'option_password' };
}

/** `https://name:password@host`: the password. */
function credentialsInAddress(view: TextView, from: number): Span | null {
  let colon = -1;
  for (let i = from; i < from + 256; i++) {
    view.steps++;
    const character = view.text[i];
    if (character === undefined || ' \t\n\r/"\'<>'.includes(character)) return null;
    if (character === ':' && colon < 0) colon = i;
    if (character !== '@') continue;
    if (colon < 0 || i - colon < 2) return null;
    return { class: 'secret', start: colon + 1, end: i, confidence: 0.995, kind: 'url_password' };
  }
  return null;
}

/** Names under which addresses carry secrets. */
const QUERY_NAME =
  /[?&;]((?:access|auth|api|id|refresh|session|security|x-amz-security)?[_-]?token|api[_-]?key|access[_-]?key|(?:client|app)?[_-]?secret|(?:x-amz-)?signature|sig|session[_-]?id|password|passwd|pwd)$/i;
const MAX_QUERY_NAME = 24;
/** What documents write where a secret goes. */
const NO_SECRET = /^(?:[$<{[*]|your|xxx|\.\.\.|(?:null|true|false|undefined|none)$)/i;

/** `?token=value`: the value. */
function secretInQuery(view: TextView, sign: number): Span | null {
  const name = view.text.slice(Math.max(0, sign - MAX_QUERY_NAME), sign);
  view.steps += name.length;
  if (!QUERY_NAME.test(name)) return null;
  let end = sign + 1;
  while (end < sign + MAX_TOKEN && end < view.text.length && !/[\s?&;#"'`<>)\]]/.test(view.text[end]!)) end++;
  view.steps += end - sign;
  while (end > sign && /[.,:!]/.test(view.text[end - 1]!)) end--;
  const value = view.text.slice(sign + 1, Math.min(end, sign + 64));
  if (value.length < 3 || NO_SECRET.test(value)) return null;
  return { class: 'secret', start: sign + 1, end, confidence: 0.9, kind: 'query' };
}
