/**
 * Rows of peers: who is remembered, and who is forgotten when there are too many.
 *
 * Forgotten first are peers of which nothing bad is known, then those with bad observations, then those with incidents;
 * among equals the one not seen for longest. Nobody is forgotten while in quarantine.
 *
 * @module trust/observations/peers
 */
import { type Database, LimitError } from '../../base/index.ts';
import type { StoreLimits } from './schema.ts';

/** Bad observations from which on a peer is kept longer. */
const NOTED_BAD = 3;

export interface PeerRows {
  /** Makes the row of a peer, or notes that it was seen. Throws LimitError when all that are kept are in quarantine. */
  touch(peerId: string, now: number): void;
  /** Works out anew how long the peer is worth keeping. */
  weigh(peerId: string, quarantineUntil: number): void;
}

export function peerRows(database: Database, limits: StoreLimits): PeerRows {
  const update = database.prepare<never, [seen: number, peer: string]>(
    'UPDATE peer SET seen = MAX(seen, ?) WHERE peer = ?',
  );
  const insert = database.prepare<never, [peer: string, seen: number]>(
    'INSERT INTO peer (peer, seen) VALUES (?, ?)',
  );
  const count = database.prepare<{ n: number }>('SELECT COUNT(*) AS n FROM peer');
  const forget = database.prepare<never, [now: number, many: number]>(
    `DELETE FROM peer WHERE peer IN
       (SELECT peer FROM peer WHERE quarantine_until <= ? ORDER BY keep, seen LIMIT ?)`,
  );
  const keep = database.prepare<never, { peer: string; until: number; noted: number }>(
    `UPDATE peer SET quarantine_until = :until, keep = CASE
       WHEN EXISTS (SELECT 1 FROM incident WHERE peer = :peer) THEN 2
       WHEN (SELECT TOTAL(bad) FROM counter WHERE peer = :peer) >= :noted THEN 1
       ELSE 0 END
     WHERE peer = :peer`,
  );
  // Counting walks the table, so it is done only when it could matter. Another process's rows are seen then.
  let rows: number | null = null;
  const isFull = (): boolean => {
    if (rows === null || rows >= limits.peers) rows = count.get()!.n;
    return rows >= limits.peers;
  };
  return {
    touch(peerId, now) {
      if (update.run(now, peerId).changes > 0) return;
      if (isFull()) {
        // Several at once, so that a flood of new peers pays for the counting seldom.
        const many = Math.max(1, Math.floor(limits.peers / 100));
        if (forget.run(now, many).changes === 0) {
          throw new LimitError(
            'trust.peers',
            limits.peers,
            `All ${limits.peers} peers that are remembered are in quarantine, so ${peerId} cannot be noted. ` +
              'Remove some: kith reputation reset PEER.',
            { status: 507 },
          );
        }
      }
      insert.run(peerId, now);
      rows = (rows ?? 0) + 1;
    },
    weigh(peerId, quarantineUntil) {
      keep.run({ peer: peerId, until: quarantineUntil, noted: NOTED_BAD });
    },
  };
}
