/**
 * A question asked in several ways: a passage that might answer it (HyDE, Gao et al., ACL 2023), other wordings, and the best of all
 * put in order by a writer. Each has its time, and is left out when that is over.
 *
 * @module knowledge/retrieve/expand
 */
import type { Clock } from '../../base/index.ts';
import { withinBudget } from './budget.ts';
import { fuse } from './fuse.ts';
import type { Found, Hit, Retriever, SearchOptions } from './retriever.ts';

export interface Expansion {
  readonly text: string;
  /** A passage is looked up by its meaning: its words are guesses. */
  readonly by: 'vectors' | 'both';
}

/** Other ways to ask. */
export interface Expander {
  /** `hyde`, `multi-query`: what the result says was done. */
  readonly name: string;
  expand(question: string, signal: AbortSignal): Promise<readonly Expansion[]>;
}

/** Puts hits in a better order. */
export interface Ranker {
  /** `listwise`, or a model's id. */
  readonly name: string;
  /** Indices of the hits, best first. Those it does not name follow in their order. */
  rank(question: string, hits: readonly Hit[], signal: AbortSignal): Promise<readonly number[]>;
}

export interface SearchStep {
  readonly name: string;
  /** `skipped`: the result is as if it had not been asked for. */
  readonly status: 'used' | 'skipped';
  /** Why it was skipped; null otherwise. */
  readonly reason: string | null;
  readonly ms: number;
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

/** Weight of each other way to ask, against 1 for the question itself. */
const WEIGHT = 0.5;
const MOST_EXPANSIONS = 6;
/** Hits of each way that are fused, for each one wanted. */
const DEEPER = 4;

export function createExpandedSearch({
  retriever,
  clock,
  expanders = [],
  ranker = null,
  expandMs = 2000,
  rankMs = 2000,
  ranked = 10,
}: ExpandedOptions): ExpandedSearch {
  return {
    async search(question, options = {}) {
      const { signal, limit = 10 } = options;
      const steps: SearchStep[] = [];
      const deeper = {
        ...options,
        limit: Math.min(
          1000,
          expanders.length > 0 ? limit * DEEPER : Math.max(limit, ranker === null ? 0 : ranked),
        ),
      };
      const [found, ...expanded] = await Promise.all([
        retriever.search(question, deeper),
        ...expanders.map(async ({ name, expand }) => ({
          name,
          result: await withinBudget({ budgetMs: expandMs, clock, signal }, (within) =>
            expand(question, within),
          ),
        })),
      ]);
      const others: Found[] = [];
      for (const { name, result } of expanded) {
        const texts = 'value' in result ? result.value.slice(0, MOST_EXPANSIONS) : [];
        for (const { text, by } of texts) others.push(await retriever.search(text, { ...deeper, by }));
        const reason =
          'skipped' in result ? result.skipped : texts.length === 0 ? 'nothing usable came' : null;
        steps.push({ name, status: reason === null ? 'used' : 'skipped', reason, ms: result.ms });
      }
      let hits = others.length === 0 ? found.hits : fused(found, others);
      if (ranker !== null && hits.length > 1) {
        const shown = hits.slice(0, ranked);
        const result = await withinBudget({ budgetMs: rankMs, clock, signal }, (within) =>
          ranker.rank(question, shown, within),
        );
        const order = 'value' in result ? validOrder(result.value, shown.length) : [];
        const reason = 'skipped' in result ? result.skipped : order.length === 0 ? 'no order came' : null;
        if (reason === null) {
          const first = order.map((at) => shown[at]!);
          hits = [...first, ...hits.filter((hit) => !first.includes(hit))];
        }
        steps.push({
          name: ranker.name,
          status: reason === null ? 'used' : 'skipped',
          reason,
          ms: result.ms,
        });
      }
      return { ...found, hits: hits.slice(0, limit), steps };
    },
  };
}

function validOrder(order: readonly number[], count: number): number[] {
  return [...new Set(order)].filter((at) => Number.isInteger(at) && at >= 0 && at < count);
}

/** By z-scores, as words and meaning are. What only one way found has the mean of the others. */
function fused(found: Found, others: readonly Found[]): Hit[] {
  const ways = [found, ...others].filter(({ hits }) => hits.length > 0);
  const known = new Map<number, Hit>();
  for (const { hits } of ways)
    for (const hit of hits) if (!known.has(hit.chunk.row)) known.set(hit.chunk.row, hit);
  const scores = fuse(
    ways.map(({ hits }, at) => ({
      weight: at === 0 && ways[0] === found ? 1 : WEIGHT,
      scores: new Map(hits.map(({ chunk, score }) => [chunk.row, score])),
      // Not among the best of this way: no better than the last that is.
      absent: hits.at(-1)!.score,
    })),
  );
  return [...scores]
    .map(([row, score]) => ({ ...known.get(row)!, score }))
    .sort(
      (a, b) =>
        b.score - a.score ||
        (a.chunk.id < b.chunk.id ? -1 : a.chunk.id > b.chunk.id ? 1 : a.chunk.row - b.chunk.row),
    );
}
