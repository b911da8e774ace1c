/**
 * From an open event stream to the events of an answer: the same steps for every API, which differs in its decoder.
 *
 * @module gateway/backends/stream-answer
 */
import type { ChatEvent, ChatRequest } from '../types.ts';
import {
  type EventStream,
  failureOf,
  type SseFrame,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
} from '../upstream/index.ts';
import type { RemoteReceipt, UsageReport } from './types.ts';

/** Code of an answer that goes on after the finish of a choice: what was given out as whole was not. */
export const AFTER_END = 'upstream_after_end';

/** Turns the frames of one answer into events. Throws `UpstreamError`. */
export interface AnswerDecoder {
  /** What a frame becomes. */
  frame(frame: SseFrame): readonly ChatEvent[];
  /** What an answer becomes that came as one JSON value instead of a stream. */
  whole(body: unknown): readonly ChatEvent[];
  /** The last frame that has to be read was read. */
  readonly done: boolean;
  /** Every choice has its finish. */
  readonly complete: boolean;
  /** Tokens seen so far, those of its thinking included; only ever grows. */
  readonly tokens: number;
  readonly usage: UsageReport;
  /** The model that the server names; null when it does not. */
  readonly model: string | null;
  readonly notes: readonly string[];
}

/** What a caller's request adds to the headers of the one to the server. */
export function headersOf({ headers }: Pick<ChatRequest, 'headers'>): Pick<UpstreamRequest, 'headers'> {
  return headers === undefined ? {} : { headers };
}

export interface AnswerHead {
  readonly backend: string;
  /** The model as it was asked for. */
  readonly model: string;
  readonly server: string;
  readonly notes: readonly string[];
}

/**
 * Ends with one `usage` event, or throws: a stream that ends, however cleanly, before every choice has its finish is a
 * `cut`. Leaving the iteration destroys the socket.
 */
export async function* streamAnswer(
  upstream: Upstream,
  request: UpstreamRequest,
  decoder: AnswerDecoder,
  head: AnswerHead,
): AsyncGenerator<ChatEvent> {
  const stream = await upstream.stream(request);
  let broken: string | null = null;
  let tokens = 0;
  let finished = false;
  try {
    if (stream.whole !== null) {
      for (const event of decoder.whole(stream.whole)) {
        stream.token();
        yield event;
      }
    } else {
      try {
        for await (const frames of stream.batches()) {
          for (const frame of frames) {
            const before = decoder.complete;
            const events = decoder.frame(frame);
            if (decoder.tokens > tokens) {
              tokens = decoder.tokens;
              stream.token();
            }
            if (decoder.complete && !before) stream.ending();
            for (const event of events) yield event;
            if (decoder.done) break;
          }
          if (decoder.done) break;
        }
      } catch (error) {
        // The answer is whole; what broke could only have brought its figures.
        const failure = failureOf(error);
        const harmless = failure === 'cut' || failure === 'timeout_inter_token' || failure === 'bad_response';
        const wrong = error instanceof UpstreamError && error.code === AFTER_END;
        if (!decoder.complete || !harmless || wrong) throw error;
        broken = `${head.server} did not end its answer as it should (${failure}).`;
      }
    }
    if (!decoder.complete) {
      throw new UpstreamError(
        'cut',
        'upstream_cut',
        `${head.server} ended its answer before it was finished.`,
      );
    }
    finished = true;
    stream.finish();
    yield usageEvent(decoder, head, stream, broken);
  } finally {
    if (!finished) stream.close();
  }
}

function usageEvent(
  decoder: AnswerDecoder,
  head: AnswerHead,
  { timings, headers, whole }: EventStream,
  broken: string | null,
): ChatEvent {
  const { usage } = decoder;
  const notes = [...head.notes, ...decoder.notes];
  if (broken !== null) notes.push(broken);
  const missing = missingCounts(usage);
  if (missing !== null) notes.push(`${head.server} did not report ${missing}.`);
  const receipt: RemoteReceipt = {
    backend: head.backend,
    model: decoder.model ?? head.model,
    queueMs: null,
    prefillMs: since(timings.sentMs, timings.firstTokenMs),
    decodeMs: since(timings.firstTokenMs, timings.lastTokenMs),
    notes,
    upstream: {
      server: head.server,
      model: decoder.model,
      ending: broken !== null ? 'broken' : decoder.done || whole !== null ? 'marked' : 'closed',
      requestId: requestIdOf(headers),
      timings,
    },
  };
  return { type: 'usage', ...usage, receipt };
}

/** What of an answer's counts is not known; null when nothing is missing but how the prompt was cached. */
export function missingCounts({ promptTokens, completionTokens }: UsageReport): string | null {
  if (promptTokens === null) return completionTokens === null ? 'token counts' : 'the tokens of the prompt';
  return completionTokens === null ? 'the tokens of its answer' : null;
}

const since = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : to - from;

export function requestIdOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const given = headers['x-request-id'] ?? headers['request-id'];
  const id = Array.isArray(given) ? given[0] : given;
  return id === undefined || !/^[\x21-\x7e]{1,200}$/.test(id) ? null : id;
}
