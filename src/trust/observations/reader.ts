/**
 * What the store gives to the evaluation.
 *
 * @module trust/observations/reader
 */
import type { Database } from '../../base/index.ts';
import type {
  Counter,
  Counters,
  EndedCredential,
  Endorsement,
  HeldCredential,
  Incident,
  TrustSource,
} from '../score/inputs.ts';
import type { Counted, IncidentKind } from '../types.ts';

/** Keys in one line of successors that are followed. */
const MAX_LINE = 16;

interface CredentialRow
  extends Omit<HeldCredential, 'issuerPeer' | 'validFrom' | 'validUntil' | 'statusUntil'> {
  readonly issuer_peer: string;
  readonly valid_from: number;
  readonly valid_until: number;
  readonly status_until: number | null;
}
interface EndorsementRow {
  readonly endorser: string;
  readonly endorsee: string;
  readonly interactions: number;
  readonly valid_from: number;
  readonly valid_until: number;
  readonly seen: number;
}

/** Endorsements of one peer that are looked at: far fewer Verified endorsers make all of `E`. */
const MAX_RECEIVED = 1024;

/** `self`: PeerId of this node, whose endorsements count without a credential. */
export function createReader(database: Database, self: string | null): TrustSource {
  const credentials = database.prepare<CredentialRow, [string]>(
    'SELECT * FROM credential WHERE peer = ? ORDER BY type, valid_from DESC, digest',
  );
  const counters = database.prepare<Counter & { dimension: Counted }, [string]>(
    'SELECT dimension, good, bad, at FROM counter WHERE peer = ?',
  );
  const incidents = database.prepare<{ kind: IncidentKind; at: number }, [string]>(
    'SELECT kind, at FROM incident WHERE peer = ? ORDER BY at, evidence',
  );
  const ended = database.prepare<EndedCredential, [string]>(
    'SELECT type, issuer, at FROM ended WHERE peer = ? ORDER BY at DESC, digest',
  );
  const successor = database.prepare<{ successor: string }, [string]>(
    'SELECT successor FROM succession WHERE predecessor = ?',
  );
  const predecessors = database.prepare<{ predecessor: string }, [string]>(
    'SELECT predecessor FROM succession WHERE successor = ? ORDER BY predecessor LIMIT 16',
  );
  // Of endorsers that could be Verified: a crowd of others must not make a score slow.
  const received = database.prepare<EndorsementRow, [endorsee: string, self: string, most: number]>(
    `SELECT * FROM endorsement AS e WHERE endorsee = ? AND (endorser = ? OR EXISTS
       (SELECT 1 FROM credential WHERE peer = e.endorser AND type = 'VerifiedNode'))
     ORDER BY valid_from DESC, digest LIMIT ?`,
  );
  const given = database.prepare<EndorsementRow, [string]>(
    'SELECT * FROM endorsement WHERE endorser = ? ORDER BY digest',
  );
  return {
    credentials: (peerId) => credentials.all(peerId).map(credentialOf),
    observations: (peerId) => countersOf(counters.all(peerId)),
    incidents: (peerId): Incident[] => incidents.all(peerId).map(({ kind, at }) => ({ kind, at })),
    ended: (peerId) => ended.all(peerId).map(({ type, issuer, at }) => ({ type, issuer, at })),
    successor: (peerId) => successor.get(peerId)?.successor ?? null,
    received: (peerId) => received.all(peerId, self ?? '', MAX_RECEIVED).map(endorsementOf),
    given: (peerId) => given.all(peerId).map(endorsementOf),
    givenBefore(peerId) {
      const line = new Set([peerId]);
      for (const each of line) {
        if (line.size >= MAX_LINE) break;
        for (const { predecessor } of predecessors.all(each)) line.add(predecessor);
      }
      line.delete(peerId);
      return [...line].flatMap((each) => given.all(each).map(endorsementOf));
    },
  };
}

/**
 * All of it at once, as it is now, for peers that have a VerifiedNode credential and for `self`: what ranks are worked out
 * from. A thousand peers one by one would hold the thread for a fifth of a second.
 */
export function readVouched(database: Database, self: string | null): TrustSource {
  const of = '(SELECT peer FROM credential WHERE type = ? UNION SELECT ?)';
  const all = <Row>(columns: string, table: string, peer: string, order: string): Map<string, Row[]> => {
    const rows = database
      .prepare<Row & Record<string, unknown>, [string, string]>(
        `SELECT ${columns} FROM ${table} WHERE ${peer} IN ${of} ORDER BY ${peer}, ${order}`,
      )
      .all('VerifiedNode', self ?? '');
    const found = new Map<string, Row[]>();
    for (const row of rows) {
      const name = row[peer] as string;
      const list = found.get(name);
      if (list === undefined) found.set(name, [row]);
      else list.push(row);
    }
    return found;
  };
  const credentials = all<CredentialRow>('*', 'credential', 'peer', 'type, valid_from DESC, digest');
  const counters = all<Counter & { dimension: Counted }>('*', 'counter', 'peer', 'dimension');
  const incidents = all<Incident>('*', 'incident', 'peer', 'at, evidence');
  const given = all<Omit<EndorsementRow, 'interactions' | 'seen'>>(
    'endorser, endorsee, valid_from, valid_until',
    'endorsement',
    'endorser',
    'valid_from',
  );
  const successors = all<{ successor: string }>('*', 'succession', 'predecessor', 'at');
  return {
    credentials: (peer) => credentials.get(peer)?.map(credentialOf) ?? [],
    observations: (peer) => countersOf(counters.get(peer) ?? []),
    incidents: (peer) => incidents.get(peer) ?? [],
    successor: (peer) => successors.get(peer)?.[0]?.successor ?? null,
    given: (peer) => given.get(peer)?.map((row) => endorsementOf({ ...row, interactions: 0, seen: 0 })) ?? [],
    // Ranks follow who endorses whom now, and ask for none of the rest.
    received: () => [],
    givenBefore: () => [],
    ended: () => [],
  };
}

function countersOf(rows: readonly (Counter & { dimension: Counted })[]): Counters {
  return Object.fromEntries(rows.map(({ dimension, good, bad, at }) => [dimension, { good, bad, at }]));
}

function credentialOf(row: CredentialRow): HeldCredential {
  return {
    digest: row.digest,
    type: row.type,
    issuer: row.issuer,
    issuerPeer: row.issuer_peer,
    validFrom: row.valid_from,
    validUntil: row.valid_until,
    statusUntil: row.status_until,
    operator: row.operator,
  };
}

function endorsementOf(row: EndorsementRow): Endorsement {
  return {
    endorser: row.endorser,
    endorsee: row.endorsee,
    interactions: row.interactions,
    from: row.valid_from,
    until: row.valid_until,
    seen: row.seen,
  };
}
