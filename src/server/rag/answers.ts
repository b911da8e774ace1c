/**
 * The route of answers: whole as JSON, or event by event.
 *
 * @module server/rag/answers
 */
import type { AnswerEvent, Source } from '../../knowledge/index.ts';
import { openAiError } from '../http/errors.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { doneEvent, encodeEvent, pingComment } from '../http/sse.ts';
import { type StreamEncoding, sendStream } from '../http/stream.ts';
import type { ServerContext } from '../types.ts';
import { answerBody } from './answer-bodies.ts';
import type { AnswerEventView, AnswersDesk, AnswerView, SourceView } from './answer-types.ts';
import { languageFor } from './language.ts';

const encoding: StreamEncoding<AnswerEvent> = {
  contentType: 'text/event-stream; charset=utf-8',
  encode: (event) => encodeEvent(answerEventView(event)),
  end: () => doneEvent,
  error: (fault) => encodeEvent(openAiError(fault)),
  ping: pingComment,
};

export async function answerRoute(
  context: ServerContext,
  desk: () => AnswersDesk,
  exchange: Exchange,
  kb: string,
): Promise<void> {
  const { stream, ...asked } = parseBody(answerBody, await exchange.json());
  const language = languageFor(asked.language, exchange.request.headers, asked.question);
  const query = { ...asked, language };
  const began = context.clock.monotonic();
  const events = await desk().answer(kb, query, exchange.signal);
  if (stream) return sendStream(exchange, context, events, encoding);
  const all: AnswerEvent[] = [];
  for await (const event of events) all.push(event);
  sendJson(exchange.response, 200, answerView(all, context.clock.monotonic() - began));
}

export function answerEventView(event: AnswerEvent): AnswerEventView {
  return event.type === 'sources' ? { ...event, sources: event.sources.map(sourceView) } : event;
}

export function sourceView({ n, path, title, where, text, chunks, hit }: Source): SourceView {
  const best = chunks.find(({ row }) => row === hit?.chunk.row) ?? chunks[0]!;
  return {
    ...{ n, path, title, where, text, place: best.place },
    ...{ chunks: chunks.map(({ id }) => id), score: hit?.score ?? null },
  };
}

/** @param ms that it took */
export function answerView(events: readonly (AnswerEvent | AnswerEventView)[], ms: number): AnswerView {
  const of = <Type extends AnswerEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<AnswerEvent, { readonly type: Type }> => event.type === type);
  const looked = events.find((event) => event.type === 'sources')!;
  const { outcome, reason, figures, cached } = of('finish')[0]!;
  return {
    text: of('text')
      .map(({ text }) => text)
      .join('')
      .trim(),
    ...{ outcome, reason, question: looked.question, rewrittenBy: looked.rewrittenBy },
    citations: of('citation').map(({ type: _, ...citation }) => citation),
    sentences: of('sentence').map(({ type: _, ...sentence }) => sentence),
    sources: looked.sources.map((source) => ('document' in source ? sourceView(source) : source)),
    ...{ figures, support: looked.support, route: looked.route, steps: looked.steps },
    writers: of('writer').map(({ type: _, ...note }) => note),
    ...(cached === undefined ? {} : { cached }),
    warnings: of('warning').map(({ code, message }) => ({ code, message })),
    ms,
  };
}
