/**
 * What an API says of its routes, and how that becomes the `paths` of the document.
 *
 * @module server/openapi/operation
 */
import type { Scope } from '../http/exchange.ts';
import { termHeaders } from '../http/terms.ts';
import { literal, pattern, type Schema, string } from './schema.ts';

export interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  /** In a stream the schema is that of one event's data (of one line); this text ends a good stream. */
  readonly 'x-end'?: string;
  /** Schemas of the data of events that have names, by name. */
  readonly 'x-events'?: Readonly<Record<string, Schema>>;
}

export interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, Media>>;
  /** Names of `headers` beside those of every answer. */
  readonly headers?: readonly string[];
}

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With parameters in braces. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** What a key must allow. */
  readonly scope: Scope;
  /** Takes the headers that state the terms of a request. @default answers of models do */
  readonly terms?: boolean;
  /** Parameters of the path and query. */
  readonly parameters?: readonly Schema[];
  readonly body?: Schema;
  /** The body may also be bytes of any type. @default false */
  readonly binary?: boolean;
  readonly answers: Readonly<Record<string, Answer>>;
  /** Name of the component schema of errors; null when no error but those of the server itself can come. */
  readonly error: string;
}

export interface Api {
  readonly tag: string;
  readonly description: string;
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly operations: readonly Operation[];
}

export const json = (schema: Schema, example?: unknown): Readonly<Record<string, Media>> => ({
  'application/json': { schema, ...(example === undefined ? {} : { example }) },
});

/** An answer that is JSON. */
export const answer = (description: string, schema: Schema, headers: readonly string[] = []): Answer => ({
  description,
  content: json(schema),
  headers,
});

export const pathParameter = (name: string, description: string): Schema => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: string,
});

export const queryParameter = (name: string, description: string, schema: Schema): Schema => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});

/** Headers of answers of models, whole and streamed. */
export const modelHeaders = [
  'x-kith-backend',
  'x-kith-model',
  'x-kith-step',
  'x-kith-privacy',
  'x-kith-attempts',
  'x-kith-cache',
];
/** Headers of whole answers of models: the times are known when the head is sent. */
export const receiptHeaders = [
  ...modelHeaders,
  'x-kith-queue-ms',
  'x-kith-prefill-ms',
  'x-kith-decode-ms',
  'x-kith-cost',
];

const wholeNumber = pattern('^\\d+$', '12');

const otherHeaders: Readonly<Record<string, Schema>> = {
  'x-request-id': {
    description: 'Id of the request; the log has the same.',
    required: true,
    schema: pattern('^req-[0-9a-z]+$'),
  },
  'x-kith-backend': { description: 'Backend that answered.', schema: string },
  'x-kith-model': { description: 'Model that answered.', schema: string },
  'x-kith-step': { description: 'Step of the ladder that answered.', schema: string },
  'x-kith-privacy': { description: 'Privacy level that held.', schema: string },
  'x-kith-attempts': {
    description: 'Times a backend was asked so far, or passed over when its turn had come.',
    schema: wholeNumber,
  },
  'x-kith-cache': {
    description: 'Stands where the answer was not made for this request: hit, similar, shared or stale.',
    schema: string,
  },
  'x-kith-cost': { description: "Money that it cost, in the unit of the owner's prices.", schema: string },
  'x-kith-queue-ms': { description: 'ms waited for a place in the batch.', schema: wholeNumber },
  'x-kith-prefill-ms': { description: 'ms from admission to the first token.', schema: wholeNumber },
  'x-kith-decode-ms': { description: 'ms from the first token to the last.', schema: wholeNumber },
  'x-kith-usage': {
    description:
      'Stands where the backend did not say how many tokens it used: zeros of the usage are unknown.',
    schema: literal('unknown'),
  },
  'retry-after': { description: 'Seconds until another try is worthwhile.', schema: wholeNumber },
  'retry-after-ms': { description: 'The same in ms.', schema: wholeNumber },
  'x-should-retry': { description: 'Stands where another try would fail too.', schema: literal('false') },
  'openai-processing-ms': {
    description: 'ms from the request to the head of the answer.',
    schema: wholeNumber,
  },
  allow: { description: 'Methods that the path takes.', schema: string },
};

/** On answers to callers whose requests or tokens are limited. */
const rateHeaders: Readonly<Record<string, Schema>> = Object.fromEntries(
  ['requests', 'tokens'].flatMap((what): [string, Schema][] => [
    [`x-ratelimit-limit-${what}`, { description: `The caller's ${what} per minute.`, schema: wholeNumber }],
    [`x-ratelimit-remaining-${what}`, { description: `Left of its ${what} now.`, schema: wholeNumber }],
    [
      `x-ratelimit-reset-${what}`,
      {
        description: `Until all its ${what} are there again.`,
        schema: pattern('^(\\d+h)?(\\d+m)?\\d+(\\.\\d+)?m?s$', '6m0s'),
      },
    ],
  ]),
);

const why: Readonly<Record<string, string>> = {
  '400': 'The request is not valid; `param` or the message names the field.',
  '401': 'A key is missing, unknown, expired or revoked.',
  '403': 'The key does not allow this, or the host or origin is refused.',
  '404': 'No such model or route.',
  '405': 'The path takes other methods.',
  '408': 'The request did not arrive in time.',
  '409': 'The model is known but not on this disk.',
  '413': 'The body is larger than `server.bodyBytes`.',
  '415': 'The body is not JSON, or it is compressed.',
  '417': 'Only `expect: 100-continue` is understood.',
  '422': "The model or its template cannot take the request's messages.",
  '429': 'Too many requests or tokens, or a budget is spent; `retry-after` says when to come back.',
  '431': 'The request headers are too large.',
  '500': 'An error of the node; its log has the cause under the request id.',
  '502': 'The backends that were asked failed, or gave answers that cannot be read.',
  '503': 'Not now: stopping, loading, out of memory, or no backend can be asked.',
  '504': 'The backends that were asked did not answer in time.',
  '508': 'It has passed too many nodes: some are backends of each other.',
};
const bodyErrors = ['408', '409', '413', '415', '422'];
const backendErrors = ['502', '504', '508'];

/** Every header that answers carry beside those of HTTP itself. */
export const headers: Readonly<Record<string, Schema>> = { ...otherHeaders, ...rateHeaders };

/** Answers of models and of knowledge bases are what rates and budgets are about. */
const isRated = (operation: Operation): boolean =>
  asksModels(operation) || operation.scope === 'knowledge' || operation.scope === 'ingest';
const asksModels = ({ scope }: Operation): boolean => scope === 'generate' || scope === 'embed';

function answerBody(
  operation: Operation,
  { description, content, headers: own = [] }: Answer,
  tag: string,
): Schema {
  const names = [
    'x-request-id',
    ...(tag === 'OpenAI' ? ['openai-processing-ms'] : []),
    ...(isRated(operation) ? Object.keys(rateHeaders) : []),
    ...own,
  ];
  return {
    description,
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(content ? { content } : {}),
  };
}

function errorsOf(operation: Operation, tag: string): Record<string, Schema> {
  const statuses = Object.keys(why).filter(
    (status) =>
      (operation.body !== undefined || !bodyErrors.includes(status)) &&
      (isRated(operation) || !backendErrors.includes(status)),
  );
  return Object.fromEntries(
    statuses.map((status) => {
      const own =
        status === '429' || status === '503'
          ? // A spent budget is a 429 too, and no second try helps.
            ['retry-after', 'retry-after-ms', ...(status === '429' ? ['x-should-retry'] : [])]
          : status === '405'
            ? ['allow']
            : ['409', '500', ...backendErrors].includes(status)
              ? ['x-should-retry']
              : [];
      const schema = { $ref: `#/components/schemas/${operation.error}` };
      const answer = { description: why[status]!, content: json(schema), headers: own };
      return [status, answerBody(operation, answer, tag)];
    }),
  );
}

const termParameters = Object.entries(termHeaders).map(([name, description]) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string', maxLength: 2048 },
}));

const agentHeader = {
  name: 'x-kith-agent',
  in: 'header',
  required: false,
  description:
    'Agent on whose behalf the request is made, without regard to case; figures are kept by agent.',
  schema: { type: 'string', maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
};

const bytes: Readonly<Record<string, Media>> = {
  'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
};

/** On loopback, unless the owner says otherwise. */
const opensToAll = (scope: Scope): boolean => scope !== 'knowledge' && scope !== 'ingest';

/** One operation as OpenAPI has it. */
export function operationBody(operation: Operation, tag: string): Schema {
  const { id, summary, description, scope, parameters = [], body, binary = false } = operation;
  const answers = Object.entries(operation.answers).map(([status, each]) => [
    status,
    answerBody(operation, each, tag),
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    'x-scope': scope,
    security:
      scope === 'control'
        ? [{ runToken: [] }]
        : [...(opensToAll(scope) ? [{}] : []), { bearer: [] }, { apiKey: [] }],
    parameters:
      (operation.terms ?? asksModels(operation))
        ? [...parameters, agentHeader, ...termParameters]
        : parameters,
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { ...json(body), ...(binary ? bytes : {}) } } }),
    responses: { ...errorsOf(operation, tag), ...Object.fromEntries(answers) },
  };
}
