/**
 * Makes a knowledge base again from what its Eves keep: a job, which goes on where a kill ended it.
 *
 * @module node/knowledge/vault-restore
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKithError, KithError, pathError, requireDiskSpace, throwIfAborted } from '../../base/index.ts';
import { openKnowledgeStore, writeParts } from '../../knowledge/index.ts';
import type { VaultDesk } from '../../server/index.ts';
import {
  COMPACT_OBJECTS,
  type Collection,
  type KeyRing,
  type Manifest,
  type PassphraseSecret,
  PERTURBED_OBJECTS,
  SPLIT_OBJECTS,
} from '../../vault/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import { checkWritableFolder, removeDatabase } from './admitting.ts';
import type { AreaParts } from './areas.ts';
import type { Exchange } from './exchange.ts';
import { requireNew } from './making.ts';
import type { Registry, RestoreWork, Work } from './registry.ts';
import { NOTHING, noProgress, STOPPING, type Telling } from './telling.ts';
import type { VaultFinding } from './vault-finding.ts';
import type { Granted, VaultGranted } from './vault-granted.ts';
import { removeLeft } from './vault-parts.ts';
import { passphraseNeeded, secretOfFound } from './vault-passphrase.ts';
import type { VaultReach } from './vault-reach.ts';
import { type FetchedBlocks, openFetched, sweepFetched } from './vault-restore-kept.ts';
import { leastQuota } from './vault-tenants.ts';
import { idOf } from './vault-work.ts';

type Restore = Extract<Work, { readonly op: 'restore' }>;

export interface VaultRestore {
  readonly restore: VaultDesk['restore'];
  /** Does a job of it. */
  readonly work: (work: Restore, name: string, telling: Telling) => Promise<void>;
}

/** After these, what was fetched is kept for the next try; after others it is of no use. */
const COME_AGAIN: ReadonlySet<string> = new Set(['vault_block_lost', 'vault_unreachable']);
/** States that others wrote while one was fetched. */
const MOST_STATES = 5;

export function createVaultRestore(
  { config, clock, opened, withKb }: AreaParts,
  reach: VaultReach,
  { findOne }: VaultFinding,
  granted: VaultGranted,
  restoreFile: Exchange['desk']['restore'],
): VaultRestore {
  const { store, need, collectionOf } = reach;
  const restore: VaultDesk['restore'] = async (name, order, signal) => {
    const { eves: asked, source, grant, folder, passphrase } = order;
    const keep = folder ?? knowledgeFolder(config);
    const { registry, jobs } = await opened();
    // Before anything is fetched.
    await requireFree(name, join(keep, `${name}.sqlite`), registry);
    if (folder !== undefined) await checkWritableFolder(folder);
    const found = grant === undefined ? await findOne(source, asked, signal) : null;
    const secret = found === null ? null : await secretOfFound(reach, found, passphrase);
    const { id, mode, replicas, eves } = found ?? placeOf(await granted.admitted(grant!, source, signal));
    const { secrets } = await store();
    requireOnly(name, registry);
    const place = {
      ...{ id, mode, replicas, eves, folder: keep },
      ...(grant === undefined ? {} : { grant }),
      ...(secret === null ? {} : { passphrase: true as const }),
    };
    // Before the job, which may go on in another process; views of it never have it.
    secrets.keep('restoring', name, secret);
    try {
      return jobs.add(name, { kind: 'vault', op: 'restore', ...place });
    } catch (error) {
      secrets.keep('restoring', name, null);
      throw error;
    }
  };

  async function work(order: Restore, name: string, telling: Telling): Promise<void> {
    const { registry } = await opened();
    const { signal } = telling;
    const waiting = registry.unfinished().map(({ kb }) => kb);
    await sweepFetched(config.home, new Set(waiting), clock.now());
    const { secrets } = await store();
    secrets.sweep(new Set([...waiting, name]));
    const fetched = await openFetched(config.home, name);
    try {
      const isMade = order.made !== undefined && registry.has(name);
      await place(order, name, isMade ? order.made : await make(order, name, fetched, telling));
      await fetched.remove();
      secrets.keep('restoring', name, null);
    } catch (error) {
      const goesOn = signal.reason === STOPPING;
      if (!goesOn) secrets.keep('restoring', name, null);
      const isOfUse = !signal.aborted && isKithError(error) && COME_AGAIN.has(error.code);
      // The file is made anew each time: only blocks are gone on with.
      if (goesOn || isOfUse) await removeDatabase(fetched.file);
      else await fetched.remove();
      throw error;
    }
  }

  async function make(
    order: Restore,
    name: string,
    fetched: FetchedBlocks,
    telling: Telling,
  ): Promise<number> {
    const { folder } = order;
    const { registry } = await opened();
    const path = join(folder, `${name}.sqlite`);
    if (order.made !== undefined) await removeOwn(path, order);
    await requireFree(name, path, registry);
    await removeDatabase(fetched.file);
    const collection =
      order.grant === undefined
        ? collectionOf({ ...order, reached: 0, ring: await ringOf(order, name) }, null)
        : (await granted.admitted(order.grant, order.id, telling.signal)).collection;
    const made = await fetchAll(collection, fetched, telling);
    await requireFree(name, path, registry);
    // A kill from here on leaves a file of that name that is known to be this job's.
    telling.become({ ...order, made });
    await restoreFile(name, { file: fetched.file, folder });
    return made;
  }

  /** @throws KithError `vault_passphrase_needed`: what opens it is not there any more */
  async function secretOf({ passphrase }: RestoreWork, name: string): Promise<PassphraseSecret | null> {
    if (passphrase === undefined) return null;
    const secret = (await store()).secrets.of('restoring', name);
    if (secret === null) throw passphraseNeeded(name);
    return secret;
  }

  async function ringOf(order: RestoreWork, name: string): Promise<KeyRing> {
    const { root } = need();
    const secret = await secretOf(order, name);
    return secret === null ? root : root.beside(secret.key);
  }

  /** Another machine may go on with it: who writes first is told apart by the head. */
  async function place(order: RestoreWork, name: string, reached: number): Promise<void> {
    const { id, mode, replicas, eves, grant } = order;
    // What is somebody else's is never written from here.
    if (grant !== undefined) return;
    const placed = await store();
    // One that is placed from here under another name stays what is brought up to date.
    if (placed.all().some((row) => row.kb === name || row.id === id)) return;
    const { version, bytes, kb } = await withKb(name, ({ store: documents }) => ({
      version: documents.version(),
      bytes: documents.counts().bytes,
      kb: documents.id,
    }));
    if (idOf(kb) !== id) throw taken(name);
    // First: a row without it would be brought up to date under other keys.
    placed.secrets.keep('placed', id, await secretOf(order, name));
    placed.save({
      ...{ id, kb: name, mode, replicas, eves, quota: leastQuota(bytes) },
      ...{ reached, version, synced: Math.floor(clock.now()) },
    });
  }

  return { restore, work };
}

/**
 * All parts of one state into the file; of a newer one when another machine wrote it meanwhile and the former is gone.
 *
 * @returns number of the state
 */
async function fetchAll(collection: Collection, fetched: FetchedBlocks, telling: Telling): Promise<number> {
  for (let tries = 1, before = -1; ; tries++) {
    const manifest = await collection.open(telling.signal);
    try {
      await fetchState(collection, manifest, fetched, telling);
      return manifest.number;
    } catch (error) {
      throwIfAborted(telling.signal);
      const isGone = isKithError(error) && error.code === 'vault_block_lost';
      if (!isGone || manifest.number === before || tries === MOST_STATES) throw error;
      before = manifest.number;
    }
  }
}

const MADE_ANEW = [COMPACT_OBJECTS, PERTURBED_OBJECTS, SPLIT_OBJECTS] as const;

async function fetchState(
  collection: Collection,
  manifest: Manifest,
  fetched: FetchedBlocks,
  { signal, tell }: Telling,
): Promise<void> {
  // What Eves search in is made anew from the vectors by who needs it.
  const entries = new Map(
    [...manifest.entries].filter(([name]) => !MADE_ANEW.some((prefix) => name.startsWith(prefix))),
  );
  const sizes = [...entries.values()].reduce((sum, { size }) => sum + size, 0);
  // The blocks, the file with its journal, and the copy of it that becomes the knowledge base.
  await requireDiskSpace(fetched.folder, 3 * sizes);
  const of = entries.size;
  let done = 0;
  let bytes = 0;
  const told = () => tell({ ...noProgress, of, totals: { ...NOTHING, files: done, done, bytes } });
  told();
  try {
    await writeParts(
      fetched.file,
      (async function* () {
        for await (const { object } of collection.readAll(
          { ...manifest, entries },
          { signal, kept: fetched },
        )) {
          yield object;
          done += 1;
          bytes += object.length;
          told();
        }
      })(),
    );
  } catch (error) {
    throw isKithError(error) ? error : pathError(fetched.file, error);
  }
}

const placeOf = ({ access: { reading, mode, replicas, eves } }: Granted) => ({
  ...{ id: reading.collection, mode, replicas, eves },
});

/** @throws InputError `kb_name_invalid`; KithError `kb_exists` */
async function requireFree(name: string, path: string, registry: Registry): Promise<void> {
  requireNew(name, path, registry);
  if ((await stat(path).catch(() => null)) !== null)
    throw new KithError(
      'kb_exists',
      `There is a file ${path} already. Choose another name (--as) or another folder (--folder), or take that one as it is: kith rag init ${name}`,
      { status: 409, details: { path } },
    );
}

/** @throws KithError `vault_restoring` */
function requireOnly(name: string, registry: Registry): void {
  const other = registry.unfinished().find(({ kb, work }) => kb === name && isRestore(work));
  if (other !== undefined)
    throw new KithError(
      'vault_restoring',
      `${name} is being made already. See how far it is: kith rag jobs ${name}`,
      { status: 409, details: { job: other.id } },
    );
}

const isRestore = (work: Work): boolean => work.kind === 'vault' && work.op === 'restore';

/** A file that this job put there before it was killed. One that came from elsewhere stays. */
async function removeOwn(path: string, { id }: RestoreWork): Promise<void> {
  await removeLeft(path);
  if ((await stat(path).catch(() => null)) === null) return;
  let own = false;
  try {
    using there = openKnowledgeStore({ path });
    own = idOf(there.id) === id;
  } catch (error) {
    if (!isKithError(error)) throw error;
  }
  if (own) await removeDatabase(path);
}

function taken(name: string): KithError {
  return new KithError(
    'kb_exists',
    `There is another knowledge base '${name}' by now. Make this one under another name: --as`,
    { status: 409, param: 'name' },
  );
}
