/**
 * Eve: lends space on this disk to peers, and keeps to what she promised. Calls come in as they came from the wire; each is
 * checked against who asks before anything is opened.
 *
 * Nobody learns whether a tenant of somebody else exists: to who may not see it, there is none.
 *
 * @module vault/eve/eve
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CborMap, type Clock, fromHex, KithError, type Logger, messageOf } from '../../base/index.ts';
import { didOfPeerId, peerIdOfDid } from '../../identity/index.ts';
import type { TenantInfo } from '../types.ts';
import {
  decodeIds,
  decodeQuestion,
  encodeInfo,
  encodeInfos,
  encodeProof,
  encodeRows,
  encodeTerms,
  type TenantAsk,
  VAULT_WIRE,
} from '../wire/messages.ts';
import { createComputing } from './computing.ts';
import { takenBytes } from './disk.ts';
import { readVaultGrant, type VaultRight } from './grant.ts';
import { createLending } from './lending.ts';
import { denied, noTenant, notLent, refusalOf } from './refusals.ts';
import { openRegister, type TenantRow } from './register.ts';
import { openTenantFile, type TenantFile } from './tenant-file.ts';
import { createTenantFiles } from './tenant-files.ts';

export interface EveOptions {
  /** Of the tenants' files and the register; made when it is not there. */
  readonly folder: string;
  /** The register has to be there: what is not is a disk that is away. @default false */
  readonly mustExist?: boolean;
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
  /** Of blocks that are searched, kept in memory. @default 512 MiB */
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
  /** Its file is gone or damaged, and nothing of it can be read. */
  readonly damaged: boolean;
}

export interface EveAccount {
  readonly capacityBytes: number;
  readonly promisedBytes: number;
  /** Of the tenants' files, on the disk. */
  readonly usedBytes: number;
  /** That could still be lent, by the capacity and by the disk. */
  readonly lendableBytes: number;
  readonly tenants: number;
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
  /** Brings a copy back; what the tenant holds now is gone. @throws KithError `storage_no_tenant`, `storage_backup` */
  bringBack(owner: string, label: string, source: string): Promise<void>;
  /** What she has, promised and could still lend. */
  account(): Promise<EveAccount>;
  readonly totals: {
    readonly promisedBytes: number;
    readonly tenants: number;
    readonly capacityBytes: number;
  };
}

const GB = 1e9;
const DEFAULT_MEMORY_BYTES = 512 << 20;

export function createEve(options: EveOptions): Eve {
  const { folder, capacityBytes, clock, log } = options;
  const { tenantsEach = 16, openFiles = 32, reserveBytes = GB, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
  const registerPath = join(folder, 'eve.sqlite');
  if (options.mustExist === true && !existsSync(registerPath)) throw notThere(folder);
  const register = openRegister(registerPath);
  const tenants = join(folder, 'tenants');
  const files = createTenantFiles({ folder: tenants, most: openFiles, register, registerPath, log });
  const computing = createComputing(memoryBytes);
  const lending = createLending({
    ...{ ...options, folder: tenants, tenantsEach, reserveBytes, register, files, destroy },
  });
  let swept = clock.monotonic();

  function infoOf(row: TenantRow): LentTenant {
    const now = clock.now();
    const lost = files.isLost(row);
    const { usedBytes, blocks } = lost ? { usedBytes: 0, blocks: 0 } : files.of(row);
    return {
      ...{ owner: row.owner, label: row.label, made: row.made, state: now < row.until ? 'open' : 'grace' },
      ...{ quotaBytes: row.quota, usedBytes, blocks, damaged: lost },
      ...{ until: row.until, deletedAt: Math.max(now, row.until) + row.grace, now },
    };
  }

  const told = ({ owner: _owner, made: _made, damaged: _damaged, ...info }: LentTenant): TenantInfo => info;

  function destroy(row: TenantRow): void {
    files.requireThere();
    register.going(row.owner, row.label);
    computing.forgetAll(row.file);
    files.remove(row);
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
    const file = files.of(row);
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
        return {
          metadata: encodeInfo(told(infoOf(await lending.create(call.peer, label, ask.quota, ask.days)))),
        };
      }
      case 'renew': {
        const { row } = own();
        if (!call.welcome) throw denied();
        return { metadata: encodeInfo(told(infoOf(await lending.renew(row, ask.quota, ask.days)))) };
      }
      case 'info':
        // What was lost is said, not told as empty.
        return { metadata: encodeInfo(told(infoOf(admitted(call, label, grant, 'read').row))) };
      case 'destroy': {
        if (grant !== null) throw denied();
        // A tenant whose file is lost can be deleted, too.
        const row = register.find(call.peer, label);
        if (row === null) throw noTenant();
        destroy(row);
        return { metadata: {} };
      }
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
      case 'revoke':
        own().file.revoke(ask.id, clock.now());
        return { metadata: {} };
    }
  }

  function sweep(): number {
    const now = clock.monotonic();
    const over = register.age(clock.now(), now - swept);
    swept = now;
    const gone = over.filter(letGo).length;
    files.giveBack();
    return gone;
  }

  /** One that cannot be deleted now does not keep the others from it. */
  function letGo(row: TenantRow): boolean {
    try {
      destroy(row);
      log.info('Deleted a tenant.', { owner: row.owner, quota: row.quota });
      return true;
    } catch (error) {
      log.warn('A tenant could not be deleted yet.', { owner: row.owner, cause: messageOf(error) });
      return false;
    }
  }

  function rowOf(owner: string, label: string): TenantRow {
    const row = register.find(owner, label);
    if (row === null) throw notLent();
    return row;
  }

  async function answer(call: EveCall): Promise<EveReply> {
    const { ask, grant } = decodeQuestion(call.metadata, call.payload);
    if (ask.op === 'terms') return { metadata: encodeTerms(await lending.terms(call.welcome)) };
    if (ask.op === 'tenants')
      return {
        metadata: encodeInfos(
          register.list(call.peer, ask.after, VAULT_WIRE.tenants).map((row) => told(infoOf(row))),
        ),
      };
    return answerTenant(call, ask.label, ask, grant);
  }

  // A kill between the steps of deleting one.
  for (const row of register.leaving()) letGo(row);

  return {
    async answer(call) {
      try {
        return await answer(call);
      } catch (error) {
        throw refusalOf(error, log);
      }
    },
    tenants: () => register.list(null, null, 100_000).map(infoOf),
    destroy: (owner, label) => destroy(rowOf(owner, label)),
    sweep,
    async account() {
      const lendableBytes = await lending.lendable();
      const { promised, tenants: many } = register.totals();
      const usedBytes = takenBytes(tenants);
      return { capacityBytes, promisedBytes: promised, usedBytes, lendableBytes, tenants: many };
    },
    async backup(owner, label, target, signal) {
      const row = rowOf(owner, label);
      files.of(row);
      // Of its own: others may come and close the one that is open while this goes on.
      using file = openTenantFile(join(tenants, row.file), row.quota);
      await file.backup(target, signal);
    },
    async bringBack(owner, label, source) {
      const row = rowOf(owner, label);
      await files.replace(row, source);
      computing.forgetAll(row.file);
    },
    get totals() {
      const { promised, tenants } = register.totals();
      return { promisedBytes: promised, tenants, capacityBytes };
    },
    [Symbol.dispose]() {
      files[Symbol.dispose]();
      register[Symbol.dispose]();
    },
  };
}

function notThere(folder: string): KithError {
  return new KithError(
    'storage_folder',
    `Space was lent in ${folder}, and there is no register of it now (eve.sqlite). Connect the disk that it is on, or say where it is (kith storage init --folder DIR). To begin with none, and lose what peers keep here: kith storage init --anew`,
    { status: 503 },
  );
}
