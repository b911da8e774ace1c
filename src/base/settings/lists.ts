/**
 * The parts of config.yaml that are lists and maps of their own: backends, agents, budgets, patterns.
 *
 * Each field says what is allowed in it as the message of its check: `config-lists.ts` makes the errors of that.
 *
 * @module base/settings/lists
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import {
  BACKEND_KINDS,
  type BackendKind,
  backendProblems,
  isPeerName,
  PEER_NAME,
  VENDOR_URLS,
} from './backend-sense.ts';
import { isModelName, isServerAddress, PRIVACY_LEVELS } from './forms.ts';

export const LIST_NAMES = ['backends', 'agents', 'budgets', 'patterns'] as const;
export type ListName = (typeof LIST_NAMES)[number];

export { BACKEND_KINDS, type BackendKind, VENDOR_URLS };

/** What personal data is told apart into. */
export const PATTERN_CLASSES = [
  'secret',
  'card',
  'iban',
  'id',
  'email',
  'phone',
  'ip',
  'mac',
  'birth',
  'plate',
  'address',
  'name',
  'other',
  'text',
] as const;

const DAY_MS = 86_400_000;

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });
const yesOrNo = z.boolean({ error: 'true or false' });
const text = (error: string, accept: (value: string) => boolean) =>
  z.string({ error }).max(1024, { error }).refine(accept, { error });
const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};
const number = (min: number, max: number) => {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
};
const map = (error: string) => ({
  error: (issue: { code?: string | undefined }) => (issue.code === 'invalid_type' ? error : undefined),
});

const name = text('1 to 64 of a-z, 0-9, ".", "_" and "-", the first a letter or digit', (value) =>
  /^[a-z0-9][a-z0-9._-]{0,63}$/.test(value),
);
const agentName = text('1 to 64 of letters, digits, ".", "_" and "-", the first a letter or digit', (value) =>
  /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(value),
);
const region = text('1 to 64 of letters, digits, ".", "_" and "-"', (value) =>
  /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(value),
);
const model = text("a server's name for a model, at most 200 characters", isModelName);
const address = text(
  'an http or https URL without user, query or fragment, such as http://192.168.1.7:8000/v1',
  isServerAddress,
);
const file = text('an absolute path', (value) => isAbsolute(value) && !value.includes('\0'));
const key = text(
  'env:NAME of a variable, file:/path of a file that holds it, or the key itself in printable characters',
  (value) =>
    value.startsWith('env:')
      ? /^env:[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(value)
      : value.startsWith('file:')
        ? isAbsolute(value.slice(5)) && !value.includes('\0')
        : /^[\x21-\x7e]+$/.test(value),
);
const headerName = text('a header name', (value) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(value));
const headerValue = text('printable ASCII', (value) => /^[\x20-\x7e]*$/.test(value));

const modelRow = z.union(
  [
    model,
    z.strictObject({
      id: model,
      upstreamId: model.optional(),
      task: oneOf(['chat', 'completion', 'embedding']).optional(),
      context: whole(16, 1_000_000_000).optional(),
    }),
  ],
  { error: 'a model id, or id with upstreamId, task and context' },
);

const limits = z.strictObject(
  {
    connectMs: whole(1, DAY_MS).optional(),
    headersMs: whole(1, DAY_MS).optional(),
    firstTokenMs: whole(1, DAY_MS).optional(),
    interTokenMs: whole(1, DAY_MS).optional(),
    totalMs: whole(1, DAY_MS).optional(),
    maxResponseBytes: whole(1, 2 ** 40).optional(),
    maxLineBytes: whole(1, 2 ** 30).optional(),
    maxEvents: whole(1, 1e9).optional(),
  },
  map('a map of limits'),
);

const facts = z.strictObject(
  {
    context: whole(16, 1_000_000_000).optional(),
    parameters: number(1, 1e15).optional(),
    quality: number(-1e6, 1e6).optional(),
    tools: yesOrNo.optional(),
    json: yesOrNo.optional(),
    vision: yesOrNo.optional(),
    continues: yesOrNo.optional(),
  },
  map('a map of context, parameters, quality, tools, json, vision and continues'),
);

const price = z.strictObject(
  { prompt: number(0, 1e9), completion: number(0, 1e9), cached: number(0, 1e9).optional() },
  map('a map of prompt, completion and cached, money for a million tokens'),
);

const backend = z
  .strictObject(
    {
      name,
      kind: oneOf(BACKEND_KINDS).default('generic'),
      url: address.optional(),
      nodes: z
        .array(address, { error: 'a list of addresses' })
        .min(1, { error: '1 to 100 addresses' })
        .max(100, { error: '1 to 100 addresses' })
        .optional(),
      peer: text(PEER_NAME, isPeerName).optional(),
      key: key.optional(),
      network: oneOf(['owned']).optional(),
      owned: yesOrNo.optional(),
      region: region.optional(),
      models: z
        .array(modelRow, { error: 'a list of model ids' })
        .min(1, { error: '1 to 1000 model ids' })
        .max(1000, { error: '1 to 1000 model ids' })
        .optional(),
      anyModel: yesOrNo.optional(),
      defaults: z
        .strictObject(
          { chat: model.optional(), embedding: model.optional() },
          map('a map of chat and embedding'),
        )
        .optional(),
      aliases: z
        .strictObject(
          { fast: model.optional(), quality: model.optional(), embedding: model.optional() },
          map('a map of fast, quality and embedding'),
        )
        .optional(),
      prices: z.record(model, price, map('a map of models and their prices')).optional(),
      facts: z.record(model, facts, map('a map of models and their facts')).optional(),
      limits: limits.optional(),
      maxConnections: whole(1, 65_535).optional(),
      headers: z.record(headerName, headerValue, map('a map of headers')).optional(),
      tls: z
        .strictObject(
          {
            ca: file.optional(),
            cert: file.optional(),
            key: file.optional(),
            servername: text('a host name', (value) => /^[A-Za-z0-9.-]{1,253}$/.test(value)).optional(),
          },
          map('a map of ca, cert, key and servername'),
        )
        .optional(),
      healthPath: text('a path from a slash', (value) => /^\/[\x21-\x7e]*$/.test(value)).optional(),
      modelsTtlMs: whole(0, DAY_MS).optional(),
      maxTokens: whole(1, 16_777_216).optional(),
      version: text('a date such as 2023-06-01', (value) => /^\d{4}-\d\d-\d\d$/.test(value)).optional(),
    },
    map('a map with name, kind and url'),
  )
  .superRefine((value, context) => {
    for (const { path, message } of backendProblems(value))
      context.addIssue({ code: 'custom', path: [...path], message, params: { whole: true } });
  });

const agent = z.strictObject(
  {
    model: model.optional(),
    privacy: oneOf(PRIVACY_LEVELS).optional(),
    route: oneOf(['auto', 'local', 'frontier']).optional(),
  },
  map('a map of model, privacy and route'),
);

const budget = z
  .strictObject(
    {
      name: name.optional(),
      key: text('the id of a key', (value) => /^[A-Za-z0-9._-]{1,128}$/.test(value)).optional(),
      agent: agentName.transform((value) => value.toLowerCase()).optional(),
      backend: name.optional(),
      model: model.optional(),
      money: number(0, 1e12).optional(),
      tokens: whole(0, 1e15).optional(),
      per: oneOf(['day', 'week', 'month', 'all']),
    },
    map('a map with money or tokens, and per'),
  )
  .superRefine((value, context) => {
    if (value.money === undefined && value.tokens === undefined)
      context.addIssue({
        code: 'custom',
        path: [],
        message: 'has neither money nor tokens: give it one',
        params: { whole: true },
      });
  });

const pattern = z.strictObject(
  {
    name: text('1 to 60 letters, digits, "_" and "-"', (value) => /^[\w-]{1,60}$/.test(value)),
    pattern: text('a regular expression', (value) => value !== ''),
    class: oneOf(PATTERN_CLASSES).optional(),
    ignoreCase: yesOrNo.optional(),
  },
  map('a map of name and pattern'),
);

export const LIST_SCHEMAS = {
  backends: z
    .array(backend, { error: 'a list of backends, each beginning with "- name:"' })
    .max(100, { error: 'at most 100 backends' }),
  agents: z.record(agentName, agent, map('a map of agents, such as "strategy: {model: quality}"')),
  budgets: z
    .array(budget, { error: 'a list of budgets, each beginning with "- per:"' })
    .max(1000, { error: 'at most 1000 budgets' }),
  patterns: z
    .array(pattern, { error: 'a list of patterns, each beginning with "- name:"' })
    .max(100, { error: 'at most 100 patterns' }),
} as const;

export type BackendConfig = z.output<typeof backend>;
export type AgentConfig = z.output<typeof agent>;
export type BudgetConfig = z.output<typeof budget>;
export type PatternConfig = z.output<typeof pattern>;

/** What config.yaml says besides single values. */
export interface Lists {
  readonly backends: readonly BackendConfig[];
  readonly agents: Readonly<Record<string, AgentConfig>>;
  readonly budgets: readonly BudgetConfig[];
  readonly patterns: readonly PatternConfig[];
}

/** Fields whose value is never shown. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set(['key', 'headers']);
