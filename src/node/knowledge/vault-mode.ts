/**
 * What a mode takes of space and asks of Eves, and changes of what is placed: other Eves, another mode, more space. Nothing is deleted
 * first: the job that follows puts what the new mode needs, moves the head, and removes what was.
 *
 * @module node/knowledge/vault-mode
 */
import { formatBytes, InputError, KithError } from '../../base/index.ts';
import type { KnowledgeStore } from '../../knowledge/index.ts';
import type { ChangeOrder } from '../../server/index.ts';
import {
  checkDimension,
  checkPerturbedDimension,
  coloursOf,
  type Place,
  type VaultMode,
} from '../../vault/index.ts';
import { changeEves, placesOf } from './vault-eves.ts';
import { perturbedBytes } from './vault-perturbed.ts';
import type { VaultReach } from './vault-reach.ts';
import { splitBytes } from './vault-split.ts';
import type { PlacedRow } from './vault-store.ts';
import { DAYS, leastQuota, type TenantWay } from './vault-tenants.ts';

/**
 * About the bytes that a knowledge base takes at each Eve in a mode.
 *
 * @throws KithError `split_operators`, `split_dimension`: the mode cannot be had with these Eves, or these vectors
 */
export function modeBytes(
  mode: VaultMode,
  documents: Pick<KnowledgeStore, 'counts' | 'embedder'>,
  eves: readonly Place[],
): number {
  const { bytes, vectors } = documents.counts();
  if (mode === 'split') coloursOf(eves);
  const dimension = documents.embedder?.dimension ?? null;
  if (dimension !== null && mode === 'split') checkDimension(dimension);
  if (dimension !== null && mode === 'perturbed') checkPerturbedDimension(dimension);
  const more = { sealed: () => 0, split: splitBytes, perturbed: perturbedBytes }[mode];
  return bytes + more(vectors, dimension ?? 0);
}

export interface Changed {
  readonly row: PlacedRow;
  /** What is placed has to be made anew; else copies move. */
  readonly anew: boolean;
}

/**
 * The row as it is from now on. Eves that come have their tenants, and those that stay have room for what was and what comes.
 *
 * @throws InputError `vault_eve_unknown`, `vault_eve_twice`, `vault_no_eves`; KithError `split_operators`; what Eves answer
 */
export async function changePlaced(
  reach: VaultReach,
  before: PlacedRow,
  documents: Pick<KnowledgeStore, 'counts' | 'embedder'>,
  order: ChangeOrder,
  signal: AbortSignal,
): Promise<Changed> {
  const { add, drop, mode = before.mode, quotaBytes } = order;
  const named = operated(before.eves, order.operators ?? []);
  const stays = named.filter(({ peer }) => !drop.includes(peer));
  const bytes = modeBytes(mode, documents, [...stays, ...placesOf(add, stays)]);
  const anew = mode !== before.mode;
  const quota = quotaBytes ?? Math.max(before.quota, anew ? leastQuota(bytes) : 0);
  const row = { ...before, mode, eves: named, quota };
  // All are asked before anything is made.
  const grow =
    anew || quotaBytes !== undefined
      ? await askForRoom(reach.waysTo(row.id, stays), quota, anew ? bytes : 0, signal)
      : async () => {};
  const changed = await changeEves(reach, row, order, signal);
  await grow();
  // Until the next sync has ended what is placed is not what is here.
  return { row: anew ? { ...changed, version: null } : changed, anew };
}

/** Eves with who runs them as is said now. @param told `Name=PEER` */
function operated(eves: readonly Place[], told: readonly string[]): readonly Place[] {
  const names = new Map(placesOf(told, []).map(({ peer, operator }) => [peer, operator]));
  for (const peer of names.keys())
    if (!eves.some((eve) => eve.peer === peer))
      throw new InputError(
        'vault_eve_unknown',
        `${peer} is none of its Eves, so that it is not to be said who runs her. To take her: --add Name=${peer}`,
        { param: 'operators' },
      );
  return eves.map(({ peer, operator }) => ({ peer, operator: names.get(peer) ?? operator }));
}

/**
 * Asks whether tenants may grow, and gives what makes them: to `quota`, and so that `more` fits beside what they have.
 *
 * @throws KithError `storage_full`; what Eves answer, of whom all have to be there
 */
async function askForRoom(
  ways: readonly TenantWay[],
  quota: number,
  more: number,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const renewals = await Promise.all(
    ways.map(async ({ tenant, terms }) => {
      const { quotaBytes, usedBytes } = await tenant.info(signal);
      const wanted = Math.max(quota, usedBytes + more);
      const { freeBytes, days } = await terms(signal);
      if (wanted - quotaBytes > freeBytes)
        throw new KithError(
          'storage_full',
          `${tenant.peer}: This Eve has ${formatBytes(freeBytes)} left to lend; ${formatBytes(wanted - quotaBytes)} more are needed beside the ${formatBytes(quotaBytes)} there are. Take another Eve in her place (--add, --drop), or stay with the mode that it has.`,
          { status: 507, details: { free: freeBytes, needed: wanted - quotaBytes } },
        );
      return { tenant, wanted, grows: wanted > quotaBytes, days: Math.min(DAYS, days) };
    }),
  );
  return async () => {
    for (const { tenant, wanted, grows, days } of renewals)
      if (grows) await tenant.renew(wanted, days, signal);
  };
}
