/**
 * Eve: lends space on this disk to peers, and keeps to what she promised. Calls come in as they came from the wire; each is
 * checked against who asks before anything is opened.
 *
 * Nobody learns whether a tenant of somebody else exists: to who may not see it, there is none.
 *
 * @module vault/eve/eve
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CborMap,
  type Clock,
  formatBytes,
  freeBytes,
  fromHex,
  KithError,
  LimitError,
  type Logger,
  messageOf,
} from '../../base/index.ts';
import { didOfPeerId, peerIdOfDid } from '../../identity/index.ts';
import { TENANT_BOUNDS, type TenantInfo } from '../types.ts';
import {
  decodeIds,
  decodeQuestion,
  type EveTerms,
  encodeInfo,
  encodeInfos,
  encodeProof,
  encodeRows,
  encodeTerms,
  type TenantAsk,
  VAULT_WIRE,
} from '../wire/messages.ts';
import { createComputing } from './computing.ts';
import { lendableBytes, takenBytes } from './disk.ts';
import { readVaultGrant, type VaultRight } from './grant.ts';
import { openRegister, type TenantRow } from './register.ts';
import { openTenantFile, type TenantFile } from './tenant-file.ts';

export interface EveOptions {
  /** Of the tenants' files and the register; made when it is not there. */
  readonly folder: string;
  /** Bytes that are lent to all together, and to one tenant at most. */
  readonly capacityBytes: number;
  readonly largestBytes: number;
  /** Days that a tenant lasts at most until it is renewed, and of grace after that. */
  readonly days: number;
  readonly graceDays: number;
  /** Tenants of one owner. @default 16 */
  readonly tenantsEach?: number;
  /** Files that are open at a time. @default 32 */
  readonly openFiles?: number;
  /** Bytes of the disk that are left free whatever was promised. @default 1 GB */
  readonly reserveBytes?: number;
  /** Of blocks that are searched, kept in memory. @default 256 MiB */
  readonly memoryBytes?: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly log: Logger;
}

export interface EveCall {
  /** PeerId of who asks, proved by the link. */
  readonly peer: string;
  /** Whether the owner of this node lends space to that peer. */
  readonly welcome: boolean;
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

export interface EveReply {
  readonly metadata: CborMap;
  readonly payload?: Uint8Array;
}

export interface LentTenant extends TenantInfo {
  readonly owner: string;
  readonly made: number;
}

export interface Eve extends Disposable {
  answer(call: EveCall): Promise<EveReply>;
  /** All tenants, for the owner of this node. */
  tenants(): readonly LentTenant[];
  /** @throws KithError `storage_no_tenant` */
  destroy(owner: string, label: string): void;
  /** Deletes what has outlived its grace; how many. To be called now and then. */
  sweep(): number;
  /** A copy of a tenant's file while it is in use. */
  backup(owner: string, label: string, target: string, signal?: AbortSignal): Promise<void>;
  /** Bytes that could still be lent, by the capacity and by the disk. */
  lendable(): Promise<number>;
  readonly totals: {
    readonly promisedBytes: number;
    readonly tenants: number;
    readonly capacityBytes: number;
  };
}

const DAY_MS = 86_400_000;
const GB = 1e9;
const DEFAULT_MEMORY_BYTES = 256 << 20;

export function createEve(options: EveOptions): Eve {
  const { folder, capacityBytes, largestBytes, days, graceDays, clock, log } = options;
  const { tenantsEach = 16, openFiles = 32, reserveBytes = GB, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
  const register = openRegister(join(folder, 'eve.sqlite'));
  const open = new Map<string, TenantFile>();
  const computing = createComputing(memoryBytes);
  let swept = clock.monotonic();

  const pathOf = (row: TenantRow) => join(folder, 'tenants', row.file);

  function fileOf(row: TenantRow): TenantFile {
    const known = open.get(row.file);
    open.delete(row.file);
    const file = known ?? openTenantFile(pathOf(row), row.quota);
    open.set(row.file, file);
    if (open.size > openFiles) {
      const [oldest, other] = open.entries().next().value!;
      open.delete(oldest);
      other[Symbol.dispose]();
    }
    return file;
  }

  function infoOf(row: TenantRow): LentTenant {
    const file = fileOf(row);
    const now = clock.now();
    return {
      ...{ owner: row.owner, label: row.label, made: row.made, state: now < row.until ? 'open' : 'grace' },
      ...{ quotaBytes: row.quota, usedBytes: file.usedBytes, blocks: file.blocks },
      ...{ until: row.until, deletedAt: Math.max(now, row.until) + row.grace, now },
    };
  }

  const told = ({ owner: _owner, made: _made, ...info }: LentTenant): TenantInfo => info;

  const lendableNow = (free: number): number =>
    lendableBytes({
      ...{ capacity: capacityBytes, promised: register.totals().promised, free, reserve: reserveBytes },
      taken: takenBytes(join(folder, 'tenants')),
    });

  /** @param free of the disk: looked up before, so that nothing comes between the check and the promise */
  function requireFree(more: number, free: number): void {
    const { promised } = register.totals();
    if (promised + more <= capacityBytes && more > lendableNow(free))
      throw new KithError(
        'storage_full',
        `The disk of this Eve has room for ${formatBytes(lendableNow(free))} more; ${formatBytes(more)} were asked for. Ask for less, or ask another ('kith vpk discover').`,
        { status: 507, details: { free: lendableNow(free), asked: more } },
      );
    if (promised + more > capacityBytes)
      throw new KithError(
        'storage_full',
        `This Eve lends ${formatBytes(capacityBytes)} in all and has ${formatBytes(Math.max(0, capacityBytes - promised))} left; ${formatBytes(more)} were asked for. Ask for less, or ask another ('kith vpk discover').`,
        { status: 507, details: { free: Math.max(0, capacityBytes - promised), asked: more } },
      );
  }

  function checkTerms(quota: number, asked: number): void {
    if (quota < TENANT_BOUNDS.minQuotaBytes || quota > largestBytes)
      throw new KithError(
        'storage_terms',
        `A tenant of this Eve has ${formatBytes(TENANT_BOUNDS.minQuotaBytes)} to ${formatBytes(largestBytes)}; ${formatBytes(quota)} were asked for (--quota).`,
        { status: 400 },
      );
    if (asked < 1 || asked > days)
      throw new KithError(
        'storage_terms',
        `A tenant of this Eve lasts 1 to ${days} days; ${asked} were asked for (--days).`,
        {
          status: 400,
        },
      );
  }

  const lendable = async (): Promise<number> => lendableNow(await freeBytes(folder));

  async function create(owner: string, label: string, quota: number, asked: number): Promise<TenantRow> {
    const free = await freeBytes(folder);
    const there = register.find(owner, label);
    // Asked twice, since the first answer was lost.
    if (there !== null && there.quota === quota) return there;
    if (there !== null)
      throw new KithError(
        'storage_exists',
        'That tenant is there already, with another quota: renew it instead.',
        {
          status: 409,
        },
      );
    checkTerms(quota, asked);
    if (register.countOf(owner) >= tenantsEach)
      throw new LimitError(
        'storage.tenants',
        tenantsEach,
        `This Eve lends one owner ${tenantsEach} tenants at most.`,
      );
    requireFree(quota, free);
    const now = clock.now();
    const file = `${createHash('sha256').update(`${owner}\0${label}`).digest('hex').slice(0, 32)}.sqlite`;
    const row = {
      ...{
        owner,
        label,
        file,
        quota,
        made: now,
        until: now + asked * DAY_MS,
        grace: graceDays * DAY_MS,
        going: 0,
      },
    };
    register.add(row);
    log.info('Lent a tenant.', { owner, quota, days: asked });
    return row;
  }

  async function renew(
    { owner, label }: TenantRow,
    wanted: number | null,
    asked: number,
  ): Promise<TenantRow> {
    const free = await freeBytes(folder);
    // Other calls came in between.
    const row = register.find(owner, label) ?? raise(noTenant());
    const quota = wanted ?? row.quota;
    checkTerms(quota, asked);
    const file = fileOf(row);
    if (quota > row.quota) requireFree(quota - row.quota, free);
    if (quota < file.usedBytes)
      throw new KithError(
        'storage_terms',
        `The tenant takes ${formatBytes(file.usedBytes)}; ${formatBytes(quota)} is less.`,
        {
          status: 409,
        },
      );
    register.change(row.owner, row.label, {
      ...{ quota, until: Math.max(row.until, clock.now() + asked * DAY_MS), grace: graceDays * DAY_MS },
    });
    file.quotaBytes = quota;
    return register.find(row.owner, row.label)!;
  }

  function destroy(row: TenantRow): void {
    register.going(row.owner, row.label);
    computing.forgetAll(row.file);
    open.get(row.file)?.[Symbol.dispose]();
    open.delete(row.file);
    for (const end of ['', '-wal', '-shm']) rmSync(`${pathOf(row)}${end}`, { force: true });
    register.gone(row.owner, row.label);
  }

  /** The tenant that is meant, for one who may do this with it. */
  function admitted(
    call: EveCall,
    label: string,
    grant: Uint8Array | null,
    right: VaultRight | 'own',
  ): { row: TenantRow; file: TenantFile } {
    let owner = call.peer;
    let byGrant: string | null = null;
    if (grant !== null) {
      const said = readVaultGrant(grant);
      const now = clock.now();
      const holds =
        said.holder === didOfPeerId(call.peer) &&
        said.label === label &&
        right !== 'own' &&
        said.rights.includes(right);
      if (!holds) throw denied();
      if (now < said.from || now >= said.until)
        throw new KithError(
          'storage_grant_time',
          `The grant holds from ${new Date(said.from).toISOString()} until ${new Date(said.until).toISOString()}; Eve's clock says ${new Date(now).toISOString()}. Have it given anew, or check the clocks.`,
          { status: 403 },
        );
      owner = peerIdOfDid(said.issuer);
      byGrant = said.id;
    }
    const row = register.find(owner, label);
    if (row === null) throw byGrant === null ? noTenant() : denied();
    const file = fileOf(row);
    if (byGrant !== null && file.isRevoked(byGrant)) throw denied();
    if (right === 'write' && clock.now() >= row.until)
      throw new KithError(
        'storage_expired',
        `The tenant's time ended on ${new Date(row.until).toISOString()}: it can be read until Eve deletes it. Renew it to write ('kith vpk upload').`,
        { status: 409 },
      );
    return { row, file };
  }

  function remove({ row, file }: { row: TenantRow; file: TenantFile }, ids: readonly string[]): number {
    computing.forget(row.file, ids);
    return file.remove(ids);
  }

  async function answerTenant(
    call: EveCall,
    label: string,
    ask: TenantAsk,
    grant: Uint8Array | null,
  ): Promise<EveReply> {
    const own = () => admitted(call, label, grant, 'own');
    const reading = () => admitted(call, label, grant, 'read').file;
    const writing = () => admitted(call, label, grant, 'write').file;
    switch (ask.op) {
      case 'create': {
        if (grant !== null || !call.welcome) throw denied();
        return { metadata: encodeInfo(told(infoOf(await create(call.peer, label, ask.quota, ask.days)))) };
      }
      case 'renew': {
        const { row } = own();
        if (!call.welcome) throw denied();
        return { metadata: encodeInfo(told(infoOf(await renew(row, ask.quota, ask.days)))) };
      }
      case 'info':
        return { metadata: encodeInfo(told(infoOf(admitted(call, label, grant, 'read').row))) };
      case 'destroy':
        destroy(own().row);
        return { metadata: {} };
      case 'put':
        return { metadata: { id: fromHex(writing().put(call.payload)) } };
      case 'get': {
        const { at, length } = ask;
        const stretch = at === null || length === null ? null : { at, length };
        return { metadata: {}, payload: reading().get(ask.id, stretch) };
      }
      case 'prove': {
        const proof = reading().prove(ask.id, ask.leaf);
        return { metadata: encodeProof(proof), payload: proof.leaf };
      }
      case 'list':
        return { metadata: {}, payload: encodeRows(reading().list(ask.after)) };
      case 'remove':
        return { metadata: { gone: remove(own(), decodeIds(call.payload)) } };
      case 'head': {
        const head = reading().head(ask.name);
        return head === null
          ? { metadata: { number: 0 } }
          : { metadata: { number: head.number }, payload: head.bytes };
      }
      case 'set_head':
        writing().setHead(ask.name, { number: ask.number, bytes: call.payload }, ask.before);
        return { metadata: {} };
      case 'score': {
        const { row, file } = admitted(call, label, grant, 'read');
        return { metadata: {}, payload: computing.score(row.file, file, ask.blocks, call.payload) };
      }
      case 'gather': {
        const { row, file } = admitted(call, label, grant, 'read');
        return { metadata: {}, payload: computing.gather(row.file, file, ask, call.payload) };
      }
      case 'nearest': {
        const { row, file } = admitted(call, label, grant, 'read');
        return { metadata: {}, payload: computing.nearest(row.file, file, ask, call.payload) };
      }
      case 'nearest': {
        const { row, file } = admitted(call, label, grant, 'read');
        return { metadata: {}, payload: computing.nearest(row.file, file, ask, call.payload) };
      }
      case 'revoke':
        own().file.revoke(ask.id, clock.now());
        return { metadata: {} };
    }
  }

  async function terms(welcome: boolean): Promise<EveTerms> {
    const freeNow = welcome ? await lendable() : 0;
    const largest = welcome ? Math.min(largestBytes, freeNow) : 0;
    return { freeBytes: freeNow, largestBytes: largest, days, open: welcome, now: clock.now() };
  }

  function sweep(): number {
    const now = clock.monotonic();
    const over = register.age(clock.now(), now - swept);
    swept = now;
    for (const row of over) {
      destroy(row);
      log.info('Deleted a tenant whose time and grace were over.', { owner: row.owner, quota: row.quota });
    }
    return over.length;
  }

  function rowOf(owner: string, label: string): TenantRow {
    return register.find(owner, label) ?? raise(notLent());
  }

  // A kill between the steps of deleting one.
  for (const row of register.leaving())
    try {
      destroy(row);
    } catch (error) {
      log.warn('A tenant could not be deleted yet.', { owner: row.owner, cause: messageOf(error) });
    }

  return {
    async answer(call) {
      const { ask, grant } = decodeQuestion(call.metadata, call.payload);
      if (ask.op === 'terms') return { metadata: encodeTerms(await terms(call.welcome)) };
      if (ask.op === 'tenants')
        return {
          metadata: encodeInfos(
            register.list(call.peer, ask.after, VAULT_WIRE.tenants).map((row) => told(infoOf(row))),
          ),
        };
      return answerTenant(call, ask.label, ask, grant);
    },
    tenants: () => register.list(null, null, 100_000).map(infoOf),
    destroy: (owner, label) => destroy(rowOf(owner, label)),
    sweep,
    lendable,
    backup: async (owner, label, target, signal) => fileOf(rowOf(owner, label)).backup(target, signal),
    get totals() {
      const { promised, tenants } = register.totals();
      return { promisedBytes: promised, tenants, capacityBytes };
    },
    [Symbol.dispose]() {
      for (const file of open.values()) file[Symbol.dispose]();
      open.clear();
      register[Symbol.dispose]();
    },
  };
}

function raise(error: Error): never {
  throw error;
}

const noTenant = (): KithError =>
  new KithError(
    'storage_no_tenant',
    'There is no such tenant of yours at this Eve. Make it first (kith vpk tenant create).',
    {
      status: 404,
    },
  );

/** For the owner of this node. */
const notLent = (): KithError =>
  new KithError(
    'storage_no_tenant',
    'This node keeps no such tenant. kith storage status --json names them in full.',
    { status: 404 },
  );

/** One for all: whether the tenant exists, whether a grant was revoked, whose it is. */
const denied = (): KithError =>
  new KithError(
    'storage_denied',
    'This Eve does not do that for you. Ask the owner of the tenant for a grant, or Eve for space.',
    {
      status: 403,
    },
  );
