/**
 * A question asked in several ways: a passage that might answer it (HyDE, Gao et al., ACL 2023), other wordings, and the best of all
 * put in order by a model. Each has its time, and is left out when that is over: then the result is as if it had not been asked for.
 *
 * @module knowledge/retrieve/expand
 */
import type { Clock } from '../../base/index.ts';
import type { WriterFacts } from '../types.ts';
import { type Within, withinBudget } from './budget.ts';
import { fuseFound } from './fuse-found.ts';
import type { Found, Hit, Retriever, SearchOptions } from './types.ts';

/** Is told who was asked, as soon as that is known. */
export type Told = (facts: WriterFacts) => void;

/** Other ways to ask. */
export interface Expander {
  /** `hyde`, `multi-query`: what the result says was done. */
  readonly name: string;
  /** A passage is looked up by its meaning: its words are guesses. Wordings as the question is. */
  readonly by: 'vectors' | 'both';
  expand(question: string, signal: AbortSignal, told: Told): Promise<readonly string[]>;
}

/** Puts hits in a better order. */
export interface Ranker {
  /** `listwise`, `cross-encoder`. */
  readonly name: string;
  /** Where that is known beforehand. */
  readonly model?: string;
  /** Indices of the hits, best first. Those it does not name follow in their order. */
  rank(question: string, hits: readonly Hit[], signal: AbortSignal, told: Told): Promise<readonly number[]>;
}

export interface SearchStep {
  readonly name: string;
  /** `skipped`: the result is as if it had not been asked for. */
  readonly status: 'used' | 'skipped';
  /**
   * Null when it was used. `late`: its time was over; `failed`; `unreadable`: what came was of no use; `useless`: it can change
   * nothing in this search; `nobody`: no model for it is here.
   */
  readonly code: 'late' | 'failed' | 'unreadable' | 'useless' | 'nobody' | null;
  /** The same for people. */
  readonly reason: string | null;
  readonly ms: number;
  /** Null: none was asked, or it is not known. */
  readonly model: string | null;
  /** Who was sent the question (and to be put in order, passages), and where that is; null where no writer was asked. */
  readonly writer: WriterFacts | null;
}

export interface ExpandedFound extends Found {
  readonly steps: readonly SearchStep[];
}

export interface ExpandedOptions {
  readonly retriever: Pick<Retriever, 'search'>;
  readonly clock: Clock;
  readonly expanders?: readonly Expander[];
  readonly ranker?: Ranker | null;
  /** ms for all expanders, which work at the same time. @default 2000 */
  readonly expandMs?: number;
  /** ms for the ranker. @default 2000 */
  readonly rankMs?: number;
  /** Hits that the ranker is shown. @default 10 */
  readonly ranked?: number;
}

export interface ExpandedSearch {
  search(question: string, options?: SearchOptions): Promise<ExpandedFound>;
}

const MOST_EXPANSIONS = 6;
/** Hits of each way that are fused, for each one wanted. */
const DEEPER = 4;
const MOST_HITS = 1000;

export function createExpandedSearch({
  retriever,
  clock,
  expanders = [],
  ranker = null,
  expandMs = 2000,
  rankMs = 2000,
  ranked = 10,
}: ExpandedOptions): ExpandedSearch {
  const names = [...expanders, ...(ranker === null ? [] : [ranker])].map(({ name }) => name);

  /** Each expander's searches count as its own time, and as its own failures. */
  async function expanded(expander: Expander, question: string, options: SearchOptions) {
    const { name, by } = expander;
    if (by === 'vectors' && options.by === 'words')
      return { ways: [], step: skipped(name, 'useless', 'the search is by words alone') };
    let writer: WriterFacts | null = null;
    const result = await withinBudget(
      { budgetMs: expandMs, clock, signal: options.signal },
      async (within) => {
        const texts = await expander.expand(question, within, (facts) => {
          writer = facts;
        });
        const ways: Found[] = [];
        for (const text of texts.slice(0, MOST_EXPANSIONS))
          ways.push(await retriever.search(text, { ...options, by: wayOf(by, options.by), signal: within }));
        return ways;
      },
    );
    const ways = 'value' in result ? result.value : [];
    const lost = by === 'vectors' ? ways.find(({ degraded }) => degraded !== null) : undefined;
    if (lost !== undefined)
      return {
        ways: [],
        step: stepOf(name, result, writer, ['useless', lost.degraded!.message]),
      };
    const empty = ways.length === 0 ? (['unreadable', 'nothing usable came'] as const) : null;
    return { ways, step: stepOf(name, result, writer, empty) };
  }

  /** Null: the order stays. */
  async function inOrder(by: Ranker, question: string, options: SearchOptions, known: readonly Hit[] | null) {
    let writer: WriterFacts | null = null;
    const result = await withinBudget({ budgetMs: rankMs, clock, signal: options.signal }, async (within) => {
      const { limit = 10 } = options;
      const hits =
        known ??
        (await retriever.search(question, { ...options, limit: Math.max(limit, ranked), signal: within }))
          .hits;
      const shown = hits.slice(0, ranked);
      if (shown.length < 2) return null;
      const order = await by.rank(question, shown, within, (facts) => {
        writer = facts;
      });
      return { hits, shown, order: validOrder(order, shown.length) };
    });
    const value = 'value' in result ? result.value : undefined;
    if (value === null)
      return {
        hits: null,
        step: stepOf(by.name, result, writer, ['useless', 'there is nothing to put in order']),
      };
    const unread = value?.order.length === 0 ? (['unreadable', 'no order came'] as const) : null;
    const step = { ...stepOf(by.name, result, writer, unread) };
    const hits = step.code === null && value !== undefined ? reordered(value) : null;
    return { hits, step: { ...step, model: step.model ?? by.model ?? null } };
  }

  return {
    async search(question, options = {}) {
      const found = await retriever.search(question, options);
      if (found.route?.taken === 'global') return { ...found, steps: names.map(withoutOverview) };
      const { limit = 10 } = options;
      const deeper = {
        ...options,
        limit: Math.min(MOST_HITS, Math.max(limit * DEEPER, ranker === null ? 0 : ranked)),
      };
      const all = await Promise.all(expanders.map((expander) => expanded(expander, question, deeper)));
      const steps: SearchStep[] = all.map(({ step }) => step);
      const others = all.flatMap(({ ways }) => ways);
      let hits =
        others.length === 0
          ? null
          : fuseFound(await retriever.search(question, deeper), others, options.dropDuplicates ?? true);
      if (ranker !== null) {
        const known = hits ?? (limit >= ranked ? found.hits : null);
        const put = await inOrder(ranker, question, options, known);
        steps.push(put.step);
        hits = put.hits ?? hits;
      }
      return { ...found, hits: hits?.slice(0, limit) ?? found.hits, steps };
    },
  };
}

/** An overview has hits from everywhere: whatever is most like its wording would take their places. */
const withoutOverview = (name: string): SearchStep =>
  skipped(name, 'useless', 'the question asks for an overview, which takes hits from everywhere');

/** A step that was left out before anybody was asked. */
export function skipped(name: string, code: NonNullable<SearchStep['code']>, reason: string): SearchStep {
  return { ...{ name, status: 'skipped', code, reason, ms: 0 }, model: null, writer: null };
}

/** @param empty why what came does not count; null when it does */
function stepOf(
  name: string,
  result: Within<unknown>,
  writer: WriterFacts | null,
  empty: readonly [code: NonNullable<SearchStep['code']>, reason: string] | null,
): SearchStep {
  const [code, reason] =
    'skipped' in result
      ? [result.late ? ('late' as const) : ('failed' as const), result.skipped]
      : (empty ?? [null, null]);
  return {
    ...{ name, status: code === null ? 'used' : 'skipped', code, reason, ms: result.ms },
    ...{ model: writer?.model ?? null, writer },
  };
}

/** Over the graph everything leads to everything: only the question itself goes there. */
function wayOf(own: Expander['by'], asked: SearchOptions['by']): 'words' | 'vectors' | 'both' {
  if (own === 'vectors') return 'vectors';
  return asked === 'words' || asked === 'vectors' ? asked : 'both';
}

function validOrder(order: readonly number[], count: number): number[] {
  return [...new Set(order)].filter((at) => Number.isInteger(at) && at >= 0 && at < count);
}

/** The scores stay where they were: they fall from the first to the last, and say nothing across answers. */
function reordered({
  hits,
  shown,
  order,
}: {
  readonly hits: readonly Hit[];
  readonly shown: readonly Hit[];
  readonly order: readonly number[];
}): Hit[] {
  const named = new Set(order);
  const rest = hits.filter((_, at) => at >= shown.length || !named.has(at));
  const scores = hits.map(({ score }) => score).sort((a, b) => b - a);
  return [...order.map((at) => shown[at]!), ...rest].map((hit, at) => ({ ...hit, score: scores[at]! }));
}
