/**
 * The gateway as route handlers use it: every answer passes the observers, which measure it and hold it to budgets.
 *
 * @module server/answering
 */
import type { EmbeddingAnswer, Gateway, Terms } from '../gateway/index.ts';
import type { Exchange } from './http/exchange.ts';
import { termsOf } from './http/terms.ts';
import { observed } from './observed.ts';
import type { Answering, AnswerKind, AnswerWatch, AnswerWatching, Observer } from './types.ts';

export function createAnswering(gateway: Gateway, observers: readonly Observer[]): Answering {
  const watch = watching(observers);

  /** Watches of requests that were to be passed on, and are asked in the ordinary way after all. */
  const handed = new WeakMap<Exchange, AnswerWatch[]>();

  return {
    watch(exchange, kind, model, asked) {
      const watches = watch(exchange, kind, model, asked);
      return { ...asOne(watches), handOver: () => void handed.set(exchange, watches) };
    },
    chat: (exchange, request, stream) =>
      observed(
        asOne(
          handed.get(exchange) ??
            watch(
              exchange,
              'chat',
              request.model,
              charactersOf(request.messages.map(({ content }) => content)),
            ),
        ),
        gateway.chat({ ...request, terms: termsIn(exchange), whole: !stream }),
        exchange.signal,
      ),
    complete: (exchange, request, stream) =>
      observed(
        asOne(watch(exchange, 'completion', request.model, charactersOf(request.prompts))),
        gateway.complete({ ...request, terms: termsIn(exchange), whole: !stream }),
        exchange.signal,
      ),
    embed: (exchange, request) =>
      whole(watch(exchange, 'embedding', request.model, charactersOf(request.inputs)), () =>
        gateway.embed({ ...request, terms: termsIn(exchange) }),
      ),
    rank(exchange, request) {
      const { query, documents, model } = request;
      const asked = query.length * documents.length + charactersOf(documents);
      return whole(watch(exchange, 'rerank', model, asked), () =>
        gateway.rank({ ...request, terms: termsIn(exchange) }),
      );
    },
  };
}

/** An answer that comes as a whole. */
async function whole<Answer extends Pick<EmbeddingAnswer, 'tokens' | 'receipt'>>(
  watches: readonly AnswerWatch[],
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = await ask();
    for (const one of watches) {
      one.embedded?.(answer);
      one.end(null);
    }
    return answer;
  } catch (error) {
    for (const one of watches) one.end(error);
    throw error;
  }
}

/** Begins the watches of one answer. */
function watching(observers: readonly Observer[]) {
  return (exchange: Exchange, kind: AnswerKind, model: string | null, asked: number): AnswerWatch[] => {
    const watches: AnswerWatch[] = [];
    try {
      for (const observer of observers) {
        const one = observer.answer?.(exchange, kind, model, asked);
        if (one) watches.push(one);
      }
    } catch (error) {
      for (const one of watches) one.end(error);
      throw error;
    }
    return watches;
  };
}

/** For answers that are not asked of a gateway. */
export function createWatching(observers: readonly Observer[]): (...asked: Asked) => OwnWatching {
  const watch = watching(observers);
  return (...asked) => asOne(watch(...asked));
}

const asOne = (watches: readonly AnswerWatch[]): OwnWatching => ({
  event(event) {
    for (const one of watches) one.event?.(event);
  },
  end(error) {
    for (const one of watches) one.end(error);
  },
});

type Asked = Parameters<Answering['watch']>;
type OwnWatching = Omit<AnswerWatching, 'handOver'>;

function termsIn({ request, caller }: Exchange): Terms {
  return termsOf(request.headers, caller);
}

function charactersOf(texts: readonly (string | Int32Array | null)[]): number {
  let sum = 0;
  for (const text of texts) sum += typeof text === 'string' ? text.length : 4 * (text?.length ?? 0);
  return sum;
}
