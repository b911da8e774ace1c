/**
 * Sends a request to a backend without the personal data in it, and puts the data back into the answer.
 *
 * The texts are searched once for a request, however many backends are asked. Short texts are searched where they are;
 * long ones in a thread of their own, so that other requests do not wait.
 *
 * @module gateway/steps/redaction
 */
import { isKithError, KithError, oneAtATime } from '../../base/index.ts';
import {
  BUILT_IN_DETECTORS,
  Conversation,
  createSearchPool,
  type Detector,
  type FoundClass,
  type HideJob,
  type HideResult,
  isPersonalName,
  type PrivacyLevel,
  restoreEvents,
  runHide,
  type SearchPool,
  unitsOf,
} from '../privacy/index.ts';
import type { Backend, ChatEvent, ChatRequest, CompletionRequest, EmbeddingRequest } from '../types.ts';

/** UTF-16 units of a request that are searched. Longer requests stay on the owner's machines. */
export const maxSearchedUnits = 4 * 2 ** 20;
/** Units that are searched without a thread: 4 to 14 ms. */
export const maxUnitsInPlace = 8192;
/** Units that are searched where detectors of a program's own cannot be taken to a thread: up to half a second. */
export const maxUnitsWithoutThread = 524_288;

/** Searches the texts of requests. One for a gateway. */
export interface Redactions extends AsyncDisposable {
  /** For one request. */
  open(level: PrivacyLevel, signal: AbortSignal): Redaction;
}

/** What is hidden of one request. */
export interface Redaction {
  /** The backend as this request may use it. */
  over(backend: Backend): Backend;
  /** What was replaced; null before anything was sent. */
  found(): readonly FoundClass[] | null;
}

/** @param own detectors besides those that are built in */
export function createRedactions(own: readonly Detector[]): Redactions {
  const sources = own.flatMap(({ source }) => (source === undefined ? [] : [source]));
  const threads = sources.length === own.length ? createSearchPool({ patterns: sources }) : null;
  const detectors = [...BUILT_IN_DETECTORS, ...own];
  return {
    open: (level, signal) => createRedaction({ level, detectors, threads, signal }),
    async [Symbol.asyncDispose]() {
      await threads?.[Symbol.asyncDispose]();
    },
  };
}

interface RedactionParts {
  readonly level: PrivacyLevel;
  readonly detectors: readonly Detector[];
  readonly threads: SearchPool | null;
  readonly signal: AbortSignal;
}

function createRedaction({ level, detectors, threads, signal }: RedactionParts): Redaction {
  const conversation = new Conversation({ detectors });
  let found: readonly FoundClass[] | null = null;
  const hidden = new Map<object, Promise<HideResult>>();
  const inTurn = oneAtATime();

  /** One search at a time: each goes on from the placeholders of the one before. */
  const hide = <J extends HideJob>(job: J): Promise<HideResult<J>> => inTurn(() => search(job));

  async function search<J extends HideJob>(job: J): Promise<HideResult<J>> {
    const limit = threads === null ? maxUnitsWithoutThread : maxSearchedUnits;
    const units = unitsOf(job.texts, limit);
    if (units > limit)
      throw unmet(level, `it has more characters than are searched for personal data (limit ${limit})`);
    try {
      const result =
        threads === null || units <= maxUnitsInPlace
          ? runHide(job, conversation)
          : await threads.hide(job, conversation, signal);
      if (result.report.unchecked.length > 0)
        throw unmet(level, `nobody can look into its ${result.report.unchecked.join(', ')}`);
      found = merged(found, result.report.found);
      return result;
    } catch (error) {
      // It holds more than can be replaced: so it will tomorrow.
      if (isKithError(error) && error.status === 413) throw unmet(level, error.message);
      throw error;
    }
  }

  /** Attempts differ in model, signal and prefill only: the messages are the same object. */
  async function chatOf(request: ChatRequest): Promise<ChatRequest> {
    const { messages, stop, tools, grammar, prefill, variables } = request;
    const texts = {
      messages,
      stop,
      ...(tools && { tools }),
      ...(grammar && { grammar }),
      ...(prefill !== undefined && { prefill }),
      ...(variables && { variables }),
    };
    const known = prefill === undefined ? hidden.get(messages) : undefined;
    const hiding = known ?? hide({ kind: 'chat', texts });
    if (prefill === undefined && known === undefined) {
      hidden.set(messages, hiding);
      hiding.catch(() => hidden.delete(messages));
    }
    const result = await hiding;
    return { ...request, ...result.texts };
  }

  /** The backend's own name for it may be what the caller wrote. */
  function checkModel(model: string | null): void {
    if (model !== null && isPersonalName(model))
      throw unmet(level, 'the name of its model holds what would be replaced in a text');
  }

  async function listOf(texts: readonly (string | Int32Array)[]): Promise<readonly string[]> {
    if (!texts.every((text) => typeof text === 'string'))
      throw unmet(level, 'nobody can look into its token ids');
    const { texts: out } = await hide({ kind: 'list', texts });
    return out;
  }

  return {
    found: () => found,
    over: (backend) => ({
      ...backend,
      // A getter or method of a class would be lost by the spread: backends here are plain objects.
      async *chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
        checkModel(request.model);
        const json = request.grammar !== undefined;
        yield* restoreEvents(backend.chat(await chatOf(request)), conversation, json, request.prefill);
      },
      async *complete(request: CompletionRequest): AsyncGenerator<ChatEvent> {
        checkModel(request.model);
        const texts = await listOf([...request.prompts, ...request.stop]);
        const prompts = texts.slice(0, request.prompts.length);
        const stop = texts.slice(prompts.length);
        yield* restoreEvents(backend.complete({ ...request, prompts, stop }), conversation);
      },
      async countTokens(request: ChatRequest) {
        checkModel(request.model);
        return backend.countTokens(await chatOf(request));
      },
      async embed(request: EmbeddingRequest) {
        checkModel(request.model);
        return backend.embed({ ...request, inputs: await listOf(request.inputs) });
      },
    }),
  };
}

/** A request that is searched again, to go on with its answer, holds what it held: the larger counts are the truth. */
function merged(before: readonly FoundClass[] | null, now: readonly FoundClass[]): readonly FoundClass[] {
  const counts = new Map(before?.map((one) => [one.class, one]));
  for (const one of now) {
    const known = counts.get(one.class);
    if (known === undefined || known.count < one.count) counts.set(one.class, one);
  }
  return [...counts.values()].sort((a, b) => (a.class < b.class ? -1 : 1));
}

function unmet(level: PrivacyLevel, why: string): KithError {
  return new KithError(
    'privacy_unmet',
    `At privacy ${level} the request cannot leave the owner's machines: ${why}.`,
    { status: 403 },
  );
}
