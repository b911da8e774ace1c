/**
 * Knowledge bases for other programs, as OpenAI's API has models: each is a model that answers from its documents. Beside it
 * search, and taking documents in. On the node under `/api/rag/v1`, and alone where `kith rag serve` listens.
 *
 * Unlike the owner's routes they take API keys, and read no files of the machine.
 *
 * @module server/rag/openai
 */
import { InputError, isKithError, KithError } from '../../base/index.ts';
import { once } from '../gateway/cache.ts';
import { openAiError } from '../http/errors.ts';
import { type Exchange, type Route, type Scope, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { doneEvent, encodeEvent, pingComment } from '../http/sse.ts';
import { type StreamEncoding, sendStream } from '../http/stream.ts';
import { observed } from '../observed.ts';
import type { Answering, AnswerWatching, ServerContext } from '../types.ts';
import type { AnswerQuery } from './answer-types.ts';
import { jobId, jobQuery } from './bodies.ts';
import { type AnyAnswerEvent, type KbReading, readAnswer } from './openai-answer.ts';
import { kbSearchSchema, kbUploadQuery, parseKbChat } from './openai-body.ts';
import type { KbView, KnowledgeDesk } from './types.ts';

/** What of the desk other programs reach. */
export interface SurfaceDesk extends Pick<KnowledgeDesk, 'list' | 'search' | 'upload' | 'job'> {
  readonly answers: {
    answer(kb: string, query: AnswerQuery, signal: AbortSignal): Promise<AsyncIterable<AnyAnswerEvent>>;
  };
}

export interface SurfaceParts extends Pick<ServerContext, 'clock' | 'limits' | 'log' | 'fingerprint'> {
  readonly watch: (...asked: Parameters<Answering['watch']>) => Omit<AnswerWatching, 'handOver'>;
  readonly desk: () => SurfaceDesk;
}

export interface SurfaceOptions {
  /** Path before `/models`. */
  readonly base: string;
  /** Names of those that are shown; null: all. */
  readonly only: readonly string[] | null;
}

export function surfaceRoutes(parts: SurfaceParts, { base, only }: SurfaceOptions): Route[] {
  const { desk } = parts;
  const isShown = (exchange: Exchange, name: string): boolean =>
    (only?.includes(name) ?? true) && (exchange.caller.kbs?.includes(name) ?? true);

  /** The one that is named; the only one there is where none is. */
  async function named(exchange: Exchange, model: string | null): Promise<string> {
    if (model !== null) {
      if (isShown(exchange, model)) return model;
      throw unknown(model);
    }
    const all = (await shown(exchange)).map(({ name }) => name);
    if (all.length === 1) return all[0]!;
    throw new InputError(
      'model_missing',
      `\`model\` must be the name of a knowledge base${all.length === 0 ? ', and there is none here' : `: ${all.slice(0, 10).join(', ')}`}.`,
      { param: 'model' },
    );
  }
  const shown = async (exchange: Exchange): Promise<KbView[]> =>
    (await desk().list()).filter(({ name }) => isShown(exchange, name));

  /** That there is no such knowledge base is told in the words of this API. */
  async function of<T>(kb: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw isKithError(error) && error.code === 'kb_unknown' ? unknown(kb) : error;
    }
  }

  async function chat(exchange: Exchange): Promise<void> {
    const { model, query, stream, includeUsage } = parseKbChat(await exchange.json());
    const kb = await named(exchange, model);
    const head = {
      id: `chatcmpl-${exchange.id}`,
      created: Math.floor(parts.clock.now() / 1000),
      system_fingerprint: parts.fingerprint,
    };
    const asked = query.history.reduce(
      (sum, { question, answer }) => sum + question.length + answer.length,
      query.question.length,
    );
    const watching = parts.watch(exchange, 'chat', kb, asked);
    await of(kb, async () => {
      let answer: AsyncIterable<AnyAnswerEvent>;
      try {
        answer = await desk().answers.answer(kb, query, exchange.signal);
      } catch (error) {
        watching.end(error);
        throw error;
      }
      const events = observed(
        {
          event(event: AnyAnswerEvent) {
            if (event.type === 'text')
              watching.event({ type: 'text', choice: 0, text: event.text, logprobs: null });
          },
          end: watching.end,
        },
        answer,
        exchange.signal,
      );
      const reading = readAnswer(kb);
      if (stream) {
        await sendStream(exchange, parts, events, encodingOf(head, kb, reading, includeUsage));
        return;
      }
      for await (const event of events) reading.add(event);
      const { finish_reason, usage, citations, search_results, kith, ...message } = reading.message();
      sendJson(exchange.response, 200, {
        ...{ id: head.id, object: 'chat.completion', created: head.created, model: kb },
        choices: [
          {
            index: 0,
            message: { role: 'assistant', refusal: null, ...message },
            ...{ logprobs: null, finish_reason },
          },
        ],
        ...(usage === undefined ? {} : { usage }),
        ...{ system_fingerprint: head.system_fingerprint, citations, search_results, kith },
      });
    });
  }

  const route = (
    method: Route['method'],
    path: string,
    scope: Scope,
    handler: (exchange: Exchange) => Promise<unknown>,
  ): Route => ({
    ...{ method, path: `${base}${path}`, scope },
    handler: async (exchange) => sendJson(exchange.response, 200, await handler(exchange)),
  });

  return [
    route('GET', '/models', 'knowledge', async (exchange) => ({
      object: 'list',
      data: (await shown(exchange)).map(modelBody),
    })),
    route('GET', '/models/:model', 'knowledge', async (exchange) => {
      const { model = '' } = exchange.params;
      const found = (await shown(exchange)).find(({ name }) => name === model);
      if (found === undefined) throw unknown(model);
      return modelBody(found);
    }),
    { method: 'POST', path: `${base}/chat/completions`, scope: 'knowledge', handler: chat },
    route('POST', '/search', 'knowledge', async (exchange) => {
      const { model = null, ...query } = parseBody(kbSearchSchema, await exchange.json());
      const kb = await named(exchange, model);
      return of(kb, () => desk().search(kb, query, exchange.signal));
    }),
    route('POST', '/ingest', 'ingest', async (exchange) => {
      const { model = null, path } = parseBody(kbUploadQuery, once(exchange.query));
      const kb = await named(exchange, model);
      const bytes = await exchange.bytes({ files: true });
      return of(kb, () => desk().upload(kb, path, bytes));
    }),
    route('GET', '/ingest/:model/:job', 'ingest', async (exchange) => {
      const { model = '', job = '' } = exchange.params;
      const { seen } = parseBody(jobQuery, once(exchange.query));
      if (!isShown(exchange, model)) throw unknown(model);
      return of(model, () => desk().job(model, jobId(job), seen ?? null, exchange.signal));
    }),
  ];
}

function modelBody({ name, made, contents, trouble }: KbView) {
  return {
    ...{ id: name, object: 'model', created: Math.floor(made / 1000), owned_by: 'kith' },
    kith: { task: 'knowledge', documents: contents?.documents ?? null, trouble },
  };
}

function unknown(model: string): KithError {
  return new KithError('model_not_found', `There is no knowledge base '${model.slice(0, 100)}' here.`, {
    status: 404,
    param: 'model',
  });
}

interface Head {
  readonly id: string;
  readonly created: number;
  readonly system_fingerprint: string;
}

/** Chunks: the role, text sentence by sentence, then annotations and sources with the reason of the end. */
function encodingOf(
  { id, created, system_fingerprint }: Head,
  model: string,
  reading: KbReading,
  includeUsage: boolean,
): StreamEncoding<AnyAnswerEvent> {
  const whole = { id, object: 'chat.completion.chunk', created, model, system_fingerprint };
  const chunk = (delta: object, finish_reason: string | null, more: object = {}): string =>
    encodeEvent({
      ...whole,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...more,
    });
  let begun = false;
  return {
    contentType: 'text/event-stream; charset=utf-8',
    encode(event) {
      const begin = begun ? '' : chunk({ role: 'assistant', content: '', refusal: null }, null);
      begun = true;
      const text = reading.add(event);
      return `${begin}${text === '' ? '' : chunk({ content: text }, null)}`;
    },
    end() {
      const { annotations, finish_reason, usage, citations, search_results, kith } = reading.message();
      const told = annotations.length === 0 ? '' : chunk({ annotations }, null);
      const last = chunk({}, finish_reason, { citations, search_results, kith });
      // As OpenAI has it: behind the end, with no choice.
      const counted =
        includeUsage && usage !== undefined ? encodeEvent({ ...whole, choices: [], usage }) : '';
      return `${told}${last}${counted}${doneEvent}`;
    },
    error: (fault) => encodeEvent(openAiError(fault)),
    ping: pingComment,
  };
}
