/**
 * Which sessions of peers this node has room for, for how long, and when there will be room again.
 *
 * Each session holds a lease. Its steps renew it: it ends when none came for `idleMs`, or at its longest time `leaseMs` if
 * somebody was refused meanwhile for want of room (else it begins anew). Peers of higher tiers get more, and first: lower
 * ones may fill only a part of the whole, and their sessions make room when they rest and a higher one asks. Who finds no room is told
 * so at once, with the time at which there will be some; nobody waits in a queue.
 *
 * Arithmetic over a clock; knows no network and no engine.
 *
 * @module shards/serve/admission
 */
import { type Clock, KithError, type Tier } from '../../base/index.ts';
import { rateMeter } from './rate-meter.ts';

export interface AdmissionBounds {
  /** Sessions at once. */
  readonly sessions: number;
  /** Of one peer of the highest rank. */
  readonly sessionsPerPeer: number;
  /** KV cells lent at once over all pools; null: as many as the pools have. */
  readonly cells: number | null;
  /** ms without a step after which a session ends. */
  readonly idleMs: number;
  /** ms after which a session makes room for others that ask. */
  readonly leaseMs: number;
  /** Bytes of rows that all sessions may keep for substitutes, in memory and on disk. */
  readonly logBytes: number;
}

/** 0 to 3: how much of everything a peer gets. */
export type Rank = 0 | 1 | 2 | 3;

/** A friend of the owner stands with the highest tier. */
export function rankOf(tier: Tier, friend: boolean): Rank {
  return friend ? 3 : ({ unknown: 0, known: 1, verified: 2, trusted: 3 } as const)[tier];
}

/** Part of what one peer of the highest rank may have, by rank. */
const OWN_SHARE = [0.25, 0.5, 0.75, 1] as const;
/** Part of the whole that may be in use when a peer of the rank still gets in. */
const WHOLE_SHARE = [0.5, 0.7, 0.85, 1] as const;
/** A session of a lower rank that rests for so long makes room, ms. */
export const YIELD_MS = 15_000;

export interface Ask {
  readonly peer: string;
  readonly rank: Rank;
  /** Which loaded blocks the cells are of. */
  readonly pool: string;
  /** Cells that the pool has. */
  readonly poolCells: number;
  readonly cells: number;
  /** Bytes of rows that the session may come to keep. */
  readonly logBytes: number;
}

/** A session that was let in. Dispose when it is over. */
export interface Grant extends Disposable {
  /** Rejects when the session has to end, with what its owner is told. Never resolves. */
  readonly over: Promise<never>;
  /** A step of so many rows came, or its rows are computed (0). */
  note(rows: number): void;
}

export interface Admitted {
  readonly peer: string;
  readonly pool: string;
  readonly cells: number;
  /** ms since it began, since its last step, and until it ends if no step comes. */
  readonly ageMs: number;
  readonly idleMs: number;
  readonly leftMs: number;
  /** Rows computed for it. */
  readonly rows: number;
  /** Of late. */
  readonly rowsPerSecond: number;
}

export interface Admission extends Disposable {
  /** @throws KithError `shard_quota` for what the peer never gets; `shard_busy` (503) with `retryAfter` for what it gets later */
  open(ask: Ask): Grant;
  /** Ends sessions, all or those of a pool, with what their owners are told. */
  end(error: KithError, pool?: string): void;
  all(): readonly Admitted[];
  /** Cells of the pool that a peer of the highest rank could have now; 0 when there is no room for a session. */
  freeCells(pool: string, poolCells: number): number;
}

/** What stands against an ask: what the peer has itself, or what all have. */
interface Excess {
  readonly isOwn: boolean;
  readonly why: string;
}

interface Held extends Ask {
  readonly openedAt: number;
  leaseBegan: number;
  /** Somebody was told that there is room when its lease ends. */
  isWanted: boolean;
  steppedAt: number;
  rows: number;
  readonly meter: ReturnType<typeof rateMeter>;
  readonly end: (error: KithError) => void;
}

export function createAdmission(options: {
  readonly bounds: AdmissionBounds;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** Called after sessions came or went. */
  readonly onChange?: () => void;
}): Admission {
  const { bounds, clock, onChange = () => {} } = options;
  const { idleMs, leaseMs, logBytes } = bounds;
  const held = new Set<Held>();
  const closing = new AbortController();
  let watching = false;

  const endOf = ({ steppedAt, leaseBegan }: Held): number =>
    Math.min(steppedAt + idleMs, leaseBegan + leaseMs);

  const wholeCells = (poolCells: number): number => Math.min(poolCells, bounds.cells ?? poolCells);

  /** What is used of each bound by these sessions. */
  function used(sessions: Iterable<Held>, { peer, pool }: Pick<Ask, 'peer' | 'pool'>) {
    const sum = { sessions: 0, own: 0, cells: 0, poolCells: 0, ownCells: 0, logBytes: 0 };
    for (const one of sessions) {
      const isOwn = one.peer === peer;
      const inPool = one.pool === pool;
      sum.sessions++;
      sum.cells += one.cells;
      sum.logBytes += one.logBytes;
      if (isOwn) sum.own++;
      if (inPool) sum.poolCells += one.cells;
      if (inPool && isOwn) sum.ownCells += one.cells;
    }
    return sum;
  }

  /** The first bound that the ask would pass beside these sessions; null: it fits. */
  function tooMuch(ask: Ask, sessions: Iterable<Held>): Excess | null {
    const { rank, cells, poolCells } = ask;
    const now = used(sessions, ask);
    const share = OWN_SHARE[rank];
    const whole = WHOLE_SHARE[rank];
    const own = (why: string): Excess => ({ isOwn: true, why });
    const all = (why: string): Excess => ({ isOwn: false, why });
    const mostOwn = Math.max(1, Math.floor(bounds.sessionsPerPeer * share));
    if (now.own + 1 > mostOwn) return own(`your node has ${now.own} of the ${mostOwn} sessions it gets here`);
    const lendable = wholeCells(poolCells);
    const ownCells = Math.floor(lendable * share);
    if (now.ownCells + cells > ownCells)
      return own(`your node gets ${ownCells} KV cells of these blocks and has ${now.ownCells}`);
    if (now.sessions + 1 > Math.max(1, Math.floor(bounds.sessions * whole)))
      return all(`${now.sessions} sessions run`);
    const left = Math.min(
      Math.floor(lendable * whole) - now.poolCells,
      (bounds.cells ?? Number.POSITIVE_INFINITY) - now.cells,
    );
    if (cells > left) return all(`${Math.max(0, left)} KV cells are free`);
    if (now.logBytes + ask.logBytes > logBytes) return all('there is no room for its rows');
    return null;
  }

  /** ms until enough sessions have ended. Those whose end is waited for do not get another lease. */
  function waitFor(ask: Ask): number {
    const rest = [...held].sort((a, b) => endOf(a) - endOf(b));
    let at = clock.monotonic();
    for (let more = tooMuch(ask, rest); more !== null; more = tooMuch(ask, rest)) {
      const { isOwn } = more;
      const next = rest.findIndex(({ peer }) => !isOwn || peer === ask.peer);
      const [one] = rest.splice(next, 1);
      one!.isWanted = true;
      at = Math.max(at, endOf(one!));
    }
    return at - clock.monotonic();
  }

  /** Ends sessions of lower ranks that rest, if that makes room enough; those that rest the longest first. */
  function makeRoom(ask: Ask): boolean {
    const rest = new Set(held);
    const resting = [...held]
      .filter((one) => one.rank < ask.rank && clock.monotonic() - one.steppedAt >= YIELD_MS)
      .sort((a, b) => a.rank - b.rank || a.steppedAt - b.steppedAt);
    const yielding: Held[] = [];
    for (const one of resting) {
      if (tooMuch(ask, rest) === null) break;
      rest.delete(one);
      yielding.push(one);
    }
    if (tooMuch(ask, rest) !== null) return false;
    for (const one of yielding) finish(one, leaseOver('it rested, and a peer of a higher tier asked'));
    return true;
  }

  function finish(one: Held, error: KithError): void {
    if (held.delete(one)) one.end(error);
  }

  function expire(): void {
    const now = clock.monotonic();
    const before = held.size;
    for (const one of held) {
      if (one.steppedAt + idleMs <= now)
        finish(
          one,
          new KithError('shard_idle', `The session had no step for ${idleMs} ms.`, { status: 410 }),
        );
      else if (one.leaseBegan + leaseMs <= now) {
        if (one.isWanted) finish(one, leaseOver('somebody waits for room'));
        else one.leaseBegan = now;
      }
    }
    if (held.size !== before) onChange();
  }

  /** Ends what is over in its time, while there is anything. */
  async function watch(): Promise<void> {
    if (watching) return;
    watching = true;
    while (held.size > 0 && !closing.signal.aborted) {
      const next = Math.min(...[...held].map(endOf));
      await clock.sleep(Math.max(1, next - clock.monotonic()), closing.signal).catch(() => {});
      expire();
    }
    watching = false;
  }

  return {
    open(ask) {
      const never = tooMuch(ask, []);
      if (never !== null)
        throw new KithError(
          'shard_quota',
          `A session of ${ask.cells} KV cells is more than your node ever gets here: ${never.why}. Ask for a shorter context.`,
          { status: 413 },
        );
      expire();
      const full = tooMuch(ask, held);
      if (full !== null && !makeRoom(ask)) {
        const retryAfter = Math.max(1, Math.ceil(waitFor(ask) / 1000));
        throw new KithError(
          'shard_busy',
          `No room for the session now: ${full.why}. Ask again in ${retryAfter} s, or ask another node.`,
          { status: 503, retryAfter },
        );
      }
      const now = clock.monotonic();
      const ended = Promise.withResolvers<never>();
      // Whoever waits for it meets it there.
      ended.promise.catch(() => {});
      const one: Held = {
        ...ask,
        ...{ openedAt: now, leaseBegan: now, isWanted: false, steppedAt: now, rows: 0 },
        meter: rateMeter(() => clock.monotonic()),
        end: (error) => ended.reject(error),
      };
      held.add(one);
      void watch();
      onChange();
      return {
        over: ended.promise,
        note(rows) {
          one.steppedAt = clock.monotonic();
          one.rows += rows;
          one.meter.add(rows);
        },
        [Symbol.dispose]() {
          if (held.delete(one)) onChange();
        },
      };
    },
    end(error, pool) {
      const before = held.size;
      for (const one of held) if (pool === undefined || one.pool === pool) finish(one, error);
      if (held.size !== before) onChange();
    },
    all() {
      const now = clock.monotonic();
      return [...held].map((one) => ({
        ...{ peer: one.peer, pool: one.pool, cells: one.cells, rows: one.rows },
        ageMs: now - one.openedAt,
        idleMs: now - one.steppedAt,
        leftMs: Math.max(0, endOf(one) - now),
        rowsPerSecond: one.meter.perSecond(),
      }));
    },
    freeCells(pool, poolCells) {
      const now = used(held, { peer: '', pool });
      if (now.sessions >= bounds.sessions) return 0;
      const free = wholeCells(poolCells) - now.poolCells;
      return Math.max(0, Math.min(free, (bounds.cells ?? free + now.cells) - now.cells));
    },
    [Symbol.dispose]() {
      closing.abort();
    },
  };
}

const leaseOver = (why: string): KithError =>
  new KithError('shard_lease_over', `The session's time is over: ${why}.`, { status: 410 });
