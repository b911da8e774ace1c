/**
 * What audits of paths find, as observations of the trust room.
 *
 * | Verdict | Observation | Incident |
 * |---|---|---|
 * | `passed` | an audit, right, of as much weight as there were rows: one for 64 and more | |
 * | `altered`, found by this node itself | an audit, wrong | `recomputed` |
 * | `altered`, found by two others | an audit, wrong | none: whether the two have nothing to do with each other is not known |
 * | `link`, `contested`, `withheld` | a quarter of a wrong audit, for each of those named: one of them may be right | |
 *
 * @module node/shards/audits
 */
import { isKithError, type Logger, messageOf } from '../../base/index.ts';
import type { Verdict } from '../../shards/index.ts';
import type { Trust } from '../../trust/index.ts';

const FULL_WEIGHT_ROWS = 64;
const OPEN_WEIGHT = 0.25;

/** Never throws. */
export function noteVerdicts(
  trust: Pick<Trust, 'observe' | 'incident'>,
  log: Logger,
): (verdict: Verdict) => void {
  return ({ kind, peers, by, rows, evidence }) => {
    for (const peer of peers) {
      try {
        if (kind === 'passed') trust.observe(peer, 'audit', 1, Math.min(1, rows / FULL_WEIGHT_ROWS));
        else trust.observe(peer, 'audit', 0, kind === 'altered' ? 1 : OPEN_WEIGHT);
        if (kind === 'altered' && by.includes(null)) trust.incident(peer, 'recomputed', `rows ${evidence}`);
      } catch (error) {
        // A store that is full of peers in quarantine has no place for one more; it left the path all the same.
        if (!isKithError(error))
          log.warn('what an audit found was not noted', { peer, err: messageOf(error) });
      }
    }
  };
}
