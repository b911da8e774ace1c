/**
 * What keeps secrets and prompts out of logs: any value in, a small plain JSON value out.
 *
 * Two rules. By key: values under names such as `apiKey`, `authorization`, `cookie` are always replaced; values
 * under names of what people write (`prompt`, `messages`, `content`, ...) are replaced unless `keepContent`. By
 * pattern: inside every string, things that look like credentials (and, unless `keepContent`, `prompt=...`) are
 * replaced. A prompt put into a message as free text cannot be recognised: code passes such text as a field.
 *
 * Never throws, whatever the value does: cycles, throwing getters, proxies, hostile depth and size.
 *
 * @module base/redact
 */

const HIDDEN = '[redacted]';
const MAX_DEPTH = 8;
const MAX_ITEMS = 64;
const MAX_VALUES = 1000;
const MAX_STRING = 4096;
/** Characters of one log line, before escaping. */
const MAX_TOTAL = 32_768;

export interface RedactOptions {
  /** Keep what people write and models answer (trace and debug). Credentials are replaced all the same. */
  readonly keepContent?: boolean;
}

interface State {
  readonly keepContent: boolean;
  readonly path: Set<object>;
  values: number;
  chars: number;
}

/** A JSON-safe copy of `value`, bounded in size, with everything secret replaced by "[redacted]". */
export function redact(value: unknown, options: RedactOptions = {}): unknown {
  const state: State = { keepContent: options.keepContent ?? false, path: new Set(), values: 0, chars: 0 };
  return copy(value, state, 0);
}

/** As `redact`, for one string. */
export function redactText(text: string, options: RedactOptions = {}): string {
  // A little more than is kept, so that a credential across the cut is still recognised as one.
  let safe = text.length > MAX_STRING ? text.slice(0, MAX_STRING + 1024) : text;
  if (!SUSPECT.test(safe)) return safe.length > MAX_STRING ? `${safe.slice(0, MAX_STRING)}[cut]` : safe;
  for (const [pattern, replacement] of SECRET_PATTERNS) safe = safe.replace(pattern, replacement);
  if (options.keepContent !== true) safe = hideParsedText(safe).replace(CONTENT_PATTERN, `$1${HIDDEN}`);
  return safe.length > MAX_STRING ? `${safe.slice(0, MAX_STRING)}[cut]` : safe;
}

const SECRET_WORDS = new Set([
  'authorization',
  'apikey',
  'token',
  'secret',
  'password',
  'passwd',
  'passphrase',
  'cookie',
  'cookies',
  'credential',
  'credentials',
  'privatekey',
  'secretkey',
  'accesskey',
  'bearer',
  'jwt',
]);

const CONTENT_WORDS = new Set([
  'prompt',
  'prompts',
  'messages',
  'content',
  'contents',
  'input',
  'inputs',
  'text',
  'texts',
  'completion',
  'body',
  'query',
  'arguments',
]);

function isSecretKey(words: readonly string[]): boolean {
  return words.some(
    (word, index) => SECRET_WORDS.has(word) || (index > 0 && SECRET_WORDS.has(words[index - 1]! + word)),
  );
}

/** Only the last word counts: `promptTokens` is a number of tokens, `systemPrompt` is a prompt. */
function isContentKey(words: readonly string[]): boolean {
  return CONTENT_WORDS.has(words.at(-1) ?? '');
}

/** `x-api-key`, `apiKey`, `API_KEY` -> words in lower case. */
function wordsOf(key: string): string[] {
  return key
    .slice(0, 128)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** A quoted string (its end may be cut off), or text whose quotes are escaped: that one to the end. */
const QUOTED = String.raw`"(?:[^"\\]|\\[\s\S])*(?:"|$)|'(?:[^'\\]|\\[\s\S])*(?:'|$)|\\+["'][\s\S]*`;
/** What may stand between a name and its value: `name=`, `"name": `, `\"name\":`. */
const ASSIGN = String.raw`\\*["']?\s*[=:]\s*`;
/** Values of one word. */
const WORD_NAME = String.raw`[\w.-]{0,40}(?:api[_-]?key|token|secret|private[_-]?key|access[_-]?key)`;
/** Values that may have spaces: everything to the end of the line. */
const LINE_NAME = String.raw`[\w.-]{0,40}(?:authorization|cookie|password|passwd|passphrase)`;
/** "Invalid input: expected ..." is how validators speak, not something a person wrote. */
const CONTENT_NAME =
  '(?<![A-Za-z]|[Ii]nvalid )(?:prompts?|messages|contents?|inputs?|texts?|completion|body|query|arguments)';
/** `[redacted]` of an earlier pattern is left as it is. */
const DONE = String.raw`(?!\[redacted\])`;

const SECRET_PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, HIDDEN],
  [/(:\/\/)[^/?#\s@]{1,512}@/g, `$1${HIDDEN}@`],
  [new RegExp(String.raw`(${LINE_NAME}${ASSIGN})${DONE}(?:${QUOTED}|[^\r\n]+)`, 'gi'), `$1${HIDDEN}`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{4,}/gi, `$1 ${HIDDEN}`],
  [/\b(?:sk|pk|rk)-[\w-]{6,}/g, HIDDEN],
  // This node's own keys, but not the id within: lists and logs name keys by it.
  [/kith_[0-9a-z]{10}_\w{4,}/gi, HIDDEN],
  [/\b(?:hf|gh[oprsu]|npm|glpat|github_pat|xox[abprs])[_-][\w-]{10,}/g, HIDDEN],
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, HIDDEN],
  [new RegExp(String.raw`(${WORD_NAME}${ASSIGN})${DONE}(?:${QUOTED}|[^\s,;&}"']+)`, 'gi'), `$1${HIDDEN}`],
  // name=<long hex or base64>, except digests and the names of nodes (PeerId, did:key), which are public.
  [
    /(?<!\b(?:sha-?\d{1,3}|md5|digest|hash|integrity|commit|etag|id))(["']?\s?[=:]\s?["']?)(?!(?:12D3KooW|0?z6Mk)[1-9A-HJ-NP-Za-km-z]{44}(?![\w+/-]))(?:[0-9a-fA-F]{32,}|(?=[\w+/-]*\d)(?=[\w+/-]*[A-Z])[\w+/-]{40,}={0,2})(?![\w+/-])/g,
    `$1${HIDDEN}`,
  ],
];

/** What each of the patterns needs: most strings of a log line have none of it, and are done with one look. */
const SUSPECT =
  /[=:@]|-----BEGIN|bearer|basic|[spr]k-|kith_|(?:hf|gh[oprsu]|npm|glpat|github_pat|xox[abprs])[_-]|eyJ|Unexpected token| is not valid JSON/i;

const CONTENT_PATTERN = new RegExp(String.raw`(${CONTENT_NAME}${ASSIGN})${DONE}(?:${QUOTED}|[\s\S]+)`, 'gi');
const JSON_ERROR = ' is not valid JSON';

/** V8 quotes the source text in what JSON.parse throws. */
function hideParsedText(text: string): string {
  const safe = text.replace(/(Unexpected token ')[\s\S]{1,2}'/g, `$1${HIDDEN}'`);
  const end = safe.lastIndexOf(JSON_ERROR);
  // By index: a pattern would try every quote against every other.
  const start = end < 0 ? -1 : safe.indexOf('"');
  return start < 0 || start > end ? safe : safe.slice(0, start) + HIDDEN + safe.slice(end);
}

function copy(value: unknown, state: State, depth: number): unknown {
  if (++state.values > MAX_VALUES || state.chars > MAX_TOTAL) return '[cut]';
  switch (typeof value) {
    case 'string': {
      const text = redactText(value, state);
      state.chars += text.length;
      return text;
    }
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'undefined':
      return undefined;
    case 'bigint':
      return value.toString().slice(0, 64);
    case 'object':
      if (value === null) return null;
      return guarded(() => copyObject(value, state, depth));
    default:
      return `[${typeof value}]`;
  }
}

function copyObject(value: object, state: State, depth: number): unknown {
  if (state.path.has(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deep]';
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[ArrayBuffer of ${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
  if (value instanceof URL) return copy(value.href, state, depth);
  if (value instanceof RegExp) return copy(value.source, state, depth);
  state.path.add(value);
  try {
    if (value instanceof Error) return copyError(value, state, depth);
    if (Array.isArray(value)) return copyList(value, state, depth);
    if (value instanceof Set) return copyList([...value], state, depth);
    if (value instanceof Map) return copyEntries([...value], state, depth);
    return copyEntries(
      Object.keys(value).map((key) => [key, guarded(() => (value as Record<string, unknown>)[key])]),
      state,
      depth,
    );
  } finally {
    state.path.delete(value);
  }
}

function copyList(items: readonly unknown[], state: State, depth: number): unknown[] {
  const list = items.slice(0, MAX_ITEMS).map((item) => copy(item, state, depth + 1) ?? null);
  if (items.length > MAX_ITEMS) list.push(`[${items.length - MAX_ITEMS} more]`);
  return list;
}

function copyEntries(
  entries: readonly (readonly [unknown, unknown])[],
  state: State,
  depth: number,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [rawKey, value] of entries.slice(0, MAX_ITEMS)) {
    const name = typeof rawKey === 'object' ? '[object]' : redactText(String(rawKey).slice(0, 128), state);
    const words = typeof rawKey === 'object' ? [] : wordsOf(String(rawKey));
    state.chars += name.length;
    // defineProperty, since assigning to __proto__ would change the copy's prototype.
    Object.defineProperty(out, name, {
      value: hides(words, value, state) ? HIDDEN : copy(value, state, depth + 1),
      enumerable: true,
    });
  }
  if (entries.length > MAX_ITEMS) out.more = entries.length - MAX_ITEMS;
  return out;
}

function hides(words: readonly string[], value: unknown, state: State): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false;
  if (isSecretKey(words)) return true;
  return !state.keepContent && typeof value !== 'number' && isContentKey(words);
}

/** Name, message, stack, cause and whatever else the error carries, under the same rules. */
function copyError(error: Error, state: State, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...rest } = { ...error } as Error & Record<string, unknown>;
  const own = copyEntries(Object.entries(rest), state, depth);
  const shown: Record<string, unknown> = {
    type: copy(
      guarded(() => error.name),
      state,
      depth + 1,
    ),
    message: copy(
      guarded(() => error.message),
      state,
      depth + 1,
    ),
    ...own,
  };
  if (error.cause !== undefined) shown.cause = copy(error.cause, state, depth + 1);
  // Frames only: the stack's head repeats the message, which may span lines.
  if (typeof error.stack === 'string' && depth <= 1) {
    const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line));
    shown.stack = copy(
      frames
        .slice(0, 20)
        .map((line) => line.trim())
        .join('\n'),
      state,
      depth + 1,
    );
  }
  return shown;
}

function guarded(work: () => unknown): unknown {
  try {
    return work();
  } catch {
    // A getter or proxy that throws must not turn a log line into a failure; the line says so.
    return '[unreadable]';
  }
}
