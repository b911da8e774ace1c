/**
 * Spot checks of what is placed, what they say of Eves, and what each Eve says of her tenant.
 *
 * @module node/knowledge/vault-check
 */
import { isKithError, messageOf } from '../../base/index.ts';
import type { CheckView, PlacedInfo } from '../../server/index.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow } from './vault-store.ts';

/**
 * @param questions pieces that are asked of each
 * @returns `whole`: when it was placed or repaired last, every Eve got all that is hers
 */
export async function checkPlaced(
  reach: VaultReach,
  row: PlacedRow,
  questions: number,
  signal: AbortSignal,
): Promise<CheckView & { readonly whole: boolean }> {
  const placed = await reach.store();
  const report = await reach.collectionOf(row, placed).check(questions, signal);
  const { sound } = placed.upkeep.of(row.id);
  reach.reputation.checked(placed.upkeep, report, sound);
  return {
    whole: report.state === sound,
    forked: report.fork?.number ?? null,
    eves: report.eves.map(({ peer, asked, failed, why }) => ({
      ...{ peer, asked, failed, why },
      standing: reach.reputation.of(peer),
    })),
  };
}

/** What each Eve says of her tenant. */
export function tenantsOf(
  reach: VaultReach,
  { id, kb, eves }: PlacedRow,
  signal: AbortSignal,
): Promise<PlacedInfo['tenants']> {
  return Promise.all(
    eves.map(async ({ peer }) => {
      const standing = reach.reputation.of(peer);
      try {
        const { state, quotaBytes, usedBytes, blocks, until } = await reach.tenantOf(id, peer).info(signal);
        return { peer, state, quotaBytes, usedBytes, blocks, until, trouble: null, standing };
      } catch (error) {
        const nothing = { state: null, quotaBytes: null, usedBytes: null, blocks: null, until: null };
        const isGone = isKithError(error) && error.code === 'storage_no_tenant';
        const trouble = isGone
          ? `She has it no more: kith vpk repair ${kb} makes it again.`
          : messageOf(error);
        return { peer, ...nothing, trouble, standing };
      }
    }),
  );
}
