/**
 * How far the engine's logits are from those of double precision.
 *
 * @module test/reranker-support
 */
import { frameOf, pairRow } from '../src/engine/process/pairs.ts';
import { openReranker } from '../src/engine/runner/index.ts';
import { createTokenizer } from '../src/engine/tokenizer/index.ts';
import { fileSource, readGguf } from '../src/models/index.ts';
import { referenceRanker } from './reference/bert-rank.ts';
import { testCompute } from './runner-support.ts';

export interface Differences {
  /** Largest difference of a logit. */
  readonly worst: number;
  /** How far the reference's logits are apart. */
  readonly spread: number;
  /** Tokens of the longest pair. */
  readonly longest: number;
}

export async function worstOf(
  path: string,
  query: string,
  passages: readonly string[],
): Promise<Differences> {
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  const tokenizer = createTokenizer(gguf.metadata);
  const frame = frameOf(tokenizer);
  await using reranker = await openReranker(testCompute(), { gguf, source });
  const read = (text: string) => tokenizer.encode(text, { addSpecial: false });
  const rows = passages.map((passage) => pairRow(read(query), read(passage), frame, reranker.info.context));
  const scores = await reranker.rank(rows);
  const reference = await referenceRanker(path);
  const wanted = rows.map(({ tokens, second }) => reference.logit(tokens, second));
  return {
    worst: Math.max(...wanted.map((logit, at) => Math.abs(logit - scores[at]!))),
    spread: Math.max(...wanted) - Math.min(...wanted),
    longest: Math.max(...rows.map(({ tokens }) => tokens.length)),
  };
}
