/**
 * Knowledge bases on the disks of peers who cannot read them: places them, keeps them equal, repairs, checks and restores.
 *
 * @module node/knowledge/vault
 */
import { join } from 'node:path';
import { InputError, isKithError, KithError, makeFolder, messageOf, toHex } from '../../base/index.ts';
import { writeParts } from '../../knowledge/index.ts';
import type { ChangeOrder, FoundKb, JobView, KbView, PlacedView, VaultDesk } from '../../server/index.ts';
import {
  ABOUT_HEAD,
  type About,
  type AskEve,
  BLOCK_MAX_BYTES,
  type Collection,
  checkDimension,
  coloursOf,
  createCollection,
  type OwnTenant,
  openAbout,
  type Place,
  type PlacedEve,
  REVIEW_WARNING,
  rootOfIdentity,
  SPLIT_OBJECTS,
  sealAbout,
  tenantAt,
  tenantsAt,
  termsOf,
  VAULT_METHOD,
  type VaultMode,
  type VaultRoot,
} from '../../vault/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import { removeDatabase } from './admitting.ts';
import type { AreaParts } from './areas.ts';
import type { Exchange } from './exchange.ts';
import type { OpenKb } from './kbs.ts';
import { requireNew } from './making.ts';
import type { Work } from './registry.ts';
import type { SharingParts } from './share.ts';
import { NOTHING, noProgress, type Telling } from './telling.ts';
import { objectsOf } from './vault-parts.ts';
import { createPlacedSearcher } from './vault-search.ts';
import { splitBytes } from './vault-split.ts';
import { openPlacedStore, type PlacedRow, type PlacedStore } from './vault-store.ts';
import { syncPlaced } from './vault-syncing.ts';
import { makeTenants, renewTenants, type TenantWay } from './vault-tenants.ts';

export interface NodeVault extends Disposable {
  readonly desk: VaultDesk;
  work(
    work: Extract<Work, { readonly kind: 'vault' }>,
    name: string,
    kb: OpenKb,
    telling: Telling,
  ): Promise<void>;
  /** The knowledge base is gone here; what peers keep of it stays. */
  forget(name: string): Promise<void>;
}

const CALL_MS = 60_000;
const ASK_MS = 10_000;
/** Copies that are wanted; with fewer Eves there are as many as Eves, until others join. */
const REPLICAS = 2;
const LEAST_QUOTA = 64 << 20;
/** Digits of a collection's id that are of its knowledge base. */
const idOf = (kbId: string): string => `kb-${kbId}`;

export function createVault(parts: AreaParts, restoreFile: Exchange['desk']['restore']): NodeVault {
  const { config, clock, random, log, opened, withKb, sharing } = parts;
  let kept: PlacedStore | null = null;
  let root: VaultRoot | null = null;

  async function store(): Promise<PlacedStore> {
    await opened();
    kept ??= openPlacedStore(join(config.home, 'vault', 'bob.sqlite'));
    return kept;
  }

  function need(): SharingParts & { readonly root: VaultRoot } {
    if (sharing === undefined)
      throw new KithError(
        'vault_off',
        'Only a running node keeps knowledge bases on the disks of peers. Start it with kith start.',
        { status: 409 },
      );
    root ??= rootOfIdentity(sharing.identity);
    return { ...sharing, root };
  }

  /** Calls of one Eve. What is sent is copied: the network takes what it is given. */
  const askOf = (peer: string, deadlineMs = CALL_MS): AskEve => {
    const { peers } = need();
    return (metadata, payload, signal) =>
      peers.swarm.call(peer, VAULT_METHOD, metadata, Uint8Array.from(payload), {
        ...{ deadlineMs, maxReplyBytes: BLOCK_MAX_BYTES },
        ...(signal === undefined ? {} : { signal }),
      });
  };

  const tenantOf = (id: string, peer: string): OwnTenant =>
    tenantAt(peer, need().root.label(id), askOf(peer));

  const evesOf = ({ id, eves }: Pick<PlacedRow, 'id' | 'eves'>): PlacedEve[] =>
    eves.map((eve) => ({ ...eve, tenant: tenantOf(id, eve.peer) }));

  const searcher = createPlacedSearcher({
    ...{ random, clock, root: () => need().root },
    embedders: async () => (await opened()).embedders,
    onFault: (peer, why) => log.warn('An Eve did not search what she took.', { peer, cause: why }),
  });

  function collectionOf(
    { id, eves, replicas, reached }: Pick<PlacedRow, 'id' | 'eves' | 'replicas' | 'reached'>,
    placed: PlacedStore | null,
  ): Collection {
    return createCollection({
      ...{ id, root: need().root, replicas, reached, random, clock, log },
      eves: evesOf({ id, eves }),
      onReached: (number) => placed?.reach(id, number),
      onFault: (peer, fault, block) => log.warn('An Eve did not give what she took.', { peer, fault, block }),
    });
  }

  async function rowOf(name: string): Promise<PlacedRow> {
    const row = (await store()).of(name);
    if (row !== null) return row;
    throw new KithError(
      'vault_not_kept',
      `${name} is on no peer's disk. Place it: kith rag connect-eve ${name} --eve PEER`,
      { status: 404 },
    );
  }

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

  /** What each tenant tells of itself to its owner. */
  async function tellAll(row: PlacedRow, signal: AbortSignal): Promise<void> {
    const { id, kb, mode, replicas, eves } = row;
    const about: About = { id, name: kb, mode, replicas, eves };
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

  const waysTo = (id: string, eves: readonly Place[]): TenantWay[] =>
    eves.map(({ peer }) => ({
      tenant: tenantOf(id, peer),
      terms: (signal) => termsOf(askOf(peer, ASK_MS), signal),
    }));

  const addJob = async (name: string, op: 'sync' | 'repair'): Promise<JobView> =>
    (await opened()).jobs.add(name, { kind: 'vault', op });

  const desk: VaultDesk = {
    async discover(asked, signal) {
      const { peers } = need();
      const all = asked.length > 0 ? asked : peers.lending();
      return Promise.all(
        all.map(async (peer) => {
          const began = clock.monotonic();
          try {
            const { open, freeBytes, largestBytes, days } = await termsOf(askOf(peer, ASK_MS), signal);
            const ms = clock.monotonic() - began;
            return { peer, open, freeBytes, largestBytes, days, ms, trouble: null };
          } catch (error) {
            const nothing = { freeBytes: null, largestBytes: null, days: null, ms: null };
            return { peer, open: false, ...nothing, trouble: messageOf(error) };
          }
        }),
      );
    },
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
      // Twice: what is new is there before what was goes.
      const quota = quotaBytes ?? Math.max(LEAST_QUOTA, 2 * bytes);
      await makeTenants(waysTo(id, eves), quota, days, signal);
      const row: PlacedRow = {
        ...{ id, kb: name, mode, replicas: replicas ?? REPLICAS, eves, quota },
        ...{ reached: 0, version: null, synced: null },
      };
      placed.save(row);
      await tellAll(row, signal);
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
      const row = await rowOf(name);
      const placed = await store();
      const changed = await changeEves(row, order, signal);
      placed.save(changed);
      await tellAll(changed, signal);
      return addJob(name, 'repair');
    },
    async check(name, questions, signal) {
      return collectionOf(await rowOf(name), await store()).check(questions, signal);
    },
    async search(name, { query, k, eves: asked }, signal) {
      const row = asked.length > 0 ? null : (await store()).of(name);
      const place = row ?? { ...(await foundOne(name, asked, signal)), reached: 0 };
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
    find,
    restore,
  };

  async function changeEves(row: PlacedRow, order: ChangeOrder, signal: AbortSignal): Promise<PlacedRow> {
    const { add, drop, replicas = row.replicas, days } = order;
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
    await makeTenants(waysTo(row.id, added), row.quota, days, signal);
    return { ...row, eves, replicas };
  }

  async function find(asked: readonly string[], signal: AbortSignal): Promise<readonly FoundKb[]> {
    const { peers, root: own } = need();
    const found = new Map<string, FoundKb & { at: string[] }>();
    await Promise.all(
      (asked.length > 0 ? asked : peers.lending()).map(async (peer) => {
        const tenants = await tenantsAt(askOf(peer, ASK_MS), signal).catch((error: unknown) => {
          // Who was named is to answer.
          if (asked.length > 0) throw error;
          return [];
        });
        for (const { label } of tenants)
          try {
            const row = await tenantAt(peer, label, askOf(peer, ASK_MS)).head(ABOUT_HEAD, signal);
            if (row === null) continue;
            const { id, name, mode, replicas, eves } = openAbout(own, label, row.bytes);
            const known = found.get(id);
            if (known === undefined) found.set(id, { id, name, mode, replicas, eves, at: [peer] });
            else known.at.push(peer);
          } catch (error) {
            log.warn('A tenant does not tell what it is about.', { peer, cause: messageOf(error) });
          }
      }),
    );
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function foundOne(source: string, asked: readonly string[], signal: AbortSignal): Promise<FoundKb> {
    const found = (await find(asked, signal)).filter((one) => one.name === source || one.id === source);
    if (found.length === 1) return found[0]!;
    throw new KithError(
      'vault_not_found',
      found.length === 0
        ? `None of these Eves has a knowledge base ${JSON.stringify(source)} of this key. kith vpk resolve lists those there are.`
        : `There are ${found.length} of the name ${JSON.stringify(source)}. Name one by its id: ${found.map(({ id }) => id).join(', ')}`,
      { status: 404 },
    );
  }

  async function restore(
    name: string,
    { eves: asked, source, folder }: Parameters<VaultDesk['restore']>[1],
    signal: AbortSignal,
  ): Promise<KbView> {
    const keep = folder ?? knowledgeFolder(config);
    // Before anything is fetched.
    requireNew(name, join(keep, `${name}.sqlite`), (await opened()).registry);
    const { id, mode, replicas, eves } = await foundOne(source, asked, signal);
    const collection = collectionOf({ id, eves, replicas, reached: 0 }, null);
    const manifest = await collection.open(signal);
    await makeFolder(keep, 0o700);
    const path = join(keep, `${name}.${toHex(random.bytes(6))}.tmp`);
    try {
      await writeParts(
        path,
        (async function* () {
          for await (const { name: part, object } of collection.readAll(manifest, { signal }))
            if (!part.startsWith(SPLIT_OBJECTS)) yield object;
        })(),
      );
      const view = await restoreFile(name, { file: path, ...(folder === undefined ? {} : { folder }) });
      const placed = await store();
      const { version, bytes } = await withKb(name, ({ store: documents }) => ({
        version: documents.version(),
        bytes: documents.counts().bytes,
      }));
      // Another machine may go on with it: who writes first is told apart by the head.
      if (placed.of(name) === null)
        placed.save({
          ...{ id, kb: name, mode, replicas, eves, quota: Math.max(LEAST_QUOTA, 2 * bytes) },
          ...{ reached: manifest.number, version, synced: Math.floor(clock.now()) },
        });
      return view;
    } finally {
      await removeDatabase(path);
    }
  }

  return {
    desk,
    async work({ op }, name, kb, { signal, tell }) {
      const row = await rowOf(name);
      const placed = await store();
      if (row.id !== idOf(kb.store.id)) {
        // Another one of that name was placed before.
        placed.remove(row.id);
        await rowOf(name);
      }
      const collection = collectionOf(row, placed);
      const told = (done: number, of: number) =>
        tell({ ...noProgress, of, totals: { ...NOTHING, files: done, done } });
      if (op === 'repair') {
        const report = await collection.repair({ signal, told });
        if (report.lost.length > 0)
          throw new KithError(
            'vault_block_lost',
            `No Eve has ${report.lost.length} of ${report.blocks} blocks any more. Place it again from here: kith vpk tenant delete ${name} --yes, then kith rag connect-eve ${name} --eve PEER`,
            { status: 503 },
          );
        tell({
          ...noProgress,
          of: report.blocks,
          totals: { ...NOTHING, files: report.blocks, done: report.copied },
          failures: failuresOf(report.away),
        });
        return;
      }
      const unrenewed = await renewTenants(waysTo(row.id, row.eves), signal);
      await using objects = await objectsOf(kb.store, random, signal);
      const report = await syncPlaced({
        ...{ name, mode: row.mode, embedder: kb.store.embedder, objects, collection, random, signal, told },
        keysOf: (epoch) => need().root.keysOf(row.id, epoch),
      });
      searcher.forget(row.id);
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
    },
    async forget(name) {
      const placed = kept ?? (sharing === undefined ? null : await store());
      const row = placed?.of(name);
      if (row !== undefined && row !== null) placed!.remove(row.id);
    },
    [Symbol.dispose]() {
      kept?.[Symbol.dispose]();
      kept = null;
    },
  };
}

const warningOf = (mode: VaultMode): string | null => (mode === 'split' ? REVIEW_WARNING : null);

const failuresOf = (away: ReadonlyMap<string, string>) =>
  [...away].map(([peer, message]) => ({ path: peer, code: 'vault_away', message }));

/** Eves as they were named, none twice. */
function placesOf(named: readonly string[], there: readonly Place[]): Place[] {
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
