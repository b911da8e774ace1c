/**
 * The client: calls to the APIs of a node over the tries of `attempts.ts`.
 *
 * @module client/client
 */
import { createAnswer } from './answer.ts';
import { attempt, type Call, type CallContext, LIMITS, recordOf } from './attempts.ts';
import { arrayOf, count, createGenerateDecoder, createOpenAiDecoder, parse, text } from './decode.ts';
import { AbortError, KithClientError, ResponseError, TimeoutError } from './errors.ts';
import { createNodes, type KnownNode } from './nodes.ts';
import { readText, send } from './transport.ts';
import type { CallOptions, Client, ClientOptions, NodeHealth, Surroundings } from './types.ts';

const HEALTH_LIMIT_MS = 5000;

/** Throws `no_nodes` or `url_invalid`. Nothing is sent before the first call. */
export function createClient(
  options: ClientOptions,
  surroundings: Surroundings = { now: () => performance.now(), random: Math.random },
): Client {
  const nodes = createNodes(options, surroundings.now);
  const maxBytes = options.maxResponseBytes ?? 64 * 1024 * 1024;
  const open = new Set<(reason: KithClientError) => void>();
  let closed = false;

  const begin = (call: CallOptions = {}): { context: CallContext; end: () => void } => {
    if (closed) throw new KithClientError('closed', 'The client was closed.');
    const limits = { ...LIMITS, ...options.timeouts, ...call.timeouts };
    const controller = new AbortController();
    const stop = (reason: KithClientError) => controller.abort(reason);
    const onAbort = () => stop(new AbortError(call.signal?.reason));
    const timer =
      limits.totalMs > 0
        ? setTimeout(() => stop(new TimeoutError('total', limits.totalMs)), limits.totalMs)
        : undefined;
    open.add(stop);
    call.signal?.addEventListener('abort', onAbort, { once: true });
    if (call.signal?.aborted === true) onAbort();
    return {
      context: { options, call, nodes, surroundings, limits, signal: controller.signal },
      end() {
        clearTimeout(timer);
        open.delete(stop);
        call.signal?.removeEventListener('abort', onAbort);
      },
    };
  };

  /** A call whose answer is one JSON object, made into what `read` makes of it. */
  const ask = async <T>(
    call: Call,
    callOptions: CallOptions | undefined,
    read: (fields: Record<string, unknown>, node: string) => T,
  ): Promise<T> => {
    const { context, end } = begin(callOptions);
    try {
      return await attempt(context, call, async (received, node) =>
        read(parse(await readText(received, maxBytes, node.url), node.url), node.url),
      );
    } finally {
      end();
    }
  };

  const stream = (path: string, body: object, decoder: typeof createOpenAiDecoder, call?: CallOptions) =>
    createAnswer({
      call: { method: 'POST', path, body: { ...body, stream: true }, accept: 'text/event-stream' },
      decoder,
      maxChars: maxBytes,
      begin: () => begin(call),
    });
  const withUsage = (request: object) =>
    options.streamUsage === false ? request : { ...request, stream_options: { include_usage: true } };

  return {
    chat: (request, call) => stream('/v1/chat/completions', withUsage(request), createOpenAiDecoder, call),
    complete: (request, call) => stream('/v1/completions', withUsage(request), createOpenAiDecoder, call),
    generate: (request, call) => stream('/generate', request, createGenerateDecoder, call),
    embed: (request, call) =>
      ask(post('/v1/embeddings', { ...request, encoding_format: 'base64' }), call, (fields, node) => {
        const inputs = typeof request.input === 'string' ? 1 : request.input.length;
        const vectors: Float32Array[] = [];
        for (const row of arrayOf(fields.data).map((item) => recordOf(item) ?? {})) {
          vectors[count(row.index) ?? -1] = vectorOf(row.embedding, node);
        }
        if (vectors.length !== inputs || vectors.includes(undefined as never)) {
          throw new ResponseError(
            'response_malformed',
            `${node} gave no vector for some of ${inputs} inputs.`,
            { node },
          );
        }
        return {
          vectors,
          model: text(fields.model),
          node,
          tokens: count(recordOf(fields.usage)?.prompt_tokens),
        };
      }),
    models: (call) =>
      ask(get('/v1/models'), call, (fields) =>
        arrayOf(fields.data).map((item) => {
          const model = recordOf(item) ?? {};
          return { id: text(model.id), ownedBy: text(model.owned_by) || null, fields: model };
        }),
      ),
    async health(call) {
      const { context, end } = begin({
        ...call,
        timeouts: { firstTokenMs: HEALTH_LIMIT_MS, ...call?.timeouts },
      });
      try {
        return await Promise.all(nodes.map((node) => healthOf(node, context)));
      } finally {
        end();
      }
    },
    close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };

  function close(): void {
    closed = true;
    for (const stop of open) stop(new AbortError(new KithClientError('closed', 'The client was closed.')));
    for (const node of nodes) node.pool.destroy();
  }
}

const post = (path: string, body: unknown): Call => ({
  method: 'POST',
  path,
  body,
  accept: 'application/json',
});
const get = (path: string): Call => ({ method: 'GET', path, body: undefined, accept: 'application/json' });

/** Base64 of little-endian float32, as asked for, or numbers, as some servers give all the same. */
function vectorOf(value: unknown, node: string): Float32Array {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.byteLength > 0 && bytes.byteLength % 4 === 0) {
      const vector = new Float32Array(bytes.byteLength / 4);
      for (let i = 0; i < vector.length; i++) vector[i] = bytes.readFloatLE(4 * i);
      return vector;
    }
  }
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'number')) {
    return Float32Array.from(value);
  }
  throw new ResponseError('response_malformed', `${node} sent something that is no vector.`, { node });
}

async function healthOf(node: KnownNode, context: CallContext): Promise<NodeHealth> {
  const { signal, limits, surroundings } = context;
  const started = surroundings.now();
  const fetched = async (path: string) => {
    const received = await send({
      url: new URL(node.url + path),
      pool: node.pool,
      method: 'GET',
      headers: { accept: 'application/json', ...node.headers, ...context.call.headers },
      body: null,
      node: node.url,
      signal,
      connectMs: limits.connectMs,
      firstMs: limits.firstTokenMs,
    });
    try {
      return { status: received.status, body: await readText(received, 1024 * 1024, node.url) };
    } finally {
      received.close();
    }
  };
  try {
    let { status, body } = await fetched('/health');
    // Not every server that speaks OpenAI's API has a route for this, or gives JSON there.
    if (status === 404 || status === 405) ({ status, body } = await fetched('/v1/models'));
    let fields: Record<string, unknown> = {};
    try {
      fields = recordOf(JSON.parse(body)) ?? {};
    } catch {
      // The status says enough.
    }
    const ok = status >= 200 && status < 300;
    return {
      node: node.url,
      ok,
      status: text(fields.status) || (ok ? 'ok' : `http_${status}`),
      message: text(fields.message) || text(recordOf(fields.error)?.message) || null,
      version: text(fields.version) || null,
      latencyMs: surroundings.now() - started,
      breaker: node.breaker.state(),
    };
  } catch (error) {
    if (signal.aborted && signal.reason instanceof AbortError) throw signal.reason;
    return {
      node: node.url,
      ok: false,
      status: 'unreachable',
      message: error instanceof Error ? error.message : String(error),
      version: null,
      latencyMs: null,
      breaker: node.breaker.state(),
    };
  }
}
