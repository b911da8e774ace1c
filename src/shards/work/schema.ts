/**
 * Tables of `<home>/shards/work.sqlite`, their bounds and rows. Times are steady ms since 1970.
 *
 * @module shards/work/schema
 */
import type { Migration } from '../../base/index.ts';

/** `given`: this node computed. `taken`: the peer did. */
export type WorkSide = 'given' | 'taken';

/**
 * `signed`: by both. `half`: the owner has not answered. `disputed`: the owner's counts are others, or the work was not to be
 * had from what he knows.
 */
export type WorkState = 'signed' | 'half' | 'disputed';

export interface StoreLimits {
  /** The oldest go first. @default 50_000 */
  readonly receipts: number;
  /** Of one peer, so that none can push out those of all others. @default 5_000 */
  readonly perPeer: number;
  /** Disputed ones of one peer, of each side. @default 64 */
  readonly disputedPerPeer: number;
  /** ms. @default 90 days */
  readonly ageMs: number;
  /** Rows of sums. Those that changed longest ago become part of one for all others. @default 20_000 */
  readonly totals: number;
  /** Contradictions. The oldest go first. @default 1_000, and 16 of one peer */
  readonly contradictions: number;
  readonly contradictionsPerPeer: number;
}

export const STORE_LIMITS: StoreLimits = {
  receipts: 50_000,
  perPeer: 5_000,
  disputedPerPeer: 64,
  ageMs: 90 * 86_400_000,
  totals: 20_000,
  contradictions: 1_000,
  contradictionsPerPeer: 16,
};

/** Columns that are added up. `row_blocks`: each row times the blocks that it went through. */
export const SUMS = ['prompt', 'decode', 'replayed', 'row_blocks', 'steps', 'ms'] as const;
export type Sum = (typeof SUMS)[number];

/** Name of the peer and of the model in the row for all others. */
export const OTHERS = '*';

export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'receipts of work',
    up: `
      CREATE TABLE receipt (
        id INTEGER PRIMARY KEY,
        side TEXT NOT NULL,
        peer TEXT NOT NULL,
        name BLOB NOT NULL,
        previous BLOB,
        book BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        session BLOB NOT NULL,
        part INTEGER NOT NULL,
        model TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        prompt INTEGER NOT NULL,
        decode INTEGER NOT NULL,
        replayed INTEGER NOT NULL,
        row_blocks INTEGER NOT NULL,
        steps INTEGER NOT NULL,
        ms INTEGER NOT NULL,
        receipt BLOB NOT NULL,
        shard_signature BLOB NOT NULL,
        owner_signature BLOB,
        kept INTEGER NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX receipt_by_name ON receipt (side, peer, name);
      CREATE UNIQUE INDEX receipt_by_number ON receipt (side, peer, book, sequence);
      CREATE UNIQUE INDEX receipt_by_session ON receipt (side, peer, session, part);
      CREATE INDEX receipt_by_peer ON receipt (peer, id);
      CREATE INDEX receipt_by_state ON receipt (side, peer, state, id);
      CREATE INDEX receipt_by_age ON receipt (kept);
      -- Of all receipts that ever were. agreed: whether both signed.
      CREATE TABLE total (
        side TEXT NOT NULL,
        peer TEXT NOT NULL,
        model TEXT NOT NULL,
        agreed INTEGER NOT NULL,
        receipts INTEGER NOT NULL,
        prompt INTEGER NOT NULL,
        decode INTEGER NOT NULL,
        replayed INTEGER NOT NULL,
        row_blocks INTEGER NOT NULL,
        steps INTEGER NOT NULL,
        ms INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        PRIMARY KEY (side, peer, model, agreed)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX total_by_change ON total (changed);
      -- The two receipts that one peer signed and that cannot both be.
      CREATE TABLE contradiction (
        id INTEGER PRIMARY KEY,
        peer TEXT NOT NULL,
        first BLOB NOT NULL,
        first_signature BLOB NOT NULL,
        second BLOB NOT NULL,
        second_signature BLOB NOT NULL,
        at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX contradiction_by_peer ON contradiction (peer, id);
      CREATE TABLE clock (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        steady INTEGER NOT NULL,
        wall INTEGER NOT NULL,
        agreed INTEGER NOT NULL
      ) STRICT;
    `,
  },
];
