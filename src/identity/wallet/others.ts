/**
 * Credentials that peers showed of themselves and that their issuers may revoke: kept as they were signed, so that a
 * newer status list can be held against them later, and after a restart.
 *
 * There is room for so many of one peer and of all. Those that ended go first, then those not seen for longest.
 *
 * @module identity/wallet/others
 */
import type { Clock, Database } from '../../base/index.ts';
import type { CredentialFields } from '../credentials/schema.ts';
import { expiresAt } from '../credentials/verify.ts';
import { digestOf } from '../proof/document.ts';

export interface OtherCredential {
  readonly digest: string;
  /** Wire bytes. */
  readonly bytes: Uint8Array;
  readonly issuer: string;
  /** DID. */
  readonly subject: string;
  /** Name of the status list that it has a place in. */
  readonly list: string;
}

export interface Others {
  /** Keeps a verified credential that names a status list; others have nothing to be looked up, and are not kept. */
  keep(bytes: Uint8Array, fields: CredentialFields): void;
  about(subject: string): readonly OtherCredential[];
  /** Those that have a place in one list. */
  on(issuer: string, list: string): readonly OtherCredential[];
  all(): readonly OtherCredential[];
  /** The lists that credentials here have places in. */
  lists(): readonly { readonly issuer: string; readonly list: string }[];
  remove(digest: string): void;
  removeAbout(subject: string): void;
  /** Removes what has ended. */
  sweep(): void;
}

/** Room. A credential has at most 4 KiB. */
export interface OthersLimits {
  readonly perSubject: number;
  readonly all: number;
}
const LIMITS: OthersLimits = { perSubject: 16, all: 4096 };

export function createOthers(database: Database, clock: Clock, limits: OthersLimits = LIMITS): Others {
  const columns = 'digest, bytes, issuer, subject, list';
  const insert = database.prepare<never, [string, Uint8Array, string, string, string, number, number]>(
    'INSERT INTO others (digest, bytes, issuer, subject, list, ends_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?) ' +
      'ON CONFLICT (digest) DO UPDATE SET seen_at = excluded.seen_at',
  );
  const about = database.prepare<OtherCredential, [string]>(
    `SELECT ${columns} FROM others WHERE subject = ? ORDER BY digest`,
  );
  const on = database.prepare<OtherCredential, [string, string]>(
    `SELECT ${columns} FROM others WHERE issuer = ? AND list = ? ORDER BY digest`,
  );
  const all = database.prepare<OtherCredential>(`SELECT ${columns} FROM others ORDER BY digest`);
  const lists = database.prepare<{ issuer: string; list: string }>(
    'SELECT DISTINCT issuer, list FROM others ORDER BY issuer, list',
  );
  const remove = database.prepare<never, [string]>('DELETE FROM others WHERE digest = ?');
  const removeAbout = database.prepare<never, [string]>('DELETE FROM others WHERE subject = ?');
  const sweep = database.prepare<never, [number]>('DELETE FROM others WHERE ends_at <= ?');
  const dropOfSubject = database.prepare<never, [string, number]>(
    'DELETE FROM others WHERE digest IN (SELECT digest FROM others WHERE subject = ? ' +
      'ORDER BY seen_at DESC, digest LIMIT -1 OFFSET ?)',
  );
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM others');
  const dropOldest = database.prepare<never, [number]>(
    'DELETE FROM others WHERE digest IN (SELECT digest FROM others ORDER BY seen_at, digest LIMIT ?)',
  );

  return {
    keep(bytes, fields) {
      const { status, issuer, subject } = fields;
      if (status === null) return;
      const now = clock.now();
      database.transaction(() => {
        insert.run(digestOf(bytes), bytes, issuer, subject, status.list, expiresAt(fields), now);
        dropOfSubject.run(subject, limits.perSubject);
        if (count.get()!.n <= limits.all) return;
        sweep.run(now);
        const over = count.get()!.n - limits.all;
        if (over > 0) dropOldest.run(over);
      });
    },
    about: (subject) => about.all(subject),
    on: (issuer, list) => on.all(issuer, list),
    all: () => all.all(),
    lists: () => lists.all(),
    remove: (digest) => void remove.run(digest),
    removeAbout: (subject) => void removeAbout.run(subject),
    sweep: () => void sweep.run(clock.now()),
  };
}
