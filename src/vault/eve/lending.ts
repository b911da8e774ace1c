/**
 * What Eve promises: tenants made and renewed, within the capacity, the disk and her terms. What was promised holds until its time is over,
 * whatever was made less since.
 *
 * @module vault/eve/lending
 */
import { createHash } from 'node:crypto';
import { type Clock, formatBytes, freeBytes, KithError, LimitError, type Logger } from '../../base/index.ts';
import { TENANT_BOUNDS } from '../types.ts';
import type { EveTerms } from '../wire/messages.ts';
import { lendableBytes, takenBytes } from './disk.ts';
import { noTenant } from './refusals.ts';
import type { Register, TenantRow } from './register.ts';
import type { TenantFiles } from './tenant-files.ts';

const DAY_MS = 86_400_000;

export interface LendingOptions {
  /** Of the tenants' files. */
  readonly folder: string;
  readonly capacityBytes: number;
  readonly largestBytes: number;
  readonly days: number;
  readonly graceDays: number;
  readonly tenantsEach: number;
  readonly reserveBytes: number;
  readonly register: Register;
  readonly files: TenantFiles;
  /** Takes what is left of a tenant away. */
  readonly destroy: (row: TenantRow) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

export interface Lending {
  create(owner: string, label: string, quota: number, days: number): Promise<TenantRow>;
  /** @param quota null: as it is */
  renew(row: TenantRow, quota: number | null, days: number): Promise<TenantRow>;
  terms(welcome: boolean): Promise<EveTerms>;
  /** Bytes that could still be promised. */
  lendable(): Promise<number>;
}

export function createLending(options: LendingOptions): Lending {
  const { folder, capacityBytes, largestBytes, days, graceDays, tenantsEach, reserveBytes } = options;
  const { register, files, destroy, clock, log } = options;

  const lendableNow = (free: number): number =>
    lendableBytes({
      ...{ capacity: capacityBytes, promised: register.totals().promised, taken: takenBytes(folder) },
      ...{ free, reserve: reserveBytes },
    });
  const lendable = async (): Promise<number> => lendableNow(await freeBytes(folder));

  /** @param free of the disk: looked up before, so that nothing comes between the check and the promise */
  function requireFree(more: number, free: number): void {
    const left = lendableNow(free);
    if (more <= left) return;
    const why =
      register.totals().promised + more > capacityBytes
        ? `This Eve lends ${formatBytes(capacityBytes)} in all and has ${formatBytes(left)} left`
        : `The disk of this Eve has room for ${formatBytes(left)} more`;
    throw new KithError(
      'storage_full',
      `${why}; ${formatBytes(more)} were asked for. Ask for less, or ask another ('kith vpk discover').`,
      { status: 507, details: { free: left, asked: more } },
    );
  }

  const refuse = (message: string, status: number): KithError =>
    new KithError('storage_terms', message, { status });

  function checkQuota(quota: number): void {
    if (quota < TENANT_BOUNDS.minQuotaBytes || quota > largestBytes)
      throw refuse(
        `A tenant of this Eve has ${formatBytes(TENANT_BOUNDS.minQuotaBytes)} to ${formatBytes(largestBytes)}; ${formatBytes(quota)} were asked for (--quota).`,
        400,
      );
  }

  function checkDays(asked: number): void {
    if (asked < 1 || asked > days)
      throw refuse(`A tenant of this Eve lasts 1 to ${days} days; ${asked} were asked for (--days).`, 400);
  }

  return {
    lendable,
    async create(owner, label, quota, asked) {
      const free = await freeBytes(folder);
      files.requireThere();
      let there = register.find(owner, label);
      if (there !== null && files.isLost(there)) {
        // What was in it cannot be read any more, and its owner begins anew.
        destroy(there);
        there = null;
      }
      // Asked twice, since the first answer was lost.
      if (there !== null && there.quota === quota) return there;
      if (there !== null)
        throw new KithError(
          'storage_exists',
          `That tenant is there already, with ${formatBytes(there.quota)} and not ${formatBytes(quota)}: renew it instead.`,
          { status: 409 },
        );
      checkQuota(quota);
      checkDays(asked);
      if (register.countOf(owner) >= tenantsEach)
        throw new LimitError(
          'storage.tenants',
          tenantsEach,
          `This Eve lends one owner ${tenantsEach} tenants at most. Delete one that is not needed (kith vpk tenant delete KB), or ask another Eve.`,
        );
      requireFree(quota, free);
      const now = clock.now();
      const file = `${createHash('sha256').update(`${owner}\0${label}`).digest('hex').slice(0, 32)}.sqlite`;
      register.add({
        ...{ owner, label, file, quota, made: now, until: now + asked * DAY_MS, grace: graceDays * DAY_MS },
      });
      log.info('Lent a tenant.', { owner, quota, days: asked });
      return register.find(owner, label)!;
    },
    async renew({ owner, label }, wanted, asked) {
      const free = await freeBytes(folder);
      // Other calls came in between.
      const row = register.find(owner, label);
      if (row === null) throw noTenant();
      const quota = wanted ?? row.quota;
      // What was given before stays, where less is given now.
      if (quota !== row.quota) checkQuota(quota);
      checkDays(asked);
      const file = files.of(row);
      if (quota > row.quota) requireFree(quota - row.quota, free);
      if (quota < file.usedBytes)
        throw refuse(
          `The tenant takes ${formatBytes(file.usedBytes)}; ${formatBytes(quota)} is less. Ask for more, or remove something first.`,
          409,
        );
      register.change(owner, label, {
        ...{ quota, until: Math.max(row.until, clock.now() + asked * DAY_MS), grace: graceDays * DAY_MS },
      });
      file.quotaBytes = quota;
      return register.find(owner, label)!;
    },
    async terms(welcome) {
      const free = welcome ? await lendable() : 0;
      const largest = welcome ? Math.min(largestBytes, free) : 0;
      return { freeBytes: free, largestBytes: largest, days, open: welcome, now: clock.now() };
    },
  };
}
