/**
 * What a node remembers beside what is placed where: what it saw of each Eve, what it wrote itself, and tenants that are to go.
 *
 * @module node/knowledge/vault-upkeep-store
 */
import type { Database, Migration } from '../../base/index.ts';

export const UPKEEP_TABLES: Migration = {
  name: 'upkeep of what is placed',
  up: `
    CREATE TABLE upkeep (
      id TEXT PRIMARY KEY, written TEXT, sound TEXT, by_hand INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE lease (id TEXT NOT NULL, peer TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (id, peer)) STRICT, WITHOUT ROWID;
    CREATE TABLE leaving (id TEXT NOT NULL, peer TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (id, peer)) STRICT, WITHOUT ROWID;
    CREATE TABLE noted (peer TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (peer, kind)) STRICT, WITHOUT ROWID;
  `,
};

/** What a machine that restored goes on from is no state that it wrote, nor one that it does not know. */
export const NONE_WRITTEN = '-';
/** Stops that are remembered. */
const MOST_STOPPED = 8;

export interface Upkeep {
  /**
   * Names the state that this node wrote last (`NONE_WRITTEN`: none), and after it those that it was about to write when it was stopped;
   * and the last one of which each Eve had all that is hers. Null: none yet.
   */
  readonly written: string | null;
  readonly sound: string | null;
  /** Whether the owner said how much space there is to be. */
  readonly byHand: boolean;
}

export interface UpkeepStore {
  of(id: string): Upkeep;
  change(id: string, more: Partial<Upkeep>): void;
  /** This node is about to set a head that says that. */
  writing(id: string, state: string): void;
  /** When a tenant's time ends, as its Eve last said; null: she never did. ms since 1970 by her clock. */
  until(id: string, peer: string): number | null;
  noteUntil(id: string, peer: string, until: number): void;
  /** Eves that are to delete a tenant once what is in it is elsewhere. */
  leaving(id: string): string[];
  /** Those of collections that are placed no more. */
  leftOver(): readonly { readonly id: string; readonly peer: string }[];
  leave(id: string, peer: string, since: number): void;
  left(id: string, peer: string): void;
  /** Whether something of that kind may be noted of a peer now, and notes that it was: once in `everyMs`. */
  note(peer: string, kind: string, now: number, everyMs: number): boolean;
  remove(id: string): void;
}

interface Row {
  readonly written: string | null;
  readonly sound: string | null;
  readonly by_hand: number;
}

export function upkeepStore(database: Database): UpkeepStore {
  const read = database.prepare<Row, [string]>('SELECT * FROM upkeep WHERE id = ?');
  const save = database.prepare<never, [string, string | null, string | null, number]>(
    'INSERT OR REPLACE INTO upkeep (id, written, sound, by_hand) VALUES (?, ?, ?, ?)',
  );
  const readUntil = database.prepare<{ until: number }, [string, string]>(
    'SELECT until FROM lease WHERE id = ? AND peer = ?',
  );
  const saveUntil = database.prepare<never, [string, string, number]>(
    'INSERT OR REPLACE INTO lease VALUES (?, ?, ?)',
  );
  const readLeaving = database.prepare<{ peer: string }, [string]>(
    'SELECT peer FROM leaving WHERE id = ? ORDER BY peer',
  );
  const readLeftOver = database.prepare<{ id: string; peer: string }>(
    'SELECT id, peer FROM leaving WHERE id NOT IN (SELECT id FROM collection) ORDER BY id, peer',
  );
  const addLeaving = database.prepare<never, [string, string, number]>(
    'INSERT OR IGNORE INTO leaving VALUES (?, ?, ?)',
  );
  const dropLeaving = database.prepare<never, [string, string]>(
    'DELETE FROM leaving WHERE id = ? AND peer = ?',
  );
  const readNoted = database.prepare<{ at: number }, [string, string]>(
    'SELECT at FROM noted WHERE peer = ? AND kind = ?',
  );
  const saveNoted = database.prepare<never, [string, string, number]>(
    'INSERT OR REPLACE INTO noted VALUES (?, ?, ?)',
  );
  const removals = ['upkeep', 'lease', 'leaving'].map((table) =>
    database.prepare<never, [string]>(`DELETE FROM ${table} WHERE id = ?`),
  );

  function of(id: string): Upkeep {
    const row = read.get(id);
    if (row === undefined) return { written: null, sound: null, byHand: false };
    const { written, sound, by_hand } = row;
    return { written, sound, byHand: by_hand === 1 };
  }

  return {
    of,
    change(id, more) {
      const { written, sound, byHand } = { ...of(id), ...more };
      save.run(id, written, sound, byHand ? 1 : 0);
    },
    writing(id, state) {
      const [last = '', ...stopped] = (of(id).written ?? NONE_WRITTEN).split(' ');
      this.change(id, { written: [last, ...stopped.slice(1 - MOST_STOPPED), state].join(' ') });
    },
    until: (id, peer) => readUntil.get(id, peer)?.until ?? null,
    noteUntil: (id, peer, until) => void saveUntil.run(id, peer, Math.floor(until)),
    leaving: (id) => readLeaving.all(id).map(({ peer }) => peer),
    leftOver: () => readLeftOver.all(),
    leave: (id, peer, since) => void addLeaving.run(id, peer, Math.floor(since)),
    left: (id, peer) => void dropLeaving.run(id, peer),
    note(peer, kind, now, everyMs) {
      const at = readNoted.get(peer, kind)?.at ?? null;
      // A clock that went back does not silence it.
      if (at !== null && now >= at && now - at < everyMs) return false;
      saveNoted.run(peer, kind, Math.floor(now));
      return true;
    },
    remove(id) {
      for (const statement of removals) statement.run(id);
    },
  };
}
