/**
 * The gateway's own routes in the document. The shapes are those of `gateway/types.ts`.
 *
 * @module server/openapi/gateway
 */

import { TIERS } from '../../base/index.ts';
import {
  CACHE_WISHES,
  DEGRADATIONS,
  GROUPINGS,
  PRIVACY_LEVELS,
  REPORT_ROWS,
  ROUTE_WISHES,
} from '../../gateway/index.ts';
import { feedbackSchema } from '../gateway/router.ts';
import { chatSchema } from '../openai/chat.ts';
import { type Api, answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  literal,
  milliseconds,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';

const share: Schema = { type: 'number', minimum: 0, maximum: 1 };
const moment = described('Milliseconds since 1970.', count);
const money: Schema = { type: 'number', minimum: 0 };
const parts = object({ order: number, cost: number, latency: number, load: number, errors: number });

/** Sums as far as they are known; `uncounted` and `unpriced` say how many requests they are without. */
const usageSums = {
  requests: count,
  answered: count,
  failed: described('Begun and not come to its end.', count),
  left: described('Left by the caller.', count),
  kept: described('Answered from the cache: nothing was used.', count),
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
  uncounted: count,
  cost: money,
  unpriced: count,
};
const day = described('UTC.', pattern('^\\d{4}-\\d\\d-\\d\\d$'));

const schemas: Readonly<Record<string, Schema>> = {
  Usage: object({
    by: choice(...GROUPINGS),
    since: nullable(day),
    until: nullable(day),
    rows: array(object({ name: nullable(string), ...usageSums }), { maxItems: REPORT_ROWS }),
    more: described('Rows that were left out.', count),
    total: object(usageSums),
    budgets: array(ref('Budget')),
  }),
  Budget: object({
    name: string,
    per: choice('day', 'week', 'month', 'all'),
    until: nullable(moment),
    money: nullable(object({ limit: money, spent: money })),
    tokens: nullable(object({ limit: count, spent: count })),
    unpriced: count,
    uncounted: count,
  }),
  Backends: object({ backends: array(ref('Backend')) }),
  Backend: object({
    name: string,
    group: described('Provider whose nodes are balanced; its own name where it stands alone.', string),
    state: choice('ok', 'never_asked', 'demoted', 'cooling', 'half_open', 'open'),
    step: choice('local', 'swarm', 'peer', 'remote'),
    where: choice('this_machine', 'owned', 'peer', 'provider'),
    link: nullable(choice('encrypted', 'owned_network', 'open')),
    region: nullable(string),
    breaker: object({ state: choice('closed', 'open', 'half_open'), failures: count, waitMs: milliseconds }),
    inFlight: count,
    latencyMs: nullable(milliseconds),
    errorRate: share,
    coolMs: milliseconds,
    demoted: boolean,
    reachable: boolean,
    models: count,
    defaults: object({ chat: nullable(string), embedding: nullable(string) }),
  }),
  BackendReset: object({ reset: literal(true) }),
  RouteExplanation: object({
    wishes: object({
      tenant: string,
      agent: nullable(string),
      conversation: nullable(string),
      privacy: choice(...PRIVACY_LEVELS),
      route: choice(...ROUTE_WISHES),
      cache: choice(...CACHE_WISHES),
      redundancy: count,
      decide: choice('first', 'agreement'),
      hedgeMs: { anyOf: [number, literal('auto'), { type: 'null' }] },
      regions: nullable(array(string)),
      peers: described(
        'What peers must meet; what is absent is not asked.',
        nullable(
          object(
            {},
            { minTier: choice(...TIERS), maxLatencyMs: number, regions: array(string), pledge: boolean },
          ),
        ),
      ),
      maxCost: nullable(number),
      degrade: choice(...DEGRADATIONS),
      locale: nullable(string),
      hops: count,
      model: nullable(string),
    }),
    chosen: nullable(object({ backend: string, model: string })),
    complexity: described(
      'How the side that comes first is found; null where local and frontier models are no choice.',
      nullable(
        object({
          side: described(
            'Null: by lot, with `target` as the chance of frontier.',
            nullable(choice('local', 'frontier')),
          ),
          by: choice('score', 'lot', 'forced'),
          score: nullable(share),
          threshold: share,
          target: share,
          why: string,
        }),
      ),
    ),
    balancing: choice('round-robin', 'least-connections', 'random', 'latency'),
    weights: parts,
    candidates: array(
      object({
        backend: string,
        model: string,
        group: string,
        rank: described('Place in which it is asked, from 0; null when it is not.', nullable(count)),
        excluded: nullable(
          object({
            filter: choice(
              'privacy',
              'peer',
              'context',
              'tools',
              'json',
              'vision',
              'region',
              'budget',
              'breaker',
              'cooling',
            ),
            reason: string,
          }),
        ),
        score: described('Lower is better; null when it is excluded.', nullable(number)),
        parts: nullable(parts),
        why: string,
      }),
    ),
  }),
  CacheState: object({
    enabled: boolean,
    stats: nullable(
      object({
        hits: count,
        similar: count,
        shared: count,
        misses: count,
        expired: count,
        stale: count,
        bypassed: count,
        stored: count,
        failed: count,
        savedTokens: count,
        bytes: nullable(count),
        entries: nullable(count),
        inFlight: count,
      }),
    ),
  }),
  Removed: object({ removed: count }),
  RouterState: object({
    enabled: boolean,
    status: nullable(
      object({
        version: nullable(count),
        labels: count,
        neighbours: count,
        pending: described('Decisions whose outcome could still be told.', count),
        embedder: nullable(string),
      }),
    ),
    agents: array(object({ agent: string, ...threshold() })),
    versions: array(
      object({
        number: count,
        at: moment,
        through: count,
        inUse: boolean,
        evaluation: object({
          prompts: count,
          apgr: nullable(number),
          cpt50: nullable(number),
          cpt80: nullable(number),
        }),
      }),
    ),
  }),
  RouterThreshold: object({
    agent: string,
    ...threshold(),
    history: array(object({ at: moment, threshold: share, target: share, reason: choice('tracked', 'set') })),
  }),
  RouterRollback: object({
    version: count,
    exact: described('False when some of its neighbours are gone for the labels that came since.', boolean),
  }),
  RouterRefit: object({
    verdict: choice('promoted', 'too_few_labels', 'no_gap', 'zero_not_beaten', 'not_better'),
    trained: count,
    held: count,
    version: nullable(count),
  }),
  Learned: object({ learned: literal(true) }),
};

function threshold(): Readonly<Record<string, Schema>> {
  return {
    target: described('Share of prompts that shall go to the frontier model.', share),
    min: share,
    max: share,
    threshold: described('A prompt goes to the frontier model when its score is above.', share),
    decided: count,
    frontier: count,
  };
}

const agent = pathParameter('agent', 'Name of the agent; `default` for requests that name none.');

const off = (description: string) => ({ '409': answer(description, ref('OpenAiError'), ['x-should-retry']) });
const cacheOff = off('`cache_off`: the node keeps no answers.');
const routerOff = off('`router_off`: the node does not learn; `router_busy`: it learns anew at this moment.');

const usageOff = off('`usage_off`: the file of the ledger could not be opened.');

const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/kith/v1/backends',
    id: 'kithBackends',
    summary: 'Backends, where they stand and how they fare',
    scope: 'monitor',
    answers: { '200': answer("Backends in the owner's order.", ref('Backends')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/backends/{name}/reset',
    id: 'kithResetBackend',
    summary: 'Ask a backend again that failed or asked for a pause',
    scope: 'control',
    parameters: [pathParameter('name', 'Name of the backend.')],
    answers: { '200': answer('Its breaker is closed; pause and demotion are over.', ref('BackendReset')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/route/explain',
    id: 'kithExplainRoute',
    summary: 'Say which backend would answer a chat request, and why',
    description:
      'Takes the body and the headers of a chat completion. Nobody is asked, and nothing is used up.',
    scope: 'monitor',
    terms: true,
    body: requestSchema(chatSchema),
    answers: { '200': answer('The decision with its reasons.', ref('RouteExplanation')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/cache',
    id: 'kithCache',
    summary: 'Figures of the kept answers',
    scope: 'monitor',
    answers: { '200': answer('Since the start; `bytes` and `entries` as of now.', ref('CacheState')) },
    error: 'OpenAiError',
  },
  {
    method: 'delete',
    path: '/kith/v1/cache',
    id: 'kithClearCache',
    summary: 'Remove kept answers',
    scope: 'control',
    parameters: [
      queryParameter('model', 'Only answers of this model.', string),
      queryParameter('olderThanMs', 'Only answers older than this, ms.', count),
    ],
    answers: { ...cacheOff, '200': answer('How many were removed.', ref('Removed')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/usage',
    id: 'kithUsage',
    summary: 'What was used and what it cost, and what is spent of the budgets',
    scope: 'control',
    parameters: [
      queryParameter('by', 'What the rows are of.', { ...choice(...GROUPINGS), default: 'key' }),
      queryParameter('since', 'First day.', day),
      queryParameter('until', 'Last day.', day),
    ],
    answers: { ...usageOff, '200': answer('Sums by name.', ref('Usage')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/router',
    id: 'kithRouter',
    summary: 'What the choice between local and frontier model has learnt',
    scope: 'monitor',
    answers: { '200': answer('Labels, thresholds by agent, versions.', ref('RouterState')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/router/agents/{agent}',
    id: 'kithRouterThreshold',
    summary: "An agent's threshold and its history",
    scope: 'monitor',
    parameters: [agent],
    answers: { ...routerOff, '200': answer('The threshold.', ref('RouterThreshold')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/router/agents/{agent}',
    id: 'kithSetRouterThreshold',
    summary: "Change an agent's threshold",
    scope: 'control',
    parameters: [agent],
    body: object({}, { target: share, min: share, max: share, threshold: share }),
    answers: { ...routerOff, '200': answer('The threshold as it is now.', ref('RouterThreshold')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/router/rollback',
    id: 'kithRollBackRouter',
    summary: 'Use a kept version again',
    scope: 'control',
    body: object({ version: { type: 'integer', minimum: 1 } }),
    answers: { ...routerOff, '200': answer('It is in use.', ref('RouterRollback')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/router/refit',
    id: 'kithRefitRouter',
    summary: 'Learn anew from all outcomes, and use what was learnt if it proves better',
    scope: 'control',
    answers: { ...routerOff, '200': answer('What came of it.', ref('RouterRefit')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/feedback',
    id: 'kithFeedback',
    summary: 'Tell how good an answer was',
    description:
      'Either `good`, for the answer that was given, or the quality of both sides as far as it is known. `decision` stands in the receipt.',
    scope: 'generate',
    terms: false,
    body: requestSchema(feedbackSchema),
    answers: { ...routerOff, '200': answer('The outcome counts from now on.', ref('Learned')) },
    error: 'OpenAiError',
  },
];

export const gatewayApi: Api = {
  tag: 'Gateway',
  description: 'Backends, the choice between them, kept answers.',
  schemas,
  operations,
};
