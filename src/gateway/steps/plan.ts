/**
 * From a request to the backends that may answer it, in the order in which to ask them.
 *
 * @module gateway/steps/plan
 */
import { InputError, isKithError, KithError, messageOf } from '../../base/index.ts';
import type { GatewayOptions, GatewayProvider } from '../options.ts';
import { type Candidate, type Catalogue, isAlias, type Needs, type Policy } from '../policy/index.ts';
import { demandsOf, mayGoTo, type Permission } from '../privacy/index.ts';
import type { Decision, Weighing } from '../router/index.ts';
import type { ComplexityNote } from '../types.ts';
import { type Explained, inSides, sideExplanation } from './explain.ts';
import { notFound, unheardOf } from './not-found.ts';
import { isOpen, type Question } from './question.ts';
import type { Settle, Wishes } from './wishes.ts';

/** A decision, with what it was decided by. */
export interface Plan {
  readonly wishes: Wishes;
  readonly needs: Needs;
  /** Those that may answer, best first. */
  readonly candidates: readonly Candidate[];
  /** Peers that have the model and do not meet what is asked of peers. */
  readonly unmet: readonly { readonly candidate: Candidate; readonly why: string }[];
  readonly complexity: ComplexityNote | null;
  providerOf(backend: string): GatewayProvider;
  /** True when personal data is replaced before the request goes there. */
  redacts(backend: string): boolean;
}

export interface Planner {
  settle: Settle;
  /** @throws KithError when nobody may answer, see `Policy.decide`; InputError `model_not_found` (404) */
  plan(question: Question, wishes: Wishes): Promise<Plan>;
  /** What `plan` would come to, with the reasons. Decides nothing. */
  explain(question: Question, wishes: Wishes): Promise<Explained>;
  /** Everybody that has the model, and the needs to judge them by. */
  lookUp(
    question: Question,
    wishes: Wishes,
    free?: boolean,
  ): Promise<{ candidates: readonly Candidate[]; needs: Needs }>;
  /** A plan among candidates that are known, where there is no side to choose. Throws as `plan` does. */
  planAmong(candidates: readonly Candidate[], wishes: Wishes, needs: Question['needs'], free?: boolean): Plan;
  /** True when personal data of the request is replaced before it goes there. */
  redacts(wishes: Wishes, backend: string): boolean;
}

export interface PlannerParts {
  readonly options: GatewayOptions;
  readonly settle: Settle;
  readonly catalogue: Catalogue;
  readonly policy: Policy;
  /** Names of all models, for a near miss. */
  readonly names: () => Promise<readonly string[]>;
}

/** ms that a backend gets to say whether it has a model that nobody listed. */
const hasWithinMs = 2000;

export function createPlanner({ options, settle, catalogue, policy, names }: PlannerParts): Planner {
  const providers = new Map(options.providers.map((provider) => [provider.backend.name, provider]));
  const router = options.router ?? null;
  const requiredTier = options.policy?.requiredTier ?? 'trusted';
  const providerOf = (backend: string) => providers.get(backend)!;
  const permission = (level: Wishes['privacy'], backend: string): Permission =>
    mayGoTo(level, providerOf(backend).destination, { requiredTier });
  const hasPeers = options.providers.some(({ peer }) => peer !== undefined);
  /** Why the request may not go to the peer; null when it may, undefined when the backend is none. */
  const unmet = ({ peers }: Wishes, backend: string): string | null | undefined => {
    const { peer } = providerOf(backend);
    if (peer === undefined) return undefined;
    // The owner may ask something of it that no request does.
    const meeting = peer.meets(peers ?? {});
    return meeting.ok ? null : meeting.reasons.join(', ');
  };

  /** The engine, or another server on this machine. */
  const isHere = ({ backend }: Candidate) => providerOf(backend.name).destination.kind === 'this_machine';

  /** Without the models that were removed from this machine since it was listed. */
  async function present(
    candidates: readonly Candidate[],
    name: string | null,
    task: Question['task'],
  ): Promise<readonly Candidate[]> {
    const here = candidates.find(
      ({ backend, model }) => model === name && providerOf(backend.name).step === 'local',
    );
    if (here === undefined || (await here.backend.has(here.model))) return candidates;
    await catalogue.refresh(here.backend.name);
    return catalogue.candidates(name, task);
  }

  /** Candidates for a name; one that nobody listed is asked for, since models come and go. */
  async function find(
    model: string | null,
    { task, signal }: Question,
    wishes: Wishes,
  ): Promise<readonly Candidate[]> {
    const known = await present(catalogue.candidates(model, task), model, task);
    if (known.length > 0 || model === null || model === 'default') return known;
    const allowed = options.providers.filter(
      ({ backend }) => permission(wishes.privacy, backend.name).allowed && !unmet(wishes, backend.name),
    );
    /** Peers of whom nothing is known yet, and why. */
    const unheard: string[] = [];
    const have = await Promise.all(
      allowed.map(async ({ backend, peer }) => {
        const unsure = (why: string): false => {
          if (peer !== undefined && catalogue.listed(backend.name).length === 0)
            unheard.push(`'${backend.name}': ${why}`);
          return false;
        };
        let late: NodeJS.Timeout | undefined;
        const wait = new Promise<false>((resolve) => {
          late = setTimeout(() => resolve(unsure('it has not said yet which models it has')), hasWithinMs);
          late.unref();
        });
        const asked = backend.has(model).catch((error: unknown) => unsure(messageOf(error)));
        return Promise.race([asked, wait]).finally(() => clearTimeout(late));
      }),
    );
    signal.throwIfAborted();
    const found = allowed.filter((_, index) => have[index]).map(({ backend }) => backend.name);
    await Promise.all(found.map((name) => catalogue.refresh(name)));
    const candidates = catalogue.candidates(model, task);
    if (candidates.length === 0) {
      mayBeAtOthers(model, wishes);
      const looking = options.looking?.() ?? null;
      if (looking !== null) unheard.push(looking);
      if (unheard.length > 0) throw unheardOf(model, unheard);
    }
    return candidates;
  }

  /** Throws when the model could be where the request may not go, and nobody ever said what is there. */
  function mayBeAtOthers(model: string, wishes: Wishes): void {
    const kept = options.providers.flatMap(({ backend: { name } }) => {
      const answer = permission(wishes.privacy, name);
      const why = answer.allowed ? unmet(wishes, name) : answer.reason;
      return !why || catalogue.listed(name).length > 0
        ? []
        : [{ why: `'${name}': ${why}`, privacy: !answer.allowed }];
    });
    if (kept.length === 0) return;
    const reasons = kept.map(({ why }) => why);
    throw new KithError(
      kept.some((one) => one.privacy) ? 'privacy_unmet' : 'peer_unmet',
      `No backend may answer this request: those that it may go to do not have the model '${model.slice(0, 100)}', and the others are not even asked for it. ${reasons.slice(0, 8).join('; ')}.`,
      { status: 403, param: 'model' },
    );
  }

  /** `free`: looking is no answer, and no spent budget keeps from it. */
  function needsOf(needs: Question['needs'], wishes: Wishes, free = false): Needs {
    const { tenant, agent, maxCost } = wishes;
    const { ledger = null } = options;
    const allowance = free ? null : (ledger?.allowance({ tenant, agent }) ?? null);
    return {
      ...needs,
      regions: wishes.regions,
      budget: allowance === null || maxCost === null ? (allowance ?? maxCost) : Math.min(allowance, maxCost),
      privacy({ backend }) {
        const answer = permission(wishes.privacy, backend.name);
        return answer.allowed ? null : answer.reason;
      },
      ...(hasPeers && { peer: ({ backend }: Candidate) => unmet(wishes, backend.name) }),
      left: ({ backend, model }) => ledger?.left({ tenant, agent, backend: backend.name, model }) ?? null,
      spent: ({ backend, model }) => ledger?.spent({ tenant, agent, backend: backend.name, model }) ?? null,
      conversation: wishes.conversation,
    };
  }

  async function lookUp(question: Question, wishes: Wishes, free = false) {
    const model = isOpen(question.model) ? (wishes.model ?? null) : question.model;
    let candidates = await find(model, question, wishes);
    if (isOpen(model) && question.task === 'chat' && (wishes.route === 'frontier' || router !== null))
      candidates = withFrontier(candidates);
    if (candidates.length === 0) throw await notFound(model, question.task, names);
    // Vectors of different models cannot be compared: one model answers for a name, as the owner ordered them.
    if (question.task === 'embedding') {
      const { model: one } = candidates[0]!;
      candidates = candidates.filter((candidate) => candidate.model === one);
    }
    if (wishes.route === 'local') {
      const here = candidates.filter(isHere);
      // An alias that is one of other machines' models only still means the best that there is here.
      const standIn = here.length === 0 && model !== null && isAlias(model);
      candidates = standIn ? catalogue.candidates(null, question.task).filter(isHere) : here;
      if (candidates.length === 0)
        throw new InputError(
          'model_not_local',
          `The model '${(model ?? 'default').slice(0, 100)}' is not on this machine, and the request may not leave it: ${whoKeepsHere(wishes)}.`,
          { status: 404, param: 'model' },
        );
    }
    // This machine's engine counts its tokens itself: an estimate is for the choice between several.
    const exact = candidates.every(({ backend }) => providerOf(backend.name).step === 'local');
    const needs = exact ? { ...question.needs, promptTokens: null } : question.needs;
    return { candidates, needs: needsOf(needs, wishes, free) };
  }

  /** Who asked for `local`: what stands in the configuration would hold without the request's word, too. */
  function whoKeepsHere({ agent }: Wishes): string {
    const { agents = {}, policy: owner = {} } = options;
    const own = agent !== null && Object.hasOwn(agents, agent) ? agents[agent]!.route : undefined;
    if (own === 'local') return `this node is configured with \`route: local\` for the agent '${agent}'`;
    if (own === undefined && owner.route === 'local') return 'its owner set `gateway.route: local`';
    return 'it says so (x-kith-route: local)';
  }

  /** The defaults, and what the owner calls `quality` elsewhere. */
  function withFrontier(defaults: readonly Candidate[]): readonly Candidate[] {
    const better = catalogue.candidates('quality', 'chat').filter((candidate) => !isHere(candidate));
    const named = new Set(better.map(({ backend }) => backend.name));
    return [...defaults.filter(({ backend }) => !named.has(backend.name)), ...better];
  }

  /** What the router decides it remembers, to learn from it: not at a level that forbids learning. */
  const routerFor = ({ privacy }: Wishes) => (demandsOf(privacy).learning ? router : null);

  /** The two sides of the choice between them; null where there is no such choice. */
  function sidesOf(question: Question, wishes: Wishes, candidates: readonly Candidate[]) {
    const { prompt, signal } = question;
    const choosing = isOpen(question.model) && wishes.model === null && prompt !== null;
    if (!choosing || (routerFor(wishes) === null && wishes.route !== 'frontier')) return null;
    const local = candidates.filter(isHere);
    const frontier = candidates.filter((candidate) => !isHere(candidate));
    if (local.length === 0 || frontier.length === 0) return null;
    const place = wishes.conversation === null ? null : policy.stickiness.of(wishes.conversation);
    const sticks = place !== null && frontier.some(({ backend }) => backend.name === place.backend);
    const force = wishes.route === 'frontier' || sticks ? ('frontier' as const) : null;
    const agent = wishes.agent === null ? {} : { agent: wishes.agent };
    return { local, frontier, prompt, how: { ...agent, force, signal } };
  }

  function redacts(wishes: Wishes, backend: string): boolean {
    const answer = permission(wishes.privacy, backend);
    return answer.allowed && answer.redact;
  }

  const planOf = (
    wishes: Wishes,
    needs: Needs,
    candidates: readonly Candidate[],
    /** Those that were to be judged. */
    among: readonly Candidate[],
    complexity: ComplexityNote | null = null,
  ): Plan => ({
    wishes,
    needs,
    candidates,
    unmet: !hasPeers
      ? []
      : among.flatMap((candidate) => {
          const why = unmet(wishes, candidate.backend.name);
          return why ? [{ candidate, why }] : [];
        }),
    complexity,
    providerOf,
    redacts: (backend) => redacts(wishes, backend),
  });

  return {
    settle,
    lookUp,
    redacts,
    planAmong(candidates, wishes, asked, free = false) {
      const needs = needsOf(asked, wishes, free);
      return planOf(wishes, needs, policy.decide(candidates, needs), candidates);
    },
    async plan(question, wishes) {
      const { candidates, needs } = await lookUp(question, wishes);
      const sides = sidesOf(question, wishes, candidates);
      if (sides === null) return planOf(wishes, needs, policy.decide(candidates, needs), candidates);
      const { local, frontier } = sides;
      const decision = (await routerFor(wishes)?.decide(sides.prompt, sides.how)) ?? null;
      const [first, second] = decision?.side === 'local' ? [local, frontier] : [frontier, local];
      const ordered = inTurn(first, second, (some) => policy.decide(some, needs));
      return planOf(wishes, needs, ordered, candidates, decision === null ? null : noteOf(decision));
    },
    async explain(question, wishes) {
      const { candidates, needs } = await lookUp(question, wishes, true);
      const told = policy.explain(candidates, needs);
      const sides = sidesOf(question, wishes, candidates);
      if (sides === null) return { ...told, complexity: null };
      const weighing = await (routerFor(wishes)?.weigh(sides.prompt, sides.how) ?? wishedFor);
      const isLocal = (backend: string) => providerOf(backend).destination.kind === 'this_machine';
      return inSides(told, sideExplanation(weighing), isLocal);
    },
  };
}

/** Without a router the frontier side comes first where the request wishes so. */
const wishedFor: Weighing = { side: 'frontier', by: 'forced', score: null, threshold: 1, target: 1 };

function noteOf({ id, side, by, score, threshold }: Decision): ComplexityNote {
  return { side, by, score, threshold, decision: id };
}

/** Those of the first side and then those of the second; the error is the first side's when neither may. */
function inTurn(
  first: readonly Candidate[],
  second: readonly Candidate[],
  decide: (some: readonly Candidate[]) => Candidate[],
): Candidate[] {
  const some = (candidates: readonly Candidate[]) => {
    try {
      return { candidates: decide(candidates), error: null };
    } catch (error) {
      if (!isKithError(error)) throw error;
      return { candidates: [], error };
    }
  };
  const one = some(first);
  const two = some(second);
  if (one.candidates.length + two.candidates.length === 0) throw one.error;
  return [...one.candidates, ...two.candidates];
}
