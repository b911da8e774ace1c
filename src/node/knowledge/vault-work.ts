/**
 * The jobs of the vault: what Eves keep of a knowledge base made equal to it, and copies made again.
 *
 * @module node/knowledge/vault-work
 */
import { isKithError, KithError } from '../../base/index.ts';
import type { AreaParts } from './areas.ts';
import type { OpenKb } from './kbs.ts';
import type { Work } from './registry.ts';
import { NOTHING, noProgress, type Telling } from './telling.ts';
import type { VaultGrants } from './vault-grants.ts';
import { keepTheirTenants, noteRepair, noteSync, toldAway } from './vault-keeping.ts';
import { deleteDropped } from './vault-leaving.ts';
import { objectsOf } from './vault-parts.ts';
import { requireMode } from './vault-perturbed.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow } from './vault-store.ts';
import { syncPlaced } from './vault-syncing.ts';

export interface VaultWorkParts {
  readonly parts: Pick<AreaParts, 'clock' | 'random' | 'config' | 'log'>;
  readonly reach: VaultReach;
  readonly grants: Pick<VaultGrants, 'telling' | 'madeAnew'>;
  /** Searches read what is there now. */
  readonly onChanged: (collection: string) => void;
}

export type VaultWork = (
  work: Extract<Work, { readonly kind: 'vault'; readonly op: 'sync' | 'repair' | 'rotate' }>,
  name: string,
  kb: OpenKb,
  telling: Telling,
) => Promise<void>;

/** Digits of a collection's id that are of its knowledge base. */
export const idOf = (kbId: string): string => `kb-${kbId}`;

export function createVaultWork({
  parts: { clock, random, config, log },
  reach,
  grants,
  onChanged,
}: VaultWorkParts): VaultWork {
  const told =
    (tell: Telling['tell']) =>
    (done: number, of: number): void =>
      tell({ ...noProgress, of, totals: { ...NOTHING, files: done, done } });

  async function repair(row: PlacedRow, kb: OpenKb, { signal, tell }: Telling): Promise<void> {
    const { trouble, made } = await keepTheirTenants(reach, row, kb.store, { random, log }, signal);
    await grants.madeAnew(row.id, made, signal);
    const collection = reach.collectionOf(row, await reach.store());
    const report = await collection.repair({ signal, told: told(tell) });
    const notes = await noteRepair(reach, row, report);
    if (report.lost.length > 0)
      throw new KithError(
        'vault_block_lost',
        `No Eve has ${report.lost.length} of ${report.blocks} blocks any more. ${report.away.size > 0 ? `They may lie at those that are away: ${[...report.away.keys()].join(', ')}. If these are gone for good, take them out (kith vpk rebalance ${row.kb} --drop PEER); what` : 'What'} is missing is placed again from here: kith vpk upload ${row.kb}`,
        { status: 503 },
      );
    tell({
      ...noProgress,
      of: report.blocks,
      totals: { ...NOTHING, files: report.blocks, done: report.copied },
      failures: [...notes, ...toldAway(new Map([...trouble, ...report.away]))],
    });
    await deleteDropped(reach, row, log, signal);
  }

  /** Under new keys. What a run that was killed has done already is not done again. */
  async function rotate(
    row: PlacedRow,
    kb: OpenKb,
    from: number | undefined,
    telling: Telling,
  ): Promise<void> {
    const { signal, become } = telling;
    const placed = await reach.store();
    const collection = reach.collectionOf(row, placed);
    const { epoch } = await collection.openToWrite(signal);
    if (from === undefined) become({ kind: 'vault', op: 'rotate', from: epoch });
    const isDone = from !== undefined && epoch > from;
    // What a killed run left takes room, and all is to be there twice.
    if (!isDone) await collection.repair({ signal });
    await sync(row, kb, telling, !isDone);
    placed.grants.epoch(row.id, (await collection.openToWrite(signal)).epoch);
  }

  async function sync(row: PlacedRow, kb: OpenKb, { signal, tell }: Telling, rotate = false): Promise<void> {
    const { id, kb: name, mode } = row;
    requireMode(mode, config);
    const placed = await reach.store();
    const collection = reach.collectionOf(row, placed);
    const { trouble, made } = await keepTheirTenants(reach, row, kb.store, { random, log }, signal);
    await grants.madeAnew(row.id, made, signal);
    await using objects = await objectsOf(kb.store, random, signal);
    const report = await onTop(() =>
      syncPlaced({
        ...{ name, mode, embedder: kb.store.embedder, objects, collection, random, signal, told: told(tell) },
        rotate,
        keysOf: collection.keysOf,
      }),
    );
    const notes = await noteSync(reach, row, report);
    // Copies that were lost before, while all Eves are there.
    if (report.thin > 0) await noteRepair(reach, row, await collection.repair({ signal }));
    onChanged(id);
    placed.save({
      ...placed.of(name)!,
      ...{ version: objects.version, synced: Math.floor(clock.now()) },
    });
    tell({
      ...noProgress,
      of: report.objects,
      removed: report.erased,
      totals: {
        ...NOTHING,
        files: report.objects,
        done: report.added + report.changed + report.again,
        bytes: report.uploadedBytes,
      },
      failures: [...notes, ...toldAway(new Map([...trouble, ...report.away]))],
    });
    await deleteDropped(reach, row, log, signal);
  }

  return async (work, name, kb, telling) => {
    const row = await reach.rowOf(name);
    if (row.id !== idOf(kb.store.id)) {
      throw otherPlaced(name);
    }
    // Those that were away.
    await grants.telling.tellAll(telling.signal);
    try {
      if (work.op === 'repair') await repair(row, kb, telling);
      else if (work.op === 'rotate') await rotate(row, kb, work.from, telling);
      else await sync(row, kb, telling);
    } catch (error) {
      throw forKb(name, error);
    }
  };
}

/** How often a sync is made anew on top of a state that another machine placed meanwhile. */
const ON_TOP = 2;

async function onTop<T>(sync: () => Promise<T>): Promise<T> {
  for (let left = ON_TOP; ; left--)
    try {
      return await sync();
    } catch (error) {
      if (left === 0 || !isKithError(error) || error.code !== 'storage_head_moved') throw error;
    }
}

/** What is placed under a name is of a knowledge base that was here before. */
export const otherPlaced = (name: string): KithError =>
  new KithError(
    'vault_placed',
    `What peers keep under the name ${name} is of another knowledge base, which was here before. Fetch it (kith vpk restore ${name} --as OTHER) or delete it there (kith vpk tenant delete ${name} --yes); then this one can be placed.`,
    { status: 409 },
  );

/** The vault's room knows collections, not what they are called: its advice gets the name. */
function forKb(name: string, error: unknown): unknown {
  if (!isKithError(error) || !/\bKB\b/.test(error.message)) return error;
  const { code, message, status, details } = error;
  return new KithError(code, message.replace(/\bKB\b/g, name), {
    ...{ status, cause: error },
    ...(details === undefined ? {} : { details }),
  });
}
