/**
 * What this node thinks of an Eve, for people.
 *
 * @module cli/eve-standing
 */
import type { EveStandingView } from '../server/index.ts';
import { asTyped, paint, say } from './output.ts';

/** Score and tier in a cell. */
export const scoreText = ({ score, tier, poor }: EveStandingView): string => {
  const text = `${score.toFixed(2)} ${tier}`;
  return poor ? paint('yellow', `${text}, poor`) : text;
};

/** Names those of whom too much bad was seen, and what to do. */
export function tellPoor(kb: string, poor: readonly string[]): void {
  for (const peer of poor)
    say(
      asTyped(
        `${paint('yellow', 'poor:', process.stderr)} ${peer} lost or changed what she took, again and again. Let another keep it: kith vpk rebalance ${kb} --add PEER, then kith vpk rebalance ${kb} --drop ${peer} (kith reputation show ${peer} says more)`,
      ),
    );
}

/** @param forked number of which there are two states; null: there are not */
export function tellForked(kb: string, forked: number | null): void {
  if (forked !== null)
    say(
      asTyped(
        `${paint('yellow', 'two states:', process.stderr)} two machines with your key each placed a state ${forked} while the other one's Eves were away. One counts for everybody; kith vpk repair ${kb} makes it the only one. Each machine still has its own knowledge base: kith vpk upload ${kb} there places that.`,
      ),
    );
}
