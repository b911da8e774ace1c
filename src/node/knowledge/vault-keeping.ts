/**
 * What goes with every sync and repair: tenants that are there, have room and time, and what is to be remembered and told of the outcome.
 *
 * @module node/knowledge/vault-keeping
 */
import { formatBytes, type Logger, type Random } from '../../base/index.ts';
import type { KnowledgeStore } from '../../knowledge/index.ts';
import type { Trouble } from '../../server/index.ts';
import type { RepairReport, SyncReport } from '../../vault/index.ts';
import { tellEves } from './vault-eves.ts';
import { modeBytes } from './vault-mode.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow, PlacedStore } from './vault-store.ts';
import { growTenants, keepTenants, leastQuota } from './vault-tenants.ts';
import { NONE_WRITTEN } from './vault-upkeep-store.ts';

export type Told = Trouble & { readonly path: string };

export const toldAway = (away: ReadonlyMap<string, string>): Told[] =>
  [...away].map(([peer, message]) => ({ path: peer, code: 'vault_away', message }));

/**
 * Renews tenants, makes those again that an Eve lost, and asks for more room where the knowledge base grew and nobody said how much
 * there is to be. What could not be done, by PeerId, and where one was made again.
 */
export async function keepTheirTenants(
  reach: VaultReach,
  row: PlacedRow,
  documents: Pick<KnowledgeStore, 'counts' | 'embedder'>,
  parts: { readonly random: Pick<Random, 'bytes'>; readonly log: Logger },
  signal: AbortSignal,
): Promise<{ readonly trouble: ReadonlyMap<string, string>; readonly made: readonly string[] }> {
  const placed = await reach.store();
  const { upkeep } = placed;
  const ways = reach.waysTo(row.id, row.eves);
  const kept = await keepTenants(ways, row.quota, (peer) => upkeep.until(row.id, peer), signal);
  for (const [peer, until] of kept.until) upkeep.noteUntil(row.id, peer, until);
  for (const peer of kept.refused) reach.reputation.refused(upkeep, peer);
  for (const peer of kept.lost) reach.reputation.lostTenant(upkeep, peer);
  if (kept.made.length > 0) await tellEves(reach, row, parts, signal);
  const trouble = new Map(kept.trouble);
  const wanted = leastQuota(modeBytes(row.mode, documents, row.eves));
  if (wanted > row.quota && !upkeep.of(row.id).byHand) {
    const refused = await growTenants(ways, wanted, signal);
    for (const [peer, why] of refused) if (!trouble.has(peer)) trouble.set(peer, why);
    if (refused.size === 0) {
      placed.save({ ...(placed.of(row.kb) ?? row), quota: wanted });
      parts.log.info('More space was asked of Eves.', { kb: row.kb, space: formatBytes(wanted) });
    }
  }
  return { trouble, made: kept.made };
}

/** Writes down what a sync came to, and says what its owner has to know beside it. */
export async function noteSync(reach: VaultReach, row: PlacedRow, report: SyncReport): Promise<Told[]> {
  const { id, kb } = row;
  const placed = await reach.store();
  const { upkeep } = placed;
  const { written, sound } = upkeep.of(id);
  const { state, before, away, thin, fork } = report;
  const isWhole = away.size === 0 && thin === 0 && isAsPlaced(placed, row);
  upkeep.change(id, { written: state, sound: isWhole ? state : sound === state ? sound : null });
  if (fork !== null) return [forked(kb, fork.number)];
  const own = (written ?? NONE_WRITTEN).split(' ');
  const isOthers = before !== '' && own[0] !== NONE_WRITTEN && !own.includes(before);
  if (!isOthers) return [];
  return [
    {
      ...{ path: '', code: 'vault_elsewhere' },
      message: `Another machine with your key had placed a state after this one last did; this knowledge base stands in its place now. That machine still has its own: kith vpk upload ${kb} there places that.`,
    },
  ];
}

/** As `noteSync`, of a repair. */
export async function noteRepair(
  reach: VaultReach,
  row: PlacedRow,
  { lost, away, state, fork }: RepairReport,
): Promise<Told[]> {
  const { id, kb } = row;
  const placed = await reach.store();
  const { upkeep } = placed;
  const { sound } = upkeep.of(id);
  const isWhole = lost.length === 0 && away.size === 0 && isAsPlaced(placed, row);
  upkeep.change(id, { sound: isWhole ? state : sound === state ? sound : null });
  return fork === null ? [] : [forked(kb, fork.number)];
}

/** Whether its Eves are those with which the work began: of others nothing is known yet. */
function isAsPlaced(placed: PlacedStore, { kb, eves, replicas }: PlacedRow): boolean {
  const now = placed.of(kb);
  return now !== null && now.replicas === replicas && JSON.stringify(now.eves) === JSON.stringify(eves);
}

const forked = (kb: string, number: number): Told => ({
  ...{ path: '', code: 'vault_forked' },
  message: `Two machines with your key had each placed a state ${number}, each while the other one's Eves were away. All Eves show one state again. Each machine still has its own knowledge base: kith vpk upload ${kb} there places that.`,
});
