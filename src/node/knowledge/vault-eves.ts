/**
 * The Eves of a placed knowledge base: as they are named, others in their place, and what each is told of the collection.
 *
 * @module node/knowledge/vault-eves
 */
import { InputError, type Logger, messageOf, type Random } from '../../base/index.ts';
import type { ChangeOrder } from '../../server/index.ts';
import { ABOUT_HEAD, type About, coloursOf, type Place, sealAbout } from '../../vault/index.ts';
import { requireSameKeys } from './vault-passphrase.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow } from './vault-store.ts';
import { makeTenants } from './vault-tenants.ts';

/** Eves as they were named (`PEER` or `Operator=PEER`), none twice. @throws InputError `vault_eve_twice` */
export function placesOf(named: readonly string[], there: readonly Place[]): Place[] {
  const places: Place[] = [];
  for (const text of named) {
    const at = text.lastIndexOf('=');
    const peer = text.slice(at + 1);
    if ([...places, ...there].some((place) => place.peer === peer))
      throw new InputError('vault_eve_twice', `${peer} is named twice, or is one of its Eves already.`);
    places.push({ peer, operator: at < 0 ? null : text.slice(0, at) });
  }
  return places;
}

/** The row with other Eves, who have their tenants. */
export async function changeEves(
  reach: VaultReach,
  row: PlacedRow,
  { add, drop, replicas = row.replicas, days }: ChangeOrder,
  signal: AbortSignal,
): Promise<PlacedRow> {
  const stays = row.eves.filter(({ peer }) => !drop.includes(peer));
  const added = placesOf(add, stays);
  const eves = [...stays, ...added];
  if (eves.length === 0)
    throw new InputError(
      'vault_no_eves',
      'At least one Eve has to stay. To end it all: kith vpk tenant delete.',
    );
  const goes = row.eves.length - stays.length;
  if (row.synced !== null && goes > 0 && goes >= Math.min(row.replicas, row.eves.length))
    throw new InputError(
      'vault_no_eves',
      `Some blocks may lie at none but the ${goes} that would go. Drop fewer at a time, after others were added (kith vpk rebalance ${row.kb} --add PEER); when they are gone for good, place it anew (kith vpk tenant delete ${row.kb} --yes).`,
    );
  if (row.mode === 'split') coloursOf(eves);
  await requireSameKeys(reach, row.id, added, signal);
  await makeTenants(reach.waysTo(row.id, added), row.quota, days, signal);
  return { ...row, eves, replicas };
}

/** What each tenant tells of itself to its owner. */
export async function tellEves(
  { need, tenantOf, store }: VaultReach,
  { id, kb, mode, replicas, eves }: PlacedRow,
  { random, log }: { readonly random: Pick<Random, 'bytes'>; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const passphrase = (await store()).secrets.of('placed', id)?.mark ?? null;
  const about: About = { id, name: kb, mode, replicas, eves, passphrase };
  const label = need().root.label(id);
  const bytes = sealAbout(need().root, label, about, random);
  for (const { peer } of eves)
    try {
      const tenant = tenantOf(id, peer);
      const before = (await tenant.head(ABOUT_HEAD, signal))?.number ?? 0;
      await tenant.setHead(ABOUT_HEAD, { number: before + 1, bytes }, before, signal);
    } catch (error) {
      log.warn('An Eve was not told what her tenant is about.', { peer, cause: messageOf(error) });
    }
}
