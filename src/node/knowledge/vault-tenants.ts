/**
 * The tenants of a placed knowledge base: made at Eves of whom all were asked before, and renewed before their time is over.
 *
 * @module node/knowledge/vault-tenants
 */
import { formatBytes, isKithError, KithError, messageOf } from '../../base/index.ts';
import type { EveTerms, OwnTenant, TenantInfo } from '../../vault/index.ts';

/** Days that are asked for, and left of them when a tenant is renewed. */
export const DAYS = 30;
const RENEW_BELOW_DAYS = 15;
const DAY_MS = 86_400_000;
const LEAST_QUOTA = 64 << 20;

/** Bytes that are asked for a knowledge base of so many. Twice: what is new is there before what was goes. */
export const leastQuota = (bytes: number): number => Math.max(LEAST_QUOTA, 2 * bytes);

export interface TenantWay {
  readonly tenant: OwnTenant;
  readonly terms: (signal: AbortSignal) => Promise<EveTerms>;
}

const daysAt = ({ days }: EveTerms): number => Math.min(DAYS, days);

/** @param days at most what the Eve gives and 30 when it is not said @throws what an Eve answers, with who she is */
export async function makeTenants(
  ways: readonly TenantWay[],
  quota: number,
  days: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const asked: [TenantWay, number][] = [];
  // All are asked before one makes a tenant, so that it is not made in vain when another refuses.
  for (const way of ways) {
    const terms = await named(way, () => way.terms(signal));
    const most = `${way.tenant.peer}: This Eve lends a tenant`;
    if (!terms.open)
      throw new KithError(
        'storage_denied',
        `${way.tenant.peer}: This Eve lends you no space. Ask her owner to name your node a friend.`,
        { status: 403 },
      );
    if (days !== undefined && days > terms.days)
      throw new KithError(
        'storage_terms',
        `${most} for ${terms.days} days at most; ${days} were asked for (--days).`,
        { status: 400 },
      );
    const there = () =>
      way.tenant.info(signal).then(
        () => true,
        () => false,
      );
    if (quota > terms.largestBytes && !(await there()))
      throw new KithError(
        terms.freeBytes < quota ? 'storage_full' : 'storage_terms',
        `${most} of ${formatBytes(terms.largestBytes)} at most now; ${formatBytes(quota)} were asked for (--quota).`,
        { status: terms.freeBytes < quota ? 507 : 400 },
      );
    asked.push([way, days ?? daysAt(terms)]);
  }
  for (const [way, wanted] of asked) await named(way, () => makeOne(way.tenant, quota, wanted, signal));
}

/** One that was left from a former placing is taken over. */
async function makeOne(
  tenant: OwnTenant,
  quota: number,
  days: number,
  signal: AbortSignal,
): Promise<TenantInfo> {
  try {
    const made = await tenant.create(quota, days, signal);
    if (made.state === 'open') return made;
  } catch (error) {
    if (!isKithError(error) || error.code !== 'storage_exists') throw error;
  }
  return tenant.renew(quota, days, signal);
}

async function named<T>({ tenant: { peer } }: TenantWay, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isKithError(error)) throw error;
    throw new KithError(error.code, `${peer}: ${error.message}`, { status: error.status, cause: error });
  }
}

export interface KeptTenants {
  /** Sentences, by PeerId; who is away is not in it. */
  readonly trouble: ReadonlyMap<string, string>;
  /** Those that were made again. */
  readonly made: readonly string[];
  /** Eves that do not renew one, and those that have one no more whose time is not over. */
  readonly refused: readonly string[];
  readonly lost: readonly string[];
  /** When each ends, ms by the clock of its Eve. */
  readonly until: ReadonlyMap<string, number>;
}

/** What an Eve answers who has nothing of a tenant any more: making it begins an empty one. */
const LOST: ReadonlySet<string> = new Set(['storage_no_tenant', 'storage_damaged']);

/**
 * Renews those that have less than half of the usual time left, and makes those again that an Eve has no more.
 *
 * @param untilOf when the tenant at an Eve ends, as she said last; null: not known
 */
export async function keepTenants(
  ways: readonly TenantWay[],
  quota: number,
  untilOf: (peer: string) => number | null,
  signal: AbortSignal,
): Promise<KeptTenants> {
  const trouble = new Map<string, string>();
  const until = new Map<string, number>();
  const [made, refused, lost]: [string[], string[], string[]] = [[], [], []];

  async function again({ tenant, terms }: TenantWay): Promise<void> {
    const { peer } = tenant;
    try {
      const now = await terms(signal);
      const known = untilOf(peer);
      if (known !== null && now.now < known) lost.push(peer);
      const info = await tenant.create(quota, daysAt(now), signal);
      until.set(peer, info.until);
      made.push(peer);
    } catch (error) {
      signal.throwIfAborted();
      trouble.set(
        peer,
        `She has nothing of it any more, and lends no new space: ${sentence(error)} Take another in her place (kith vpk rebalance KB --add PEER, then --drop ${peer}).`,
      );
    }
  }

  await Promise.all(
    ways.map(async (way) => {
      const { tenant, terms } = way;
      let info: TenantInfo;
      try {
        info = await tenant.info(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isKithError(error) && LOST.has(error.code)) await again(way);
        return;
      }
      until.set(tenant.peer, info.until);
      if (info.until - info.now > RENEW_BELOW_DAYS * DAY_MS) return;
      try {
        const renewed = await tenant.renew(null, daysAt(await terms(signal)), signal);
        until.set(tenant.peer, renewed.until);
      } catch (error) {
        signal.throwIfAborted();
        if (isKithError(error) && error.code.startsWith('storage_')) refused.push(tenant.peer);
        const day = new Date(info.until).toISOString().slice(0, 10);
        trouble.set(tenant.peer, `Her time for it ends on ${day} and was not renewed: ${messageOf(error)}`);
      }
    }),
  );
  return { trouble, made, refused, lost, until };
}

/** Asks each Eve for so much space; why some do not give it, by PeerId. Who is away is in it, too. */
export async function growTenants(
  ways: readonly TenantWay[],
  quota: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  await Promise.all(
    ways.map(async ({ tenant, terms }) => {
      try {
        const { quotaBytes } = await tenant.info(signal);
        if (quotaBytes < quota) await tenant.renew(quota, daysAt(await terms(signal)), signal);
      } catch (error) {
        signal.throwIfAborted();
        refused.set(tenant.peer, `She has no more space for it than before: ${messageOf(error)}`);
      }
    }),
  );
  return refused;
}

const sentence = (error: unknown): string => `${messageOf(error).replace(/\.$/, '')}.`;
