/**
 * Carries out a plan: asks the backends, and writes the receipt's route, the ledger and the conversation's place.
 *
 * @module gateway/steps/answer
 */
import { InputError, totalOf } from '../../base/index.ts';
import type { GatewayOptions } from '../options.ts';
import type { Candidate, Policy } from '../policy/index.ts';
import {
  type Answering as Asked,
  type AskOptions,
  type AttemptRecord,
  type Failover,
  limitsFor,
  type TimeLimits,
} from '../resilience/index.ts';
import type {
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingAnswer,
  EmbeddingRequest,
  RankingAnswer,
  RankingRequest,
  Receipt,
} from '../types.ts';
import { alone, aloneWhole } from './alone.ts';
import { cappedCandidates } from './cap.ts';
import { type FormCheck, formCheck } from './form.ts';
import { forwardHeaders, holding, telling } from './forward.ts';
import type { Plan } from './plan.ts';
import type { Redaction, Redactions } from './redaction.ts';
import { type Counts, failedWith, routeReport, spent } from './report.ts';

export interface AnswerParts {
  readonly options: GatewayOptions;
  readonly policy: Policy;
  readonly failover: Failover;
  readonly redactions: Redactions;
}

export interface Answers {
  chat(plan: Plan, request: ChatRequest): AsyncGenerator<ChatEvent>;
  complete(plan: Plan, request: CompletionRequest): AsyncGenerator<ChatEvent>;
  embed(plan: Plan, request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  /** By the first of the plan: only this machine ranks. @throws InputError `wrong_model_task` */
  rank(plan: Plan, request: RankingRequest): Promise<RankingAnswer>;
  /** Counted on this machine where one of its models is among the plan's, else by the first of them. */
  countTokens(plan: Plan, request: ChatRequest): Promise<number>;
}

export function createAnswers({ options, policy, failover, redactions }: AnswerParts): Answers {
  const { clock, ledger = null } = options;

  function record(
    plan: Plan,
    backend: string,
    usage: Counts,
    cost: number | null,
    outcome: 'answered' | 'failed' | 'left',
  ): void {
    const { tenant, agent } = plan.wishes;
    // As it is called here: some servers call it otherwise in their answers, and budgets name it by this.
    const model = plan.candidates.find((one) => one.backend.name === backend)?.model ?? 'unknown';
    const { promptTokens, cachedTokens, completionTokens } = usage;
    ledger?.record({
      tenant,
      agent,
      backend,
      model,
      promptTokens,
      cachedTokens,
      completionTokens,
      cost,
      outcome,
    });
  }

  /** The routes of a plan, with personal data hidden on the way where it has to be. */
  function routesOf(
    plan: Plan,
    signal: AbortSignal,
    choices: number,
  ): { routes: readonly Candidate[]; redaction: Redaction | null } {
    const { wishes, needs } = plan;
    const told = (one: Candidate): Candidate => {
      const provider = plan.providerOf(one.backend.name);
      const backend =
        provider.peer === undefined
          ? telling(one.backend, forwardHeaders(wishes, provider))
          : holding(one.backend, wishes.peers);
      return { ...one, backend };
    };
    const patient = plan.candidates.map((one) =>
      plan.providerOf(one.backend.name).step === 'local' ? { ...one, limits: localLimits(needs) } : told(one),
    );
    const candidates = cappedCandidates(plan, patient, choices);
    if (!candidates.some(({ backend }) => plan.redacts(backend.name)))
      return { routes: candidates, redaction: null };
    const redaction = redactions.open(wishes.privacy, signal);
    const routes = candidates.map((one) =>
      plan.redacts(one.backend.name) ? { ...one, backend: redaction.over(one.backend) } : one,
    );
    return { routes, redaction };
  }

  function answered(plan: Plan, backend: string): void {
    const { conversation } = plan.wishes;
    if (conversation === null) return;
    const candidate = plan.candidates.find((one) => one.backend.name === backend);
    if (candidate !== undefined) policy.remember(conversation, candidate);
  }

  /**
   * The attempts whose answers do not count. Providers charge for them too: without a guess, leaving early or asking
   * three at once would be a way around budgets.
   */
  function recordRest(
    plan: Plan,
    attempts: readonly AttemptRecord[],
    counted: { readonly backend: string; readonly tokens: number | null } | null,
    characters: number,
    left: boolean,
  ): void {
    const unknown = { promptTokens: null, cachedTokens: null, completionTokens: null };
    const answer = attempts.findLast(
      ({ backend, outcome }) => outcome === 'answered' && backend === counted?.backend,
    );
    const last = counted === null ? attempts.findLast(({ outcome }) => outcome !== 'skipped') : undefined;
    for (const attempt of attempts) {
      const { backend, outcome, firstTokenMs } = attempt;
      const costs = firstTokenMs !== null || outcome === 'lost' || outcome === 'left';
      if (attempt === answer || outcome === 'skipped' || (!costs && attempt !== last)) continue;
      const completionTokens = firstTokenMs === null ? 0 : (counted?.tokens ?? characters / 4);
      const about = { ...unknown, promptTokens: plan.needs.promptTokens, completionTokens };
      const cost = costs ? spent(plan, backend, about) : null;
      const broke = outcome === 'failed' || outcome === 'cut' || outcome === 'stalled';
      record(plan, backend, unknown, cost, broke && !left ? 'failed' : 'left');
    }
  }

  async function* through(
    plan: Plan,
    signal: AbortSignal,
    redaction: Redaction | null,
    { answer, attempts }: Asked<AsyncIterable<ChatEvent>>,
    form: FormCheck | null = null,
  ): AsyncGenerator<ChatEvent> {
    /** The backend whose answer was counted, and its tokens. */
    let counted: { readonly backend: string; readonly tokens: number | null } | null = null;
    let characters = 0;
    try {
      for await (const event of answer) {
        if (event.type === 'text' || event.type === 'tool_arguments') characters += event.text.length;
        if (event.type === 'text') form?.take(event.choice, event.text);
        if (event.type === 'finish' && event.reason === 'length') form?.cut();
        if (event.type === 'start')
          yield {
            ...event,
            route: routeReport(plan, event.backend, attempts, redaction?.found() ?? null, null),
          };
        else if (event.type === 'usage') {
          const { receipt } = event;
          const backend = backendOf(plan, attempts, receipt);
          const cost = spent(plan, backend, event);
          counted = { backend, tokens: event.completionTokens };
          record(plan, backend, event, cost, 'answered');
          answered(plan, backend);
          const route = routeReport(plan, backend, attempts, redaction?.found() ?? null, cost);
          const note = plan.providerOf(backend).step === 'local' ? null : (form?.note() ?? null);
          const notes = [...receipt.notes, ...(note === null ? [] : [note]), ...plan.unmet.map(unmetNote)];
          yield { ...event, receipt: { ...receipt, notes, backend, route } };
        } else yield event;
      }
    } catch (error) {
      failedWith(error, attempts);
      throw error;
    } finally {
      options.onAttempts?.(attempts);
      recordRest(plan, attempts, counted, characters, signal.aborted);
    }
  }

  /** This machine's engine alone: it has its own queue, limits and supervision, and nothing to fall over to. */
  const isAlone = (plan: Plan): boolean =>
    plan.candidates.length === 1 && plan.providerOf(plan.candidates[0]!.backend.name).step === 'local';

  const howOf = ({ wishes }: Plan, whole: boolean): AskOptions => ({
    redundancy: wishes.redundancy,
    decide: wishes.decide,
    hedgeMs: wishes.hedgeMs,
    whole,
  });

  return {
    chat(plan, request) {
      const [only] = plan.candidates;
      if (isAlone(plan))
        return through(
          plan,
          request.signal,
          null,
          alone(clock, only!, () => only!.backend.chat({ ...request, model: only!.model })),
        );
      const { routes, redaction } = routesOf(plan, request.signal, request.n);
      const asked = failover.chat(request, routes, howOf(plan, request.whole ?? false));
      return through(plan, request.signal, redaction, asked, formCheck(request));
    },
    complete(plan, request) {
      const [only] = plan.candidates;
      if (isAlone(plan))
        return through(
          plan,
          request.signal,
          null,
          alone(clock, only!, () => only!.backend.complete({ ...request, model: only!.model })),
        );
      const { routes, redaction } = routesOf(plan, request.signal, request.n * request.prompts.length);
      const asked = failover.complete(request, routes, howOf(plan, request.whole ?? false));
      return through(plan, request.signal, redaction, asked);
    },
    async embed(plan, request) {
      const [only] = plan.candidates;
      const { routes, redaction } = routesOf(plan, request.signal, 1);
      const { redundancy, hedgeMs } = plan.wishes;
      const asked = isAlone(plan)
        ? aloneWhole(clock, only!, () => only!.backend.embed({ ...request, model: only!.model }))
        : failover.embed(request, routes, { redundancy, hedgeMs });
      const answer = await asked.answer.finally(() => options.onAttempts?.(asked.attempts));
      const backend = backendOf(plan, asked.attempts, answer.receipt);
      const tokens = totalOf(answer.tokens);
      const counts = { promptTokens: tokens, cachedTokens: 0, completionTokens: 0 };
      const cost = spent(plan, backend, counts);
      record(plan, backend, counts, cost, 'answered');
      const route = routeReport(plan, backend, asked.attempts, redaction?.found() ?? null, cost);
      const notes = [...answer.receipt.notes, ...plan.unmet.map(unmetNote)];
      return { ...answer, receipt: { ...answer.receipt, notes, backend, route } };
    },
    async rank(plan, request) {
      const { backend, model } = plan.candidates[0]!;
      const asked = aloneWhole(clock, plan.candidates[0]!, async () => {
        if (backend.rank === undefined)
          throw new InputError('wrong_model_task', `'${backend.name}' ranks nothing.`, { param: 'model' });
        return backend.rank({ ...request, model });
      });
      const answer = await asked.answer.finally(() => options.onAttempts?.(asked.attempts));
      const counts = { promptTokens: totalOf(answer.tokens), cachedTokens: 0, completionTokens: 0 };
      const cost = spent(plan, backend.name, counts);
      record(plan, backend.name, counts, cost, 'answered');
      const route = routeReport(plan, backend.name, asked.attempts, null, cost);
      return { ...answer, receipt: { ...answer.receipt, route } };
    },
    async countTokens(plan, request) {
      const { routes } = routesOf(plan, request.signal, 1);
      const isHere = ({ backend }: Candidate) => plan.providerOf(backend.name).step === 'local';
      const { backend, model } = routes.find(isHere) ?? routes[0]!;
      return backend.countTokens({ ...request, model });
    },
  };
}

/**
 * Another backend waits: when this machine's engine shows no sign of life it takes over, as for the largest models. A
 * slow whole answer is no such sign.
 */
function localLimits({ promptTokens }: Plan['needs']): TimeLimits {
  const patient = { parameters: Number.POSITIVE_INFINITY, ownMachine: true };
  const limits = limitsFor({ ...patient, promptTokens: promptTokens ?? 0 });
  return { ...limits, totalMs: localTotalMs };
}

const localTotalMs = 86_400_000;

const unmetNote = ({ candidate, why }: Plan['unmet'][number]): string =>
  `The peer '${candidate.backend.name}' was not asked: ${why}.`;

/** Which of the plan's backends answered: some call themselves otherwise in their own receipts. */
function backendOf(plan: Plan, attempts: readonly AttemptRecord[], receipt: Receipt): string {
  if (plan.candidates.some(({ backend }) => backend.name === receipt.backend)) return receipt.backend;
  return (
    attempts.findLast(({ outcome }) => outcome === 'answered')?.backend ?? plan.candidates[0]!.backend.name
  );
}
