/**
 * Ollama's routes in the document.
 *
 * @module server/openapi/ollama
 */
import { chatSchema } from '../ollama/chat.ts';
import { embeddingsSchema, embedSchema } from '../ollama/embed.ts';
import { generateSchema } from '../ollama/generate.ts';
import { showSchema } from '../ollama/models.ts';
import { type Answer, type Api, answer, type Operation, pathParameter, receiptHeaders } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  anyObject,
  array,
  choice,
  count,
  described,
  literal,
  number,
  object,
  oneOf,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';

const nanoseconds = described('Nanoseconds.', count);
const time = pattern('^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$');
const error = 'OllamaError';

const tokenLogprob = { token: string, logprob: number, bytes: array(count) };
const logprobs = array(object({ ...tokenLogprob, top_logprobs: array(object(tokenLogprob)) }), {
  minItems: 1,
});

const message = object(
  { role: literal('assistant'), content: string },
  {
    tool_calls: array(
      object({
        id: pattern('^[\\x21-\\x7e]{1,256}$', 'call_0a1B2c3D'),
        function: object({ index: count, name: string, arguments: anyObject }),
      }),
      { minItems: 1 },
    ),
  },
);

const figures = {
  total_duration: nanoseconds,
  load_duration: nanoseconds,
  prompt_eval_count: count,
  prompt_eval_duration: nanoseconds,
  eval_count: count,
  eval_duration: nanoseconds,
};

/** A part of a stream, its end or a whole answer, and the answer of a request that only moves a model. */
function answerSchemas(
  name: string,
  own: Readonly<Record<string, Schema>>,
): Readonly<Record<string, Schema>> {
  const head = { model: string, created_at: time, ...own };
  return {
    [`${name}Part`]: object({ ...head, done: literal(false) }, { logprobs }),
    [`${name}Answer`]: object(
      { ...head, done: literal(true), done_reason: choice('stop', 'length') },
      { logprobs, ...figures },
    ),
    [`${name}Residence`]: object({
      ...head,
      done: literal(true),
      done_reason: choice('load', 'unload'),
    }),
  };
}

const details = object({
  parent_model: string,
  format: literal('gguf'),
  family: string,
  families: array(string),
  parameter_size: string,
  quantization_level: string,
});
const tag = { name: string, model: string, size: count, digest: pattern('^[0-9a-f]*$'), details };

const schemas: Readonly<Record<string, Schema>> = {
  OllamaError: object({ error: string }),
  ...answerSchemas('OllamaChat', { message }),
  ...answerSchemas('OllamaGenerate', { response: string }),
  OllamaTags: object({ models: array(object(tag, { modified_at: time })) }),
  OllamaRunning: object({
    models: array(
      object({ ...tag, size_vram: count, context_length: count, expires_at: time }, { modified_at: time }),
    ),
  }),
  OllamaModel: object(
    {
      modelfile: string,
      parameters: string,
      template: string,
      details,
      model_info: {
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
      capabilities: array(choice('completion', 'tools', 'embedding')),
    },
    { license: string, modified_at: time },
  ),
  OllamaEmbeddings: object(
    { model: string, embeddings: array(array(number, { minItems: 1 })) },
    { total_duration: nanoseconds, load_duration: nanoseconds, prompt_eval_count: count },
  ),
};

const lines = (name: string): Answer => ({
  description:
    'Lines of JSON; with `stream: false`, or when nothing is asked but to move the model, one JSON object. An error after the 200 is a line, and the last one.',
  content: {
    'application/json': { schema: oneOf(ref(`${name}Answer`), ref(`${name}Residence`)) },
    'application/x-ndjson': { schema: oneOf(ref(`${name}Part`), ref(`${name}Answer`), ref(error)) },
  },
  headers: receiptHeaders,
});

/** Routes of Ollama's API for what the command line does here. */
const elsewhere = (
  method: 'post' | 'delete',
  path: string,
  id: string,
  parameters: readonly Schema[] = [],
): Operation => ({
  method,
  path,
  id,
  summary: 'Not here: the answer names the command',
  scope: 'read',
  parameters,
  answers: { '501': answer('The node does not do this over HTTP.', ref(error), ['x-should-retry']) },
  error,
});

const operations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/chat',
    id: 'ollamaChat',
    summary: 'Answer a conversation',
    scope: 'generate',
    body: requestSchema(chatSchema),
    answers: { '200': lines('OllamaChat') },
    error,
  },
  {
    method: 'post',
    path: '/api/generate',
    id: 'ollamaGenerate',
    summary: 'Answer a prompt',
    scope: 'generate',
    body: requestSchema(generateSchema),
    answers: { '200': lines('OllamaGenerate') },
    error,
  },
  {
    method: 'post',
    path: '/api/embed',
    id: 'ollamaEmbed',
    summary: 'Make vectors of texts',
    scope: 'embed',
    body: requestSchema(embedSchema),
    answers: { '200': answer('Vectors of length 1.', ref('OllamaEmbeddings'), receiptHeaders) },
    error,
  },
  {
    method: 'post',
    path: '/api/embeddings',
    id: 'ollamaEmbeddings',
    summary: 'Make a vector of a text',
    scope: 'embed',
    body: requestSchema(embeddingsSchema),
    answers: {
      '200': answer('A vector of length 1.', object({ embedding: array(number) }), receiptHeaders),
    },
    error,
  },
  {
    method: 'post',
    path: '/api/show',
    id: 'ollamaShow',
    summary: 'Describe a model',
    scope: 'read',
    body: requestSchema(showSchema),
    answers: { '200': answer('What is known of the model.', ref('OllamaModel')) },
    error,
  },
  {
    method: 'get',
    path: '/api/tags',
    id: 'ollamaTags',
    summary: 'List the models that answer without a download',
    scope: 'read',
    answers: { '200': answer('The models.', ref('OllamaTags')) },
    error,
  },
  {
    method: 'get',
    path: '/api/ps',
    id: 'ollamaRunning',
    summary: 'List the models in memory',
    scope: 'read',
    answers: { '200': answer('The models.', ref('OllamaRunning')) },
    error,
  },
  {
    method: 'get',
    path: '/api/version',
    id: 'ollamaVersion',
    summary: "Say which version of Ollama's API this is",
    scope: 'read',
    answers: {
      '200': answer("Version of Ollama's API, and of the node.", object({ version: string, kith: string })),
    },
    error,
  },
  elsewhere('post', '/api/pull', 'ollamaPull'),
  elsewhere('post', '/api/create', 'ollamaCreate'),
  elsewhere('delete', '/api/delete', 'ollamaDelete'),
  elsewhere('post', '/api/copy', 'ollamaCopy'),
  elsewhere('post', '/api/push', 'ollamaPush'),
  elsewhere('post', '/api/blobs/{digest}', 'ollamaBlob', [pathParameter('digest', 'Digest of the file.')]),
];

export const ollamaApi: Api = {
  tag: 'Ollama',
  description: "Ollama's API: point its clients at the node's address.",
  schemas,
  operations,
};
