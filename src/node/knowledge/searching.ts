/**
 * Searches of the node's knowledge bases with what is done beside them: other ways to ask, and an order by a model.
 *
 * The models are the owner's gateway, under the same terms as one that writes answers. No search fails because of one.
 *
 * @module node/knowledge/searching
 */
import {
  createExpandedSearch,
  type ExpandedSearch,
  type Expander,
  encodedBy,
  hydeBy,
  listwiseBy,
  multiQueryBy,
  type Ranker,
  type Retriever,
  type SearchStep,
  skipped,
  type Writer,
} from '../../knowledge/index.ts';
import type { StepWishes } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import { openWriter } from './writer.ts';

type Parts = Pick<AreaParts, 'config' | 'clock' | 'gateway' | 'crossEncoder'>;

/** Opens the writer when the first step asks for it. Null: nobody writes. */
export type LateWriter = (() => Promise<Writer>) | null;

/** Hits that a writer is shown: more take longer to read than to search again. */
const SHOWN_TO_WRITER = 10;

const NO_WRITER = 'nobody writes here: name a model (writer), or set knowledge.writer';
const NO_ENCODER = 'no cross-encoder is set (knowledge.reranker)';

/** What is done beside a search: as it was asked for, else as configured. */
export function stepsOf(
  { config: { knowledge } }: Pick<AreaParts, 'config'>,
  { expand, rerank, budgetMs }: StepWishes,
): Required<Omit<StepWishes, 'engine'>> {
  const wanted = new Set<string>(expand ?? knowledge.expand);
  const set = knowledge.reranker === 'none' ? 'none' : 'cross-encoder';
  return {
    expand: (['hyde', 'multi-query'] as const).filter((name) => wanted.has(name)),
    rerank: rerank ?? (knowledge.rerank === 'auto' ? set : knowledge.rerank),
    budgetMs: budgetMs ?? knowledge.stepMs,
  };
}

/** @param wanted as a body names it */
export function lateWriter(
  { config, gateway: backend }: Pick<Parts, 'config' | 'gateway'>,
  wanted: string | null = config.knowledge.writer,
): LateWriter {
  if (wanted === null || wanted === 'none' || backend === undefined) return null;
  let opening: Promise<Writer> | null = null;
  return () => {
    opening ??= openWriter({ backend, config }, wanted);
    return opening;
  };
}

/** The retriever with its steps; by itself where none is wanted. */
export function searchWith(
  parts: Parts,
  retriever: Pick<Retriever, 'search'>,
  wishes: StepWishes,
  writer: LateWriter,
): ExpandedSearch {
  const { expand, rerank, budgetMs } = stepsOf(parts, wishes);
  if (expand.length === 0 && rerank === 'none')
    return {
      search: async (question, options) => ({ ...(await retriever.search(question, options)), steps: [] }),
    };
  const expanders = writer === null ? [] : expand.map((name) => EXPANDERS[name](writer));
  const ranker = rerank === 'none' ? null : rankerFor(rerank, parts, writer);
  const search = createExpandedSearch({
    ...{ retriever, clock: parts.clock, expanders, ranker },
    ...{ expandMs: budgetMs, rankMs: budgetMs },
    ranked: rerank === 'cross-encoder' ? parts.config.knowledge.rerankPassages : SHOWN_TO_WRITER,
  });
  const before = writer === null ? expand.map((name) => skipped(name, 'nobody', NO_WRITER)) : [];
  const behind: SearchStep[] =
    rerank === 'none' || ranker !== null
      ? []
      : [skipped(rerank, 'nobody', rerank === 'listwise' ? NO_WRITER : NO_ENCODER)];
  return {
    async search(question, options) {
      const found = await search.search(question, options);
      return { ...found, steps: [...before, ...found.steps, ...behind] };
    },
  };
}

/** Null: nobody is here who does it. */
function rankerFor(
  name: 'listwise' | 'cross-encoder',
  { crossEncoder = null }: Parts,
  writer: LateWriter,
): Ranker | null {
  if (name === 'cross-encoder') return crossEncoder === null ? null : encodedBy(crossEncoder);
  if (writer === null) return null;
  return { name, rank: async (...asked) => listwiseBy(await writer()).rank(...asked) };
}

/** Opening the writer counts as a step's own time. */
const EXPANDERS = {
  hyde: (writer: () => Promise<Writer>): Expander => ({
    ...{ name: 'hyde', by: 'vectors' },
    expand: async (...asked) => hydeBy(await writer()).expand(...asked),
  }),
  'multi-query': (writer: () => Promise<Writer>): Expander => ({
    ...{ name: 'multi-query', by: 'both' },
    expand: async (...asked) => multiQueryBy(await writer()).expand(...asked),
  }),
} as const;
