/**
 * Names and errors in the words of Ollama's API.
 *
 * @module server/ollama/names
 */
import type { Fault } from '../http/errors.ts';

/** Id of the model that a name of Ollama's form stands for: models here have one tag, `latest`. */
export function modelId(name: string): string {
  return name.endsWith(':latest') ? name.slice(0, -':latest'.length) : name;
}

/** The name under which Ollama's clients know a model. */
export function modelName(id: string): string {
  return `${id}:latest`;
}

/** Fields that have other names in the body than in the rest of the server. */
const bodyNames: Readonly<Record<string, string>> = {
  max_tokens: 'options.num_predict',
  response_format: 'format',
  top_k: 'options.top_k',
  top_p: 'options.top_p',
  min_p: 'options.min_p',
  repeat_penalty: 'options.repeat_penalty',
  presence_penalty: 'options.presence_penalty',
  frequency_penalty: 'options.frequency_penalty',
  'kith.keep_tokens': 'options.num_keep',
};

/** Routes of other APIs that messages point to, and what does the same here. */
const ownRoutes: Readonly<Record<string, string>> = {
  '/v1/chat/completions': '/api/chat',
  '/v1/embeddings': '/api/embed',
  '/v1/models': '/api/tags',
};

/** `{"error": "…"}`: the message is all that Ollama's clients read. */
export function ollamaError({ message, param }: Fault): { readonly error: string } {
  const name = param === null ? undefined : bodyNames[param];
  let error = name === undefined ? message : message.replaceAll(param!, name);
  for (const [route, own] of Object.entries(ownRoutes)) error = error.replaceAll(route, own);
  return { error };
}
