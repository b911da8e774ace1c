/** How searches are asked for by `kith rag eval`. @module cli/commands/rag-eval-wishes */
import type { SearchQuery } from '../../server/index.ts';
import type { Invocation } from '../program.ts';
import { stepsOf } from '../rag-steps.ts';
import { writerOf } from './rag-answer.ts';

export function searchWishes({ options }: Invocation): Omit<SearchQuery, 'query' | 'k'> {
  return {
    ...{ mode: options.mode as SearchQuery['mode'], neighbours: 0 },
    ...stepsOf(options),
    ...writerOf(options),
  };
}
