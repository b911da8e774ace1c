/**
 * The first look at what peers ask of knowledge bases, before anything is loaded or opened for them: who asks too often is told so,
 * and a home that never shared refuses.
 *
 * @module node/knowledge/share-door
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Config, KithError, TIERS, type Tier } from '../../base/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import { createShares } from '../swarm-credentials-shares.ts';

/** Where grants are kept, in the folder of knowledge bases. */
export const shareFile = (config: Pick<Config, 'home' | 'knowledge'>): string =>
  join(knowledgeFolder(config), 'shares.sqlite');

/** One answer for whatever does not hold: whether there is such a knowledge base, or a grant, is not for strangers. */
export const refused = (): KithError =>
  new KithError('rag_refused', 'This node does not answer that: no grant that holds was shown.', {
    status: 403,
  });

const busy = (why: string, retryAfter: number): KithError =>
  new KithError('rag_busy', why, { status: 429, retryAfter });

/** Calls under way, of all peers together. */
const MOST_AT_ONCE = 4;

export interface ShareDoor {
  /** Runs the work for a peer that may ask now. @throws KithError `rag_busy`, `rag_refused` */
  pass<T>(peer: string, work: () => Promise<T>): Promise<T>;
}

export function createShareDoor(
  config: Pick<Config, 'home' | 'knowledge'>,
  { clock, tierOf }: { readonly clock: Clock; readonly tierOf: (peer: string) => Tier },
): ShareDoor {
  const { sharePerMinute } = config.knowledge;
  // Each tier may ask twice as often as the one below.
  const quotas = TIERS.map((_, i) => createShares(clock, sharePerMinute * 2 ** i));
  let under = 0;
  return {
    async pass(peer, work) {
      const tier = TIERS.indexOf(tierOf(peer));
      if (!quotas[Math.max(0, tier)]!.take(peer))
        throw busy('This node answers only so many questions of a peer in a minute.', 60);
      if (under >= MOST_AT_ONCE) throw busy('This node answers other peers now.', 1);
      under++;
      try {
        if ((await stat(shareFile(config)).catch(() => null)) === null) throw refused();
        return await work();
      } finally {
        under--;
      }
    },
  };
}
