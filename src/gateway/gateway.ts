/**
 * The gateway: takes a request through its steps, from its terms to an answer with a receipt.
 *
 * The order of the steps is here and nowhere else; what each of them does is in `steps/` and in the folders it leads to.
 *
 * @module gateway/gateway
 */
import { createSeededRandom, InputError, systemClock } from '../base/index.ts';
import type { Ledger } from './accounting/index.ts';
import type { AnswerCache } from './cache/index.ts';
import type { GatewayOptions, GatewayProvider } from './options.ts';
import { createPolicy } from './policy/index.ts';
import { mayGoTo } from './privacy/index.ts';
import { createRelay, type Relay } from './relay/index.ts';
import { type BackendReport, backendReport, probedHealth, unreached, whileReachable } from './reports.ts';
import {
  createConditions,
  createFailover,
  createProbes,
  createRetryBudget,
  systemTimers,
  timersOf,
} from './resilience/index.ts';
import { createRoster } from './roster.ts';
import type { Router } from './router/index.ts';
import { createAnswers } from './steps/answer.ts';
import type { Explained } from './steps/explain.ts';
import { scopeOf, throughCache } from './steps/kept.ts';
import { modelNotFound } from './steps/not-found.ts';
import { chatQuestion, completionQuestion, embeddingQuestion } from './steps/question.ts';
import { createRedactions } from './steps/redaction.ts';
import { rescued } from './steps/rescue.ts';
import { createSettle, type Wishes } from './steps/wishes.ts';
import { OWN_TERMS } from './terms.ts';
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
  RankingAnswer,
  RankingRequest,
} from './types.ts';

/** A decision with its reasons. */
export interface RouteExplanation extends Explained {
  /** What held for the request: its terms, its agent's and the owner's together. */
  readonly wishes: Wishes;
}

export interface Gateway extends AsyncDisposable {
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  complete(request: CompletionRequest): AsyncIterable<ChatEvent>;
  /** Passes a chat request's own bytes on. Null when it is not one for that, and has to be asked with `chat`. */
  readonly relay: Relay;
  /** Tokens of the prompt that `chat` would make of the request. */
  countTokens(request: ChatRequest): Promise<number>;
  embed(request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  /** How relevant documents are to a query, by a reranker of this machine. */
  rank(request: RankingRequest): Promise<RankingAnswer>;
  models(): Promise<readonly BackendModel[]>;
  /** Throws `model_not_found` (404). */
  describe(model: string): Promise<ModelDescription>;
  health(signal?: AbortSignal): Promise<readonly (BackendHealth & { readonly backend: string })[]>;
  /** Whom the request would go to, and why the others lost. Asks nobody and uses nothing up. */
  explain(request: ChatRequest | EmbeddingRequest): Promise<RouteExplanation>;
  backends(): readonly BackendReport[];
  /**
   * Who was found while the gateway runs, in the place of those of the last call: asked after the backends of `providers`.
   * Requests under way keep who they had. Throws InputError `backend_name_taken`, and changes nothing then.
   */
  setFound(providers: readonly GatewayProvider[]): void;
  /** Forgets what keeps a backend from being asked: open breaker, pause, demotion. False when there is none so named. */
  reset(backend: string): boolean;
  readonly cache: AnswerCache | null;
  readonly router: Router | null;
  readonly ledger: Ledger | null;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { clock, random, log, cache = null, router = null, ladder = null, ledger = null } = options;
  const timers = clock === systemClock ? systemTimers : timersOf(clock);
  const now = () => clock.monotonic();
  let isClosed = false;
  const locals = new Set(
    options.providers.filter(({ step }) => step === 'local').map(({ backend }) => backend.name),
  );
  const isLocal = (backend: string) => locals.has(backend);
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
  const { policy: owner = {}, agents = {} } = options;
  const policy = createPolicy({
    conditions,
    random: owner.balancingSeed == null ? random : createSeededRandom(owner.balancingSeed),
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
  const parts = { options, settle, policy, names: () => known(), listings: { rows: new Map(), version: 0 } };
  let roster = createRoster(parts, []);
  const redactions = createRedactions(options.detectors ?? []);
  const answers = createAnswers({ options, policy, failover, redactions });
  const relayOf = ({ planner, catalogue }: typeof roster): Relay =>
    createRelay({ options, planner, catalogue, policy, conditions });
  let relay = relayOf(roster);
  // Whom no request may go to is not looked at either: requests are only ever stricter than the owner.
  const { privacy: ownerLevel = 'minimum', requiredTier = 'trusted' } = owner;
  const isReachable = ({ destination }: GatewayProvider) =>
    mayGoTo(ownerLevel, destination, { requiredTier }).allowed;
  const atStart = options.providers.filter(isReachable);
  // How far a peer is trusted changes: it is looked at whenever it would be asked.
  const configured = options.providers
    .filter((one) => one.step !== 'local' && (one.peer !== undefined || atStart.includes(one)))
    .map((one) => (one.peer === undefined ? one.backend : whileReachable(one, isReachable)));
  /** Of those that were found, what is probed. */
  let watched = new Map<GatewayProvider, Pick<Backend, 'name' | 'health'>>();
  let remote: readonly Pick<Backend, 'name' | 'health'>[] = configured;
  const probes = createProbes({
    backends: remote,
    conditions,
    timers,
    random,
    ...(options.probeMs ? { intervalMs: options.probeMs } : {}),
  });
  if (remote.length > 0 && options.probeMs !== 0) probes.start();
  // Answers do not wait for it: a model that nobody listed yet is asked for by name.
  let listedAt = now();
  const isListable = (one: GatewayProvider) => one.modelsConfigured === true || isReachable(one);
  const refresh = ({ providers, catalogue } = roster) =>
    Promise.all(providers.filter(isListable).map(({ backend }) => catalogue.refresh(backend.name)));
  let listing = refresh();
  /** Found once and no longer there: what is known of them stays for a while, or coming back would mend a breaker. */
  const gone: string[] = [];
  const list = () => {
    listedAt = now();
    listing = refresh();
  };

  /** Of others what the last probe found, so that looking at the node's health does not ask them each time. */
  async function healthOf(backend: Backend, signal: AbortSignal | undefined): Promise<BackendHealth> {
    if (isLocal(backend.name)) return backend.health(signal);
    if (!remote.some(({ name }) => name === backend.name)) return unreached;
    const known = probes.results().find((result) => result.backend === backend.name);
    const { breaker } = conditions.of(backend.name);
    return probedHealth(
      known ?? (await probes.probe(backend.name)),
      breaker,
      roster.catalogue.listed(backend.name).length,
    );
  }

  async function models(): Promise<readonly BackendModel[]> {
    if (now() - listedAt > listAgainMs) list();
    return known();
  }

  async function known(): Promise<readonly BackendModel[]> {
    const { providers, catalogue } = roster;
    const seen = new Map<string, BackendModel>();
    for (const { backend, step } of providers.filter(isReachable)) {
      // What others have is what they said last: a list must not wait for a server that is away.
      const rows = step === 'local' ? await backend.models() : catalogue.listed(backend.name);
      for (const model of rows) if (!seen.has(model.id)) seen.set(model.id, model);
    }
    return [...seen.values()];
  }

  async function* planned(request: ChatRequest, wishes: Wishes): AsyncGenerator<ChatEvent> {
    yield* answers.chat(await roster.planner.plan(chatQuestion(request), wishes), request);
  }

  async function* chatWithSteps(request: ChatRequest, wishes: Wishes): AsyncGenerator<ChatEvent> {
    if (cache === null || wishes.cache === 'off') {
      yield* rescued({ ladder, cache }, request, wishes, null, planned(request, wishes));
      return;
    }
    const { candidates } = await roster.planner.lookUp(chatQuestion(request), wishes);
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
      const wishes = settle(request.terms, request.peers);
      return wishes.cache === 'off' && wishes.degrade === 'none'
        ? planned(request, wishes)
        : chatWithSteps(request, wishes);
    },
    async *complete(request) {
      const plan = await roster.planner.plan(
        completionQuestion(request),
        settle(request.terms, request.peers),
      );
      yield* answers.complete(plan, request);
    },
    async countTokens(request) {
      const wishes = settle(request.terms, request.peers);
      const question = chatQuestion(request);
      const { planner } = roster;
      const { candidates } = await planner.lookUp(question, wishes, true);
      // Counting is no answer: it may be too long for the model, and call for what the model cannot do.
      const needs = embeddingQuestion(describing).needs;
      return answers.countTokens(planner.planAmong(candidates, wishes, needs, true), request);
    },
    async embed(request) {
      return answers.embed(
        await roster.planner.plan(embeddingQuestion(request), settle(request.terms, request.peers)),
        request,
      );
    },
    async rank(request) {
      const model = request.model ?? options.reranker ?? null;
      if (model === null)
        throw new InputError(
          'model_not_found',
          'No reranker is configured: name one in `model`, or set `knowledge.reranker`.',
          { status: 404, param: 'model' },
        );
      // Only this machine's engine ranks.
      const wishes = settle({ ...(request.terms ?? OWN_TERMS), route: 'local' });
      return answers.rank(
        await roster.planner.plan(embeddingQuestion({ ...request, model }), wishes),
        request,
      );
    },
    async describe(name) {
      const question = { ...embeddingQuestion(describing), model: name, task: 'chat' as const };
      const { candidates, needs } = await roster.planner.lookUp(question, settle(undefined), true);
      const candidate = candidates.find((one) => needs.privacy(one) === null);
      if (candidate === undefined) throw modelNotFound(name, null);
      const { backend, model } = candidate;
      if (backend.describe) return backend.describe(model);
      const row = (await backend.models()).find(({ id }) => id === model);
      if (row === undefined) throw modelNotFound(model, null);
      return { ...row, licence: null, parameters: null, embedding: null, template: null, metadata: null };
    },
    models,
    health(signal) {
      return Promise.all(
        roster.providers.map(async ({ backend }) => ({
          backend: backend.name,
          ...(await healthOf(backend, signal)),
        })),
      );
    },
    async explain(request) {
      const wishes = settle(request.terms, request.peers);
      const question = 'messages' in request ? chatQuestion(request) : embeddingQuestion(request);
      return { wishes, ...(await roster.planner.explain(question, wishes)) };
    },
    backends: () =>
      roster.providers.map((provider) =>
        backendReport(
          provider,
          conditions.of(provider.backend.name),
          roster.catalogue.listed(provider.backend.name).length,
          isReachable(provider),
        ),
      ),
    reset(backend) {
      if (!roster.byName.has(backend)) return false;
      conditions.of(backend).reset();
      return true;
    },
    setFound(found) {
      // Who closes later than the gateway takes back what he found.
      if (isClosed) return;
      const { providers } = roster;
      const next = createRoster(parts, found);
      roster = next;
      relay = relayOf(next);
      watched = new Map(found.map((one) => [one, watched.get(one) ?? whileReachable(one, isReachable)]));
      remote = [...configured, ...watched.values()];
      probes.replace(remote);
      if (remote.length > 0 && options.probeMs !== 0) probes.start();
      for (const { backend } of providers) if (!next.byName.has(backend.name)) gone.push(backend.name);
      for (const name of gone.splice(0, Math.max(0, gone.length - rememberedGone)))
        if (!next.byName.has(name)) conditions.delete(name);
      listing = Promise.all([
        listing,
        ...found.filter(isListable).map(({ backend }) => next.catalogue.refresh(backend.name)),
      ]).then(() => []);
    },
    relay: (request) => relay(request),
    cache,
    router,
    ledger,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      probes.stop();
      await redactions[Symbol.asyncDispose]();
      await listing;
    },
  };
}

/** Backends that went whose breakers and figures are kept. */
const rememberedGone = 256;

/** ms for which lists of models are believed. */
const listAgainMs = 60_000;

const describing: EmbeddingRequest = {
  model: null,
  inputs: [],
  truncate: false,
  signal: new AbortController().signal,
};
