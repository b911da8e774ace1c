/**
 * Figures of answers by model, backend, agent and route.
 *
 * @module server/metrics/answers
 */
import { Histogram, RecentHistogram } from '../../base/index.ts';
import {
  type AnswerFacts,
  type AnswerListener,
  type Outcome,
  outcomes,
  tokensPerSecond,
} from './answer-facts.ts';
import { BoundedRecords, boundedValues, codeLabel, none, other } from './labels.ts';
import { RecentCounts } from './recent-counts.ts';

export interface AnswerLabels {
  readonly model: string;
  readonly backend: string;
  readonly agent: string;
  readonly route: string;
}

/** What quantiles are kept of: everything since the start and the last minutes. */
export const measures = ['duration', 'firstToken', 'interToken', 'tokenRate', 'queueWait'] as const;
export type Measure = (typeof measures)[number];

/** Figures of the answers that have the same labels. Times are ms, rates tokens per second. */
export interface AnswerSet extends Readonly<Record<Measure, RecentHistogram>> {
  readonly labels: AnswerLabels;
  readonly outcomes: Record<Outcome, number>;
  /** Codes of answers that ended in an error within the window. */
  readonly errors: RecentCounts;
  readonly prefill: Histogram;
  readonly decode: Histogram;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  /** Answers of which the backend did not say all counts. */
  uncounted: number;
  /** In the unit of the owner's prices. */
  cost: number;
  /** Answers whose cost is not known. */
  unpriced: number;
}

type Named = Pick<AnswerFacts, 'model' | 'backend' | 'agent' | 'route'>;

const isLike = (one: Named, other: Named): boolean =>
  one.model === other.model &&
  one.backend === other.backend &&
  one.agent === other.agent &&
  one.route === other.route;

/** Different label sets; at 100 kB each when all are in use. */
const maxSets = 100;
const maxModels = 50;
const maxAgents = 50;
const maxRoutes = 50;
const maxBackends = 20;

export class AnswerFigures implements AnswerListener {
  readonly sets: BoundedRecords<AnswerSet>;
  readonly #windowMs: number;
  readonly #bounds = {
    model: boundedValues(maxModels),
    backend: boundedValues(maxBackends),
    agent: boundedValues(maxAgents),
    route: boundedValues(maxRoutes),
  };
  /** The answer that was looked up last, and its set: most answers, and all pieces of one, belong to the same. */
  #last: { readonly facts: Named; readonly set: AnswerSet } | null = null;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
    this.sets = new BoundedRecords(maxSets, () =>
      this.#make({ model: other, backend: other, agent: other, route: other }),
    );
  }

  gap(facts: AnswerFacts, ms: number, now: number): void {
    this.#setOf(facts).interToken.observe(ms, now);
  }

  ended(facts: AnswerFacts): void {
    const set = this.#setOf(facts);
    const now = facts.endedAt ?? facts.startedAt;
    const { outcome, promptTokens, cachedTokens, completionTokens } = facts;
    if (outcome !== null) set.outcomes[outcome]++;
    if (outcome !== null && outcome !== 'ok') set.errors.add(codeLabel(facts.code), now);
    if (outcome === 'ok') set.duration.observe(now - facts.startedAt, now);
    if (facts.firstAt !== null) set.firstToken.observe(facts.firstAt - facts.startedAt, now);
    const rate = tokensPerSecond(facts);
    if (rate !== null) set.tokenRate.observe(rate, now);
    if (facts.queueMs !== null) set.queueWait.observe(facts.queueMs, now);
    if (facts.prefillMs !== null) set.prefill.observe(facts.prefillMs);
    if (facts.decodeMs !== null) set.decode.observe(facts.decodeMs);
    set.promptTokens += promptTokens ?? 0;
    set.cachedTokens += cachedTokens ?? 0;
    set.completionTokens += completionTokens ?? 0;
    const uncounted =
      promptTokens === null ||
      (completionTokens === null && (facts.kind === 'chat' || facts.kind === 'completion'));
    if (outcome === 'ok' && uncounted) set.uncounted++;
    if (facts.cost !== null) set.cost += facts.cost;
    else if (outcome === 'ok') set.unpriced++;
  }

  #setOf(facts: AnswerFacts): AnswerSet {
    const last = this.#last;
    if (last !== null && isLike(last.facts, facts)) return last.set;
    const labels = {
      model: this.#bounds.model(facts.model ?? 'unknown'),
      backend: this.#bounds.backend(facts.backend ?? none),
      agent: this.#bounds.agent(facts.agent ?? none),
      route: this.#bounds.route(facts.route),
    };
    const key = `${labels.model}\n${labels.backend}\n${labels.agent}\n${labels.route}`;
    const set = this.sets.of(key, () => this.#make(labels));
    const { model, backend, agent, route } = facts;
    this.#last = { facts: { model, backend, agent, route }, set };
    return set;
  }

  #make(labels: AnswerLabels): AnswerSet {
    const recent = () => new RecentHistogram(this.#windowMs);
    return {
      labels,
      outcomes: Object.fromEntries(outcomes.map((name) => [name, 0])) as Record<Outcome, number>,
      errors: new RecentCounts(this.#windowMs),
      duration: recent(),
      firstToken: recent(),
      interToken: recent(),
      tokenRate: recent(),
      queueWait: recent(),
      prefill: new Histogram(),
      decode: new Histogram(),
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      uncounted: 0,
      cost: 0,
      unpriced: 0,
    };
  }
}

/** Answers grouped by one label; `all` puts every answer into one group, named `all`. */
export const groupings = ['all', 'model', 'agent', 'backend', 'route'] as const;
export type Grouping = (typeof groupings)[number];

export interface Group {
  readonly by: Grouping;
  readonly name: string;
  readonly sets: readonly AnswerSet[];
}

export function groupsOf(sets: Iterable<AnswerSet>, by: Grouping): Group[] {
  const groups = new Map<string, AnswerSet[]>();
  for (const set of sets) {
    const name = by === 'all' ? 'all' : set.labels[by];
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [set]);
    else group.push(set);
  }
  return [...groups].map(([name, members]) => ({ by, name, sets: members }));
}

/** One histogram of what the group's answers measured: within the window, or since the start (`now` null). */
export function merged(group: Group, measure: Measure, now: number | null): Histogram {
  const sum = new Histogram();
  for (const set of group.sets) {
    if (now === null) sum.add(set[measure].total);
    else set[measure].addRecent(sum, now);
  }
  return sum;
}
