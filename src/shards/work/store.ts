/**
 * `<home>/shards/work.sqlite`: the receipts of work between this node and its peers, and their sums.
 *
 * Every change is one transaction: a process that is killed leaves the state before or after it. Ages go by steady time, so
 * that a clock that is wrong for an hour removes nothing.
 *
 * @module shards/work/store
 */
import {
  type Clock,
  type Database,
  openDatabase,
  type SteadyTime,
  startedAt,
  ticked,
} from '../../base/index.ts';
import { contradict, nameOf, readWork, type WorkFacts } from './receipt.ts';
import { MIGRATIONS, STORE_LIMITS, type StoreLimits, type WorkSide, type WorkState } from './schema.ts';
import { createTotals, type Totals } from './totals.ts';
import type { Account } from './types.ts';
import { rowsOf } from './types.ts';

export interface KeptWork {
  readonly side: WorkSide;
  /** The other node. */
  readonly peer: string;
  readonly state: WorkState;
  /** Why it is disputed. */
  readonly reason: string | null;
  readonly facts: WorkFacts;
  readonly receipt: Uint8Array;
  readonly shardSignature: Uint8Array;
  readonly ownerSignature: Uint8Array | null;
  /** True when the receipt before it, which it names, never came here: one was dropped. */
  readonly isMissingOne: boolean;
}

export interface WorkQuery {
  readonly peer?: string;
  readonly side?: WorkSide;
  /** Kept at this time or later, ms since 1970. */
  readonly since?: number;
}

export interface Contradiction {
  readonly peer: string;
  /** ms since 1970. */
  readonly at: number;
  readonly first: Account;
  readonly second: Account;
}

/** What came of an account: kept; there already, as it is; or it contradicts another one that the peer signed. */
export type Added =
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'known'; readonly state: WorkState; readonly ownerSignature: Uint8Array | null }
  | { readonly outcome: 'contradicts'; readonly other: Account };

export interface NewWork {
  readonly side: WorkSide;
  readonly account: Account;
  readonly facts: WorkFacts;
  readonly state: WorkState;
  readonly reason?: string;
  readonly ownerSignature?: Uint8Array;
}

export interface WorkStore extends Disposable {
  add(work: NewWork): Added;
  /** The owner's word on a half. Nothing happens when there is none of that name. */
  settle(
    peer: string,
    name: Uint8Array,
    word: { readonly signature: Uint8Array } | { readonly reason: string },
  ): void;
  /** The last receipt of a side with a peer; null when there is none. */
  last(side: WorkSide, peer: string): { readonly sequence: number; readonly name: Uint8Array } | null;
  list(query: WorkQuery & { readonly limit: number }): {
    readonly receipts: readonly KeptWork[];
    readonly total: number;
  };
  readonly totals: Totals;
  /** False when the same two are noted already, or as many of that peer as are kept. */
  note(contradiction: Omit<Contradiction, 'at'>): boolean;
  contradictions(peer?: string): readonly Contradiction[];
}

export interface WorkStoreOptions {
  /** Of the file, or `:memory:`. */
  readonly path: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits?: Partial<StoreLimits>;
}

interface Row {
  side: WorkSide;
  peer: string;
  state: WorkState;
  reason: string | null;
  receipt: Uint8Array;
  shard_signature: Uint8Array;
  owner_signature: Uint8Array | null;
  missing: number;
}

interface Pair {
  peer: string;
  at: number;
  first: Uint8Array;
  first_signature: Uint8Array;
  second: Uint8Array;
  second_signature: Uint8Array;
}

/** Receipts over the bounds that may be there until they are swept. */
const SWEEP_EVERY = 64;
const MATCHES =
  '(:peer IS NULL OR peer = :peer) AND (:side IS NULL OR side = :side) AND (:since IS NULL OR kept >= :since)';

/** Throws KithError of base/sqlite when the file cannot be used. */
export function openWorkStore({ path, clock, limits }: WorkStoreOptions): WorkStore {
  // No answer waits for the disk: receipts survive the death of the process, not always a power cut.
  const database = openDatabase(path, { migrations: MIGRATIONS, synchronous: 'NORMAL' });
  return createStore(database, clock, { ...STORE_LIMITS, ...limits });
}

function createStore(database: Database, clock: Pick<Clock, 'now'>, limits: StoreLimits): WorkStore {
  const clockRow = database.prepare<SteadyTime>('SELECT steady, wall, agreed FROM clock');
  const saveClock = database.prepare<never, [number, number, number]>(
    'INSERT OR REPLACE INTO clock (one, steady, wall, agreed) VALUES (1, ?, ?, ?)',
  );
  const columns =
    'side, peer, name, previous, book, sequence, session, part, model, state, reason, prompt, decode, replayed, row_blocks, steps, ms, receipt, shard_signature, owner_signature, kept';
  const insert = database.prepare<{ id: number }, Record<string, string | number | Uint8Array | null>>(
    `INSERT INTO receipt (${columns}) VALUES (${columns
      .split(', ')
      .map((column) => `:${column}`)
      .join(', ')}) RETURNING id`,
  );
  const kept = database.prepare<Row, Record<string, string | number | Uint8Array>>(
    `SELECT side, peer, state, reason, receipt, shard_signature, owner_signature, 0 AS missing FROM receipt
     WHERE side = :side AND peer = :peer
       AND ((book = :book AND sequence = :sequence) OR (session = :session AND part = :part))`,
  );
  const half = database.prepare<Row, [string, Uint8Array]>(
    `SELECT side, peer, state, reason, receipt, shard_signature, owner_signature, 0 AS missing FROM receipt
     WHERE side = 'given' AND peer = ? AND name = ? AND state = 'half'`,
  );
  const update = database.prepare<never, [WorkState, string | null, Uint8Array | null, string, Uint8Array]>(
    `UPDATE receipt SET state = ?, reason = ?, owner_signature = ? WHERE side = 'given' AND peer = ? AND name = ?`,
  );
  const newest = database.prepare<{ sequence: number; name: Uint8Array }, [string, string]>(
    'SELECT sequence, name FROM receipt WHERE side = ? AND peer = ? ORDER BY id DESC LIMIT 1',
  );
  // The oldest that is kept may name one that was swept.
  const rows = database.prepare<Row, Record<string, string | number | null>>(
    `SELECT side, peer, state, reason, receipt, shard_signature, owner_signature,
       (previous IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM receipt AS o WHERE o.side = r.side AND o.peer = r.peer AND o.name = r.previous)
         AND EXISTS (SELECT 1 FROM receipt AS o WHERE o.side = r.side AND o.peer = r.peer AND o.id < r.id)) AS missing
     FROM receipt AS r WHERE ${MATCHES} ORDER BY id DESC LIMIT :limit`,
  );
  const count = database.prepare<{ n: number }, Record<string, string | number | null>>(
    `SELECT count(*) AS n FROM receipt WHERE ${MATCHES}`,
  );
  const old = database.prepare<never, [number]>('DELETE FROM receipt WHERE kept < ?');
  const later = database.prepare<never, [number]>('UPDATE receipt SET kept = ?1 WHERE kept > ?1');
  const over = database.prepare<never, [number]>(
    'DELETE FROM receipt WHERE id <= (SELECT id FROM receipt ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  const overPeer = database.prepare<never, [string, number]>(
    `DELETE FROM receipt WHERE peer = ?1
     AND id <= (SELECT id FROM receipt WHERE peer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
  );
  const overDisputed = database.prepare<never, [string, string, number]>(
    `DELETE FROM receipt WHERE side = ?1 AND peer = ?2 AND state = 'disputed'
     AND id <= (SELECT id FROM receipt WHERE side = ?1 AND peer = ?2 AND state = 'disputed'
       ORDER BY id DESC LIMIT 1 OFFSET ?3)`,
  );
  const pairs = database.prepare<Pair, [string | null]>(
    'SELECT * FROM contradiction WHERE (?1 IS NULL OR peer = ?1) ORDER BY id DESC',
  );
  const notePair = database.prepare<never, [string, Uint8Array, Uint8Array, Uint8Array, Uint8Array, number]>(
    `INSERT INTO contradiction (peer, first, first_signature, second, second_signature, at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const overPairs = database.prepare<never, [number]>(
    'DELETE FROM contradiction WHERE id <= (SELECT id FROM contradiction ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  const totals = createTotals(database, limits.totals);
  let sinceSweep = SWEEP_EVERY;

  const look = (): SteadyTime => {
    const before = clockRow.get();
    const wall = Math.floor(clock.now());
    return before === undefined ? startedAt(wall) : ticked(before, wall);
  };
  const change = <T>(work: (now: number) => T): T =>
    database.transaction(() => {
      const before = clockRow.get();
      const time = look();
      saveClock.run(time.steady, time.wall, time.agreed);
      // The clock had been ahead for long: what was dated by it would not age until that time came.
      if (before !== undefined && time.steady < before.steady) later.run(time.steady);
      return work(time.steady);
    });
  const sweep = (now: number): void => {
    if (++sinceSweep < SWEEP_EVERY) return;
    old.run(now - limits.ageMs);
    over.run(limits.receipts);
    sinceSweep = 0;
  };
  const bindOf = ({ peer, side, since }: WorkQuery) => ({
    peer: peer ?? null,
    side: side ?? null,
    since: since ?? null,
  });

  return {
    totals,
    add: ({ side, account, facts, state, reason = null, ownerSignature = null }) =>
      change((now): Added => {
        const peer = side === 'given' ? facts.owner : facts.shard;
        const { book, sequence, session, part, previous, model } = facts;
        for (const row of kept.all({ side, peer, book, sequence, session, part })) {
          if (Buffer.compare(row.receipt, account.receipt) === 0)
            return { outcome: 'known', state: row.state, ownerSignature: row.owner_signature };
          if (contradict(readWork(row.receipt), facts))
            return {
              outcome: 'contradicts',
              other: { receipt: row.receipt, signature: row.shard_signature },
            };
        }
        const { prompt, decode, replayed, steps, ms } = facts;
        const row_blocks = rowsOf(facts) * (facts.to - facts.from);
        insert.get({
          ...{ side, peer, name: nameOf(account.receipt), previous, book, sequence, session, part, model },
          ...{ state, reason, prompt, decode, replayed, row_blocks, steps, ms },
          ...{ receipt: account.receipt, shard_signature: account.signature },
          ...{ owner_signature: ownerSignature, kept: now },
        });
        totals.add({ side, peer, facts, agreed: state === 'signed', now, sign: 1 });
        if (state === 'disputed') overDisputed.run(side, peer, limits.disputedPerPeer);
        overPeer.run(peer, limits.perPeer);
        sweep(now);
        return { outcome: 'kept' };
      }),
    settle: (peer, name, word) =>
      change((now) => {
        const row = half.get(peer, name);
        if (row === undefined) return;
        if ('reason' in word) {
          update.run('disputed', word.reason, null, peer, name);
          overDisputed.run('given', peer, limits.disputedPerPeer);
          return;
        }
        const facts = readWork(row.receipt);
        update.run('signed', null, word.signature, peer, name);
        totals.add({ side: 'given', peer, facts, agreed: false, now, sign: -1 });
        totals.add({ side: 'given', peer, facts, agreed: true, now, sign: 1 });
      }),
    last: (side, peer) => newest.get(side, peer) ?? null,
    list(query) {
      const receipts = rows.all({ ...bindOf(query), limit: query.limit }).map(
        (row): KeptWork => ({
          ...{ side: row.side, peer: row.peer, state: row.state, reason: row.reason },
          facts: readWork(row.receipt),
          receipt: row.receipt,
          shardSignature: row.shard_signature,
          ownerSignature: row.owner_signature,
          isMissingOne: row.missing === 1,
        }),
      );
      return { receipts, total: count.get(bindOf(query))!.n };
    },
    note: ({ peer, first, second }) =>
      change((now) => {
        const known = pairs.all(peer);
        if (known.length >= limits.contradictionsPerPeer) return false;
        if (known.some((pair) => Buffer.compare(pair.second, second.receipt) === 0)) return false;
        notePair.run(peer, first.receipt, first.signature, second.receipt, second.signature, now);
        overPairs.run(limits.contradictions);
        return true;
      }),
    contradictions: (peer) =>
      pairs.all(peer ?? null).map((pair) => ({
        ...{ peer: pair.peer, at: pair.at },
        first: { receipt: pair.first, signature: pair.first_signature },
        second: { receipt: pair.second, signature: pair.second_signature },
      })),
    [Symbol.dispose]() {
      database.close();
    },
  };
}
