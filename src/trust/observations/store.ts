/**
 * `<home>/trust/observations.sqlite`: what this node saw of its peers, and what they showed it.
 *
 * Every change is one transaction, so that a process that is killed leaves the state before or after it; incidents, which
 * must not be lost to a power cut either, are forced to the disk.
 *
 * @module trust/observations/store
 */
import { join } from 'node:path';
import {
  type Clock,
  type Database,
  InputError,
  openDatabase,
  type SteadyTime,
  startedAt,
  ticked,
} from '../../base/index.ts';
import type { CredentialFacts } from '../../identity/index.ts';
import { subjectOf } from '../endorsements/signed.ts';

import type { Counter, Incident, Times, TrustSource } from '../score/inputs.ts';
import { aged, observed } from '../score/observations.ts';
import { quarantineEnd } from '../score/strikes.ts';
import type { Counted, IncidentKind } from '../types.ts';
import { peerRows } from './peers.ts';
import { createReader, readVouched } from './reader.ts';
import { MIGRATIONS, STORE_LIMITS, type StoreLimits } from './schema.ts';
import { signedRows } from './signed.ts';

export interface StoreOptions {
  readonly home: string;
  readonly clock: Clock;
  /** PeerId of this node; null when it has none yet. */
  readonly self: string | null;
  /** @default STORE_LIMITS */
  readonly limits?: Partial<StoreLimits> | undefined;
}

/** What a reset removed. */
export interface Lost {
  readonly observations: number;
  readonly incidents: number;
}

/**
 * What came of a hand-over: taken; known already; the second one from the same key, which is misconduct; or of no account,
 * since this node knows nothing of the key, or it is the last of a long line.
 */
export type Succession = 'taken' | 'known' | 'conflict' | 'ignored';

/** A peer as a list has it. */
export interface RememberedPeer {
  readonly peerId: string;
  /** ms since 1970. */
  readonly seen: number;
  readonly observations: number;
}

export interface ObservationStore extends Disposable {
  readonly source: TrustSource;
  /** The peers that could be Verified, and this node, as they are now: see `readVouched`. */
  snapshot(): TrustSource;
  times(): Times;
  /** Grows with every change, also by another process. */
  version(): number;
  observe(peerId: string, dimension: Counted, x: number, weight?: number): void;
  /** False when the evidence was known already. Throws LimitError `trust.peers`. */
  incident(peerId: string, kind: IncidentKind, evidence: string): boolean;
  /** Keeps a verified credential or endorsement; false when there is no room for it. */
  learn(facts: CredentialFacts, statusUntil: number | null): boolean;
  /** Ends a credential or endorsement. Returns the peer that it is about; null when it was not kept. */
  end(digest: string): string | null;
  succeed(predecessor: string, successor: string): Succession;
  reset(peerId: string): Lost;
  /** How often this node dealt with a peer: the most observations of any one kind. */
  dealings(peerId: string): number;
  /** How many observations of one kind there were of a peer, aged or not. */
  count(peerId: string, dimension: Counted): number;
  /** Keys that were handed over, newest first. */
  predecessors(most: number): string[];
  /** Digests of endorsements of one peer by another that are in force. */
  endorsements(endorser: string, endorsee: string): { readonly digest: string; readonly until: number }[];
  peers(): RememberedPeer[];
  /** Peers with a VerifiedNode credential: nobody else can be Verified. */
  vouched(): Set<string>;
  /** Peers that could be proven by this node's own audits. */
  audited(least: number): string[];
}

export const storePath = (home: string): string => join(home, 'trust', 'observations.sqlite');

/** Throws KithError of base/sqlite when the file cannot be used. */
export function openObservations({ home, clock, self, limits: given }: StoreOptions): ObservationStore {
  // NORMAL: a commit survives the death of the process, and costs no wait for the disk at every observation.
  const database = openDatabase(storePath(home), { migrations: MIGRATIONS, synchronous: 'NORMAL' });
  return createStore(database, clock, self, { ...STORE_LIMITS, ...given });
}

function createStore(
  database: Database,
  clock: Clock,
  self: string | null,
  limits: StoreLimits,
): ObservationStore {
  const source = createReader(database, self);
  const peers = peerRows(database, limits);
  const signed = signedRows(database, limits, self);
  const dataVersion = database.prepare<{ data_version: number }>('PRAGMA data_version');
  const clockRow = database.prepare<SteadyTime>('SELECT steady, wall, agreed FROM clock');
  const saveClock = database.prepare<never, [number, number, number]>(
    'INSERT OR REPLACE INTO clock (one, steady, wall, agreed) VALUES (1, ?, ?, ?)',
  );
  const counter = database.prepare<Counter, [peer: string, dimension: string]>(
    'SELECT good, bad, at FROM counter WHERE peer = ? AND dimension = ?',
  );
  const saveCounter = database.prepare<never, [string, string, number, number, number, number]>(
    `INSERT INTO counter (peer, dimension, good, bad, at, count) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET good = excluded.good, bad = excluded.bad, at = excluded.at,
       count = count + excluded.count`,
  );
  const counts = database.prepare<{ n: number }, [string]>(
    'SELECT CAST(TOTAL(count) AS INTEGER) AS n FROM counter WHERE peer = ?',
  );
  const saveIncident = database.prepare<never, [string, string, string, number]>(
    'INSERT OR IGNORE INTO incident (peer, evidence, kind, at) VALUES (?, ?, ?, ?)',
  );
  const evidences = database.prepare<Incident & { evidence: string }, [string]>(
    'SELECT evidence, kind, at FROM incident WHERE peer = ? ORDER BY at, evidence',
  );
  const dropIncident = database.prepare<never, [string, string]>(
    'DELETE FROM incident WHERE peer = ? AND evidence = ?',
  );
  const successorOf = database.prepare<{ successor: string }, [string]>(
    'SELECT successor FROM succession WHERE predecessor = ?',
  );
  const predecessorOf = database.prepare<{ predecessor: string }, [string]>(
    'SELECT predecessor FROM succession WHERE successor = ? LIMIT 1',
  );
  const isPeer = database.prepare<{ one: 1 }, [string]>('SELECT 1 AS one FROM peer WHERE peer = ?');
  const saveSuccession = database.prepare<never, [string, string, number]>(
    'INSERT INTO succession (predecessor, successor, at) VALUES (?, ?, ?)',
  );
  const forgetSuccessions = database.prepare<never, [number]>(
    `DELETE FROM succession WHERE predecessor IN
       (SELECT predecessor FROM succession ORDER BY at DESC, predecessor LIMIT -1 OFFSET ?)`,
  );
  const dropCounters = database.prepare<never, [string]>('DELETE FROM counter WHERE peer = ?');
  const dropIncidents = database.prepare<never, [string]>('DELETE FROM incident WHERE peer = ?');
  const list = database.prepare<{ peerId: string; seen: number; observations: number }>(
    `SELECT peer AS peerId, seen,
       (SELECT CAST(TOTAL(count) AS INTEGER) FROM counter WHERE counter.peer = peer.peer) AS observations
     FROM peer ORDER BY peer`,
  );
  const vouched = database.prepare<{ peer: string }>(
    "SELECT DISTINCT peer FROM credential WHERE type = 'VerifiedNode' ORDER BY peer",
  );
  const dealings = database.prepare<{ n: number }, [string]>(
    "SELECT COALESCE(MAX(count), 0) AS n FROM counter WHERE peer = ? AND dimension <> 'conduct'",
  );
  const countOf = database.prepare<{ n: number }, [string, string]>(
    'SELECT count AS n FROM counter WHERE peer = ? AND dimension = ?',
  );
  const handedOver = database.prepare<{ predecessor: string }, [number]>(
    'SELECT predecessor FROM succession ORDER BY at DESC, predecessor LIMIT ?',
  );
  const between = database.prepare<{ digest: string; until: number }, [string, string, number]>(
    `SELECT digest, valid_until AS "until" FROM endorsement
     WHERE endorser = ? AND endorsee = ? AND valid_until > ? ORDER BY valid_until`,
  );
  const audited = database.prepare<{ peer: string }, [number]>(
    "SELECT peer FROM counter WHERE dimension = 'audit' AND good >= ? ORDER BY peer",
  );
  let changes = 0;

  const look = (): SteadyTime => {
    const before = clockRow.get();
    const wall = Math.floor(clock.now());
    return before === undefined ? startedAt(wall) : ticked(before, wall);
  };
  const change = <T>(work: (times: Times) => T): T => {
    changes++;
    return database.transaction(() => {
      const before = clockRow.get();
      const time = look();
      saveClock.run(time.steady, time.wall, time.agreed);
      // The clock had been ahead for long: what was dated by it would not age until that time came.
      if (before !== undefined && time.steady < before.steady) notLaterThan(time.steady);
      return work(time);
    });
  };
  /** As `change`, and on the disk when it returns. */
  const changeForGood = <T>(work: (times: Times) => T): T => {
    database.exec('PRAGMA synchronous = FULL');
    try {
      return change(work);
    } finally {
      database.exec('PRAGMA synchronous = NORMAL');
    }
  };
  const weigh = (peerId: string) => peers.weigh(peerId, quarantineEnd(source.incidents(peerId)) ?? 0);

  const strike = (peerId: string, kind: IncidentKind, evidence: string, at: number): boolean => {
    peers.touch(peerId, at);
    if (saveIncident.run(peerId, evidence, kind, at).changes === 0) return false;
    const kept = evidences.all(peerId);
    const tooMany = kept.length - limits.incidentsPerPeer;
    // With so many in force the score is nothing and the quarantine the longest: the oldest change neither.
    for (const old of kept.slice(0, Math.max(0, tooMany))) dropIncident.run(peerId, old.evidence);
    weigh(peerId);
    return true;
  };
  const lineFrom = (peerId: string) => lineOf(peerId, (each) => successorOf.get(each)?.successor);
  /** An incident counts for the key and for all it was handed over to. */
  const strikeLine = (peerId: string, kind: IncidentKind, evidence: string, at: number): boolean => {
    return lineFrom(peerId)
      .map((each) => strike(each, kind, evidence, at))
      .some(Boolean);
  };

  return {
    source,
    snapshot: () => readVouched(database, self),
    times: look,
    version: () => dataVersion.get()!.data_version + changes,
    observe: (peerId, dimension, x, weight) =>
      change(({ steady }) => {
        peers.touch(peerId, steady);
        const before = counter.get(peerId, dimension);
        const after = observed(before, x, steady, weight);
        saveCounter.run(peerId, dimension, after.good, after.bad, after.at, 1);
        // Only what is bad changes how long a peer is kept.
        if (x < 1) weigh(peerId);
      }),
    incident: (peerId, kind, evidence) =>
      changeForGood(({ steady }) => strikeLine(peerId, kind, evidence, steady)),
    learn: (facts, statusUntil) =>
      change((times) => {
        if (facts.type === 'PeerEndorsement') return signed.keepEndorsement(facts, times);
        peers.touch(subjectOf(facts), times.steady);
        signed.keepCredential(facts, statusUntil, times);
        return true;
      }),
    end: (digest) => change((times) => signed.end(digest, times)),
    succeed: (predecessor, successor) =>
      changeForGood(({ steady }) => {
        const known = successorOf.get(predecessor)?.successor;
        if (known === successor) return 'known';
        if (lineFrom(successor).includes(predecessor)) throw inCircle(predecessor, successor);
        if (known !== undefined) {
          // One strike however many successors are shown: whoever stole the old key could go on naming more.
          for (const each of [predecessor, successor])
            strikeLine(each, 'conflicting_successors', `successors of ${predecessor}`, steady);
          return 'conflict';
        }
        const before = lineOf(predecessor, (each) => predecessorOf.get(each)?.predecessor);
        if (isPeer.get(predecessor) === undefined || before.length >= MAX_LINE) return 'ignored';
        peers.touch(successor, steady);
        saveSuccession.run(predecessor, successor, steady);
        forgetSuccessions.run(limits.successions);
        for (const { kind, at, evidence } of evidences.all(predecessor))
          strikeLine(successor, kind, evidence, at);
        inherit(predecessor, successor, steady);
        return 'taken';
      }),
    reset: (peerId) =>
      changeForGood(() => {
        const observations = counts.get(peerId)!.n;
        dropCounters.run(peerId);
        const incidents = dropIncidents.run(peerId).changes;
        weigh(peerId);
        return { observations, incidents };
      }),
    dealings: (peerId) => dealings.get(peerId)!.n,
    count: (peerId, dimension) => countOf.get(peerId, dimension)?.n ?? 0,
    predecessors: (most) => handedOver.all(most).map(({ predecessor }) => predecessor),
    endorsements: (endorser, endorsee) => between.all(endorser, endorsee, look().wall),
    peers: () => list.all(),
    vouched: () => new Set(vouched.all().map(({ peer }) => peer)),
    audited: (least) => audited.all(least).map(({ peer }) => peer),
    [Symbol.dispose]: () => database.close(),
  };

  function notLaterThan(steady: number): void {
    for (const [table, column] of [
      ['counter', 'at'],
      ['incident', 'at'],
      ['peer', 'seen'],
      ['endorsement', 'seen'],
    ] as const)
      database.prepare<never, [number]>(`UPDATE ${table} SET ${column} = MIN(${column}, ?)`).run(steady);
  }

  /** Half of what was seen of a key counts for its successor. */
  function inherit(predecessor: string, successor: string, steady: number): void {
    for (const [dimension, seen] of Object.entries(source.observations(predecessor))) {
      const old = aged(seen, steady);
      const own = aged(counter.get(successor, dimension) ?? { good: 0, bad: 0, at: steady }, steady);
      saveCounter.run(successor, dimension, own.good + old.good / 2, own.bad + old.bad / 2, own.at, 0);
    }
    weigh(successor);
  }
}

/** Keys from one to its last successor; a line is followed so far. */
const MAX_LINE = 16;
function lineOf(peerId: string, next: (peerId: string) => string | undefined): string[] {
  const line = [peerId];
  for (let each = next(peerId); each !== undefined && line.length < MAX_LINE; each = next(each))
    line.push(each);
  return line;
}

function inCircle(predecessor: string, successor: string): InputError {
  return new InputError(
    'succession_circular',
    `${predecessor} cannot be handed over to ${successor}, which was handed over to it before. Make a new key instead.`,
  );
}
