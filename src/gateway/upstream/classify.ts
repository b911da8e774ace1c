/**
 * What a server's refusal means: its status, headers and body, in the shapes that servers write, as one `UpstreamError`.
 *
 * Shapes read: OpenAI `{error: {message, type, code}}`; Ollama and TGI `{error: "..."}`; older vLLM and Mistral
 * `{object: "error", message, type}`; FastAPI `{detail}`; Anthropic `{type: "error", error}`; Gemini `[{error: {code,
 * message, status, details}}]`; OpenRouter `{error: {code: 429, message, metadata}}`.
 *
 * @module gateway/upstream/classify
 */
import { redactText } from '../../base/index.ts';
import { type FailureClass, UpstreamError } from './errors.ts';
import { retryAfterOf } from './retry-after.ts';
import type { Headers } from './wire/index.ts';

export interface Refusal {
  readonly server: string;
  /** HTTP status; null for an error inside a 200. */
  readonly status: number | null;
  readonly headers: Headers;
  /** The body, or the part of it that is the error, as text. */
  readonly text: string;
  /** ms since the epoch. */
  readonly now: number;
  /** Never shown, wherever the server repeats them. */
  readonly secrets?: readonly string[];
}

/** What a body says, as far as it says it in a known shape. */
export interface Said {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  /** A status that the body names. */
  readonly status: number | null;
  readonly body: unknown;
}

const maxMessage = 300;

export function classify(refusal: Refusal): UpstreamError {
  const said = saidIn(refusal.text);
  const status = refusal.status ?? said.status ?? statusOfType(said);
  const failure = classOf(status, said);
  const retryAfterMs =
    failure === 'rate_limited' || failure === 'server_error'
      ? retryAfterOf(refusal.headers, said.body, said.message, refusal.now)
      : null;
  const asked = refusal.headers['x-should-retry'];
  const shown = shownMessage(said.message, refusal.secrets ?? []);
  // Another node's word for a request that went round in a ring; so would the next one.
  if (status === 508 && said.code === 'loop_detected') return looped(refusal.server);
  const where = refusal.status === null ? 'an error inside its answer' : `status ${refusal.status}`;
  const notFound = failure === 'bad_request' && status === 404;
  const what = `${refusal.server} ${VERB[failure] ?? 'refused the request'} (${where})`;
  return new UpstreamError(
    failure,
    codeOf(failure, status, said),
    `${what}${shown === '' ? '.' : `: ${shown}`}`,
    {
      // Servers repeat in their errors what they were sent.
      logged: `${what}.`,
      upstreamStatus: status,
      retryAfterMs,
      shouldRetry: asked === 'true' ? true : asked === 'false' ? false : null,
      ...(notFound ? { status: 404 } : {}),
    },
  );
}

function looped(server: string): UpstreamError {
  return new UpstreamError(
    'bad_request',
    'loop_detected',
    `${server} found that the request goes round between nodes that are each other's backends: take one of them out of the other's configuration.`,
    { upstreamStatus: 508, shouldRetry: false, status: 508 },
  );
}

const VERB: Partial<Record<FailureClass, string>> = {
  auth: 'does not accept the configured credentials',
  rate_limited: 'limits how often it is asked',
  server_error: 'failed',
  bad_response: 'gave an answer that cannot be read',
};

function codeOf(failure: FailureClass, status: number | null, said: Said): string {
  const word = `${said.code} ${said.type}`;
  switch (failure) {
    case 'context_length':
      return 'context_length_exceeded';
    case 'content_filter':
      return 'content_filter';
    case 'rate_limited':
      return QUOTA.test(`${word} ${said.message}`) ? 'upstream_quota' : 'upstream_rate_limited';
    case 'server_error':
      return status === 529 || /overloaded/i.test(word) ? 'upstream_overloaded' : 'upstream_server_error';
    case 'bad_request':
      if (status !== 404) return 'upstream_bad_request';
      return /model/i.test(`${word} ${said.message}`) ? 'model_not_found' : 'upstream_not_found';
    default:
      return `upstream_${failure}`;
  }
}

const CONTEXT =
  /context[_ ](?:length|window|size)|maximum context|exceed_context|context limit|prompt is too long|too many (?:input )?tokens|input is too long|tokens? \+ `?max_new_tokens|input length and `?max_tokens|maximum (?:input|prompt) length|exceeds? the model'?s? max(?:imum)? (?:length|sequence)/i;
const FILTER =
  /content[_ ]?(?:filter|policy)|content management policy|responsible ?ai|safety system|flagged (?:as|by|for)|was flagged|moderation|blocked by .{0,40}(?:safety|policy)|prohibited_content/i;
const QUOTA =
  /insufficient_quota|exceeded your current quota|billing|credit balance|insufficient (?:credits|balance)/i;

function classOf(status: number | null, said: Said): FailureClass {
  const all = `${said.code} ${said.type} ${said.message}`;
  const filtered = FILTER.test(all);
  if (status === 429) return 'rate_limited';
  // 400 by rule; servers also answer 413, 422 and 500 to a prompt that is too long.
  if ((status === null || [400, 413, 422, 500].includes(status)) && CONTEXT.test(all))
    return 'context_length';
  if ((status === null || [400, 403, 422, 451].includes(status)) && filtered) return 'content_filter';
  if (status === 401 || status === 402 || status === 403 || status === 407) return 'auth';
  if (status === 400 && QUOTA.test(said.message)) return 'auth';
  if (status === 408 || status === 425 || (status !== null && status >= 500)) return 'server_error';
  if (status !== null && status >= 400) return 'bad_request';
  if (status !== null && status >= 100) return 'bad_response';
  return 'server_error';
}

/** The status that an error inside a 200 would have had. Null when its type says nothing. */
function statusOfType({ type, code, message }: Said): number | null {
  const word = `${type} ${code}`.toLowerCase();
  if (/rate_?limit|too_many_requests|resource_exhausted|insufficient_quota/.test(word)) return 429;
  if (/overloaded/.test(word)) return 529;
  if (/authentication|invalid_api_key|unauthenticated|permission/.test(word)) return 401;
  if (/not_?found/.test(word)) return 404;
  if (/invalid_?(?:request|argument)|bad_?request|validation/.test(word)) return 400;
  return CONTEXT.test(message) || FILTER.test(`${word} ${message}`) ? null : 500;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const word = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** Reads `text` as one of the known shapes; what is not JSON says nothing (a proxy's page). */
export function saidIn(text: string): Said {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    const plain = /^\s*</.test(text) ? '' : text;
    return { message: plain, type: '', code: '', status: null, body: null };
  }
  return saidInBody(body);
}

function saidInBody(body: unknown): Said {
  const outer = Array.isArray(body) ? body[0] : body;
  if (!isObject(outer)) return { message: word(body), type: '', code: '', status: null, body };
  const inner = isObject(outer.error) ? outer.error : outer;
  const detail = Array.isArray(outer.detail)
    ? outer.detail
        .slice(0, 3)
        .map((each) => (isObject(each) ? `${[each.loc].flat().map(word).join('.')}: ${word(each.msg)}` : ''))
        .join('; ')
    : word(outer.detail);
  const message = word(inner.message) || word(outer.error) || word(outer.message) || detail;
  const metadata = isObject(inner.metadata) ? word(inner.metadata.raw) : '';
  const code = word(inner.code);
  const status = /^[45]\d\d$/.test(code) ? Number(code) : null;
  return {
    message: metadata === '' ? message : `${message}: ${metadata}`,
    type: word(inner.type) || word(inner.status) || word(outer.error_type),
    code,
    status,
    body,
  };
}

/** What people may see of a server's message: short, one line, without credentials. */
function shownMessage(message: string, secrets: readonly string[]): string {
  let text = message.slice(0, 4 * maxMessage);
  for (const secret of secrets) if (secret.length > 3) text = text.replaceAll(secret, '[redacted]');
  text = redactText(text, { keepContent: true }).replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, ' ');
  return text.length > maxMessage ? `${text.slice(0, maxMessage).toWellFormed()}...` : text.trim();
}
