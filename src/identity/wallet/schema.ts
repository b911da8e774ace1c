/**
 * `identity/wallet.sqlite`: the credentials a node holds, issued and was asked for, and the status lists it has seen.
 *
 * @module identity/wallet/schema
 */
import type { Migration } from '../../base/index.ts';

/** Times are ms since 1970; a digest is the SHA-256 of the bytes, hex. */
export const WALLET_MIGRATIONS: readonly Migration[] = [
  {
    name: 'initial',
    up: `
      CREATE TABLE held (
        digest TEXT PRIMARY KEY,
        bytes BLOB NOT NULL,
        type TEXT NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        added_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX held_by_subject ON held (subject);

      -- Rows are never removed: the bits of a list are made from them.
      CREATE TABLE issued (
        digest TEXT PRIMARY KEY,
        bytes BLOB NOT NULL,
        type TEXT NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        issued_at INTEGER NOT NULL,
        list TEXT REFERENCES own_lists (id),
        list_index INTEGER,
        revoked_at INTEGER,
        revoked_reason TEXT,
        request TEXT,
        UNIQUE (list, list_index)
      ) STRICT;

      CREATE TABLE own_lists (
        id TEXT PRIMARY KEY,
        number INTEGER NOT NULL UNIQUE,
        issuer TEXT NOT NULL,
        -- validFrom of the list as it was signed last, and how many credentials it revoked.
        published_from INTEGER,
        published_revocations INTEGER NOT NULL DEFAULT 0,
        -- validFrom of the list that is in its file.
        written_from INTEGER
      ) STRICT;

      CREATE TABLE quarantine (
        digest TEXT PRIMARY KEY,
        -- Null for what is too large to keep.
        bytes BLOB,
        code TEXT NOT NULL,
        reason TEXT NOT NULL,
        added_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE requests (
        digest TEXT PRIMARY KEY,
        direction TEXT NOT NULL CHECK (direction IN ('out', 'in')),
        bytes BLOB NOT NULL,
        type TEXT NOT NULL,
        holder TEXT NOT NULL,
        issuer TEXT,
        expires_at INTEGER NOT NULL,
        -- Digest of the credential that answered it.
        credential TEXT
      ) STRICT;

      CREATE TABLE seen_lists (
        issuer TEXT NOT NULL,
        id TEXT NOT NULL,
        valid_from INTEGER NOT NULL,
        valid_until INTEGER NOT NULL,
        ttl INTEGER NOT NULL,
        digest TEXT NOT NULL,
        bytes BLOB NOT NULL,
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (issuer, id)
      ) STRICT;

      CREATE TABLE challenges (
        challenge TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'what is shown to peers, and credentials of others',
    up: `
      CREATE TABLE shown (
        digest TEXT PRIMARY KEY REFERENCES held (digest) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;

      -- Credentials that peers showed of themselves and whose issuer can revoke them. \`seen_at\`: shown or looked at last.
      CREATE TABLE others (
        digest TEXT PRIMARY KEY,
        bytes BLOB NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        list TEXT NOT NULL,
        ends_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX others_by_subject ON others (subject, seen_at);
      CREATE INDEX others_by_list ON others (issuer, list);
      CREATE INDEX others_by_age ON others (seen_at);
    `,
  },
  {
    name: 'revocations for cause',
    up: 'ALTER TABLE issued ADD COLUMN for_cause INTEGER NOT NULL DEFAULT 0',
  },
];
