/**
 * API keys at rest: `<home>/server/keys.sqlite`, readable by its owner only. Holds no key, only digests.
 *
 * The command line and a running node open the same file, so that a change counts at once.
 *
 * @module server/access/key-store
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Clock,
  type Database,
  InputError,
  KithError,
  LimitError,
  type Migration,
  openDatabase,
  type Random,
  type Statement,
} from '../../base/index.ts';
import type { Scope } from '../http/exchange.ts';
import { keyDigest, newKeyId, newKeyText } from './key-text.ts';

/** What a key can be allowed; `control` is the run token's alone. */
export type KeyScope = Exclude<Scope, 'control'>;
export const keyScopes: readonly KeyScope[] = ['generate', 'embed', 'read', 'monitor', 'knowledge', 'ingest'];
/** What a key gets when nothing is said. Documents are their owner's: what opens them is named. */
export const usualScopes: readonly KeyScope[] = ['generate', 'embed', 'read', 'monitor'];

/** Keys kept, revoked ones included. */
const maxKeys = 1000;
/** Secrets of one key that work at once: the current one and those in their grace time. */
const maxSecrets = 4;

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  /** ms since epoch, as all times here. */
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  /** To the minute; null when it never was. */
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  /** Null: as many as the node takes. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** Knowledge bases that it opens, by name; null: all. */
  readonly kbs: readonly string[] | null;
}

/** One digest that opens a key. */
export interface KeySecret {
  readonly key: string;
  readonly digest: Uint8Array;
  /** End of its grace time; null for the current one. */
  readonly endsAt: number | null;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly expiresAt: number | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** @default null: all */
  readonly kbs?: readonly string[] | null;
}

export interface KeyStore extends Disposable {
  list(): ApiKey[];
  secrets(): KeySecret[];
  /** Grows with every change, also by another process. Costs about 3 µs. */
  version(): number;
  /** Keys that would be let in now. */
  usable(): number;
  /** The only time the key's text is there. */
  create(key: NewKey): { readonly key: ApiKey; readonly text: string };
  /** Makes a new secret; those before it work for `graceMs` more. Throws `key_not_found`, `key_revoked`, `key_expired`. */
  rotate(id: string, graceMs: number): { readonly key: ApiKey; readonly text: string };
  /** Throws `key_not_found`. Revoking twice changes nothing. */
  revoke(id: string): ApiKey;
  /** Notes that a key was used. */
  touch(id: string, at: number): void;
  close(): void;
}

const migrations: readonly Migration[] = [
  {
    name: 'keys and their secrets',
    up: `
      CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        last_used_at INTEGER,
        revoked_at INTEGER,
        requests_per_minute INTEGER,
        tokens_per_minute INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE secrets (
        key TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
        digest BLOB NOT NULL,
        made_at INTEGER NOT NULL,
        ends_at INTEGER,
        PRIMARY KEY (key, digest)
      ) STRICT, WITHOUT ROWID;`,
  },
  { name: 'knowledge bases of keys', up: 'ALTER TABLE keys ADD COLUMN kbs TEXT' },
];

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  /** Joined by commas, which their names cannot have. */
  readonly kbs: string | null;
}

export const keyStorePath = (home: string): string => join(home, 'server', 'keys.sqlite');

export interface KeyStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long to wait for another process that writes, ms. @default 5000 */
  readonly busyTimeoutMs?: number;
  /** False: the latest times of use may be lost in a power cut. @default true */
  readonly durable?: boolean;
}

/** Opens the keys of a home, and makes the file when there is none. */
export function openKeyStore(home: string, options: KeyStoreOptions): KeyStore {
  const path = keyStorePath(home);
  const folder = join(home, 'server');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    // SQLite would make it by the umask; its -wal and -shm files take the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new KithError(
      'key_store_unavailable',
      `The keys in ${path} cannot be opened: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  const database = openDatabase(path, {
    migrations,
    synchronous: options.durable === false ? 'NORMAL' : 'FULL',
    busyTimeoutMs: options.busyTimeoutMs ?? 5000,
  });
  return storeOn(database, options.clock, options.random);
}

function storeOn(database: Database, clock: Clock, random: Random): KeyStore {
  const all = database.prepare<KeyRow>('SELECT * FROM keys ORDER BY created_at, id');
  const one = database.prepare<KeyRow, [string]>('SELECT * FROM keys WHERE id = ?');
  const secrets = database.prepare<{ key: string; digest: Uint8Array; ends_at: number | null }>(
    'SELECT key, digest, ends_at FROM secrets',
  );
  const version = database.prepare<{ data_version: number }>('PRAGMA data_version');
  const touch = database.prepare<KeyRow, [number, string]>('UPDATE keys SET last_used_at = ? WHERE id = ?');
  const revoke = database.prepare<KeyRow, [number, string]>(
    'UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL',
  );
  const insert: Statement<KeyRow, Record<string, string | number | null>> = database.prepare(
    `INSERT INTO keys (id, name, scopes, created_at, expires_at, requests_per_minute, tokens_per_minute, kbs)
     VALUES (:id, :name, :scopes, :created, :expires, :requests, :tokens, :kbs)`,
  );
  const insertSecret = database.prepare<KeyRow, [string, Uint8Array, number]>(
    'INSERT INTO secrets (key, digest, made_at) VALUES (?, ?, ?)',
  );

  let changes = 0;
  const change = <T>(work: () => T): T => {
    changes++;
    return database.transaction(work);
  };

  function find(id: string): ApiKey {
    const row = one.get(id);
    if (!row) {
      throw new KithError(
        'key_not_found',
        `There is no key '${id.slice(0, 80)}'. \`kith keys list\` shows all.`,
        {
          status: 404,
        },
      );
    }
    return keyOf(row);
  }

  function makeRoom(): void {
    const keys = all.all().map(keyOf);
    const now = clock.now();
    const ended = keys.filter((key) => !isUsable(key, now));
    if (keys.length < maxKeys) return;
    if (ended.length === 0) {
      throw new LimitError(
        'keys',
        maxKeys,
        `There are ${maxKeys} keys already. Revoke one with \`kith keys revoke\`.`,
      );
    }
    database.prepare<KeyRow, [string]>('DELETE FROM keys WHERE id = ?').run(ended[0]!.id);
  }

  return {
    list: () => all.all().map(keyOf),
    secrets: () => secrets.all().map(({ key, digest, ends_at }) => ({ key, digest, endsAt: ends_at })),
    // SQLite counts what other connections commit, not what this one does.
    version: () => version.get()!.data_version + changes,
    usable: () => all.all().filter((row) => isUsable(keyOf(row), clock.now())).length,
    create: ({ name, scopes, expiresAt, requestsPerMinute, tokensPerMinute, kbs = null }) =>
      change(() => {
        makeRoom();
        const id = newKeyId(random);
        const now = clock.now();
        insert.run({
          id,
          name: checkName(name),
          scopes: keyScopes.filter((scope) => scopes.includes(scope)).join(','),
          created: now,
          expires: expiresAt,
          requests: requestsPerMinute,
          tokens: tokensPerMinute,
          kbs: kbs === null ? null : checkKbs(kbs).join(','),
        });
        const text = newKeyText(id, random);
        insertSecret.run(id, keyDigest(text), now);
        return { key: find(id), text };
      }),
    rotate: (id, graceMs) =>
      change(() => {
        const key = find(id);
        const now = clock.now();
        if (key.revokedAt !== null)
          throw new InputError(
            'key_revoked',
            `Key ${id} was revoked; make a new one with \`kith keys create\`.`,
          );
        if (!isUsable(key, now))
          throw new InputError(
            'key_expired',
            `Key ${id} has expired; make a new one with \`kith keys create\`.`,
          );
        database
          .prepare<KeyRow, [number, string]>(
            'UPDATE secrets SET ends_at = min(coalesce(ends_at, 9e15), ?) WHERE key = ?',
          )
          .run(now + graceMs, id);
        database
          .prepare<KeyRow, [string, number, string, number]>(
            `DELETE FROM secrets WHERE key = ? AND (ends_at <= ? OR digest NOT IN
               (SELECT digest FROM secrets WHERE key = ? ORDER BY made_at DESC LIMIT ?))`,
          )
          .run(id, now, id, maxSecrets - 1);
        const text = newKeyText(id, random);
        insertSecret.run(id, keyDigest(text), now);
        return { key, text };
      }),
    revoke: (id) =>
      change(() => {
        revoke.run(clock.now(), id);
        return find(id);
      }),
    touch: (id, at) => void touch.run(at, id),
    close: () => database.close(),
    [Symbol.dispose]: () => database.close(),
  };
}

function keyOf(row: KeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: keyScopes.filter((scope) => row.scopes.split(',').includes(scope)),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    requestsPerMinute: row.requests_per_minute,
    tokensPerMinute: row.tokens_per_minute,
    kbs: row.kbs === null ? null : row.kbs.split(','),
  };
}

export function isUsable(key: ApiKey, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
}

/** Names stand in logs, metrics and terminals. */
function checkName(name: string): string {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._@:-]{0,63}$/u.test(name)) {
    throw new InputError(
      'key_name_invalid',
      `'${name.slice(0, 80)}' cannot name a key: use 1 to 64 letters, digits, spaces and ._@:-, and begin with a letter or digit.`,
      { param: 'name' },
    );
  }
  return name;
}

function checkKbs(kbs: readonly string[]): readonly string[] {
  const wrong = kbs.find((name) => !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name));
  if (kbs.length >= 1 && kbs.length <= 100 && wrong === undefined) return [...new Set(kbs)];
  throw new InputError(
    'kb_name_invalid',
    wrong === undefined
      ? `A key is for 1 to 100 knowledge bases, not ${kbs.length}.`
      : `'${wrong.slice(0, 80)}' cannot be the name of a knowledge base.`,
    { param: 'kbs' },
  );
}
