/**
 * What this node issued: credentials, their places in its status lists, and what it revoked.
 *
 * An index is drawn at random, so that it tells nothing of when or for whom a credential was issued. A credential leaves
 * only after its place is stored; a crash in between wastes the place and nothing else.
 *
 * @module identity/wallet/issued
 */
import { type Clock, type Database, InputError, LimitError, type Random } from '../../base/index.ts';
import { type IssuedCredential, type IssueOptions, issueCredential } from '../credentials/issue.ts';
import { kindOf } from '../credentials/kinds.ts';
import { STATUS_LIST_ENTRIES, setBit } from '../status/bitstring.ts';
import { CLOCK_SKEW_MS, STATUS_LIFETIME_MS, signStatusList } from '../status/list.ts';
import type { CredentialType, Identity } from '../types.ts';
import type { SeenLists } from './seen-lists.ts';

export interface IssueFromWallet extends Omit<IssueOptions, 'status'> {
  /**
   * `auto`: an entry in this node's list, for types that are revocable; `none`; or the https URL under which the owner
   * will put the list. @default 'auto'
   */
  readonly statusList?: string;
  /** Digest of the request that this answers. */
  readonly request?: string;
}

/** One row, for people and programs. Times in ms since 1970. */
export interface IssuedRow {
  readonly digest: string;
  readonly type: CredentialType;
  readonly subject: string;
  readonly issuedAt: number;
  readonly list: string | null;
  readonly listIndex: number | null;
  readonly revokedAt: number | null;
  readonly revokedReason: string | null;
  readonly forCause: boolean;
}

export interface GivenEndorsement {
  readonly digest: string;
  /** DID. */
  readonly subject: string;
  /** Wire bytes. */
  readonly bytes: Uint8Array;
}

export interface PublishedList {
  readonly id: string;
  /** Counts this node's lists from 1: the name of its file. */
  readonly number: number;
  /** ms since 1970. */
  readonly validFrom: number;
  /** Wire bytes of the signed list. */
  readonly bytes: Uint8Array;
}

export interface Issued {
  /** Throws InputError `credential_invalid`, `request_answered`, `status_list_full`. */
  issue(identity: Identity, options: IssueFromWallet): IssuedCredential;
  /**
   * Revokes a credential by the beginning of its digest (8 characters or more). Returns its row. Revoking twice changes
   * nothing. `forCause`: its subject misbehaved, which a list beside the first tells everybody.
   * Throws InputError `credential_unknown`, `credential_not_revocable`.
   */
  revoke(identity: Identity, digest: string, reason?: string, forCause?: boolean): IssuedRow;
  list(): readonly IssuedRow[];
  /** Names of this identity's lists that have to be signed again: changed or new, or half of their time is over. */
  due(identity: Identity): readonly string[];
  /** All of this identity's lists. */
  lists(identity: Identity): readonly string[];
  /** Signs a list as it is now. It is newer than every one before. Throws InputError `credential_unknown`. */
  publish(identity: Identity, list: string): PublishedList;
  /** Notes that a signed list is where readers get it. False when a newer one was signed meanwhile. */
  written(list: PublishedList): boolean;
  /** Endorsements by this identity, the newest of each peer, newest first. */
  endorsements(identity: Pick<Identity, 'did'>, most: number): readonly GivenEndorsement[];
  /** Wire bytes of an issued credential, by the beginning of its digest. Throws InputError `credential_unknown`. */
  bytes(digest: string): Uint8Array;
}

interface Row {
  readonly digest: string;
  readonly type: CredentialType;
  readonly issuer: string;
  readonly subject: string;
  readonly issued_at: number;
  readonly list: string | null;
  readonly list_index: number | null;
  readonly revoked_at: number | null;
  readonly revoked_reason: string | null;
  readonly for_cause: 0 | 1;
}
/** End of the name of the list that tells which of another list's revocations were for cause. */
export const FOR_CAUSE = '/for-cause';
const COLUMNS =
  'digest, type, issuer, subject, issued_at, list, list_index, revoked_at, revoked_reason, for_cause';

export function createIssued(database: Database, clock: Clock, random: Random, seen: SeenLists): Issued {
  const insert = database.prepare<
    never,
    [string, Uint8Array, string, string, string, number, string | null, number | null, string | null]
  >(
    'INSERT INTO issued (digest, bytes, type, issuer, subject, issued_at, list, list_index, request) ' +
      // The same credential issued twice within a second is one credential.
      'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING',
  );
  const all = database.prepare<Row>(`SELECT ${COLUMNS} FROM issued ORDER BY issued_at, digest`);
  const byPrefix = database.prepare<Row, [string, string]>(
    `SELECT ${COLUMNS} FROM issued WHERE digest >= ? AND digest < ? LIMIT 2`,
  );
  const answered = database.prepare<{ digest: string }, [string]>(
    'SELECT digest FROM issued WHERE request = ?',
  );
  const markRevoked = database.prepare<never, [number, string | null, 0 | 1, string]>(
    'UPDATE issued SET revoked_at = ?, revoked_reason = ?, for_cause = ? WHERE digest = ?',
  );
  const used = database.prepare<{ n: number }, [string]>('SELECT count(*) AS n FROM issued WHERE list = ?');
  const taken = database.prepare<{ x: 1 }, [string, number]>(
    'SELECT 1 AS x FROM issued WHERE list = ? AND list_index = ?',
  );
  const revokedIn = database.prepare<{ list_index: number }, [string, number]>(
    'SELECT list_index FROM issued WHERE list = ? AND revoked_at IS NOT NULL AND for_cause >= ?',
  );
  const revocations = database.prepare<{ n: number }, [string, number]>(
    'SELECT count(*) AS n FROM issued WHERE list = ? AND revoked_at IS NOT NULL AND for_cause >= ?',
  );
  /** The list whose places are meant, and whether only what was revoked for cause is in it. */
  const meant = (id: string): [list: string, forCause: 0 | 1] =>
    id.endsWith(FOR_CAUSE) ? [id.slice(0, -FOR_CAUSE.length), 1] : [id, 0];
  interface ListRow {
    readonly id: string;
    readonly number: number;
    readonly published_from: number | null;
    readonly published_revocations: number;
    readonly written_from: number | null;
  }
  const ownLists = database.prepare<ListRow, [string]>(
    'SELECT id, number, published_from, published_revocations, written_from FROM own_lists WHERE issuer = ? ORDER BY number',
  );
  const nextNumber = database.prepare<{ n: number }>(
    'SELECT coalesce(max(number), 0) + 1 AS n FROM own_lists',
  );
  const addList = database.prepare<never, [string, number, string]>(
    'INSERT INTO own_lists (id, number, issuer) VALUES (?, ?, ?)',
  );
  const markPublished = database.prepare<never, [number, number, string]>(
    'UPDATE own_lists SET published_from = ?, published_revocations = ? WHERE id = ?',
  );

  const markWritten = database.prepare<never, [number, string, number]>(
    'UPDATE own_lists SET written_from = ? WHERE id = ? AND published_from = ?',
  );
  const bytesOf = database.prepare<{ bytes: Uint8Array }, [string]>(
    'SELECT bytes FROM issued WHERE digest = ?',
  );

  const endorsements = database.prepare<GivenEndorsement & { at: number }, [string, number]>(
    "SELECT digest, subject, bytes, max(issued_at) AS at FROM issued WHERE issuer = ? AND type = 'PeerEndorsement' " +
      'AND revoked_at IS NULL GROUP BY subject ORDER BY at DESC, digest LIMIT ?',
  );

  /** A free place in the list named, or in the first of the node's own lists that has room. */
  const place = (identity: Identity, wanted: string): { list: string; index: number } => {
    const lists = ownLists.all(identity.did);
    let list = wanted;
    if (wanted === 'auto') {
      const own = lists.find(
        ({ id }) =>
          id.startsWith(identity.did) && !id.endsWith(FOR_CAUSE) && used.get(id)!.n < STATUS_LIST_ENTRIES,
      );
      list = own?.id ?? `${identity.did}/status/${nextNumber.get()!.n}`;
    }
    if (!lists.some(({ id }) => id === list)) addList.run(list, nextNumber.get()!.n, identity.did);
    if (used.get(list)!.n >= STATUS_LIST_ENTRIES) {
      throw new InputError(
        'status_list_full',
        `All ${STATUS_LIST_ENTRIES} places of the status list ${list} are taken. Name another URL for a new list.`,
      );
    }
    let index = random.uint32() % STATUS_LIST_ENTRIES;
    while (taken.get(list, index) !== undefined) index = (index + 1) % STATUS_LIST_ENTRIES;
    return { list, index };
  };

  return {
    issue: (identity, options) =>
      database.transaction(() => {
        const { statusList = 'auto', request, ...rest } = options;
        const before = request === undefined ? undefined : answered.get(request);
        if (before !== undefined) {
          throw new InputError(
            'request_answered',
            `This request was answered with the credential ${before.digest}. Ask its sender for a new request.`,
          );
        }
        const wanted = statusList === 'none' || (statusList === 'auto' && !kindOf(rest.type).revocable);
        if (statusList !== 'auto' && statusList !== 'none' && !/^https:\/\/[^\s#]+$/.test(statusList)) {
          throw new InputError(
            'credential_invalid',
            `'${statusList.slice(0, 200)}' is no https URL for a status list.`,
          );
        }
        const status = wanted ? undefined : place(identity, statusList);
        const made = issueCredential(identity, { ...rest, ...(status === undefined ? {} : { status }) });
        insert.run(
          made.digest,
          made.bytes,
          rest.type,
          identity.did,
          rest.subject,
          clock.now(),
          status?.list ?? null,
          status?.index ?? null,
          request ?? null,
        );
        return made;
      }),

    revoke: (identity, digest, reason, forCause = false) =>
      database.transaction(() => {
        const row = find(digest);
        if (row.list === null) {
          throw new InputError(
            'credential_not_revocable',
            `The credential ${row.digest} was issued without an entry in a status list. It ends by itself.`,
          );
        }
        if (row.issuer !== identity.did) {
          throw new InputError(
            'credential_not_revocable',
            `The credential ${row.digest} was issued by ${row.issuer}, which is not this node's key any more. Sign with that key to revoke it.`,
          );
        }
        if (row.revoked_at === null)
          markRevoked.run(clock.now(), reason?.slice(0, 500) ?? null, forCause ? 1 : 0, row.digest);
        const beside = `${row.list}${FOR_CAUSE}`;
        if (forCause && !ownLists.all(identity.did).some(({ id }) => id === beside))
          addList.run(beside, nextNumber.get()!.n, identity.did);
        return rowOf(find(row.digest));
      }),

    list: () => all.all().map(rowOf),

    due: (identity) => {
      const now = clock.now();
      return ownLists
        .all(identity.did)
        .filter(({ id, published_from: from, published_revocations: told, written_from: written }) => {
          if (from === null || from > now + CLOCK_SKEW_MS || now >= from + STATUS_LIFETIME_MS / 2)
            return true;
          return written !== from || revocations.get(...meant(id))!.n !== told;
        })
        .map(({ id }) => id);
    },

    lists: (identity) => ownLists.all(identity.did).map(({ id }) => id),

    publish: (identity, list) =>
      database.transaction(() => {
        const row = ownLists.all(identity.did).find(({ id }) => id === list);
        if (row === undefined) {
          throw new InputError(
            'credential_unknown',
            `This node's key has no status list named ${list.slice(0, 200)}.`,
          );
        }
        const now = Math.floor(clock.now() / 1000) * 1000;
        const last = row.published_from;
        // Readers refuse lists from the future, so one that a wrong clock dated was taken by nobody.
        const from = last === null || last > now + CLOCK_SKEW_MS ? now : Math.max(now, last + 1000);
        const bits = new Uint8Array(STATUS_LIST_ENTRIES / 8);
        const revoked = revokedIn.all(...meant(list));
        for (const { list_index: index } of revoked) setBit(bits, index);
        const bytes = signStatusList(identity, { id: list, bits, validFrom: from });
        markPublished.run(from, revoked.length, list);
        takeOwn(seen, bytes);
        return { id: list, number: row.number, validFrom: from, bytes };
      }),

    written: ({ id, validFrom }) => markWritten.run(validFrom, id, validFrom).changes === 1,

    endorsements: ({ did }, most) =>
      endorsements.all(did, most).map(({ digest, subject, bytes }) => ({ digest, subject, bytes })),

    bytes: (digest) => bytesOf.get(find(digest).digest)!.bytes,
  };

  function find(digest: string): Row {
    const rows = /^[0-9a-f]{8,64}$/.test(digest) ? byPrefix.all(digest, `${digest}g`) : [];
    if (rows.length === 1) return rows[0]!;
    throw new InputError(
      'credential_unknown',
      rows.length === 0
        ? `This node issued no credential whose digest begins with '${digest.slice(0, 80)}'. Give 8 to 64 of its characters.`
        : `More than one credential begins with ${digest}. Give more of its characters.`,
    );
  }
}

/** Lets this node verify what it issued. A wallet too full of others' lists is no reason not to publish its own. */
function takeOwn(seen: SeenLists, bytes: Uint8Array): void {
  try {
    seen.take(bytes);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
  }
}

function rowOf(row: Row): IssuedRow {
  return {
    digest: row.digest,
    type: row.type,
    subject: row.subject,
    issuedAt: row.issued_at,
    list: row.list,
    listIndex: row.list_index,
    revokedAt: row.revoked_at,
    revokedReason: row.revoked_reason,
    forCause: row.for_cause === 1,
  };
}
