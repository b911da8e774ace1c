/**
 * The router's database.
 *
 * - `labels`: prompts as numbers (never their text) with their outcome. `held` ones are for evaluation only. `chance` is
 *   the probability with which a lot chose what was observed; null where no lot was drawn.
 * - `versions`: weights that passed the evaluation. `through` is the newest label that counts for a version, `without`
 *   the ranges of labels below it that do not (learnt after a version that was returned to).
 * - `live`: the weights in use, which go on learning. `applied` is the newest label in them; later ones are learnt again
 *   when the database is opened.
 * - `thresholds` by agent, and `threshold_history`. `by_hand` ones keep their settings when the configuration's change.
 *
 * Numbers in blobs are little-endian float32 (windows: float64, bucket numbers: uint16).
 *
 * @module gateway/router/migrations
 */
import type { Migration } from '../../base/index.ts';

export const ROUTER_MIGRATIONS: readonly Migration[] = [
  {
    name: 'labels, weights and thresholds',
    up: `
      CREATE TABLE labels (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        held INTEGER NOT NULL,
        local REAL,
        frontier REAL,
        chance REAL,
        terms BLOB NOT NULL,
        weights BLOB NOT NULL,
        shape BLOB NOT NULL,
        vector BLOB,
        embedder TEXT
      ) STRICT;
      CREATE TABLE versions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        through INTEGER NOT NULL,
        without TEXT NOT NULL,
        evaluation TEXT NOT NULL,
        embedder TEXT,
        text BLOB NOT NULL,
        vector BLOB,
        windows BLOB NOT NULL
      ) STRICT;
      CREATE TABLE live (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        version INTEGER,
        applied INTEGER NOT NULL,
        without TEXT NOT NULL,
        embedder TEXT,
        text BLOB NOT NULL,
        vector BLOB,
        windows BLOB NOT NULL
      ) STRICT;
      CREATE TABLE thresholds (
        agent TEXT PRIMARY KEY,
        target REAL NOT NULL,
        min REAL NOT NULL,
        max REAL NOT NULL,
        threshold REAL NOT NULL,
        decided INTEGER NOT NULL,
        frontier INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE threshold_history (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        agent TEXT NOT NULL REFERENCES thresholds (agent) ON DELETE CASCADE,
        at INTEGER NOT NULL,
        threshold REAL NOT NULL,
        target REAL NOT NULL,
        reason TEXT NOT NULL
      ) STRICT;
      CREATE INDEX threshold_history_of_agent ON threshold_history (agent, id);`,
  },
  {
    name: 'thresholds set by hand',
    up: `
      ALTER TABLE thresholds ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;
      UPDATE thresholds SET by_hand = 1
        WHERE agent IN (SELECT agent FROM threshold_history WHERE reason = 'set');`,
  },
];
