/**
 * Knowledge bases on the disks of peers who cannot read them: places them, keeps them equal, repairs, checks and restores.
 *
 * @module node/knowledge/vault
 */
import { isKithError, KithError, messageOf } from '../../base/index.ts';
import type { JobView, PlacedView, VaultDesk } from '../../server/index.ts';
import { checkDimension, coloursOf, REVIEW_WARNING, type VaultMode } from '../../vault/index.ts';
import type { AreaParts } from './areas.ts';
import type { Exchange } from './exchange.ts';
import { vaultDiscovery } from './vault-discovery.ts';
import { changeEves, placesOf, tellEves } from './vault-eves.ts';
import { createVaultFinding } from './vault-finding.ts';
import { createVaultReach } from './vault-reach.ts';
import { createVaultRestore, type VaultRestore } from './vault-restore.ts';
import { createPlacedSearcher } from './vault-search.ts';
import { splitBytes } from './vault-split.ts';
import type { PlacedRow } from './vault-store.ts';
import { leastQuota, makeTenants } from './vault-tenants.ts';
import { createVaultWork, idOf, type VaultWork } from './vault-work.ts';

export interface NodeVault extends Disposable {
  readonly desk: VaultDesk;
  readonly work: VaultWork;
  /** Does a job that makes a knowledge base. */
  readonly restoring: VaultRestore['work'];
  /** The knowledge base is gone here; what peers keep of it stays. */
  forget(name: string): Promise<void>;
}

/** Copies that are wanted; with fewer Eves there are as many as Eves, until others join. */
const REPLICAS = 2;

export function createVault(parts: AreaParts, restoreFile: Exchange['desk']['restore']): NodeVault {
  const { clock, random, log, opened, withKb, sharing } = parts;
  const reach = createVaultReach(parts);
  const { need, store, rowOf, tenantOf, evesOf, collectionOf } = reach;
  const finding = createVaultFinding(reach, log);
  const searcher = createPlacedSearcher({
    ...{ random, clock, root: () => need().root },
    embedders: async () => (await opened()).embedders,
    onFault: (peer, why) => log.warn('An Eve did not search what she took.', { peer, cause: why }),
  });
  const restoring = createVaultRestore(parts, reach, finding, restoreFile);

  const viewOf = async ({
    kb,
    mode,
    replicas,
    eves,
    reached,
    version,
    synced,
  }: PlacedRow): Promise<PlacedView> => ({
    ...{ kb, mode, replicas: Math.min(replicas, eves.length), eves },
    ...{ number: reached, synced, warning: warningOf(mode) },
    stale: await withKb(kb, ({ store: documents }) => documents.version() !== version).catch(() => null),
  });

  const addJob = async (name: string, op: 'sync' | 'repair'): Promise<JobView> =>
    (await opened()).jobs.add(name, { kind: 'vault', op });

  const desk: VaultDesk = {
    discover: vaultDiscovery(reach, clock),
    async placed() {
      const rows = (await store()).all();
      return Promise.all(rows.map(viewOf));
    },
    async info(name, signal) {
      const row = await rowOf(name);
      const tenants = await Promise.all(
        row.eves.map(async ({ peer }) => {
          try {
            const { state, quotaBytes, usedBytes, blocks, until } = await tenantOf(row.id, peer).info(signal);
            return { peer, state, quotaBytes, usedBytes, blocks, until, trouble: null };
          } catch (error) {
            const nothing = { state: null, quotaBytes: null, usedBytes: null, blocks: null, until: null };
            return { peer, ...nothing, trouble: messageOf(error) };
          }
        }),
      );
      return { ...(await viewOf(row)), tenants };
    },
    async place(name, { mode = 'sealed', eves: named, replicas, quotaBytes, days }, signal) {
      const placed = await store();
      if (placed.of(name) !== null)
        throw new KithError(
          'vault_placed',
          `${name} is on peers' disks already. Bring it up to date with kith vpk upload ${name}, or change its Eves with kith vpk rebalance ${name}.`,
          { status: 409 },
        );
      const eves = placesOf(named, []);
      if (mode === 'split') coloursOf(eves);
      const { id, bytes } = await withKb(name, ({ store: documents }) => {
        const { bytes, vectors } = documents.counts();
        const dimension = documents.embedder?.dimension ?? null;
        if (mode === 'split' && dimension !== null) checkDimension(dimension);
        const split = mode === 'split' ? splitBytes(vectors, dimension ?? 0) : 0;
        return { id: idOf(documents.id), bytes: bytes + split };
      });
      const quota = quotaBytes ?? leastQuota(bytes);
      await makeTenants(reach.waysTo(id, eves), quota, days, signal);
      const row: PlacedRow = {
        ...{ id, kb: name, mode, replicas: replicas ?? REPLICAS, eves, quota },
        ...{ reached: 0, version: null, synced: null },
      };
      placed.save(row);
      await tellEves(reach, row, parts, signal);
      return addJob(name, 'sync');
    },
    async sync(name) {
      await rowOf(name);
      return addJob(name, 'sync');
    },
    async repair(name) {
      await rowOf(name);
      return addJob(name, 'repair');
    },
    async change(name, order, signal) {
      const changed = await changeEves(reach, await rowOf(name), order, signal);
      (await store()).save(changed);
      await tellEves(reach, changed, parts, signal);
      return addJob(name, 'repair');
    },
    async check(name, questions, signal) {
      return collectionOf(await rowOf(name), await store()).check(questions, signal);
    },
    async search(name, { query, k, eves: asked }, signal) {
      const row = asked.length > 0 ? null : (await store()).of(name);
      const place = row ?? { ...(await finding.findOne(name, asked, signal)), reached: 0 };
      return searcher.search({
        ...{ name, query, k, signal, eves: evesOf(place) },
        collection: collectionOf(place, row === null ? null : await store()),
      });
    },
    async remove(name, signal) {
      const row = await rowOf(name);
      searcher.forget(row.id);
      const gone: string[] = [];
      const left: string[] = [];
      await Promise.all(
        row.eves.map(async ({ peer }) => {
          try {
            await tenantOf(row.id, peer).destroy(signal);
            gone.push(peer);
          } catch (error) {
            (isKithError(error) && error.code === 'storage_no_tenant' ? gone : left).push(peer);
          }
        }),
      );
      (await store()).remove(row.id);
      return { gone, left };
    },
    find: finding.find,
    restore: restoring.restore,
  };

  return {
    desk,
    work: createVaultWork({ parts, reach, onChanged: (id) => searcher.forget(id) }),
    restoring: restoring.work,
    async forget(name) {
      const placed = reach.kept ?? (sharing === undefined ? null : await store());
      const row = placed?.of(name);
      if (row !== undefined && row !== null) placed!.remove(row.id);
    },
    [Symbol.dispose]: () => reach[Symbol.dispose](),
  };
}

const warningOf = (mode: VaultMode): string | null => (mode === 'split' ? REVIEW_WARNING : null);
