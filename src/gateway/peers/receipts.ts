/**
 * The receipts of what this node and its peers did for each other, in SQLite: a death of the process loses none. The owner
 * sees all of them, a peer those of what was done for it.
 *
 * @module gateway/peers/receipts
 */
import { type Clock, type Logger, type Migration, messageOf, openDatabase } from '../../base/index.ts';
import { PEER_BOUNDS, type SignedReceipt } from './protocol.ts';
import { type ReceiptFacts, readReceipt } from './receipt.ts';

/** `given`: this node answered. `got`: the peer did. */
export type ReceiptWay = 'given' | 'got';

export interface KeptReceipt extends SignedReceipt {
  readonly way: ReceiptWay;
  /** The other node. */
  readonly peer: string;
  readonly facts: ReceiptFacts;
}

export interface ReceiptQuery {
  /** @default of all peers */
  readonly peer?: string;
  /** @default both */
  readonly way?: ReceiptWay;
  readonly limit: number;
}

export interface Receipts {
  /** Keeps one that counts. Never throws: an answer must not fail for it. */
  add(way: ReceiptWay, receipt: SignedReceipt): void;
  /** What was done for a peer, oldest first: the newest 64 at most. */
  of(peer: string): readonly SignedReceipt[];
  /** Newest first, and how many there are in all. */
  list(query: ReceiptQuery): { readonly receipts: readonly KeptReceipt[]; readonly total: number };
}

export interface ReceiptStoreOptions {
  /** Of the file, or `:memory:`. */
  readonly path: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly limits?: ReceiptLimits;
}

export interface ReceiptLimits {
  /** The oldest go first. @default 20_000 */
  readonly receipts?: number;
  /** Of one peer, so that none can push out those of all others. @default 2_000 */
  readonly perPeer?: number;
  /** ms. @default 90 days */
  readonly ageMs?: number;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'receipts',
    up: `
      -- kept: ms since 1970 by this node's clock.
      CREATE TABLE receipt (
        id INTEGER PRIMARY KEY,
        way TEXT NOT NULL,
        peer TEXT NOT NULL,
        kept INTEGER NOT NULL,
        receipt BLOB NOT NULL,
        signature BLOB NOT NULL
      ) STRICT;
      CREATE INDEX receipt_by_peer ON receipt (peer, way, id);
      CREATE INDEX receipt_by_age ON receipt (kept);
    `,
  },
];

interface Row {
  way: ReceiptWay;
  peer: string;
  receipt: Uint8Array;
  signature: Uint8Array;
}

/** Receipts over the bounds that may be there until they are swept. */
const SWEEP_EVERY = 32;

/** Throws KithError of base/sqlite when the file cannot be used. */
export function openReceipts({ path, clock, log, limits = {} }: ReceiptStoreOptions): Receipts & Disposable {
  const { receipts: most = 20_000, perPeer = 2_000, ageMs = 90 * 86_400_000 } = limits;
  // A receipt is worth no wait for the disk in the path of an answer: it survives the process, not always a power cut.
  const database = openDatabase(path, { migrations: MIGRATIONS, synchronous: 'NORMAL' });
  const insert = database.prepare<never, [ReceiptWay, string, number, Uint8Array, Uint8Array]>(
    'INSERT INTO receipt (way, peer, kept, receipt, signature) VALUES (?, ?, ?, ?, ?)',
  );
  const newest = database.prepare<Row, [string, number]>(
    `SELECT way, peer, receipt, signature FROM receipt WHERE peer = ? AND way = 'given' ORDER BY id DESC LIMIT ?`,
  );
  const where = '(?1 IS NULL OR peer = ?1) AND (?2 IS NULL OR way = ?2)';
  const rows = database.prepare<Row, [string | null, string | null, number]>(
    `SELECT way, peer, receipt, signature FROM receipt WHERE ${where} ORDER BY id DESC LIMIT ?3`,
  );
  const count = database.prepare<{ n: number }, [string | null, string | null]>(
    `SELECT count(*) AS n FROM receipt WHERE ${where}`,
  );
  const old = database.prepare<never, [number]>('DELETE FROM receipt WHERE kept < ?');
  const over = database.prepare<never, [number]>(
    'DELETE FROM receipt WHERE id <= (SELECT id FROM receipt ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  const overPeer = database.prepare<never, [string, number]>(
    `DELETE FROM receipt WHERE peer = ?1
     AND id <= (SELECT id FROM receipt WHERE peer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
  );
  let sinceSweep = SWEEP_EVERY;
  let failing = false;

  return {
    add(way, { receipt, signature }) {
      try {
        const { server, client } = readReceipt(receipt);
        const peer = way === 'given' ? client : server;
        database.transaction(() => {
          insert.run(way, peer, clock.now(), receipt, signature);
          overPeer.run(peer, perPeer);
          if (++sinceSweep < SWEEP_EVERY) return;
          old.run(clock.now() - ageMs);
          over.run(most);
          sinceSweep = 0;
        });
        failing = false;
      } catch (error) {
        if (!failing) log.warn('a receipt of a peer was not kept', { err: messageOf(error) });
        failing = true;
      }
    },
    of: (peer) => newest.all(peer, PEER_BOUNDS.receipts).reverse(),
    list({ peer = null, way = null, limit }) {
      const receipts = rows
        .all(peer, way, limit)
        .map((row): KeptReceipt => ({ ...row, facts: readReceipt(row.receipt) }));
      return { receipts, total: count.get(peer, way)!.n };
    },
    [Symbol.dispose]() {
      database.close();
    },
  };
}
