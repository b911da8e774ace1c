/**
 * Hides personal data in JSON, as text and as values: only string values change, keys are the cues of their values.
 *
 * @module gateway/privacy/json
 */
import { InputError } from '../../base/index.ts';
import { isDigit } from './characters.ts';

/** Deeper values are refused. */
const MAX_DEPTH = 64;
/** Shorter numbers are nobody's phone, card or id. */
const MIN_DIGITS = 7;

/** Gives the text that stands for `text`; `cue`: words of the key it stands under, or empty. */
export type Visit = (text: string, cue: string) => string;

/** `dateOfBirth`, `date_of_birth` -> `date of birth`. */
export function cueOf(key: string): string {
  return key
    .slice(0, 80)
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/[^\p{L}\p{M}\d]+/gu, ' ')
    .trim();
}

/** A copy of a JSON value with every string visited, keys included. Numbers become strings where they are hidden. */
export function visitValue(value: unknown, visit: Visit, cue = '', depth = 0): unknown {
  if (depth > MAX_DEPTH) {
    throw new InputError('too_deep', `Values nested deeper than ${MAX_DEPTH} are not read; flatten them.`);
  }
  if (typeof value === 'string') return visit(value, cue);
  if (typeof value === 'number') {
    const text = String(value);
    if (text.length < MIN_DIGITS) return value;
    const hidden = visit(text, cue);
    return hidden === text ? value : hidden;
  }
  if (Array.isArray(value)) return value.map((item) => visitValue(item, visit, cue, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      visit(key, ''),
      visitValue(item, visit, cueOf(key), depth + 1),
    ]),
  );
}

/**
 * A JSON text with its strings visited. All else keeps its spelling: numbers beyond 2^53, spaces, doubled keys. Null when
 * it is no JSON.
 */
export function visitJson(text: string, visit: Visit): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = '';
  let from = 0;
  /** The last key, for the values behind it. */
  let cue = '';
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      const end = stringEnd(text, at);
      const literal = text.slice(at, end);
      const value = JSON.parse(literal) as string;
      const isKey = isKeyEnd(text, end);
      const hidden = visit(value, isKey ? '' : cue);
      if (isKey) cue = cueOf(value);
      if (hidden !== value) {
        out += text.slice(from, at) + JSON.stringify(hidden);
        from = end;
      }
      at = end;
    } else if (code === 45 || isDigit(code)) {
      let end = at + 1;
      while (end < text.length && /[\d.eE+-]/.test(text[end]!)) end++;
      const literal = text.slice(at, end);
      const hidden = literal.length < MIN_DIGITS ? literal : visit(literal, cue);
      if (hidden !== literal) {
        out += text.slice(from, at) + JSON.stringify(hidden);
        from = end;
      }
      at = end;
    } else at++;
  }
  return out + text.slice(from);
}

/** A colon follows: the string was a key. */
function isKeyEnd(text: string, end: number): boolean {
  let at = end;
  while (' \t\n\r'.includes(text[at] ?? '-')) at++;
  return text[at] === ':';
}

/** Offset after the closing quote of the string literal at `at`. */
function stringEnd(text: string, at: number): number {
  let end = at + 1;
  while (text.charCodeAt(end) !== 34) end += text.charCodeAt(end) === 92 ? 2 : 1;
  return end + 1;
}
