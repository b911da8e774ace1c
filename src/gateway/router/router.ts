/**
 * The router: choices by score, learning from outcomes, versions of what was learnt.
 *
 * @module gateway/router/router
 */
import {
  AbortedError,
  type Clock,
  createIds,
  InputError,
  messageOf,
  type Random,
  throwIfAborted,
} from '../../base/index.ts';
import { type Agents, createAgents, DEFAULT_AGENT } from './agents.ts';
import { extractFeatures } from './features.ts';
import { createKnowledge, type Knowledge } from './knowledge.ts';
import type { Judgement } from './refit.ts';
import { openRouterStore, type Version } from './store.ts';
import { onlySide, type ThresholdSettings } from './threshold.ts';
import type { Embedder, Features, Outcome, RouterPrompt, Side } from './types.ts';

export interface CreateRouterOptions {
  /** File of the database; made when it is not there. `:memory:` keeps nothing. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Null: words and shape alone decide. @default null */
  readonly embedder?: Embedder | null;
  /** Of agents that have none of their own. @default target 0.3 within 0 to 1 */
  readonly threshold?: Partial<ThresholdSettings>;
  /**
   * Share of choices by lot, whatever the score: the only ones whose outcome can judge the router when just one side
   * answers. They keep to the target as well. @default 0.02
   */
  readonly explore?: number;
}

export interface DecideOptions {
  /** @default 'default' */
  readonly agent?: string;
  /** Overrules the score. Forced choices do not move the threshold. */
  readonly force?: Side | null;
  readonly signal?: AbortSignal;
}

export interface Decision {
  /** For `learn`. Known until 1,000 more decisions were made. */
  readonly id: string;
  readonly side: Side;
  /**
   * `score`: the score is above the threshold, or is not. `lot`: drawn with the target as the chance, since no weights
   * have passed the evaluation yet or to explore. `forced`: the caller said so.
   */
  readonly by: 'score' | 'lot' | 'forced';
  readonly agent: string;
  /** 0 to 1, share of the newest prompts for which the frontier model would do less; null where nothing was scored. */
  readonly score: number | null;
  readonly threshold: number;
  readonly target: number;
  /** P(frontier right) - P(local right) by head. */
  readonly gains: {
    readonly text: number | null;
    readonly vector: number | null;
    readonly neighbours: number | null;
  } | null;
  /** Version of the weights. */
  readonly version: number | null;
  /** Why there was no vector although there is an embedder; null when all went well. */
  readonly degraded: string | null;
}

/** What a decision would go by, as it stands now. */
export interface Weighing {
  /** Null where it would be drawn by lot. Some of the others are drawn too, to learn from (`explore`). */
  readonly side: Side | null;
  readonly by: Decision['by'];
  readonly score: number | null;
  readonly threshold: number;
  readonly target: number;
}

export interface RouterStatus {
  readonly version: number | null;
  readonly labels: number;
  readonly neighbours: number;
  /** Decisions whose outcome could still be told. */
  readonly pending: number;
  readonly embedder: string | null;
}

export interface Router extends Disposable {
  decide(prompt: RouterPrompt, options?: DecideOptions): Promise<Decision>;
  /** Decides nothing: no threshold moves and nothing is remembered. */
  weigh(prompt: RouterPrompt, options?: DecideOptions): Promise<Weighing>;
  /** Where a decision went; null when it is not known any more. */
  sideOf(decision: string): Side | null;
  /** Learns the outcome of a decision, once. False when the decision is not known any more. */
  learn(decision: string, outcome: Outcome): boolean;
  /** Learns a prompt that was not decided here, for example one that both sides were asked in the background. */
  learnPrompt(prompt: RouterPrompt, outcome: Outcome, signal?: AbortSignal): Promise<void>;
  /**
   * Learns all weights anew and uses them if they prove better (see `Judgement`). Takes seconds of computing in turns of
   * a few ms; requests are decided meanwhile.
   *
   * @throws KithError `router_busy` (409) while another one, or a roll-back, is under way
   */
  refit(signal?: AbortSignal): Promise<Judgement & { readonly version: number | null }>;
  /** Kept versions, oldest first: the one in use and three others. */
  versions(): Version[];
  /**
   * Uses a kept version again, exactly as it was promoted: what was learnt since does not count any more.
   *
   * @returns exact: false when so many labels came since that some of the version's neighbours are gone
   * @throws InputError `version_not_found`; KithError `router_busy`
   */
  rollBack(version: number, signal?: AbortSignal): Promise<{ readonly exact: boolean }>;
  readonly agents: Agents;
  status(): RouterStatus;
  close(): void;
}

const MAX_PENDING = 1000;

interface Pending {
  readonly side: Side;
  readonly features: Features;
  readonly chance: number | null;
}

/** @throws KithError when the database cannot be opened; InputError for settings that make no sense */
export function createRouter(options: CreateRouterOptions): Router {
  const { clock, random, embedder = null, explore = 0.02 } = options;
  if (!(explore >= 0 && explore <= 1))
    throw new InputError('explore_invalid', `explore is ${explore}; it must be a number from 0 to 1.`, {
      param: 'explore',
    });
  const store = openRouterStore(options.path);
  try {
    const agents = createAgents(store, clock, { target: 0.3, min: 0, max: 1, ...options.threshold });
    const knowledge = createKnowledge(store, clock, random, embedder);
    return routerOn({ clock, random, embedder, explore, agents, knowledge, store });
  } catch (error) {
    store.close();
    throw error;
  }
}

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly embedder: Embedder | null;
  readonly explore: number;
  readonly agents: ReturnType<typeof createAgents>;
  readonly knowledge: Knowledge;
  readonly store: ReturnType<typeof openRouterStore>;
}

function routerOn({ clock, random, embedder, explore, agents, knowledge, store }: Parts): Router {
  const ids = createIds(clock, random);
  const pending = new Map<string, Pending>();

  async function featuresOf(
    prompt: RouterPrompt,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly features: Features; readonly degraded: string | null }> {
    if (embedder === null) return { features: extractFeatures(prompt), degraded: null };
    let vector: Float32Array | null = null;
    let degraded: string | null = null;
    try {
      vector = await embedder.embed(prompt.text, signal);
      if (vector.length !== embedder.dimension) {
        degraded = `The embedder ${embedder.id} gave ${vector.length} numbers instead of ${embedder.dimension}.`;
        vector = null;
      }
    } catch (error) {
      if (signal?.aborted === true || error instanceof AbortedError) throw error;
      // A choice by words alone is better than none.
      degraded = messageOf(error);
    }
    throwIfAborted(signal);
    return { features: extractFeatures(prompt, vector), degraded };
  }

  function remember(side: Side, features: Features, chance: number | null): string {
    const id = ids.next('route');
    if (pending.size >= MAX_PENDING) pending.delete(pending.keys().next().value!);
    pending.set(id, { side, features, chance });
    return id;
  }

  async function decide(prompt: RouterPrompt, options: DecideOptions = {}): Promise<Decision> {
    const { agent = DEFAULT_AGENT, force = null, signal } = options;
    throwIfAborted(signal);
    if (force !== null) {
      const { threshold, target } = agents.get(agent);
      // No vector: whoever forces a side shall not wait for the embedder.
      const id = remember(force, extractFeatures(prompt), null);
      const { version } = knowledge;
      return {
        id,
        side: force,
        by: 'forced',
        agent,
        score: null,
        threshold,
        target,
        gains: null,
        version,
        degraded: null,
      };
    }
    const { features, degraded } = await featuresOf(prompt, signal);
    const settings = agents.get(agent);
    const { threshold, target } = settings;
    const { version } = knowledge;
    const scored = version === null ? null : knowledge.ensemble.score(features);
    if (scored !== null) knowledge.ensemble.observe(scored);
    const byLot = scored === null || random.float() < explore;
    const above = byLot ? random.float() < target : scored.score > threshold;
    const only = onlySide(settings);
    const frontier = only === null ? above : only === 'frontier';
    agents.track(agent, frontier);
    const side = frontier ? 'frontier' : 'local';
    return {
      id: remember(side, features, byLot ? (only !== null ? 1 : frontier ? target : 1 - target) : null),
      side,
      by: byLot ? 'lot' : 'score',
      agent,
      score: scored?.score ?? null,
      threshold,
      target,
      gains: scored?.gains ?? null,
      version,
      degraded,
    };
  }

  async function weigh(prompt: RouterPrompt, options: DecideOptions = {}): Promise<Weighing> {
    const { agent = DEFAULT_AGENT, force = null, signal } = options;
    const settings = agents.get(agent);
    const { threshold, target } = settings;
    if (force !== null) return { side: force, by: 'forced', score: null, threshold, target };
    const { features } = await featuresOf(prompt, signal);
    const score = knowledge.version === null ? null : (knowledge.ensemble.score(features)?.score ?? null);
    const end = onlySide(settings);
    if (score === null) return { side: end, by: 'lot', score, threshold, target };
    return { side: end ?? (score > threshold ? 'frontier' : 'local'), by: 'score', score, threshold, target };
  }

  return {
    decide,
    weigh,
    sideOf: (decision) => pending.get(decision)?.side ?? null,
    learn(decision, outcome) {
      checkOutcome(outcome);
      const known = pending.get(decision);
      if (known === undefined) return false;
      pending.delete(decision);
      knowledge.learn({ features: known.features, outcome }, known.chance);
      return true;
    },
    async learnPrompt(prompt, outcome, signal) {
      checkOutcome(outcome);
      const { features } = await featuresOf(prompt, signal);
      knowledge.learn({ features, outcome }, null);
    },
    async refit(signal) {
      const judgement = await knowledge.refit(signal);
      return { ...judgement, version: knowledge.version };
    },
    versions: () => store.versions(),
    rollBack: (version, signal) => knowledge.rollBack(version, signal),
    agents,
    status: () => ({
      version: knowledge.version,
      labels: store.newestLabel() === 0 ? 0 : store.newestLabel() - store.oldestLabel() + 1,
      neighbours: knowledge.ensemble.parts.neighbours?.size ?? 0,
      pending: pending.size,
      embedder: embedder?.id ?? null,
    }),
    close,
    [Symbol.dispose]: close,
  };

  function close(): void {
    if (!store.isOpen) return;
    agents.flush();
    knowledge.close();
    store.close();
  }
}

function checkOutcome({ local, frontier }: Outcome): void {
  for (const [side, value] of Object.entries({ local, frontier })) {
    if (value === null || (value >= 0 && value <= 1)) continue;
    throw new InputError(
      'outcome_invalid',
      `The outcome of ${side} is ${value}; it must be a number from 0 (wrong) to 1 (right), or null.`,
      { param: side },
    );
  }
  if (local === null && frontier === null)
    throw new InputError('outcome_invalid', 'The outcome of at least one side must be known.');
}
