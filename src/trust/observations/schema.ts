/**
 * Tables of `<home>/trust/observations.sqlite`. Peers are PeerIds; times are ms since 1970, steady ones but for those that
 * others signed (`valid_from`, `valid_until`, `status_until`).
 *
 * @module trust/observations/schema
 */
import type { Migration } from '../../base/index.ts';

export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'observations, incidents, credentials and endorsements of peers',
    up: `
      -- keep: 0 nothing bad is known, 1 bad observations, 2 incidents. The lowest is forgotten first.
      CREATE TABLE peer (
        peer TEXT PRIMARY KEY,
        seen INTEGER NOT NULL,
        keep INTEGER NOT NULL DEFAULT 0,
        quarantine_until INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX peer_by_age ON peer (keep, seen);
      CREATE TABLE counter (
        peer TEXT NOT NULL REFERENCES peer (peer) ON DELETE CASCADE,
        dimension TEXT NOT NULL,
        good REAL NOT NULL,
        bad REAL NOT NULL,
        at INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (peer, dimension)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE incident (
        peer TEXT NOT NULL REFERENCES peer (peer) ON DELETE CASCADE,
        evidence TEXT NOT NULL,
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (peer, evidence)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE credential (
        digest TEXT PRIMARY KEY,
        peer TEXT NOT NULL REFERENCES peer (peer) ON DELETE CASCADE,
        type TEXT NOT NULL,
        issuer TEXT NOT NULL,
        issuer_peer TEXT NOT NULL,
        valid_from INTEGER NOT NULL,
        valid_until INTEGER NOT NULL,
        status_until INTEGER,
        operator TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX credential_by_peer ON credential (peer, type, valid_from);
      CREATE TABLE endorsement (
        digest TEXT PRIMARY KEY,
        endorser TEXT NOT NULL,
        endorsee TEXT NOT NULL,
        interactions INTEGER NOT NULL,
        valid_from INTEGER NOT NULL,
        valid_until INTEGER NOT NULL,
        seen INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX endorsement_by_endorser ON endorsement (endorser, valid_from);
      CREATE INDEX endorsement_by_endorsee ON endorsement (endorsee, valid_from);
      CREATE INDEX endorsement_by_end ON endorsement (valid_until);
      CREATE TABLE succession (
        predecessor TEXT PRIMARY KEY,
        successor TEXT NOT NULL,
        at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX succession_by_successor ON succession (successor);
      CREATE TABLE clock (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        steady INTEGER NOT NULL,
        wall INTEGER NOT NULL,
        agreed INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    name: 'credentials that their issuers took back, to be told of',
    up: `
      CREATE TABLE ended (
        digest TEXT PRIMARY KEY,
        peer TEXT NOT NULL REFERENCES peer (peer) ON DELETE CASCADE,
        type TEXT NOT NULL,
        issuer TEXT NOT NULL,
        at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX ended_by_peer ON ended (peer, at);`,
  },
];

/** How much is kept. Over it, what matters least is forgotten (peers.ts, signed.ts). */
export interface StoreLimits {
  readonly peers: number;
  /** Of one peer; beyond it the oldest are merged away, which changes no quarantine. */
  readonly incidentsPerPeer: number;
  readonly credentialsPerType: number;
  /** Credentials of one peer that were taken back, to be told of. */
  readonly endedPerPeer: number;
  readonly endorsements: number;
  readonly endorsementsPerEndorser: number;
  readonly successions: number;
}

export const STORE_LIMITS: StoreLimits = {
  peers: 20_000,
  incidentsPerPeer: 64,
  credentialsPerType: 8,
  endedPerPeer: 8,
  endorsements: 100_000,
  endorsementsPerEndorser: 512,
  successions: 20_000,
};
