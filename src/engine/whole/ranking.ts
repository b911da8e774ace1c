/**
 * Rerankers whose tokenizer or architecture is not written here: bge-reranker and other XLM-RoBERTa (SentencePiece unigram),
 * jina-reranker, ModernBERT. llama.cpp reads pairs as `<s> query </s></s> passage </s>`, without segments.
 *
 * @module engine/whole/ranking
 */
import type { LlamaRankingContext, Token } from 'node-llama-cpp';
import { KithError, throwIfAborted } from '../../base/index.ts';
import type { HostedModel } from '../process/hosted.ts';
import { fitPassage } from '../process/pairs.ts';
import type { PooledInput, Sized } from './model.ts';

/**
 * Tokens of a pair unless `engine.context` says otherwise: such files allow 8192, and attention over them takes gigabytes that
 * passages do not need.
 */
export const RANK_CONTEXT = 1024;
/** `<s>`, `</s></s>`, `</s>`. */
const AROUND = 4;
/** Logits beyond it cannot be told from their probabilities in double precision. */
const MOST_LOGIT = 36;

export async function openRankingContext({ base, input, model, plan, opened }: PooledInput): Promise<Sized> {
  // The library wants its context longer than any input.
  const size = plan.context + 1;
  const context: LlamaRankingContext = opened.use(
    await model.createRankingContext({
      contextSize: size,
      batchSize: size,
      threads: input.options.threads,
      createSignal: input.signal,
      ignoreMemorySafetyChecks: true,
    }),
  );
  let queued = 0;
  let tail: Promise<unknown> = Promise.resolve();
  const rank: HostedModel['rank'] = (query, passages, signal) => {
    queued++;
    const run = tail.then(async () => {
      const scores = new Float32Array(passages.length);
      const tokens: number[] = [];
      for (const [index, passage] of passages.entries()) {
        throwIfAborted(signal);
        const fitting = fitPassage(query, passage, AROUND, plan.context);
        scores[index] = logitOf(await context.rank([...query] as Token[], [...fitting] as Token[]));
        tokens.push(query.length + fitting.length + AROUND);
      }
      return { scores, tokens };
    });
    const done = run.finally(() => queued--);
    tail = done.catch(() => {});
    return done;
  };
  return {
    ...base,
    sizes: { kvCells: 0, kvBytes: 0 },
    generate: null,
    embed: null,
    rank,
    status: () => ({ active: Math.min(1, queued), queued: Math.max(0, queued - 1), counters: {} }),
    drain: async () => void (await tail),
    close: async () => void (await tail),
  };
}

/** The library gives 1 / (1 + exp(-logit)). */
function logitOf(probability: number): number {
  if (!Number.isFinite(probability)) {
    throw new KithError(
      'scores_invalid',
      'The model computed a relevance that is not finite: its file is damaged or of a variant that is not supported.',
      { status: 500 },
    );
  }
  const logit = Math.log(probability) - Math.log1p(-probability);
  return Math.min(MOST_LOGIT, Math.max(-MOST_LOGIT, logit));
}
