/**
 * The grants that this node gave to tenants of its own, and which Eves have yet to be told that one is revoked.
 *
 * @module node/knowledge/vault-grant-store
 */
import type { Database, Migration } from '../../base/index.ts';

export const GRANT_TABLES: Migration = {
  name: 'grants',
  up: `
    CREATE TABLE given_grant (
      id TEXT PRIMARY KEY, collection TEXT NOT NULL, kb TEXT NOT NULL, holder TEXT NOT NULL,
      since INTEGER NOT NULL, until INTEGER NOT NULL, epoch INTEGER NOT NULL, revoked INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE grant_place (
      collection TEXT NOT NULL, peer TEXT NOT NULL, PRIMARY KEY (collection, peer)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE collection_epoch (collection TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE untold (
      given TEXT NOT NULL REFERENCES given_grant (id) ON DELETE CASCADE, peer TEXT NOT NULL,
      PRIMARY KEY (given, peer)
    ) STRICT, WITHOUT ROWID;
  `,
};

export interface GivenVaultGrant {
  /** 32 hex digits. */
  readonly id: string;
  readonly collection: string;
  /** Name of the knowledge base when it was given. */
  readonly kb: string;
  /** PeerId. */
  readonly holder: string;
  /** ms since 1970, likewise the others. */
  readonly since: number;
  readonly until: number;
  /** Of the keys that were given. */
  readonly epoch: number;
  /** Null: it was not revoked. */
  readonly revoked: number | null;
}

/** An Eve that is to be told. */
export interface Untold {
  readonly given: string;
  readonly collection: string;
  readonly peer: string;
}

export interface VaultGrantStore {
  /** @param peers Eves that honour it: who have, or had, a tenant of the collection */
  give(grant: GivenVaultGrant, peers: readonly string[], now: number): void;
  /** Those of a knowledge base of that name; null: all. */
  given(kb: string | null): GivenVaultGrant[];
  byId(id: string): GivenVaultGrant | null;
  /** From then on every Eve that may honour it is to be told. */
  revoke(id: string, at: number): void;
  /** Eves that get a tenant of the collection, empty of what was said before: they are to be told of all that is revoked. */
  placing(collection: string, peers: readonly string[], now: number): void;
  /** The Eve's tenant is deleted: nothing is left to be read there. */
  gone(collection: string, peer: string): void;
  /** The newest epoch of keys that this node met; null: none yet. */
  epochOf(collection: string): number | null;
  epoch(collection: string, epoch: number): void;
  untold(now: number): Untold[];
  untoldOf(id: string): string[];
  told(id: string, peer: string): void;
}

/** Clocks of Eves may be behind this one: ms for which a grant that ended is still told of. */
const BEHIND_MS = 86_400_000;
/** ms after its end when a grant is forgotten. */
const KEPT_MS = 90 * 86_400_000;

export function vaultGrantStore(database: Database): VaultGrantStore {
  const insert = database.prepare<never, [string, string, string, string, number, number, number]>(
    'INSERT INTO given_grant VALUES (?, ?, ?, ?, ?, ?, ?, NULL)',
  );
  const forget = database.prepare<never, [number]>('DELETE FROM given_grant WHERE until < ?');
  const all = database.prepare<GivenVaultGrant>('SELECT * FROM given_grant ORDER BY kb, until, id');
  const ofKb = database.prepare<GivenVaultGrant, [string]>(
    'SELECT * FROM given_grant WHERE kb = ? ORDER BY until, id',
  );
  const byId = database.prepare<GivenVaultGrant, [string]>('SELECT * FROM given_grant WHERE id = ?');
  const revoke = database.prepare<never, [number, string]>(
    'UPDATE given_grant SET revoked = coalesce(revoked, ?) WHERE id = ?',
  );
  const addPlace = database.prepare<never, [string, string]>(
    'INSERT OR IGNORE INTO grant_place VALUES (?, ?)',
  );
  const dropPlace = database.prepare<never, [string, string]>(
    'DELETE FROM grant_place WHERE collection = ? AND peer = ?',
  );
  const tellAll = database.prepare<never, [string]>(`
    INSERT OR IGNORE INTO untold SELECT given_grant.id, grant_place.peer
    FROM given_grant JOIN grant_place USING (collection) WHERE given_grant.id = ?
  `);
  const tellOne = database.prepare<never, [string, string, number]>(`
    INSERT OR IGNORE INTO untold SELECT id, ? FROM given_grant
    WHERE collection = ? AND revoked IS NOT NULL AND until > ?
  `);
  const tellNone = database.prepare<never, [string, string]>(`
    DELETE FROM untold WHERE peer = ? AND given IN (SELECT id FROM given_grant WHERE collection = ?)
  `);
  const epochOf = database.prepare<{ epoch: number }, [string]>(
    'SELECT epoch FROM collection_epoch WHERE collection = ?',
  );
  const setEpoch = database.prepare<never, [string, number]>(
    'INSERT INTO collection_epoch VALUES (?, ?) ON CONFLICT DO UPDATE SET epoch = max(epoch, excluded.epoch)',
  );
  const untold = database.prepare<Untold, [number]>(`
    SELECT given, collection, peer FROM untold JOIN given_grant ON given_grant.id = given
    WHERE until > ? ORDER BY peer, given
  `);
  const untoldOf = database.prepare<{ peer: string }, [string]>(
    'SELECT peer FROM untold WHERE given = ? ORDER BY peer',
  );
  const told = database.prepare<never, [string, string]>('DELETE FROM untold WHERE given = ? AND peer = ?');
  return {
    give: ({ id, collection, kb, holder, since, until, epoch }, peers, now) =>
      database.transaction(() => {
        forget.run(now - KEPT_MS);
        insert.run(id, collection, kb, holder, since, until, epoch);
        for (const peer of peers) addPlace.run(collection, peer);
      }),
    given: (kb) => (kb === null ? all.all() : ofKb.all(kb)),
    byId: (id) => byId.get(id) ?? null,
    revoke: (id, at) =>
      database.transaction(() => {
        revoke.run(at, id);
        tellAll.run(id);
      }),
    placing: (collection, peers, now) =>
      database.transaction(() => {
        for (const peer of peers) {
          addPlace.run(collection, peer);
          tellOne.run(peer, collection, now - BEHIND_MS);
        }
      }),
    gone: (collection, peer) =>
      database.transaction(() => {
        dropPlace.run(collection, peer);
        tellNone.run(peer, collection);
      }),
    epochOf: (collection) => epochOf.get(collection)?.epoch ?? null,
    epoch: (collection, epoch) => void setEpoch.run(collection, epoch),
    untold: (now) => untold.all(now - BEHIND_MS),
    untoldOf: (id) => untoldOf.all(id).map(({ peer }) => peer),
    told: (id, peer) => void told.run(id, peer),
  };
}
