/**
 * A query and a passage as one row of tokens, as rerankers are trained: BERT reads `[CLS] query [SEP] passage [SEP]` in two
 * segments, RoBERTa `<s> query </s></s> passage </s>` in one. Passages that are too long lose their ends; a query may have half of
 * the window.
 *
 * @module engine/process/pairs
 */
import { InputError } from '../../base/index.ts';
import type { EncoderRow } from '../runner/index.ts';
import type { Tokenizer } from '../types.ts';

export interface PairFrame {
  readonly start: number;
  /** Between query and passage. */
  readonly middle: readonly number[];
  readonly end: number;
}

/** Pairs whose passages travel in one message and are one turn in the engine process's queue. */
const GROUP_PASSAGES = 256;
const GROUP_TOKENS = 16_384;

/** @throws InputError `reranker_unsupported` for a tokenizer that puts nothing around texts */
export function frameOf(tokenizer: Pick<Tokenizer, 'encode' | 'kind'>): PairFrame {
  // What surrounds no text at all: [CLS] [SEP], or <s> </s>.
  const [start, end, ...more] = tokenizer.encode('', { addSpecial: true });
  if (start === undefined || end === undefined || more.length > 0) {
    throw new InputError(
      'reranker_unsupported',
      'The reranker has no tokens that begin and end a text ([CLS] and [SEP], or <s> and </s>).',
      { status: 422, param: 'model' },
    );
  }
  return { start, middle: tokenizer.kind === 'bert' ? [end] : [end, end], end };
}

/** Tokens that a query may have. */
export const longestQuery = (context: number): number => Math.max(1, Math.floor(context / 2));

/** The part of a passage that fits behind the query, with `around` tokens that stand around both. */
export function fitPassage(
  query: Int32Array,
  passage: Int32Array,
  around: number,
  context: number,
): Int32Array {
  const room = context - query.length - around;
  if (room < 1 || query.length > longestQuery(context)) throw queryTooLong(query.length, context);
  return passage.subarray(0, room);
}

export function pairRow(
  query: Int32Array,
  passage: Int32Array,
  { start, middle, end }: PairFrame,
  context: number,
): EncoderRow {
  const fitting = fitPassage(query, passage, 2 + middle.length, context);
  const second = 1 + query.length + middle.length;
  const tokens = new Int32Array(second + fitting.length + 1);
  tokens[0] = start;
  tokens.set(query, 1);
  tokens.set(middle, 1 + query.length);
  tokens.set(fitting, second);
  tokens[tokens.length - 1] = end;
  return { tokens, second };
}

/** @param tokens of the query; null when there are more than it may have and nobody counted them. */
export function queryTooLong(tokens: number | null, context: number): InputError {
  const most = longestQuery(context);
  return new InputError(
    'input_too_long',
    `The query has ${tokens === null ? `more than ${most}` : tokens} tokens; half of the model's ${context}, which are ${most}, is for it. Shorten it.`,
    { param: 'query', details: { ...(tokens === null ? {} : { tokens }), context } },
  );
}

/** Consecutive passages, bounded in number and tokens (one longer passage is a group alone). */
export function groupPassages(passages: readonly Int32Array[]): Int32Array[][] {
  const groups: Int32Array[][] = [];
  let group: Int32Array[] = [];
  let tokens = 0;
  for (const passage of passages) {
    if (group.length >= GROUP_PASSAGES || (group.length > 0 && tokens + passage.length > GROUP_TOKENS)) {
      groups.push(group);
      group = [];
      tokens = 0;
    }
    group.push(passage);
    tokens += passage.length;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
