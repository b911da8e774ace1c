/**
 * Chooses the backend for a request. Today the first one that has the model answers.
 *
 * @module gateway/gateway
 */
import { InputError, nearest } from '../base/index.ts';
import type {
  Backend,
  BackendHealth,
  BackendModel,
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingAnswer,
  EmbeddingRequest,
  ModelDescription,
} from './types.ts';

export interface GatewayOptions {
  /** In order of preference. */
  readonly backends: readonly Backend[];
}

export interface Gateway {
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  complete(request: CompletionRequest): AsyncIterable<ChatEvent>;
  /** Tokens of the prompt that `chat` would make of the request. */
  countTokens(request: ChatRequest): Promise<number>;
  embed(request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  models(): Promise<readonly BackendModel[]>;
  /** Throws `model_not_found` (404). */
  describe(model: string): Promise<ModelDescription>;
  health(signal?: AbortSignal): Promise<readonly (BackendHealth & { readonly backend: string })[]>;
}

export function createGateway({ backends }: GatewayOptions): Gateway {
  async function choose(
    model: string | null,
    task: 'chat' | 'embedding',
  ): Promise<{ backend: Backend; model: string }> {
    if (model === null || model === 'default') {
      for (const backend of backends) {
        const id = backend.defaultModel(task);
        if (id !== null) return { backend, model: id };
      }
      throw new InputError(
        'model_not_found',
        `No default ${task} model is configured: name one in \`model\`.`,
        {
          status: 404,
          param: 'model',
        },
      );
    }
    for (const backend of backends) if (await backend.has(model)) return { backend, model };
    const ids = (await Promise.all(backends.map((backend) => backend.models()))).flat().map(({ id }) => id);
    const near = nearest(model, ids);
    throw notFound(model, near);
  }
  return {
    async *chat(request) {
      const { backend, model } = await choose(request.model, 'chat');
      yield* backend.chat({ ...request, model });
    },
    async *complete(request) {
      const { backend, model } = await choose(request.model, 'chat');
      yield* backend.complete({ ...request, model });
    },
    async countTokens(request) {
      const { backend, model } = await choose(request.model, 'chat');
      return backend.countTokens({ ...request, model });
    },
    async embed(request) {
      const { backend, model } = await choose(request.model, 'embedding');
      return backend.embed({ ...request, model });
    },
    async describe(name) {
      const { backend, model } = await choose(name, 'chat');
      if (backend.describe) return backend.describe(model);
      const row = (await backend.models()).find(({ id }) => id === model);
      if (row === undefined) throw notFound(model, null);
      return { ...row, licence: null, parameters: null, embedding: null, template: null, metadata: null };
    },
    async models() {
      const seen = new Map<string, BackendModel>();
      for (const backend of backends)
        for (const model of await backend.models()) if (!seen.has(model.id)) seen.set(model.id, model);
      return [...seen.values()];
    },
    health(signal) {
      return Promise.all(
        backends.map(async (backend) => ({ backend: backend.name, ...(await backend.health(signal)) })),
      );
    },
  };
}

function notFound(model: string, near: string | null): InputError {
  return new InputError(
    'model_not_found',
    `The model '${model.slice(0, 100)}' does not exist here. ${near === null ? '' : `Did you mean ${near}? `}GET /v1/models or \`kith models list\` names those that do.`,
    { status: 404, param: 'model' },
  );
}
