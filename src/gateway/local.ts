/**
 * The backend over this machine's own engine: finds the model in the store, has it verified and loaded on demand,
 * and turns requests into sequences.
 *
 * @module gateway/local
 */
import { type Clock, isKithError, KithError, messageOf, type Random } from '../base/index.ts';
import type { Engine, EngineStatus, LoadedModel } from '../engine/index.ts';
import { isModelId, type ModelEntry, type ModelStore, type Progress } from '../models/index.ts';
import { checkDimensions, cutVectors } from './cut.ts';
import { createDescriptions } from './describe.ts';
import { abortReason, createEngineAnswers, wrongTask } from './engine-answers.ts';
import { createProbe } from './probe.ts';
import { shareLooks } from './share.ts';
import type {
  Backend,
  BackendHealth,
  BackendModel,
  EmbeddingAnswer,
  EmbeddingRequest,
  RankingAnswer,
  RankingRequest,
} from './types.ts';

export interface LocalBackendOptions {
  readonly engine: Pick<
    Engine,
    'load' | 'unload' | 'generate' | 'embed' | 'rank' | 'countTokens' | 'models' | 'status' | 'state'
  >;
  readonly models: Pick<ModelStore, 'list' | 'get' | 'ensure'>;
  readonly defaults: { readonly chat: string; readonly embedding: string };
  /** For requests that do not say what to do when they outgrow the context. @default 'error' */
  readonly overflow?: 'error' | 'slide';
  /** ms a request waits for its model to be loaded; over it 503 with retry-after. */
  readonly maxWaitMs: number;
  readonly clock: Clock;
  /** Source of the ids of tool calls. */
  readonly random: Random;
  /** Called while a model is placed, verified and loaded. */
  readonly onProgress?: (model: string, progress: Progress) => void;
}

export interface LocalBackend extends Backend {
  /** Makes the model answer: places, verifies and loads it. Calls for one id share the work. */
  prepare(model: string, signal?: AbortSignal): Promise<LoadedModel>;
  /** Takes the model out of memory; what it is writing ends with an error. False when it was not there. */
  unload(model: string): Promise<boolean>;
  /** What the engine process says of itself; null while it does not run or does not answer within 2 s. */
  engineStatus(): Promise<EngineStatus | null>;
}

export function createLocalBackend(options: LocalBackendOptions): LocalBackend {
  const { engine, models, clock } = options;
  const { overflow = 'error', random } = options;
  const answers = createEngineAnswers({ backend: 'local', engine, overflow, random });
  /** A look at the disk costs more than the rest of a small answer. */
  const listed = shareLooks(() => models.list());
  const preparing = new Map<string, Promise<LoadedModel>>();
  /** Why the last load of a default model failed. Failures of other models are their requests' own. */
  const failures = new Map<string, string>();
  const isDefault = (id: string): boolean => Object.values(options.defaults).includes(id);

  const factsOf = createDescriptions();
  const probe = createProbe({ engine, clock, loading: () => preparing.size > 0 });

  const loaded = (id: string): LoadedModel | undefined =>
    // What else the engine has loaded (blocks that are served, paths through peers) is no model of this machine.
    isModelId(id) ? engine.models().find((model) => model.id === id) : undefined;

  function rowOf(entry: ModelEntry): BackendModel {
    const { id, task, context, bytes, sha256, family, quantisation } = entry.manifest;
    const now = loaded(id);
    return {
      id,
      task,
      state: now ? 'loaded' : entry.state === 'ready' ? 'ready' : 'available',
      ownedBy: entry.listed ? 'kith' : 'user',
      context: now?.context ?? context,
      since: entry.verifiedAt,
      bytes,
      digest: sha256,
      family,
      quantisation,
      installed: entry.state === 'ready' || entry.builtin,
    };
  }

  async function load(id: string): Promise<LoadedModel> {
    const report = (progress: Progress) => options.onProgress?.(id, progress);
    try {
      const { path, manifest } = await models.ensure(id, { onProgress: report });
      const { template } = manifest;
      const own = template === null || template === 'gguf' ? {} : { template };
      const model = await engine.load(
        { id, path, ...own },
        {
          onProgress: (doneBytes, totalBytes) =>
            report({ phase: 'load', doneBytes, totalBytes, rate: null, eta: null }),
        },
      );
      failures.delete(id);
      return model;
    } catch (error) {
      if (isDefault(id)) failures.set(id, messageOf(error));
      throw error;
    }
  }

  /** One load per id at a time; it goes on when a caller that waits for it gives up. */
  function prepare(id: string, signal?: AbortSignal): Promise<LoadedModel> {
    const ready = loaded(id);
    if (ready) return Promise.resolve(ready);
    let work = preparing.get(id);
    if (!work) {
      work = load(id).finally(() => preparing.delete(id));
      // Every waiter may be gone when it fails; `failures` keeps the reason.
      work.catch(() => {});
      preparing.set(id, work);
    }
    return signal ? untilAborted(work, signal) : work;
  }

  async function prepareWithin(id: string, signal: AbortSignal): Promise<LoadedModel> {
    const ready = loaded(id);
    if (ready) return ready;
    const patience = new AbortController();
    const waiting = AbortSignal.any([signal, patience.signal]);
    const late = clock.sleep(options.maxWaitMs, waiting).then(
      () =>
        patience.abort(
          new KithError(
            'model_loading',
            `'${id}' is still being loaded after ${options.maxWaitMs} ms (limit engine.maxWaitMs). Try again soon.`,
            { status: 503, retryAfter: 5 },
          ),
        ),
      () => {},
    );
    try {
      return await prepare(id, waiting);
    } finally {
      patience.abort();
      await late;
    }
  }

  return {
    name: 'local',
    prepare,
    async unload(id) {
      // One that is being loaded would be there a moment later.
      await preparing.get(id)?.catch(() => {});
      if (!loaded(id)) return false;
      await engine.unload(id);
      return true;
    },
    async has(model) {
      if (loaded(model)) return true;
      try {
        await models.get(model);
        return true;
      } catch (error) {
        if (isKithError(error) && error.code === 'model_not_found') return false;
        throw error;
      }
    },
    defaultModel: (task) => options.defaults[task],
    models: async () => (await listed()).map(rowOf),
    async describe(id) {
      const entry = await models.get(id);
      const { licence, embedding } = entry.manifest;
      return { ...rowOf(entry), licence, embedding, ...(await factsOf(entry.manifest, entry.path)) };
    },
    async *chat(request) {
      const id = request.model!;
      yield* answers.chat(await prepareWithin(id, request.signal), id, request);
    },
    async *complete(request) {
      const id = request.model!;
      yield* answers.complete(await prepareWithin(id, request.signal), id, request);
    },
    async countTokens(request) {
      const id = request.model!;
      return answers.countTokens(await prepareWithin(id, request.signal), id, request);
    },
    async embed(request: EmbeddingRequest): Promise<EmbeddingAnswer> {
      const id = request.model!;
      const model = await prepareWithin(id, request.signal);
      if (model.task !== 'embedding')
        throw model.task === 'rerank'
          ? wrongTask(id, 'is a reranker and makes no embeddings', '/v1/rerank')
          : wrongTask(id, 'writes text and makes no embeddings', '/v1/chat/completions');
      const dimensions = request.dimensions ?? null;
      if (dimensions !== null) checkDimensions((await models.get(id)).manifest, dimensions);
      const began = clock.monotonic();
      const result = await engine.embed(
        { model: id, inputs: request.inputs, truncate: request.truncate },
        request.signal,
      );
      const prefillMs = clock.monotonic() - began;
      return {
        vectors: cutVectors(result.vectors, result.dimension, dimensions ?? result.dimension),
        dimension: Math.min(result.dimension, dimensions ?? result.dimension),
        tokens: result.tokens,
        receipt: { backend: 'local', model: id, queueMs: null, prefillMs, decodeMs: null, notes: [] },
      };
    },
    async rank(request: RankingRequest): Promise<RankingAnswer> {
      const id = request.model!;
      const model = await prepareWithin(id, request.signal);
      if (model.task !== 'rerank')
        throw model.task === 'embedding'
          ? wrongTask(id, 'makes embeddings and is no reranker', '/v1/embeddings')
          : wrongTask(id, 'writes text and is no reranker', '/v1/chat/completions');
      const { query, documents: passages, truncateQuery = false, signal } = request;
      const began = clock.monotonic();
      const result = await engine.rank({ model: id, query, passages, truncateQuery }, signal);
      const prefillMs = clock.monotonic() - began;
      return {
        ...result,
        receipt: { backend: 'local', model: id, queueMs: null, prefillMs, decodeMs: null, notes: [] },
      };
    },
    async health(): Promise<BackendHealth> {
      const { engine: process, ...health } = await probe();
      const message = health.message ?? failures.values().next().value ?? null;
      const starting = preparing.size > 0 && engine.models().length === 0;
      return {
        ...health,
        status:
          health.status !== 'ok'
            ? health.status
            : message !== null
              ? 'degraded'
              : starting
                ? 'starting'
                : 'ok',
        modelsAvailable: (await listed()).length,
        modelsLoaded: process?.models.filter(({ id }) => isModelId(id)).length ?? 0,
        message,
      };
    },
    engineStatus: async () => (await probe()).engine,
  };
}

/** The promise's result, or the signal's reason as soon as it fires. The promise itself goes on. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
