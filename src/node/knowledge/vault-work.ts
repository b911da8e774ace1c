/**
 * The jobs of the vault: what Eves keep of a knowledge base made equal to it, and copies made again.
 *
 * @module node/knowledge/vault-work
 */
import { KithError } from '../../base/index.ts';
import type { AreaParts } from './areas.ts';
import type { OpenKb } from './kbs.ts';
import type { Work } from './registry.ts';
import { NOTHING, noProgress, type Telling } from './telling.ts';
import { objectsOf } from './vault-parts.ts';
import { requireMode } from './vault-perturbed.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow } from './vault-store.ts';
import { syncPlaced } from './vault-syncing.ts';
import { renewTenants } from './vault-tenants.ts';

export interface VaultWorkParts {
  readonly parts: Pick<AreaParts, 'clock' | 'random' | 'config'>;
  readonly reach: VaultReach;
  /** Searches read what is there now. */
  readonly onChanged: (collection: string) => void;
}

export type VaultWork = (
  work: Extract<Work, { readonly kind: 'vault'; readonly op: 'sync' | 'repair' }>,
  name: string,
  kb: OpenKb,
  telling: Telling,
) => Promise<void>;

/** Digits of a collection's id that are of its knowledge base. */
export const idOf = (kbId: string): string => `kb-${kbId}`;

const failuresOf = (away: ReadonlyMap<string, string>) =>
  [...away].map(([peer, message]) => ({ path: peer, code: 'vault_away', message }));

export function createVaultWork({ parts: { clock, random, config }, reach, onChanged }: VaultWorkParts): VaultWork {
  const told =
    (tell: Telling['tell']) =>
    (done: number, of: number): void =>
      tell({ ...noProgress, of, totals: { ...NOTHING, files: done, done } });

  async function repair(row: PlacedRow, { signal, tell }: Telling): Promise<void> {
    const collection = reach.collectionOf(row, await reach.store());
    const report = await collection.repair({ signal, told: told(tell) });
    if (report.lost.length > 0)
      throw new KithError(
        'vault_block_lost',
        `No Eve has ${report.lost.length} of ${report.blocks} blocks any more. Place it again from here: kith vpk tenant delete ${row.kb} --yes, then kith rag connect-eve ${row.kb} --eve PEER`,
        { status: 503 },
      );
    tell({
      ...noProgress,
      of: report.blocks,
      totals: { ...NOTHING, files: report.blocks, done: report.copied },
      failures: failuresOf(report.away),
    });
  }

  async function sync(row: PlacedRow, kb: OpenKb, { signal, tell }: Telling): Promise<void> {
    const { id, kb: name, mode, eves } = row;
    requireMode(mode, config);
    const placed = await reach.store();
    const collection = reach.collectionOf(row, placed);
    const unrenewed = await renewTenants(reach.waysTo(id, eves), signal);
    await using objects = await objectsOf(kb.store, random, signal);
    const report = await syncPlaced({
      ...{ name, mode, embedder: kb.store.embedder, objects, collection, random, signal, told: told(tell) },
      keysOf: (epoch) => reach.need().root.keysOf(id, epoch),
    });
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
        done: report.added + report.changed,
        bytes: report.uploadedBytes,
      },
      failures: failuresOf(new Map([...unrenewed, ...report.away])),
    });
  }

  return async ({ op }, name, kb, telling) => {
    const row = await reach.rowOf(name);
    if (row.id !== idOf(kb.store.id)) {
      // Another one of that name was placed before.
      (await reach.store()).remove(row.id);
      await reach.rowOf(name);
    }
    await (op === 'repair' ? repair(row, telling) : sync(row, kb, telling));
  };
}
