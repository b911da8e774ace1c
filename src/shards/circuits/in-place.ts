/**
 * Who computes blocks in the place of a shard that is lost: peers that serve them, and for what nobody serves somebody who loads it.
 *
 * @module shards/circuits/in-place
 */
import type { ShardOffer } from '../path/hop.ts';
import { isPath } from '../plan/candidates.ts';
import type { BlockSpan } from '../types.ts';
import type { CircuitsOptions, PathQuery } from './types.ts';

export async function inPlaceOf(
  { choose, substitute, help }: Pick<CircuitsOptions, 'choose' | 'substitute' | 'help'>,
  query: PathQuery,
  span: BlockSpan,
  lost: ReadonlySet<string>,
): Promise<readonly ShardOffer[] | null> {
  const known = substitute(query, span, lost);
  if (known !== null || help === undefined) return known;
  const { plan } = choose({ ...query, span, via: null, exclude: lost });
  const gaps = isPath(plan) || plan.gaps.length === 0 ? [span] : plan.gaps;
  const offers: ShardOffer[] = [];
  let at = span.from;
  for (const gap of [...gaps, { from: span.to, to: span.to }]) {
    if (at < gap.from) {
      const served = substitute(query, { from: at, to: gap.from }, lost);
      if (served === null) return null;
      offers.push(...served);
    }
    if (gap.from < gap.to) {
      const standIn = await help(query, gap, lost);
      if (standIn === null) return null;
      offers.push(standIn);
    }
    at = gap.to;
  }
  return offers;
}
