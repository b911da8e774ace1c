/**
 * OpenTelemetry traces: one server span for each request and, below it, one `gen_ai` client span for each answer. The
 * OpenTelemetry packages are loaded by `openTraces` and nowhere else.
 *
 * Spans carry names, times and counts. No content, no path as it was sent, no address of the client.
 *
 * Names: OpenTelemetry semantic conventions, HTTP spans and GenAI client spans.
 *
 * @module server/metrics/traces
 */
import type { IncomingMessage } from 'node:http';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import type { RequestFacts } from '../types.ts';
import type { AnswerFacts, AnswerListener } from './answer-facts.ts';

/** Spans that may wait for the collector; what comes on top is dropped. */
const maxQueue = 2048;
const exportMs = 5_000;
/** Between two lines that say that the collector does not take spans. */
const complainMs = 60_000;
/** Requests followed at once; it is well over the connections a node takes. */
const maxOpen = 70_000;

export interface TraceOptions {
  /** Of the collector; its path is taken as it is, and `/v1/traces` where there is none. */
  readonly url: string;
  /** `name=value,name=value`, values percent-encoded. */
  readonly headers: string;
  /** Share of the requests that are traced when the caller does not decide, 0 to 1. */
  readonly sampleRatio: number;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Traces extends AnswerListener {
  begin(id: string, request: IncomingMessage): void;
  request(facts: RequestFacts): void;
  /** Batches that the collector did not take. */
  readonly failures: number;
  /** Sends what waits, for at most `ms`. */
  close(ms: number): Promise<void>;
}

export async function openTraces(options: TraceOptions): Promise<Traces> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const { clock, log } = options;
  let failures = 0;
  let complainedAt = Number.NEGATIVE_INFINITY;
  const complain = (error: unknown): void => {
    failures++;
    const now = clock.monotonic();
    if (now - complainedAt < complainMs) return;
    complainedAt = now;
    log.warn('traces could not be sent', { why: messageOf(error).slice(0, 200), failures });
  };
  const exporter = new OTLPTraceExporter({
    url: tracesUrl(options.url),
    headers: parseHeaders(options.headers),
    timeoutMillis: exportMs,
    // At the end all batches of a full queue leave at once.
    concurrencyLimit: 8,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'kith', 'service.version': options.version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: 256 },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        maxQueueSize: maxQueue,
        scheduledDelayMillis: 2_000,
        exportTimeoutMillis: exportMs,
        // Failures are reported here; told to the processor, they would go to a global handler too.
        exporter: {
          export: (spans, done) =>
            exporter.export(spans, ({ error, code }) => {
              if (code !== 0) complain(error ?? new Error('the collector refused them'));
              done({ code: 0 });
            }),
          shutdown: () => exporter.shutdown(),
        },
      }),
    ],
  });
  const tracer: Tracer = provider.getTracer('kith', options.version);
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const open = new Map<string, { readonly span: Span; readonly context: Context }>();
  /** Where an answer's span hangs. Its request may be over before it. */
  const parents = new WeakMap<AnswerFacts, Context>();
  const wall = (monotonic: number): number => clock.now() - (clock.monotonic() - monotonic);

  return {
    begin(id, request) {
      if (open.size >= maxOpen) return;
      const remote = parseTraceparent(request.headers.traceparent);
      const parent =
        remote === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
      const attributes = { 'http.request.method': methodOf(request.method), 'url.scheme': schemeOf(request) };
      const span = tracer.startSpan(
        methodOf(request.method),
        { kind: SpanKind.SERVER, attributes, startTime: clock.now() },
        parent,
      );
      open.set(id, { span, context: trace.setSpan(parent, span) });
    },
    request(facts) {
      const found = open.get(facts.id);
      if (found === undefined) return;
      open.delete(facts.id);
      const { span } = found;
      if (facts.route !== null) {
        span.updateName(`${methodOf(facts.method)} ${facts.route}`);
        span.setAttribute('http.route', facts.route);
      }
      span.setAttribute('http.response.status_code', facts.status);
      span.setAttribute('kith.request.id', facts.id);
      if (facts.code !== null) span.setAttribute('error.type', facts.code);
      if (facts.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(clock.now());
    },
    started(facts) {
      const found = open.get(facts.request);
      if (found !== undefined) parents.set(facts, found.context);
    },
    ended(facts) {
      const parent = parents.get(facts);
      if (parent === undefined) return;
      const operation = operations[facts.kind];
      const span = tracer.startSpan(
        facts.model === null ? operation : `${operation} ${facts.model}`,
        { kind: SpanKind.CLIENT, attributes: answerAttributes(facts), startTime: wall(facts.startedAt) },
        parent,
      );
      if (facts.outcome === 'failed' || facts.outcome === 'refused')
        span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(wall(facts.endedAt ?? facts.startedAt));
    },
    get failures() {
      return failures;
    },
    async close(ms) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      });
      await Promise.race([provider.shutdown().catch(complain), late]);
      clearTimeout(timer);
    },
  };
}

const operations = {
  ...{ chat: 'chat', completion: 'text_completion', embedding: 'embeddings' },
  rerank: 'rerank',
} as const;

/** Unknown values are left out. */
function answerAttributes(facts: AnswerFacts): Record<string, string | number | string[]> {
  const { startedAt, firstAt } = facts;
  const values: Readonly<Record<string, string | number | string[] | null>> = {
    'gen_ai.operation.name': operations[facts.kind],
    'gen_ai.provider.name': 'kith',
    'gen_ai.request.model': facts.model,
    'gen_ai.response.model': facts.backend === null ? null : facts.model,
    'gen_ai.agent.name': facts.agent,
    'gen_ai.usage.input_tokens': facts.promptTokens,
    'gen_ai.usage.output_tokens': facts.completionTokens,
    'gen_ai.usage.cache_read.input_tokens': facts.cachedTokens,
    'gen_ai.response.finish_reasons': facts.reasons.length === 0 ? null : facts.reasons.slice(0, 16),
    // Seconds, as the conventions say.
    'gen_ai.response.time_to_first_chunk': firstAt === null ? null : (firstAt - startedAt) / 1000,
    'error.type': facts.code,
    'kith.backend': facts.backend,
    'kith.queue_ms': facts.queueMs,
    'kith.prefill_ms': facts.prefillMs,
    'kith.decode_ms': facts.decodeMs,
  };
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | number | string[]] => entry[1] !== null,
    ),
  );
}

function schemeOf(request: IncomingMessage): 'http' | 'https' {
  return 'encrypted' in request.socket ? 'https' : 'http';
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function methodOf(method: string | undefined): string {
  return method !== undefined && knownMethods.has(method) ? method : '_OTHER';
}

/**
 * W3C Trace Context, section 3.2: `version-traceid-parentid-flags`. Null when it is missing or malformed, and then a new
 * trace begins. Versions after 00 may have more parts behind these.
 */
export function parseTraceparent(
  header: string | string[] | undefined,
): { traceId: string; spanId: string; traceFlags: number } | null {
  if (typeof header !== 'string' || header.length > 256) return null;
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header);
  if (match === null) return null;
  const [, version, traceId, spanId, flags, more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return null;
  return { traceId: traceId!, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16) & 1 };
}

/** `http://localhost:4318` is a collector's base address; the signal's path is added to it. */
export function tracesUrl(url: string): string {
  const parsed = new URL(url);
  if (parsed.pathname === '/' || parsed.pathname === '') parsed.pathname = '/v1/traces';
  return parsed.href;
}

/** A value that is not percent-encoded is taken as it is. */
export function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    if (at <= 0) continue;
    const value = pair.slice(at + 1).trim();
    try {
      headers[pair.slice(0, at).trim()] = decodeURIComponent(value);
    } catch {
      headers[pair.slice(0, at).trim()] = value;
    }
  }
  return headers;
}
