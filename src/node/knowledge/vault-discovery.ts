/**
 * Who lends space: as peers announce it, and as they say when they are asked.
 *
 * @module node/knowledge/vault-discovery
 */
import { type Clock, messageOf } from '../../base/index.ts';
import type { EveView, VaultDesk } from '../../server/index.ts';
import { termsOf } from '../../vault/index.ts';
import { ASK_MS, type VaultReach } from './vault-reach.ts';

const UNKNOWN = { freeBytes: null, largestBytes: null, days: null, ms: null } as const;

export function vaultDiscovery(
  { need, askOf, reputation }: VaultReach,
  clock: Pick<Clock, 'monotonic'>,
): VaultDesk['discover'] {
  return async (asked, ask, signal) => {
    const { peers } = need();
    const announced = new Map(peers.lending().map(({ peer, terms }) => [peer, terms]));
    const eves = await Promise.all(
      (asked.length > 0 ? asked : [...announced.keys()]).map(async (peer): Promise<EveView> => {
        const heard = announced.get(peer) ?? null;
        const standing = reputation.of(peer);
        if (!ask) return { peer, heard, answered: false, open: false, ...UNKNOWN, trouble: null, standing };
        const began = clock.monotonic();
        try {
          const { open, freeBytes, largestBytes, days } = await termsOf(askOf(peer, ASK_MS), signal);
          const ms = clock.monotonic() - began;
          const told = { freeBytes, largestBytes, days, ms, trouble: null };
          return { peer, heard, answered: true, open, ...told, standing };
        } catch (error) {
          const trouble = messageOf(error);
          return { peer, heard, answered: false, open: false, ...UNKNOWN, trouble, standing };
        }
      }),
    );
    return asked.length > 0 ? eves : eves.sort(byWorth);
  };
}

/** Those that would give space first, of them those of whom nothing bad was seen, and of these the best score. */
function byWorth(a: EveView, b: EveView): number {
  return (
    Number(b.open) - Number(a.open) ||
    Number(a.standing.poor) - Number(b.standing.poor) ||
    b.standing.score - a.standing.score ||
    (a.peer < b.peer ? -1 : 1)
  );
}
