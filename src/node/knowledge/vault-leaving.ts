/**
 * Tenants at Eves that were dropped: deleted once every block has its copies at others, and tried again while such an Eve is away.
 *
 * @module node/knowledge/vault-leaving
 */
import { isKithError, type Logger, messageOf } from '../../base/index.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow } from './vault-store.ts';

/** Deletes a tenant; true when it is not there any more. */
export async function destroyTenant(
  reach: Pick<VaultReach, 'tenantOf'>,
  id: string,
  peer: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await reach.tenantOf(id, peer).destroy(signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return isKithError(error) && error.code === 'storage_no_tenant';
  }
}

/** Remembers who was dropped, before the row is saved; who came back is not to go. */
export async function noteDropped(
  reach: Pick<VaultReach, 'store'>,
  before: PlacedRow,
  after: PlacedRow,
  now: number,
): Promise<void> {
  const { upkeep } = await reach.store();
  const stays = new Set(after.eves.map(({ peer }) => peer));
  for (const peer of stays) upkeep.left(after.id, peer);
  for (const { peer } of before.eves) if (!stays.has(peer)) upkeep.leave(after.id, peer, now);
  // Others have blocks from now on that are not there yet.
  upkeep.change(after.id, { sound: null });
}

/** @returns how many were deleted; none while blocks may lie at dropped Eves alone */
export async function deleteDropped(
  reach: Pick<VaultReach, 'store' | 'tenantOf'>,
  { id, kb }: Pick<PlacedRow, 'id' | 'kb'>,
  log: Pick<Logger, 'info' | 'warn'>,
  signal: AbortSignal,
): Promise<number> {
  const placed = await reach.store();
  const { upkeep } = placed;
  if (upkeep.of(id).sound === null) return 0;
  const stays = new Set(placed.of(kb)?.eves.map(({ peer }) => peer));
  let gone = 0;
  for (const peer of upkeep.leaving(id))
    try {
      // Noted, but then the change was not saved.
      if (stays.has(peer)) continue;
      if (!(await destroyTenant(reach, id, peer, signal))) continue;
      upkeep.left(id, peer);
      gone += 1;
      log.info('A tenant at an Eve that was dropped is deleted.', { kb, peer });
    } catch (error) {
      signal.throwIfAborted();
      log.warn('A tenant at an Eve that was dropped is not deleted yet.', {
        kb,
        peer,
        cause: messageOf(error),
      });
    }
  return gone;
}

/** Deletes what is left of knowledge bases that are placed no more; those that are away are tried again. */
export async function deleteLeftOver(
  reach: Pick<VaultReach, 'store' | 'tenantOf'>,
  signal: AbortSignal,
): Promise<number> {
  const { upkeep } = await reach.store();
  let gone = 0;
  for (const { id, peer } of upkeep.leftOver())
    if (await destroyTenant(reach, id, peer, signal)) {
      upkeep.left(id, peer);
      gone += 1;
    }
  return gone;
}

/** Deletes all tenants of a collection. Those that are away are remembered (`deleteLeftOver`). */
export async function destroyAll(
  reach: Pick<VaultReach, 'store' | 'tenantOf'>,
  { id, eves }: PlacedRow,
  now: number,
  signal: AbortSignal,
): Promise<{ readonly gone: readonly string[]; readonly left: readonly string[] }> {
  const placed = await reach.store();
  const peers = [...new Set([...eves.map(({ peer }) => peer), ...placed.upkeep.leaving(id)])];
  const [gone, left]: [string[], string[]] = [[], []];
  await Promise.all(
    peers.map(async (peer) => ((await destroyTenant(reach, id, peer, signal)) ? gone : left).push(peer)),
  );
  placed.remove(id);
  for (const peer of left) placed.upkeep.leave(id, peer, now);
  return { gone, left };
}
