/**
 * The file of the messages: what came, what is to go, and what was seen.
 *
 * @module swarm/messages/schema
 */
import { type Database, type Migration, openDatabase } from '../../base/index.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'messages',
    up: `
      CREATE TABLE inbox (
        id TEXT PRIMARY KEY,
        peer TEXT NOT NULL,
        -- 1: the sender was of the lowest tier when it came
        stranger INTEGER NOT NULL,
        sent INTEGER NOT NULL,
        received INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        size INTEGER NOT NULL,
        text TEXT NOT NULL
      ) STRICT;
      CREATE INDEX inbox_received ON inbox (received);
      CREATE INDEX inbox_peer ON inbox (peer, received);
      -- Ids of all that came, so that a message that was removed does not come again.
      CREATE TABLE met (id TEXT PRIMARY KEY, exp INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX met_exp ON met (exp);
      CREATE TABLE outbox (
        id TEXT PRIMARY KEY,
        peer TEXT NOT NULL,
        state TEXT NOT NULL,
        -- Why it was refused or could not be delivered last
        code TEXT,
        sent INTEGER NOT NULL,
        exp INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        due INTEGER NOT NULL,
        size INTEGER NOT NULL,
        bytes BLOB NOT NULL
      ) STRICT;
      CREATE INDEX outbox_due ON outbox (state, due);`,
  },
];

/** A message is acknowledged only after it is on the disk. Throws KithError as `openDatabase` does. */
export function openMessageDatabase(path: string): Database {
  return openDatabase(path, { migrations: MIGRATIONS, synchronous: 'FULL' });
}
