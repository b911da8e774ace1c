/**
 * Relevance of passages to a query as the parent asks for it: texts to tokens, groups of passages that one message may carry.
 *
 * @module engine/process/ranking
 */
import { InputError, KithError } from '../../base/index.ts';
import type { RankRequest, RankResult } from '../types.ts';
import { encodeRows, floatsOf } from './job.ts';
import type { Models } from './models.ts';
import { groupPassages, longestQuery, queryTooLong } from './pairs.ts';
import { shapeOf } from './shape.ts';
import { isOverLimit, type Writing } from './writing.ts';

/** Characters of a text for each token that is of use: tokens are shorter, but spaces may stand between them. */
const MOST_OF_TOKEN = 256;

export interface RankingParts {
  readonly models: Pick<Models, 'ready'>;
  readonly writing: Pick<Writing, 'tokenize'>;
  /** Bounds how many texts are with the text process. */
  readonly reading: <T>(work: () => Promise<T>) => Promise<T>;
}

export function createRanking({ models, writing, reading }: RankingParts) {
  return async (
    { model: id, query, passages, truncateQuery = false }: RankRequest,
    signal?: AbortSignal,
  ): Promise<RankResult> => {
    const model = await models.ready(id, signal);
    const { task, context } = model.loaded;
    if (task !== 'rerank')
      throw wrongTask(id, `${task === 'text' ? 'writes text' : 'makes embeddings'} and is no reranker`);
    const most = longestQuery(context);
    const read = (text: string, limit: number, cut: boolean) => {
      // A tokenizer in the engine process knows no bounds.
      const part = model.text === null ? text.slice(0, (limit + 1) * MOST_OF_TOKEN).toWellFormed() : text;
      return reading(() => writing.tokenize(model, part, { addSpecial: false, limit, cut }, signal));
    };
    const asked = await read(query, most, truncateQuery).catch((error: unknown) => {
      throw isOverLimit(error) ? queryTooLong(null, context) : error;
    });
    if (asked.length === 0)
      throw new InputError('input_empty', 'The query has no tokens.', { param: 'query' });
    // It was made in the engine process.
    if (asked.length > most && !truncateQuery) throw queryTooLong(asked.length, context);
    const row = asked.subarray(0, most);
    const rows = await Promise.all(
      passages.map(async (passage) => (await read(passage, context, true)).subarray(0, context)),
    );
    const scores = new Float32Array(rows.length);
    const tokens: number[] = [];
    for (const group of groupPassages(rows)) {
      const { session } = await models.ready(id, signal);
      const answer = await session.connection.call('rank', { ...encodeRows(id, [row, ...group]), signal });
      const part = floatsOf(answer);
      const counted = shapeOf(answer.meta).integers('tokens', group.length, 0, context);
      if (part.length !== group.length || counted.length !== group.length) {
        throw new KithError(
          'engine_internal',
          `The engine gave ${part.length} scores for ${group.length} passages.`,
        );
      }
      scores.set(part, tokens.length);
      tokens.push(...counted);
    }
    return { scores, tokens };
  };
}

export function wrongTask(model: string, what: string): InputError {
  return new InputError('wrong_model_task', `Model '${model}' ${what}.`, { param: 'model' });
}
