/**
 * Knowledge bases on the disks of peers who cannot read them: places them, keeps them equal, repairs, checks and restores.
 *
 * @module node/knowledge/vault
 */
import { KithError } from '../../base/index.ts';
import type { JobView, PlacedView, VaultDesk, VaultGrantDesk } from '../../server/index.ts';
import { noteOf } from '../../vault/index.ts';
import type { AreaParts } from './areas.ts';
import type { Exchange } from './exchange.ts';
import { checkPlaced, tenantsOf } from './vault-check.ts';
import { vaultDiscovery } from './vault-discovery.ts';
import { placesOf, tellEves } from './vault-eves.ts';
import { createVaultFinding } from './vault-finding.ts';
import { createGrantDesk } from './vault-grant-desk.ts';
import { createVaultGranted } from './vault-granted.ts';
import { createVaultGrants } from './vault-grants.ts';
import { destroyAll, noteDropped } from './vault-leaving.ts';
import { newMeter } from './vault-meter.ts';
import { changePlaced, modeBytes } from './vault-mode.ts';
import { secretOfFound, secretToPlace } from './vault-passphrase.ts';
import { requireMode } from './vault-perturbed.ts';
import { createVaultReach } from './vault-reach.ts';
import { createVaultRestore, type VaultRestore } from './vault-restore.ts';
import { createPlacedSearcher } from './vault-search.ts';
import type { PlacedRow } from './vault-store.ts';
import { leastQuota, makeTenants } from './vault-tenants.ts';
import { startVaultWatch } from './vault-watch.ts';
import { vaultWatchParts } from './vault-watch-parts.ts';
import { createVaultWork, idOf, otherPlaced, type VaultWork } from './vault-work.ts';

export interface NodeVault extends Disposable {
  readonly desk: VaultDesk;
  /** Begins to look after what is placed, while this node runs. */
  watch(): AsyncDisposable;
  readonly grants: VaultGrantDesk;
  readonly work: VaultWork;
  /** Does a job that makes a knowledge base. */
  readonly restoring: VaultRestore['work'];
}

/** Copies that are wanted; with fewer Eves there are as many as Eves, until others join. */
const REPLICAS = 2;

export function createVault(parts: AreaParts, restoreFile: Exchange['desk']['restore']): NodeVault {
  const { clock, random, log, opened, withKb, sharing, config } = parts;
  const reach = createVaultReach(parts);
  const { need, store, rowOf, evesOf, collectionOf } = reach;
  const finding = createVaultFinding(reach, log);
  const searcher = createPlacedSearcher({
    ...{ random, clock, config },
    embedders: async () => (await opened()).embedders,
    reads: reach.reads,
    onFault: (peer, why) => log.warn('An Eve did not search what she took.', { peer, cause: why }),
  });
  const grants = createVaultGrants(parts, reach);
  const granted = createVaultGranted(parts, reach);
  const restoring = createVaultRestore(parts, reach, finding, granted, restoreFile);

  const viewOf = async ({
    id,
    kb,
    mode,
    replicas,
    eves,
    reached,
    version,
    synced,
  }: PlacedRow): Promise<PlacedView> => ({
    ...{ kb, mode, replicas: Math.min(replicas, eves.length), eves },
    ...{ number: reached, synced, ...noteOf(mode) },
    passphrase: (await store()).secrets.of('placed', id) !== null,
    poor: eves.flatMap(({ peer }) => (sharing !== undefined && reach.reputation.of(peer).poor ? [peer] : [])),
    stale: await withKb(kb, ({ store: documents }) => documents.version() !== version).catch(() => null),
  });

  /** Of one that was not placed from here. */
  async function foundPlace(
    name: string,
    asked: readonly string[],
    passphrase: string | undefined,
    signal: AbortSignal,
  ) {
    const found = await finding.findOne(name, asked, signal);
    const secret = await secretOfFound(reach, found, passphrase);
    const { root } = need();
    return { ...found, reached: 0, ring: secret === null ? root : root.beside(secret.key) };
  }

  const addJob = async (name: string, op: 'sync' | 'repair' | 'rotate'): Promise<JobView> => {
    const { registry, jobs } = await opened();
    if (!registry.has(name)) throw notHere(name);
    return jobs.add(name, { kind: 'vault', op });
  };

  const desk: VaultDesk = {
    discover: vaultDiscovery(reach, clock),
    async placed() {
      const rows = (await store()).all();
      return Promise.all(rows.map(viewOf));
    },
    async info(name, signal) {
      const row = await rowOf(name);
      const tenants = await tenantsOf(reach, row, signal);
      return { ...(await viewOf(row)), tenants };
    },
    async place(name, { mode = 'sealed', eves: named, replicas, quotaBytes, days, passphrase }, signal) {
      requireMode(mode, config);
      const placed = await store();
      const before = placed.of(name);
      if (before !== null && (await withKb(name, ({ store: documents }) => idOf(documents.id))) !== before.id)
        throw otherPlaced(name);
      if (before !== null)
        throw new KithError(
          'vault_placed',
          `${name} is on peers' disks already. Bring it up to date with kith vpk upload ${name}, or change its Eves with kith vpk rebalance ${name}.`,
          { status: 409 },
        );
      const eves = placesOf(named, []);
      const { id, bytes } = await withKb(name, ({ store: documents }) => ({
        id: idOf(documents.id),
        bytes: modeBytes(mode, documents, eves),
      }));
      const same = placed.all().find((row) => row.id === id);
      if (same !== undefined)
        throw new KithError(
          'vault_placed',
          `${name} is a copy of ${same.kb}, which is on peers' disks already: one would overwrite the other there. Delete what they keep of that one first (kith vpk tenant delete ${same.kb} --yes).`,
          { status: 409 },
        );
      const quota = quotaBytes ?? leastQuota(bytes);
      const secret = await secretToPlace(reach, id, eves, passphrase, random, signal);
      await makeTenants(reach.waysTo(id, eves), quota, days, signal);
      const row: PlacedRow = {
        ...{ id, kb: name, mode, replicas: replicas ?? REPLICAS, eves, quota },
        ...{ reached: 0, version: null, synced: null },
      };
      // First: a row without it would be placed under other keys.
      placed.secrets.keep('placed', id, secret);
      placed.save(row);
      placed.upkeep.change(id, { byHand: quotaBytes !== undefined });
      for (const { peer } of eves) placed.upkeep.left(id, peer);
      await grants.placed(row, [], signal);
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
      const before = await rowOf(name);
      requireMode(order.mode ?? before.mode, config);
      const { row, anew } = await withKb(name, ({ store: documents }) =>
        changePlaced(reach, before, documents, order, signal),
      );
      await noteDropped(reach, before, row, clock.now());
      if (order.quotaBytes !== undefined) (await store()).upkeep.change(row.id, { byHand: true });
      // What was reached meanwhile stays so.
      (await store()).save({ ...row, reached: (await rowOf(name)).reached });
      await grants.placed(row, before.eves, signal);
      await tellEves(reach, row, parts, signal);
      if (!anew) return addJob(name, 'repair');
      const job = await addJob(name, 'sync');
      if (order.add.length + order.drop.length > 0) await addJob(name, 'repair');
      return job;
    },
    async check(name, questions, signal) {
      const { eves, forked } = await checkPlaced(reach, await rowOf(name), questions, signal);
      return { eves, forked };
    },
    async search(name, { query, k, eves: asked, filter, passphrase }, signal) {
      const row = asked.length > 0 ? null : (await store()).of(name);
      const place = row ?? (await foundPlace(name, asked, passphrase, signal));
      const meter = newMeter();
      return searcher.search({
        ...{ name, query, k, signal, meter, eves: evesOf(place) },
        ...(filter === undefined ? {} : { filter }),
        collection: collectionOf(place, row === null ? null : await store(), meter),
      });
    },
    async remove(name, signal) {
      const row = await rowOf(name);
      searcher.forget(row.id);
      reach.reads().forget(row.id);
      const { gone, left } = await destroyAll(reach, row, clock.now(), signal);
      await grants.gone(row.id, gone);
      return { gone, left };
    },
    async find(asked, signal) {
      const found = await finding.find(asked, signal);
      return found.map(({ marks: _, ...one }) => one);
    },
    restore: restoring.restore,
  };

  return {
    desk,
    grants: createGrantDesk({
      ...{ parts, reach, grants, granted },
      rotate: (name) => addJob(name, 'rotate'),
    }),
    work: createVaultWork({
      ...{ parts, reach, grants },
      onChanged(id) {
        searcher.forget(id);
        // What was erased is to be readable no more, nor by what was read before.
        reach.reads().forgetPages(id);
      },
    }),
    restoring: restoring.work,
    watch() {
      void grants.goOn(reach.file);
      return startVaultWatch(vaultWatchParts(parts, reach, reach.file));
    },
    [Symbol.dispose]() {
      grants[Symbol.dispose]();
      reach[Symbol.dispose]();
    },
  };
}

const notHere = (name: string): KithError =>
  new KithError(
    'kb_unknown',
    `${name} is not here any more; peers keep it until its time is over. Fetch it with kith vpk restore ${name}, or delete it there with kith vpk tenant delete ${name} --yes.`,
    { status: 404, param: 'kb' },
  );
