/**
 * The gateway: takes a request through its steps, from its terms to an answer with a receipt.
 *
 * The order of the steps is here and nowhere else; what each of them does is in `steps/` and in the folders it leads to.
 *
 * @module gateway/gateway
 */
import { InputError, systemClock } from '../base/index.ts';
import type { AnswerCache } from './cache/index.ts';
import type { GatewayOptions, GatewayProvider } from './options.ts';
import { createCatalogue, createPolicy, type Explanation } from './policy/index.ts';
import type { Link } from './privacy/index.ts';
import {
  createConditions,
  createFailover,
  createProbes,
  createRetryBudget,
  systemTimers,
  timersOf,
} from './resilience/index.ts';
import type { Router } from './router/index.ts';
import { createAnswers } from './steps/answer.ts';
import { scopeOf, throughCache } from './steps/kept.ts';
import {
  chatQuestion,
  completionQuestion,
  createPlanner,
  embeddingQuestion,
  modelNotFound,
} from './steps/plan.ts';
import { rescued } from './steps/rescue.ts';
import { createSettle, type Wishes } from './steps/wishes.ts';
import type {
  BackendHealth,
  BackendModel,
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingAnswer,
  EmbeddingRequest,
  ModelDescription,
} from './types.ts';

/** What is known of a backend from having asked it. */
export interface BackendReport {
  readonly name: string;
  readonly group: string;
  readonly step: GatewayProvider['step'];
  readonly where: 'this_machine' | 'owned' | 'peer' | 'provider';
  /** Null on this machine. */
  readonly link: Link | null;
  readonly region: string | null;
  readonly breaker: {
    readonly state: 'closed' | 'open' | 'half_open';
    readonly failures: number;
    /** ms until it is tried again; 0 when it may be. */
    readonly waitMs: number;
  };
  readonly inFlight: number;
  /** ms to the first piece of an answer, weighted to the recent; null before any. */
  readonly latencyMs: number | null;
  /** Share of failed calls, weighted to the recent, 0 to 1. */
  readonly errorRate: number;
  readonly coolMs: number;
  readonly demoted: boolean;
  /** Models it said it has. */
  readonly models: number;
  readonly defaults: { readonly chat: string | null; readonly embedding: string | null };
}

/** A decision with its reasons. */
export interface RouteExplanation extends Explanation {
  /** What held for the request: its terms, its agent's and the owner's together. */
  readonly wishes: Wishes;
}

export interface Gateway extends AsyncDisposable {
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  complete(request: CompletionRequest): AsyncIterable<ChatEvent>;
  /** Tokens of the prompt that `chat` would make of the request. */
  countTokens(request: ChatRequest): Promise<number>;
  embed(request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  models(): Promise<readonly BackendModel[]>;
  /** Throws `model_not_found` (404). */
  describe(model: string): Promise<ModelDescription>;
  health(signal?: AbortSignal): Promise<readonly (BackendHealth & { readonly backend: string })[]>;
  /** Whom the request would go to, and why the others lost. Asks nobody and uses nothing up. */
  explain(request: ChatRequest | EmbeddingRequest): Promise<RouteExplanation>;
  backends(): readonly BackendReport[];
  /** Forgets what keeps a backend from being asked: open breaker, pause, demotion. False when there is none so named. */
  reset(backend: string): boolean;
  readonly cache: AnswerCache | null;
  readonly router: Router | null;
}

export function createGateway(options: GatewayOptions): Gateway {
  const {
    providers,
    clock,
    random,
    log,
    cache = null,
    router = null,
    ladder = null,
    ledger = null,
  } = options;
  const timers = clock === systemClock ? systemTimers : timersOf(clock);
  const now = () => clock.monotonic();
  const byName = new Map(providers.map((provider) => [provider.backend.name, provider]));
  if (byName.size !== providers.length)
    throw new InputError('backend_name_taken', 'Two backends have the same name.', { param: 'backends' });
  const isLocal = (backend: string) => byName.get(backend)?.step === 'local';
  const conditions = createConditions({
    now,
    // This machine's engine is watched over by its own process; requests at fault must not close it to others.
    breaker: (backend) =>
      isLocal(backend) ? { ...options.breaker, failures: Number.POSITIVE_INFINITY } : (options.breaker ?? {}),
    onBreaker(backend, state) {
      log.warn('breaker changed', { backend, state });
      options.onBreaker?.(backend, state);
    },
  });
  const catalogue = createCatalogue({
    providers,
    agents: {},
  });
  const { policy: owner = {}, agents = {} } = options;
  const policy = createPolicy({
    conditions,
    random,
    ...(owner.balancing === undefined ? {} : { balancing: owner.balancing }),
    ...(owner.weights === undefined ? {} : { weights: owner.weights }),
  });
  const failover = createFailover({
    timers,
    random,
    conditions,
    budget: createRetryBudget({ now }),
    ...(options.retries === undefined ? {} : { retries: options.retries }),
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
  });
  const settle = createSettle(owner, agents);
  const planner = createPlanner({
    options,
    settle,
    catalogue,
    policy,
    names: async () => (await models()).map(({ id }) => id),
  });
  const answers = createAnswers({ options, policy, failover });
  const remote = providers.filter(({ step }) => step !== 'local').map(({ backend }) => backend);
  const probes = createProbes({
    backends: remote,
    conditions,
    timers,
    random,
    ...(options.probeMs ? { intervalMs: options.probeMs } : {}),
  });
  if (remote.length > 0 && options.probeMs !== 0) probes.start();
  // Answers do not wait for it: a model that nobody listed yet is asked for by name.
  const listing = catalogue.refresh();

  async function models(): Promise<readonly BackendModel[]> {
    const seen = new Map<string, BackendModel>();
    for (const { backend, step } of providers) {
      // What others have is what they said last: a list must not wait for a server that is away.
      const rows = step === 'local' ? await backend.models() : catalogue.listed(backend.name);
      for (const model of rows) if (!seen.has(model.id)) seen.set(model.id, model);
    }
    return [...seen.values()];
  }

  async function* planned(request: ChatRequest, wishes: Wishes): AsyncGenerator<ChatEvent> {
    yield* answers.chat(await planner.plan(chatQuestion(request), wishes), request);
  }

  async function* chatWithSteps(request: ChatRequest, wishes: Wishes): AsyncGenerator<ChatEvent> {
    if (cache === null || wishes.cache === 'off') {
      yield* rescued({ ladder, cache }, request, wishes, null, planned(request, wishes));
      return;
    }
    const { candidates } = await planner.lookUp(chatQuestion(request), wishes);
    const scope = scopeOf(request, wishes, candidates);
    const onKept = (backend: string, model: string) =>
      ledger?.record({
        tenant: wishes.tenant,
        agent: wishes.agent,
        backend,
        model,
        promptTokens: 0,
        cachedTokens: 0,
        completionTokens: 0,
        cost: 0,
        outcome: 'kept',
      });
    const ask = (signal: AbortSignal) => planned({ ...request, signal }, wishes);
    const events = throughCache(cache, request, scope, wishes, ask, onKept);
    yield* rescued({ ladder, cache }, request, wishes, cache.key(request, scope), events);
  }

  return {
    chat(request) {
      const wishes = settle(request.terms);
      return wishes.cache === 'off' && wishes.degrade === 'none'
        ? planned(request, wishes)
        : chatWithSteps(request, wishes);
    },
    async *complete(request) {
      const plan = await planner.plan(completionQuestion(request), settle(request.terms));
      yield* answers.complete(plan, request);
    },
    async countTokens(request) {
      const { candidates } = await planner.lookUp(chatQuestion(request), settle(request.terms));
      const counting = candidates.find(({ backend }) => isLocal(backend.name)) ?? candidates[0]!;
      return counting.backend.countTokens({ ...request, model: counting.model });
    },
    async embed(request) {
      return answers.embed(await planner.plan(embeddingQuestion(request), settle(request.terms)), request);
    },
    async describe(name) {
      const question = { ...embeddingQuestion(describing), model: name, task: 'chat' as const };
      const { candidates } = await planner.lookUp(question, settle(undefined));
      const { backend, model } = candidates[0]!;
      if (backend.describe) return backend.describe(model);
      const row = (await backend.models()).find(({ id }) => id === model);
      if (row === undefined) throw modelNotFound(model, null);
      return { ...row, licence: null, parameters: null, embedding: null, template: null, metadata: null };
    },
    models,
    health(signal) {
      return Promise.all(
        providers.map(async ({ backend }) => {
          const health = await backend.health(signal);
          const { breaker } = conditions.of(backend.name);
          // The engine's supervision is its breaker.
          const state = isLocal(backend.name)
            ? health.breaker
            : { state: breaker.state, failures: breaker.failures };
          return { backend: backend.name, ...health, breaker: state };
        }),
      );
    },
    async explain(request) {
      const wishes = settle(request.terms);
      const question = 'messages' in request ? chatQuestion(request) : embeddingQuestion(request);
      const { candidates, needs } = await planner.lookUp(question, wishes);
      return { wishes, ...policy.explain(candidates, needs) };
    },
    backends: () =>
      providers.map(({ backend, group, step, destination, region }): BackendReport => {
        const condition = conditions.of(backend.name);
        const { inFlight, latencyMs, errorRate, coolMs, demoted } = condition;
        const { state, failures, waitMs } = condition.breaker;
        return {
          name: backend.name,
          group: group ?? backend.name,
          step,
          where: destination.kind,
          link: destination.kind === 'this_machine' ? null : destination.link,
          region: region ?? null,
          breaker: { state, failures, waitMs },
          inFlight,
          latencyMs,
          errorRate,
          coolMs,
          demoted,
          models: catalogue.listed(backend.name).length,
          defaults: { chat: backend.defaultModel('chat'), embedding: backend.defaultModel('embedding') },
        };
      }),
    reset(backend) {
      if (!byName.has(backend)) return false;
      conditions.of(backend).reset();
      return true;
    },
    cache,
    router,
    async [Symbol.asyncDispose]() {
      probes.stop();
      await listing;
    },
  };
}

const describing: EmbeddingRequest = {
  model: null,
  inputs: [],
  truncate: false,
  signal: new AbortController().signal,
};
