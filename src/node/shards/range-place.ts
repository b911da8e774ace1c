/**
 * Whether blocks can be served beside those that are served already.
 *
 * @module node/shards/range-place
 */
import { KithError } from '../../base/index.ts';
import type { ServedRange } from './served-range.ts';
import { MOST_RANGES, type WantedRange } from './serving-file.ts';

/** What is asked for. */
export interface AskedRange extends Pick<WantedRange, 'model' | 'sha256' | 'from' | 'to'> {
  /** The owner said where it begins; otherwise this node chose it. */
  readonly isNamed: boolean;
}

/**
 * The range that is exactly the one asked for, or null when there is room for it.
 *
 * @param instead the range whose place it takes
 * @throws KithError `shard_served_already`
 */
export function placeOf(
  ranges: readonly ServedRange[],
  { model, sha256, from, to, isNamed }: AskedRange,
  instead: ServedRange | null,
  { drainMs }: { readonly drainMs: number },
): ServedRange | null {
  const near = ranges.find(
    (one) =>
      one !== instead &&
      one.state !== 'draining' &&
      one.want.sha256 === sha256 &&
      one.want.from <= to &&
      from <= one.want.to,
  );
  if (near !== undefined && near.want.from === from && near.want.to === to) return near;
  // Ranges side by side would be announced as one, which no session can have.
  if (near !== undefined) {
    const there = `Blocks ${near.want.from} to ${near.want.to - 1} of '${model}' are served already`;
    throw taken(
      isNamed
        ? `${there}, which meet these. Stop them with kith shard stop ${model}, and serve all of them as one range.`
        : `${there}, and this node would choose ${from} to ${to - 1} now. Stop them first with kith shard stop ${model}.`,
    );
  }
  const same = ({ want }: ServedRange) => want.sha256 === sha256 && want.from === from && want.to === to;
  if (ranges.some(same))
    throw taken(
      'These blocks are about to be given up. Try again when they are.',
      Math.ceil(drainMs / 1000) + 1,
    );
  if (ranges.length >= MOST_RANGES) throw taken(`${MOST_RANGES} ranges are served already. Stop some first.`);
  return null;
}

const taken = (message: string, retryAfter?: number): KithError =>
  new KithError('shard_served_already', message, {
    status: 409,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
