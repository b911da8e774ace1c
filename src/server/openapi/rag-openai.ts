/**
 * Knowledge bases for other programs, in the document.
 *
 * @module server/openapi/rag-openai
 */
import { kbChatSchema, kbSearchSchema } from '../rag/openai-body.ts';
import { fingerprint } from './openai-parts.ts';
import { type Answer, answer, json, type Operation, pathParameter, queryParameter } from './operation.ts';
import { retried } from './rag-parts.ts';
import { chunkId, place, route } from './rag-schemas.ts';
import { steps } from './rag-steps.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  literal,
  milliseconds,
  nothing,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
  unixSeconds,
} from './schema.ts';

const head = (kind: string): Readonly<Record<string, Schema>> => ({
  id: pattern('^chatcmpl-'),
  object: literal(kind),
  created: unixSeconds,
  model: described('Name of the knowledge base.', string),
  system_fingerprint: fingerprint,
});
const url = described('`kith://` with the knowledge base, the path and where in the file.', string);
const annotations = described(
  'Each `[n]` of the text, in code points of the text, and the source that it cites.',
  array(
    object({
      type: literal('url_citation'),
      url_citation: object({ start_index: count, end_index: count, url, title: string }),
    }),
  ),
);
const usage = described(
  'Of the models that were asked; absent where none was, or one did not count.',
  object({ prompt_tokens: count, completion_tokens: count, total_tokens: count }),
);
const n = described('As it is cited: `[n]`, from 1.', count);
const sources: Readonly<Record<string, Schema>> = {
  citations: described('URLs of the sources; `[n]` is the n-th.', array(url)),
  search_results: array(object({ title: string, url })),
  kith: ref('KbAnswerNote'),
};

export const ragOpenAiSchemas: Readonly<Record<string, Schema>> = {
  KbModel: object({
    id: described('Name of the knowledge base.', string),
    object: literal('model'),
    created: unixSeconds,
    owned_by: string,
    kith: object({
      task: literal('knowledge'),
      documents: described('Null when it cannot be opened now.', nullable(count)),
      trouble: nullable(object({ code: string, message: string })),
    }),
  }),
  KbModelList: object({ object: literal('list'), data: array(ref('KbModel')) }),
  KbAnswerNote: object({
    kb: string,
    outcome: described(
      '`refused`: what was found does not answer the question, and the text says so.',
      nullable(choice('written', 'extracted', 'refused')),
    ),
    reason: described('Why it was refused.', nullable(string)),
    question: described('As it was looked up.', nullable(string)),
    rewritten_by: described('By whom it was made to stand alone.', nullable(choice('rules', 'writer'))),
    ...{ route, steps },
    cached: described(
      'Age and likeness of the question where the answer was made before; null where it was made now.',
      nullable(object({ age_ms: milliseconds, similarity: number })),
    ),
    sources: array(
      object({
        ...{ n, path: string, title: string, where: string, place, url, text: string },
        chunks: array(chunkId),
        score: nullable(number),
      }),
    ),
    citations: array(
      object({
        ...{ n, chunk: chunkId, path: string, title: string, place },
        sentence: described('Of the source, word for word.', nullable(string)),
        verified: boolean,
      }),
    ),
    writers: described('Models that were asked; empty where none was.', array({ type: 'object' })),
    warnings: array(object({ code: string, message: string })),
  }),
  KbCompletion: object(
    {
      ...head('chat.completion'),
      choices: array(
        object({
          index: literal(0),
          message: object({ role: literal('assistant'), content: string, refusal: nothing, annotations }),
          logprobs: nothing,
          finish_reason: choice('stop', 'length'),
        }),
        { minItems: 1, maxItems: 1 },
      ),
      ...sources,
    },
    { usage },
  ),
  KbCompletionChunk: object(
    {
      ...head('chat.completion.chunk'),
      choices: array(
        object({
          index: literal(0),
          delta: object({}, { role: literal('assistant'), content: string, refusal: nothing, annotations }),
          logprobs: nothing,
          finish_reason: nullable(choice('stop', 'length')),
        }),
        { maxItems: 1 },
      ),
    },
    { ...sources, usage },
  ),
};

const model = pathParameter('model', 'Name of the knowledge base.');
const away: Readonly<Record<string, Answer>> = {
  '404': answer('`model_not_found`, or `kb_missing`: its file is not there.', ref('OpenAiError'), retried),
  '409': answer('`locked`: another process keeps the knowledge bases.', ref('OpenAiError'), retried),
};

function operation(
  method: Operation['method'],
  where: string,
  id: string,
  summary: string,
  good: Answer,
  more: Partial<Operation> = {},
): Operation {
  return {
    ...{ method, path: `/api/rag/v1${where}`, id, summary, scope: 'knowledge', error: 'OpenAiError' },
    ...more,
    terms: false,
    answers: { ...away, ...more.answers, '200': good },
  };
}

export const ragOpenAiOperations: readonly Operation[] = [
  operation(
    'get',
    '/models',
    'kbModels',
    'List the knowledge bases that the key opens, as models',
    answer('By name.', ref('KbModelList')),
  ),
  operation(
    'get',
    '/models/{model}',
    'kbModel',
    'Describe one knowledge base',
    answer('It.', ref('KbModel')),
    { parameters: [model] },
  ),
  operation(
    'post',
    '/chat/completions',
    'kbChat',
    'Ask a knowledge base',
    {
      description: 'Sentences that were held against the sources that they cite; or that none answers.',
      content: {
        ...json(ref('KbCompletion')),
        'text/event-stream': { schema: ref('KbCompletionChunk'), 'x-end': '[DONE]' },
      },
    },
    {
      description:
        'The last message of the user is the question, earlier ones are what it leans on. System messages and what steers drawing (`temperature`, `seed`, ...) have no effect.',
      body: requestSchema(kbChatSchema),
    },
  ),
  operation(
    'post',
    '/search',
    'kbSearch',
    'Search a knowledge base',
    answer('The best first.', ref('KbFound')),
    { body: requestSchema(kbSearchSchema) },
  ),
  operation(
    'post',
    '/ingest',
    'kbUpload',
    'Put a file into a knowledge base',
    answer('The job that does it.', ref('KbJob')),
    {
      description: 'The body is the file, of any type.',
      scope: 'ingest',
      parameters: [
        queryParameter('model', 'Name of the knowledge base; may be left out where there is one.', string),
        {
          ...queryParameter('path', 'Where it stands in the knowledge base; its ending counts.', string),
          required: true,
        },
      ],
      body: {},
      binary: true,
      answers: {
        '409': answer(
          '`kb_path_taken`: a folder that is followed stands there; or `locked`.',
          ref('OpenAiError'),
          retried,
        ),
        '507': answer('`disk_full`.', ref('OpenAiError'), retried),
      },
    },
  ),
  operation(
    'get',
    '/ingest/{model}/{job}',
    'kbUploadJob',
    'Show how far a file is, or wait for what comes next',
    answer('The job.', ref('KbJob')),
    {
      scope: 'ingest',
      parameters: [
        model,
        pathParameter('job', 'Number of the job.'),
        queryParameter('seen', 'The answer comes when its step is another, or after 20 s.', count),
      ],
    },
  ),
];
