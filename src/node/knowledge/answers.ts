/**
 * Answers from a knowledge base of the node.
 *
 * @module node/knowledge/answers
 */
import { createAnswerer } from '../../knowledge/index.ts';
import type { AnswersDesk } from '../../server/index.ts';
import { type AreaParts, streamKb } from './areas.ts';

export function answersDesk(parts: AreaParts): AnswersDesk {
  const { clock, random } = parts;
  return {
    answer: (name, { question, history, mode, filter, k, maxTokens }, signal) =>
      streamKb(parts, name, ({ store, retriever, embedder }) =>
        createAnswerer({ store, retriever, embedder, writer: null, clock, random }).answer(question, {
          ...{ turns: history, search: { by: mode, filter }, signal },
          ...(k === undefined ? {} : { sources: k }),
          ...(maxTokens === undefined ? {} : { maxTokens }),
        }),
      ),
  };
}
