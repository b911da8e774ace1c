/**
 * One call: tries at nodes until one has begun to answer. The next node is asked at once; the same one only after a
 * pause that grows. What a node asks for (`retry-after`) is kept to, for that node alone.
 *
 * @module client/attempts
 */
import {
  AbortError,
  ApiError,
  ConnectionError,
  type FailedAttempt,
  KithClientError,
  NoNodeError,
  ResponseError,
  TimeoutError,
} from './errors.ts';
import { chooseNode, type KnownNode, waitForNode } from './nodes.ts';
import { type Received, readText, send } from './transport.ts';
import type { CallOptions, ClientOptions, Surroundings, Timeouts } from './types.ts';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: unknown;
  readonly accept: string;
}

export const LIMITS: Required<Timeouts> = {
  connectMs: 5000,
  firstTokenMs: 120_000,
  interTokenMs: 60_000,
  totalMs: 600_000,
};

/** An error body is read no further than this. */
const MAX_ERROR_BYTES = 64 * 1024;
const FIRST_PAUSE_MS = 250;

export interface CallContext {
  readonly options: ClientOptions;
  readonly call: CallOptions;
  readonly nodes: readonly KnownNode[];
  readonly surroundings: Surroundings;
  readonly limits: Required<Timeouts>;
  /** Fires when the caller leaves, the client closes, or the whole call takes too long; the reason is the error. */
  readonly signal: AbortSignal;
}

/**
 * Sends `call` and hands the answer to `begin`, which reads as far as nothing has been given to the caller yet: what
 * fails until then may be tried again. Resolves with what `begin` made.
 */
export async function attempt<T>(
  context: CallContext,
  call: Call,
  begin: (received: Received, node: KnownNode) => Promise<T>,
): Promise<T> {
  const { nodes, signal, surroundings } = context;
  const body = call.body === undefined ? null : bodyOf(call.body);
  const tries = new Map<KnownNode, number>();
  const failed: FailedAttempt[] = [];
  let left = context.call.retries ?? context.options.retries ?? 3;
  for (;;) {
    const chosen = chooseNode(nodes, tries, surroundings.now());
    if (chosen === null) {
      await pause(context, waitForNode(nodes, surroundings.now()), failed);
      continue;
    }
    const { node, settle } = chosen;
    let received: Received | null = null;
    try {
      received = await send({
        url: new URL(node.url + call.path),
        pool: node.pool,
        method: call.method,
        headers: {
          accept: call.accept,
          ...(body === null ? {} : { 'content-type': 'application/json' }),
          ...node.headers,
          ...context.call.headers,
        },
        body,
        node: node.url,
        signal,
        connectMs: context.limits.connectMs,
        firstMs: context.limits.firstTokenMs,
      });
      if (received.status < 200 || received.status > 299) throw await apiError(received, node.url);
      const result = await begin(received, node);
      settle('success');
      return result;
    } catch (error) {
      received?.close();
      if (signal.aborted) {
        settle('neither');
        throw withAttempts(signal.reason, failed);
      }
      const verdict = judge(error);
      settle(verdict.outcome);
      const retryAfter = error instanceof KithClientError ? error.retryAfter : null;
      if (retryAfter !== null) node.busyUntil = surroundings.now() + retryAfter * 1000;
      // A node that is silent until the limit is not asked again; another one is.
      const silent = error instanceof TimeoutError && error.phase === 'first_token';
      const others = nodes.some((other) => other !== node && !tries.has(other));
      if (!verdict.again || (silent && !others) || left-- <= 0) throw withAttempts(error, failed);
      const { code, message } = error as KithClientError;
      failed.push({ node: node.url, code, message });
      const times = (tries.get(node) ?? 0) + 1;
      tries.set(node, times);
      // Another node that has been tried less is asked without a pause.
      const fresh = nodes.some(
        (other) =>
          (tries.get(other) ?? 0) < times &&
          other.busyUntil <= surroundings.now() &&
          other.breaker.state() !== 'open',
      );
      if (!fresh && node.busyUntil <= surroundings.now()) {
        const longest = FIRST_PAUSE_MS * 2 ** Math.min(times - 1, 10);
        await pause(context, longest * (0.5 + surroundings.random() / 2), failed);
      }
    }
  }
}

function bodyOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KithClientError('request_invalid', `The request has no JSON form: ${why}.`, { cause });
  }
}

/** Whether a failure may be tried again, and what it says about the node. */
function judge(error: unknown): { again: boolean; outcome: 'success' | 'failure' | 'neither' } {
  if (error instanceof ConnectionError || error instanceof ResponseError)
    return { again: true, outcome: 'failure' };
  if (error instanceof TimeoutError) return { again: true, outcome: 'failure' };
  if (!(error instanceof ApiError)) return { again: false, outcome: 'neither' };
  const again = RETRIED.has(error.status) && error.mayRetry;
  // Too busy, or a request that is wrong: the node is well.
  const well = error.status < 500 || error.status === 529 || error.retryAfter !== null;
  return { again, outcome: well ? 'success' : 'failure' };
}

const RETRIED = new Set([408, 409, 429, 500, 502, 503, 504, 529]);

function withAttempts(error: unknown, failed: readonly FailedAttempt[]): unknown {
  if (error instanceof KithClientError) error.attempts = failed;
  return error;
}

async function pause(context: CallContext, ms: number, failed: readonly FailedAttempt[]): Promise<void> {
  const longest = context.options.maxPauseMs ?? 10_000;
  if (ms > longest) {
    const last = failed.at(-1);
    throw withAttempts(
      new NoNodeError(
        'no_node',
        `No node can be asked for another ${Math.ceil(ms / 1000)} s: each is resting after failures or asked to wait.` +
          (last === undefined ? '' : ` The last one said: ${last.message}`),
        { retryAfter: ms / 1000 },
      ),
      failed,
    );
  }
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', done);
      resolve();
    };
    // A little later than asked for: timers may fire early by a fraction.
    const timer = setTimeout(done, Math.max(1, Math.ceil(ms)));
    context.signal.addEventListener('abort', done, { once: true });
    if (context.signal.aborted) done();
  });
  if (context.signal.aborted) throw withAttempts(context.signal.reason, failed);
}

async function apiError(received: Received, node: string): Promise<ApiError> {
  let said: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(await readText(received, MAX_ERROR_BYTES, node));
    const root = recordOf(parsed) ?? {};
    // OpenAI's shape holds an object, NS-LLM's and Ollama's the message itself.
    said = recordOf(root.error) ?? (typeof root.error === 'string' ? { ...root, message: root.error } : root);
  } catch (error) {
    if (error instanceof TimeoutError || error instanceof AbortError) throw error;
    // Not JSON, or cut off: the status alone has to say it.
  }
  return errorFrom(said, received.status, received.headers, node);
}

/** The error that a body or a frame of a stream tells of. */
export function errorFrom(
  said: Record<string, unknown>,
  status: number,
  headers: Received['headers'],
  node: string,
): ApiError {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  const code = text(said.code) ?? text(said.type) ?? `http_${status}`;
  const message = text(said.message) ?? `The node answered with status ${status}.`;
  const error = new ApiError(status, code, message, text(said.param), {
    node,
    requestId: text(headers['x-request-id']),
    retryAfter: retryAfterOf(headers),
  });
  error.mayRetry = headers['x-should-retry'] !== 'false';
  return error;
}

/** Seconds, from `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3); null without. */
function retryAfterOf(headers: Received['headers']): number | null {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return Math.min(ms / 1000, 86_400);
  const value = headers['retry-after'];
  if (value === undefined) return null;
  const seconds = /^\d{1,9}$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), 86_400) : null;
}

export function recordOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
