/**
 * The gateway as route handlers use it: every answer passes the observers, which measure it and hold it to budgets.
 *
 * @module server/answering
 */
import { AbortedError } from '../base/index.ts';
import type { ChatEvent, Gateway } from '../gateway/index.ts';
import type { Exchange } from './http/exchange.ts';
import type { Answering, AnswerKind, AnswerWatch, Observer } from './types.ts';

export function createAnswering(gateway: Gateway, observers: readonly Observer[]): Answering {
  function watch(exchange: Exchange, kind: AnswerKind, model: string | null): AnswerWatch[] {
    const watches: AnswerWatch[] = [];
    try {
      for (const observer of observers) {
        const one = observer.answer?.(exchange, kind, model);
        if (one) watches.push(one);
      }
    } catch (error) {
      for (const one of watches) one.end(error);
      throw error;
    }
    return watches;
  }

  async function* observed(
    watches: readonly AnswerWatch[],
    events: AsyncIterable<ChatEvent>,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent> {
    let outcome: unknown = null;
    let whole = false;
    try {
      for await (const event of events) {
        for (const one of watches) one.event?.(event);
        yield event;
      }
      whole = true;
    } catch (error) {
      outcome = error;
      throw error;
    } finally {
      // A consumer that leaves early does so because its client has gone.
      if (!whole && outcome === null) outcome = signal.reason ?? new AbortedError();
      for (const one of watches) one.end(outcome);
    }
  }

  return {
    chat: (exchange, request) =>
      observed(watch(exchange, 'chat', request.model), gateway.chat(request), exchange.signal),
    complete: (exchange, request) =>
      observed(watch(exchange, 'completion', request.model), gateway.complete(request), exchange.signal),
    async embed(exchange, request) {
      const watches = watch(exchange, 'embedding', request.model);
      try {
        const answer = await gateway.embed(request);
        for (const one of watches) {
          one.embedded?.(answer);
          one.end(null);
        }
        return answer;
      } catch (error) {
        for (const one of watches) one.end(error);
        throw error;
      }
    },
  };
}
