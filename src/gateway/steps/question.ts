/**
 * What the choice of a backend needs to know of a request.
 *
 * @module gateway/steps/question
 */
import type { Needs } from '../policy/index.ts';
import type { ChatRequest, CompletionRequest, EmbeddingRequest, RankingRequest } from '../types.ts';

/** What of a request the plan depends on. */
export interface Question {
  readonly model: string | null;
  readonly task: 'chat' | 'embedding';
  readonly needs: Pick<Needs, 'promptTokens' | 'completionTokens' | 'tools' | 'json' | 'vision'>;
  /** For the choice between the local and the frontier model; null = that choice is not made. */
  readonly prompt: { readonly text: string; readonly depth: number; readonly tools: number } | null;
  readonly signal: AbortSignal;
}

/** True when the choice of the model is left to the node. */
export function isOpen(model: string | null): boolean {
  return model === null || model === 'default';
}

/** About the tokens of a text: English has four to six characters in one, so that this is rather too few. */
const charactersPerToken = 6;

/** Of a question that any model of its task can answer. */
const nothingMore: Question['needs'] = {
  promptTokens: null,
  completionTokens: null,
  tools: false,
  json: false,
  vision: false,
};

export function chatQuestion(request: ChatRequest): Question {
  const tools = request.toolChoice === 'none' ? 0 : (request.tools?.length ?? 0);
  const last = request.messages.findLast(({ role }) => role === 'user');
  let characters = 0;
  for (const { content } of request.messages) characters += content?.length ?? 0;
  return {
    model: request.model,
    task: 'chat',
    needs: {
      promptTokens: Math.ceil(characters / charactersPerToken),
      completionTokens: request.maxTokens,
      tools: tools > 0,
      json: request.grammar?.kind === 'json_schema',
      vision: false,
    },
    prompt: { text: last?.content ?? '', depth: request.messages.length - 1, tools },
    signal: request.signal,
  };
}

export function completionQuestion(request: CompletionRequest): Question {
  const characters = Math.max(0, ...request.prompts.map(({ length }) => length));
  return {
    model: request.model,
    task: 'chat',
    needs: {
      ...nothingMore,
      promptTokens: Math.ceil(characters / charactersPerToken),
      completionTokens: request.maxTokens,
    },
    prompt: null,
    signal: request.signal,
  };
}

/** Of a model's name alone; a reranker is looked for like one that makes vectors. */
export function embeddingQuestion(
  request: Pick<EmbeddingRequest | RankingRequest, 'model' | 'signal'>,
): Question {
  return {
    model: request.model,
    task: 'embedding',
    needs: nothingMore,
    prompt: null,
    signal: request.signal,
  };
}
