/**
 * Answers from a knowledge base of the node.
 *
 * @module node/knowledge/answers
 */
import { InputError } from '../../base/index.ts';
import { createAnswerer, type Writer } from '../../knowledge/index.ts';
import type { AnswersDesk } from '../../server/index.ts';
import { type AreaParts, streamKb } from './areas.ts';
import { answerAgain } from './cache.ts';
import { searchWith } from './searching.ts';
import { openWriter } from './writer.ts';

export function answersDesk(parts: AreaParts): AnswersDesk {
  const { config, clock, random, gateway: backend } = parts;

  async function writerFor(wanted: string | null = config.knowledge.writer): Promise<Writer | null> {
    if (wanted === null || wanted === 'none') return null;
    if (backend === undefined)
      throw new InputError('writer_missing', 'Nothing here writes answers: ask without a writer (none).', {
        param: 'writer',
      });
    return openWriter({ backend, config }, wanted);
  }

  return {
    async answer(name, query, signal) {
      const { question, history, mode, filter, k, maxTokens, writer: wanted } = query;
      const writer = await writerFor(wanted);
      return streamKb(parts, name, (kb) =>
        answerAgain(parts, kb, query, writer?.id ?? null, signal, () =>
          createAnswerer({
            ...{ ...kb, writer, clock, random },
            retriever: {
              async search(asked, options) {
                const leg = await parts.legs.over(name, kb, query);
                const by = searchWith(
                  parts,
                  leg.retriever,
                  query,
                  writer === null ? null : async () => writer,
                );
                return leg.told(await by.search(asked, options));
              },
            },
          }).answer(question, {
            ...{ turns: history, search: { by: mode, filter }, signal },
            // What a model makes up is worth less to a reader than what stands in the sources.
            fallback: 'extract',
            ...(query.language === undefined ? {} : { language: query.language }),
            ...(k === undefined ? {} : { sources: k }),
            ...(maxTokens === undefined ? {} : { maxTokens }),
          }),
        ),
      );
    },
  };
}
