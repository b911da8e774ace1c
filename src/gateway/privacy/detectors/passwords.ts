/**
 * Passwords: what stands after "password:" and its like. They have no shape, so what cannot be one is left out: words of
 * the language, types, calls, variables and empty values in code.
 *
 * @module gateway/privacy/detectors/passwords
 */
import { isWord } from '../characters.ts';
import { CUE_WORDS, PASSWORD_CUE } from '../cues.ts';
import type { Span } from '../types.ts';
import { type TextView, WORD } from '../view.ts';

const MAX_PASSWORD = 128;
const IS = new Set([
  'is',
  'ist',
  'lautet',
  'es',
  'est',
  'era',
  'was',
  'war',
  'e',
  'to',
  'auf',
  'a',
  'are',
  'sind',
]);
/** Words between a cue and what parts it from its value: "password for the router is". */
const MAX_BETWEEN = 6;
const NO_VALUES =
  /^(?:null|none|nil|undefined|true|false|string|str|boolean|number|required|optional|empty|reset|expired|wrong|incorrect|invalid|missing|changed|protected|hidden|redacted|secret|password|passwort|contraseña)$/i;

/** The value after a cue word and `:`, `=`, or "is". */
export function passwordAfter(view: TextView, token: number): Span | null {
  if (((CUE_WORDS.get(view.plain(token)) ?? 0) & PASSWORD_CUE) === 0 && !isMotDePasse(view, token))
    return null;
  let at = token + 1;
  let verb = false;
  for (let between = 0; ; between++, at++) {
    view.steps++;
    if (between > MAX_BETWEEN || at >= view.tokens) return null;
    if (view.isMark(at, ':') || view.isMark(at, '=')) {
      verb = false;
      break;
    }
    if (view.kinds[at] === WORD) {
      if (!IS.has(view.plain(at))) continue;
      verb = true;
      // "is: x", "is x"
      if (view.isMark(at + 1, ':')) at++;
      break;
    }
    // `"password": "x"`, `db_password = "x"`, `--password x` have only these between.
    if (!/["'`_\-()*]/.test(view.text[view.starts[at]!]!)) return null;
  }
  while (view.isMark(at + 1, '=') || view.isMark(at + 1, '>')) at++;
  return at + 1 < view.tokens ? valueAt(view, at + 1, verb) : null;
}

const isMotDePasse = (view: TextView, token: number) =>
  view.plain(token) === 'passe' && view.plain(token - 1) === 'de' && view.plain(token - 2) === 'mot';

function valueAt(view: TextView, token: number, verb: boolean): Span | null {
  let start = view.starts[token]!;
  while (view.text[start] === '*' || view.text[start] === ' ') start++;
  const quote = view.text[start]!;
  const close = ({ '"': '"', "'": "'", '`': '`', '“': '”', '„': '“', '«': '»' } as Record<string, string>)[
    quote
  ];
  if (close !== undefined) start++;
  let end = start;
  for (; end < start + MAX_PASSWORD && end < view.text.length; end++) {
    view.steps++;
    const character = view.text[end]!;
    if (character === '\n' || character === '\r' || character === close) break;
    if (close === undefined && (character === ' ' || character === '\t')) break;
  }
  if (close === undefined)
    while (end > start && '.,;:)"\'*'.includes(view.text[end - 1]!) && isSentenceEnd(view, end)) end--;
  const value = view.text.slice(start, end);
  if (
    value.length < 4 ||
    NO_VALUES.test(value) ||
    /^(?:\$|<|\{|%\w+%|%[a-z(]?$|process\.|os\.|env\.|\*{3,}|x{4,}$|•)/i.test(value)
  )
    return null;
  // A call, a member of something, a type: code that names a password rather than holding one.
  if (close === undefined && /^[A-Za-z_][\w.]*(?:\(|\[|;|$|\|)/.test(value) && !/\d/.test(value)) return null;
  const hasDigit = /\d/.test(value);
  const hasSign = /[^\p{L}\d]/u.test(value);
  const isMixed = hasDigit || hasSign || /\p{Ll}\p{Lu}/u.test(value);
  if (!isMixed && (close === undefined || verb)) return null;
  const span = (confidence: number): Span => ({ class: 'secret', start, end, confidence, kind: 'password' });
  return span(close !== undefined || hasDigit ? 0.9 : 0.75);
}

/** A sign at the end of a value is the sentence's where nothing of a word follows. */
const isSentenceEnd = (view: TextView, end: number) => !isWord(view.code(end));
