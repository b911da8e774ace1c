/**
 * Keeps what is placed whole without being asked: changes are uploaded once they are quiet, tenants are renewed before their time is
 * over, pieces are asked for at random, and what is lost is made again.
 *
 * Everything waits for its time with some chance in it, so that nodes of one owner do not all ask at once. What fails because Eves are
 * away is tried again less and less often. While nothing is placed nothing is done.
 *
 * @module node/knowledge/vault-watch
 */
import { type Clock, type Logger, messageOf, type Random } from '../../base/index.ts';

/** A knowledge base that is placed, as far as the schedule goes. */
export interface WatchedPlace {
  readonly id: string;
  readonly kb: string;
  /** Of the knowledge base when it was placed last; null: it never was, or not since something else changed. */
  readonly version: number | null;
}

export interface Looked {
  /** What was seen has to be made good by a repair. */
  readonly repair: boolean;
}

export interface VaultWatchParts {
  readonly clock: Pick<Clock, 'sleep' | 'monotonic'>;
  readonly random: Pick<Random, 'float'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'debug'>;
  /** Whether changes are uploaded. */
  readonly autoSync: boolean;
  /** ms between spot checks of one knowledge base; 0: none. */
  readonly checkMs: number;
  placed(): Promise<readonly WatchedPlace[]>;
  /** Null: it is not here, or not to be read now. */
  versionOf(kb: string): Promise<number | null>;
  /** Whether jobs of it wait or run. */
  busy(kb: string): Promise<boolean>;
  /** Does it as a job; true when it ended well. */
  run(kb: string, op: 'sync' | 'repair', signal: AbortSignal): Promise<boolean>;
  /** Tenants: renews them, makes lost ones again, deletes those that are to go. @throws while Eves cannot be reached at all */
  tend(kb: string, signal: AbortSignal): Promise<Looked>;
  /** Asks for some pieces at random. @throws while Eves cannot be reached at all */
  check(kb: string, signal: AbortSignal): Promise<Looked>;
  /** Deletes what is left of knowledge bases that are placed no more. */
  clean(signal: AbortSignal): Promise<void>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const VAULT_WATCH = {
  /** A node that starts has other things to do. */
  startMs: 2 * MINUTE_MS,
  lookMs: MINUTE_MS,
  /** Between looks while nothing is placed. */
  idleMs: 10 * MINUTE_MS,
  /** Without a change before an upload, the longest that changes which go on are waited for, and between two uploads. */
  quietMs: 2 * MINUTE_MS,
  patienceMs: 30 * MINUTE_MS,
  betweenMs: 10 * MINUTE_MS,
  tendMs: 12 * HOUR_MS,
  /** After a failure; doubled with each, up to the second. */
  againMs: 5 * MINUTE_MS,
  againMostMs: 6 * HOUR_MS,
} as const;
const { startMs, lookMs, idleMs, quietMs, patienceMs, betweenMs, tendMs, againMs, againMostMs } = VAULT_WATCH;

/** How often it failed one after the other, and the time before which it is not tried again. */
interface Tries {
  failures: number;
  notBefore: number;
}

interface Kept {
  /** The version that was seen, since when, and since when it is another than what is placed. */
  seen: number | null;
  since: number;
  first: number;
  /** Uploads and all else: what fails for good in one of them does not keep the other from being done. */
  readonly uploads: Tries;
  readonly upkeep: Tries;
  /** Times before which nothing of that is done. */
  syncAt: number;
  tendAt: number;
  checkAt: number;
}

export function startVaultWatch(parts: VaultWatchParts): AsyncDisposable {
  const { clock, random, log, autoSync, checkMs } = parts;
  const stop = new AbortController();
  const { signal } = stop;
  const known = new Map<string, Kept>();
  /** Three quarters to five quarters of it. */
  const about = (ms: number): number => ms * (0.75 + random.float() / 2);
  const now = () => clock.monotonic();
  let cleanAt = now() + about(tendMs) / 4;

  function keptOf({ id, version }: WatchedPlace): Kept {
    let kept = known.get(id);
    if (kept === undefined) {
      const at = now();
      kept = {
        ...{ seen: version, since: at, first: at, syncAt: at },
        ...{ uploads: { failures: 0, notBefore: at }, upkeep: { failures: 0, notBefore: at } },
        // The first looks of a node that is started each morning come soon; those of all knowledge bases not at once.
        ...{ tendAt: at + about(tendMs) / 24, checkAt: checkMs === 0 ? Infinity : at + about(checkMs) / 8 },
      };
      known.set(id, kept);
    }
    return kept;
  }

  function failed(tries: Tries, kb: string, what: string, error: unknown): void {
    const wait = about(Math.min(againMostMs, againMs * 2 ** tries.failures));
    tries.failures += 1;
    tries.notBefore = now() + wait;
    log.debug('What is placed could not be looked after; it is tried again.', {
      ...{ kb, what, minutes: Math.round(wait / MINUTE_MS) },
      ...(error === null ? {} : { cause: messageOf(error) }),
    });
  }

  async function job(tries: Tries, kb: string, op: 'sync' | 'repair'): Promise<void> {
    log.info('What is placed is looked after.', { kb, what: op });
    if (await parts.run(kb, op, signal)) tries.failures = 0;
    else failed(tries, kb, op, null);
  }

  /** Whether a change waits for its upload, and is quiet. */
  function isDue(kept: Kept, version: number, placed: number | null): boolean {
    const at = now();
    if (version === placed) {
      kept.seen = version;
      kept.first = at;
      return false;
    }
    if (kept.seen === placed) kept.first = at;
    if (kept.seen !== version) {
      kept.seen = version;
      kept.since = at;
    }
    return at >= kept.syncAt && (at - kept.since >= quietMs || at - kept.first >= patienceMs);
  }

  async function look(place: WatchedPlace): Promise<void> {
    const { kb } = place;
    const kept = keptOf(place);
    const version = await parts.versionOf(kb);
    if (version === null || (await parts.busy(kb))) return;
    const due = isDue(kept, version, place.version);
    const { uploads, upkeep } = kept;
    let [tries, what] = [uploads, 'sync'];
    try {
      if (autoSync && due && now() >= uploads.notBefore) {
        kept.syncAt = now() + about(betweenMs);
        await job(uploads, kb, 'sync');
        return;
      }
      if (now() < upkeep.notBefore) return;
      tries = upkeep;
      what = 'tend';
      if (now() >= kept.tendAt) {
        const { repair } = await parts.tend(kb, signal);
        kept.tendAt = now() + about(tendMs);
        upkeep.failures = 0;
        if (repair) await job(upkeep, kb, 'repair');
        return;
      }
      what = 'check';
      if (now() >= kept.checkAt) {
        const { repair } = await parts.check(kb, signal);
        kept.checkAt = now() + about(checkMs);
        upkeep.failures = 0;
        if (repair) await job(upkeep, kb, 'repair');
      }
    } catch (error) {
      if (signal.aborted) throw error;
      failed(tries, kb, what, error);
    }
  }

  async function run(): Promise<void> {
    await clock.sleep(about(startMs), signal);
    for (;;) {
      const places = await parts.placed().catch((error: unknown) => {
        if (signal.aborted) throw error;
        log.warn('What is placed cannot be read.', { cause: messageOf(error) });
        return [];
      });
      const ids = new Set(places.map(({ id }) => id));
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      for (const place of places)
        await look(place).catch((error: unknown) => {
          if (signal.aborted) throw error;
          log.warn('What is placed cannot be looked at.', { kb: place.kb, cause: messageOf(error) });
        });
      if (now() >= cleanAt) {
        cleanAt = now() + about(tendMs);
        await parts.clean(signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          log.debug('What is left at Eves is not deleted yet.', { cause: messageOf(error) });
        });
      }
      await clock.sleep(about(places.length === 0 ? idleMs : lookMs), signal);
    }
  }

  const running = run().catch((error: unknown) => {
    if (!signal.aborted) log.warn('What is placed is looked after no more.', { cause: messageOf(error) });
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
