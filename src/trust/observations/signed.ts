/**
 * Rows of what others signed: credentials of peers, and endorsements between them. Only what the identity room verified
 * comes here.
 *
 * @module trust/observations/signed
 */
import type { Database } from '../../base/index.ts';
import type { CredentialFacts } from '../../identity/index.ts';
import { endorsementOf, heldCredential, subjectOf } from '../endorsements/signed.ts';
import { DAY_MS } from '../score/decay.ts';
import type { Times } from '../score/inputs.ts';
import type { StoreLimits } from './schema.ts';

/** Endorsements that ended are kept for so long: their endorsers share losses from while they were in force. */
const ENDED_KEPT_DAYS = 365;

export interface SignedRows {
  /** The row of the subject is there. */
  keepCredential(facts: CredentialFacts, statusUntil: number | null, times: Times): void;
  /** False when there is no room for it. */
  keepEndorsement(facts: CredentialFacts, times: Times): boolean;
  /** Removes a credential, or ends an endorsement now. Returns who it is about; null when it is not kept. */
  end(digest: string, times: Times): string | null;
}

/** `self`: PeerId of this node, whose endorsements are never dropped for want of room. */
export function signedRows(database: Database, limits: StoreLimits, self: string | null): SignedRows {
  const statusOf = database.prepare<{ status_until: number | null }, [string]>(
    'SELECT status_until FROM credential WHERE digest = ?',
  );
  const insert = database.prepare<never, Record<string, string | number | null>>(
    `INSERT INTO credential (digest, peer, type, issuer, issuer_peer, valid_from, valid_until, status_until, operator)
     VALUES (:digest, :peer, :type, :issuer, :issuerPeer, :validFrom, :validUntil, :statusUntil, :operator)
     ON CONFLICT (digest) DO UPDATE SET status_until = excluded.status_until`,
  );
  const dropOld = database.prepare<never, [peer: string, type: string, keep: number]>(
    `DELETE FROM credential WHERE digest IN (SELECT digest FROM credential WHERE peer = ? AND type = ?
       ORDER BY valid_from DESC, digest LIMIT -1 OFFSET ?)`,
  );
  const remove = database.prepare<{ peer: string; type: string; issuer: string }, [string]>(
    'DELETE FROM credential WHERE digest = ? RETURNING peer, type, issuer',
  );
  const tell = database.prepare<never, [string, string, string, string, number]>(
    'INSERT OR REPLACE INTO ended (digest, peer, type, issuer, at) VALUES (?, ?, ?, ?, ?)',
  );
  const untell = database.prepare<never, [string]>('DELETE FROM ended WHERE digest = ?');
  const dropTold = database.prepare<never, [string, number]>(
    `DELETE FROM ended WHERE digest IN
       (SELECT digest FROM ended WHERE peer = ? ORDER BY at DESC, digest LIMIT -1 OFFSET ?)`,
  );
  const isKept = database.prepare<{ one: number }, [string]>(
    'SELECT 1 AS one FROM endorsement WHERE digest = ?',
  );
  const countBy = database.prepare<{ n: number }, [string]>(
    'SELECT COUNT(*) AS n FROM endorsement WHERE endorser = ?',
  );
  const dropEndedBy = database.prepare<never, [string, number]>(
    'DELETE FROM endorsement WHERE endorser = ? AND valid_until < ?',
  );
  const count = database.prepare<{ n: number }>('SELECT COUNT(*) AS n FROM endorsement');
  const dropEnded = database.prepare<never, [number]>('DELETE FROM endorsement WHERE valid_until < ?');
  // Whoever has no credential here counts for nothing as an endorser now.
  const dropIdle = database.prepare<never, [self: string, many: number]>(
    `DELETE FROM endorsement WHERE digest IN (SELECT digest FROM endorsement AS e
       WHERE endorser <> ? AND NOT EXISTS (SELECT 1 FROM credential WHERE peer = e.endorser) ORDER BY seen LIMIT ?)`,
  );
  const endorse = database.prepare<never, Record<string, string | number>>(
    `INSERT INTO endorsement (digest, endorser, endorsee, interactions, valid_from, valid_until, seen)
     VALUES (:digest, :endorser, :endorsee, :interactions, :from, :until, :seen)`,
  );
  const withdraw = database.prepare<{ endorsee: string }, [number, string]>(
    'UPDATE endorsement SET valid_until = MIN(valid_until, ?) WHERE digest = ? RETURNING endorsee',
  );

  // Counting walks the table, so it is done only when it could matter. Another process's rows are seen then.
  let rows: number | null = null;
  const isFull = (): boolean => {
    if (rows === null || rows >= limits.endorsements) rows = count.get()!.n;
    return rows >= limits.endorsements;
  };
  const hasRoom = (endorser: string, times: Times): boolean => {
    const ended = times.wall - ENDED_KEPT_DAYS * DAY_MS;
    if (countBy.get(endorser)!.n >= limits.endorsementsPerEndorser) {
      dropEndedBy.run(endorser, ended);
      if (countBy.get(endorser)!.n >= limits.endorsementsPerEndorser) return false;
    }
    if (!isFull()) return true;
    dropEnded.run(ended);
    if (!isFull()) return true;
    return dropIdle.run(self ?? '', Math.max(1, Math.floor(limits.endorsements / 100))).changes > 0;
  };

  return {
    keepCredential(facts, statusUntil, times) {
      const before = statusOf.get(facts.digest)?.status_until;
      // Stale since its last known status, and not anew with each look.
      const until = facts.statusStale ? Math.min(before ?? times.wall, times.wall) : statusUntil;
      const peer = subjectOf(facts);
      insert.run({ ...heldCredential(facts, until), peer });
      untell.run(facts.digest);
      dropOld.run(peer, facts.type, limits.credentialsPerType);
    },
    keepEndorsement(facts, times) {
      if (isKept.get(facts.digest) !== undefined) return true;
      const row = endorsementOf(facts, times.steady);
      if (row.endorser === row.endorsee || !hasRoom(row.endorser, times)) return false;
      endorse.run({ ...row, digest: facts.digest });
      rows = (rows ?? 0) + 1;
      return true;
    },
    end(digest, times) {
      const credential = remove.get(digest);
      if (credential !== undefined) {
        const { peer, type, issuer } = credential;
        tell.run(digest, peer, type, issuer, times.steady);
        dropTold.run(peer, limits.endedPerPeer);
        return peer;
      }
      return withdraw.get(times.wall, digest)?.endorsee ?? null;
    },
  };
}
