/**
 * The newest status list seen of each issuer and name, and what it says of a credential.
 *
 * A list counts until its `validUntil`. After that a credential it did not revoke counts half for 7 days, in case its
 * issuer cannot be reached, and then not at all. What it revoked stays revoked. An older list than one seen is refused:
 * it could hide a revocation.
 *
 * @module identity/wallet/seen-lists
 */
import { aheadText, type Clock, type Database, LimitError } from '../../base/index.ts';
import { DAY_MS } from '../credentials/kinds.ts';
import type { StatusAnswer, StatusSource } from '../credentials/verify.ts';
import { digestOf } from '../proof/document.ts';
import { bitAt } from '../status/bitstring.ts';
import { CLOCK_SKEW_MS, readStatusList, type StatusList } from '../status/list.ts';

/** How long a list past its end still lets what it did not revoke count half. */
export const STATUS_GRACE_MS = 7 * DAY_MS;
const MAX_LISTS = 1024;
const MAX_BYTES = 64 * 1024 * 1024;
/** Lists kept unpacked; each has at most 1 MiB. */
const MAX_UNPACKED = 32;

export interface SeenLists extends StatusSource {
  /**
   * Takes a list in from anywhere: it is signed. Returns what is wrong with it, or null when it is now known, or was.
   * Throws LimitError `wallet.statusLists` when there is no room.
   */
  take(bytes: Uint8Array, expected?: { readonly id: string; readonly issuer: string }): string | null;
  /** Whether a newer list is worth a look: none is known, its `ttl` is over, or it has ended. */
  isDue(issuer: string, id: string): boolean;
  /** Wire bytes of the newest list known, to pass on. */
  bytes(issuer: string, id: string): Uint8Array | null;
  /** When the newest list known begins and ends, ms since 1970; null when none is. */
  times(issuer: string, id: string): { readonly from: number; readonly until: number } | null;
  /** The lists known that begin after this (ms since 1970), newest first. */
  since(from: number, most: number): readonly { issuer: string; id: string; from: number }[];
}

export interface SeenListsOptions {
  readonly clock: Clock;
  /** @default STATUS_GRACE_MS; 0 where nothing less than a current list will do */
  readonly graceMs?: number;
}

interface Row {
  readonly valid_from: number;
  readonly valid_until: number;
  readonly ttl: number;
  readonly digest: string;
  readonly seen_at: number;
  readonly size: number;
}

export function createSeenLists(database: Database, options: SeenListsOptions): SeenLists {
  const { clock, graceMs = STATUS_GRACE_MS } = options;
  const find = database.prepare<Row, [string, string]>(
    'SELECT valid_from, valid_until, ttl, digest, seen_at, length(bytes) AS size FROM seen_lists WHERE issuer = ? AND id = ?',
  );
  const load = database.prepare<{ bytes: Uint8Array }, [string, string]>(
    'SELECT bytes FROM seen_lists WHERE issuer = ? AND id = ?',
  );
  const store = database.prepare<never, [string, string, number, number, number, string, Uint8Array, number]>(
    'INSERT OR REPLACE INTO seen_lists (issuer, id, valid_from, valid_until, ttl, digest, bytes, seen_at) ' +
      'VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const touch = database.prepare<never, [number, string, string]>(
    'UPDATE seen_lists SET seen_at = ? WHERE issuer = ? AND id = ?',
  );
  // Older ones than these that somebody brings up again are over as well, so nothing is lost with them.
  const prune = database.prepare<never, [number]>('DELETE FROM seen_lists WHERE valid_until < ?');
  const size = database.prepare<{ n: number; bytes: number | null }>(
    'SELECT count(*) AS n, sum(length(bytes)) AS bytes FROM seen_lists',
  );
  const newest = database.prepare<{ issuer: string; id: string; from: number }, [number, number]>(
    'SELECT issuer, id, valid_from AS "from" FROM seen_lists WHERE valid_from > ? ORDER BY valid_from DESC LIMIT ?',
  );
  const unpacked = new Map<string, StatusList>();

  const listOf = (issuer: string, id: string, digest: string): StatusList | null => {
    const known = unpacked.get(digest);
    if (known !== undefined) return known;
    const row = load.get(issuer, id);
    const list = row === undefined ? null : readStatusList(row.bytes);
    if (list === null || 'fault' in list) return null;
    unpacked.set(digest, list);
    if (unpacked.size > MAX_UNPACKED) unpacked.delete(unpacked.keys().next().value!);
    return list;
  };

  return {
    take(bytes, expected) {
      const list = readStatusList(bytes);
      if ('fault' in list) return list.fault;
      if (expected !== undefined && list.id !== expected.id)
        return `It is the list ${list.id.slice(0, 200)}, not ${expected.id.slice(0, 200)}.`;
      if (expected !== undefined && list.issuer !== expected.issuer)
        return `It is a list of ${list.issuer.slice(0, 100)}, not of the credential's issuer.`;
      const now = clock.now();
      if (list.validFrom > now + CLOCK_SKEW_MS)
        return `It begins at ${new Date(list.validFrom).toISOString()}, ${aheadText(list.validFrom, now)}.`;
      if (now >= list.validUntil) return 'It has ended. Get a newer one from its issuer.';
      const digest = digestOf(bytes);
      return database.transaction(() => {
        const before = find.get(list.issuer, list.id);
        if (before !== undefined && before.digest === digest) {
          touch.run(now, list.issuer, list.id);
          return null;
        }
        if (before !== undefined && list.validFrom <= before.valid_from)
          return list.validFrom === before.valid_from
            ? 'Its issuer signed two different lists for the same moment; the first one seen counts.'
            : 'It is older than a list that was seen before.';
        prune.run(now - Math.max(graceMs, STATUS_GRACE_MS));
        const held = size.get()!;
        const total = (held.bytes ?? 0) - (before?.size ?? 0) + bytes.length;
        if ((before === undefined && held.n >= MAX_LISTS) || total > MAX_BYTES) {
          throw new LimitError(
            'wallet.statusLists',
            MAX_LISTS,
            `The wallet holds ${held.n} status lists and takes no more until some of them end.`,
          );
        }
        store.run(list.issuer, list.id, list.validFrom, list.validUntil, list.ttl, digest, bytes, now);
        return null;
      });
    },

    look(reference, issuer, at): StatusAnswer {
      const unknown = (reason: string) => ({ state: 'unknown', reason }) as const;
      const name = reference.list.slice(0, 200);
      const row = find.get(issuer, reference.list);
      const list = row === undefined ? null : listOf(issuer, reference.list, row.digest);
      if (list === null) return unknown(`Its status list ${name} is not known here. Get it from its issuer.`);
      const bit = bitAt(list.bits, reference.index);
      if (bit === null) return unknown(`Its index ${reference.index} is not in its status list ${name}.`);
      if (bit) return { state: 'revoked' };
      if (at < list.validUntil) return { state: 'clear', stale: false };
      if (at < list.validUntil + graceMs) return { state: 'clear', stale: true };
      return unknown(
        `Its status list ${name} ended at ${new Date(list.validUntil).toISOString()}. Get a newer one.`,
      );
    },

    isDue(issuer, id) {
      const row = find.get(issuer, id);
      const now = clock.now();
      return row === undefined || now >= row.valid_until || now >= row.seen_at + row.ttl || now < row.seen_at;
    },

    bytes: (issuer, id) => load.get(issuer, id)?.bytes ?? null,
    times(issuer, id) {
      const row = find.get(issuer, id);
      return row === undefined ? null : { from: row.valid_from, until: row.valid_until };
    },
    since: (from, most) => newest.all(from, most),
  };
}
