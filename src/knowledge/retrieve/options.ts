/**
 * Options of a search, within their bounds.
 *
 * @module knowledge/retrieve/options
 */
import { InputError } from '../../base/index.ts';
import type { SearchOptions } from './types.ts';

const MOST_HITS = 1000;
const MOST_NEIGHBOURS = 8;
const ALPHA = 0.6;

/** @throws InputError `search_invalid` */
export function checked(options: SearchOptions, hasGraph: boolean) {
  const number = (name: keyof SearchOptions, standard: number, least: number, most: number): number => {
    const value = options[name] ?? standard;
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw new InputError(
        'search_invalid',
        `${name} is ${String(value)}: it must be a number from ${least} to ${most}.`,
        {
          param: name,
        },
      );
    return value;
  };
  const by = options.by ?? (hasGraph ? 'auto' : 'both');
  if ((by === 'graph' || by === 'auto') && !hasGraph)
    throw new InputError(
      'search_invalid',
      `A search by '${by}' needs the graph of the knowledge base, and it is not in use here: search by 'both'.`,
      { param: 'by' },
    );
  return {
    limit: Math.floor(number('limit', 10, 1, MOST_HITS)),
    alpha: number('alpha', ALPHA, 0, 1),
    diversity: options.diversity === undefined ? null : number('diversity', 0, 0, 1),
    neighbours: Math.floor(number('neighbours', 0, 0, MOST_NEIGHBOURS)),
    by,
    dropDuplicates: options.dropDuplicates ?? true,
    filter: options.filter,
    signal: options.signal,
  };
}
