/**
 * Why there is no path, in words that say what is missing and what to do.
 *
 * @module shards/circuits/refusals
 */
import { KithError } from '../../base/index.ts';
import type { LeftOut } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';

/** A peer that refused, or could not be reached. */
export interface Refused {
  readonly peer: string;
  readonly error: KithError;
}

/** As registries write it: both ends are blocks. */
const spanText = ({ from, to }: BlockSpan) => (to === from + 1 ? `${from}` : `${from} to ${to - 1}`);

export function noPath(
  model: string,
  span: BlockSpan,
  gaps: readonly BlockSpan[],
  leftOut: readonly LeftOut[],
): KithError {
  const why = leftOut
    .filter(({ reason }) => reason !== 'self' && reason !== 'other_model')
    .slice(0, 5)
    .map(({ peer, detail }) => `…${peer.slice(-8)}: ${detail}`);
  const others = why.length === 0 ? '' : ` Left out: ${why.join(' ')}`;
  if (gaps.length === 0)
    return new KithError(
      'path_none',
      `Peers serve all blocks of '${model}', but not in an order in which a path can go through them.${others} kith shard plan ${model} --explain tells more.`,
      { status: 503, retryAfter: 10 },
    );
  const missing = gaps.map(spanText).join(', ');
  return new KithError(
    'path_gap',
    `No peer that may be asked serves blocks ${missing} of '${model}' (${spanText(span)} are needed). Have a friend run: kith shard serve --model ${model}.${others}`,
    { status: 503, retryAfter: 10, details: { model, gaps: missing } },
  );
}

export function busy(model: string, refused: readonly Refused[], gaps: readonly BlockSpan[]): KithError {
  const waits = refused.flatMap(({ error }) => (error.retryAfter === undefined ? [] : [error.retryAfter]));
  const said = refused.map(({ peer, error }) => `…${peer.slice(-8)}: ${error.message}`).join(' ');
  const without = gaps.length === 0 ? '' : ` Nobody else serves blocks ${gaps.map(spanText).join(', ')}.`;
  return new KithError(
    'path_busy',
    `No path through peers could be opened for '${model}'. ${said}${without}`.slice(0, 1000),
    { status: 503, retryAfter: waits.length === 0 ? 10 : Math.min(...waits), cause: refused.at(-1)?.error },
  );
}
