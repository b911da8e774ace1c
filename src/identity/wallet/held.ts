/**
 * Credentials that verified when they came in, and the quarantine of those that did not. Only what is held is ever
 * presented, announced or scored, and each use verifies again.
 *
 * @module identity/wallet/held
 */
import { type Clock, type Database, InputError, LimitError } from '../../base/index.ts';
import type { CredentialFormat } from '../credentials/read.ts';
import type { CredentialVerifier, Verification, VerifyRequest } from '../credentials/verify.ts';
import { CREDENTIAL_MAX_BYTES } from '../proof/document.ts';
import { looksLikeToken } from '../proof/vc-jwt.ts';
import type { CredentialType, VerdictCode } from '../types.ts';

export interface HeldCredential {
  readonly digest: string;
  /** Wire bytes. */
  readonly bytes: Uint8Array;
  readonly format: CredentialFormat;
  readonly type: CredentialType;
  readonly issuer: string;
  readonly subject: string;
  /** ms since 1970. */
  readonly addedAt: number;
  /** Whether its owner shows it to peers. */
  readonly shown: boolean;
}

export interface QuarantinedCredential {
  readonly digest: string;
  /** Null for what was too large to keep. */
  readonly bytes: Uint8Array | null;
  readonly code: VerdictCode;
  readonly reason: string;
  readonly addedAt: number;
}

export interface Held {
  /**
   * Verifies and keeps: what is not `ok` goes into quarantine with its reason, and leaves it when it verifies later.
   * Throws LimitError `wallet.credentials`, and as the verifier does.
   */
  import(bytes: Uint8Array, verifier: CredentialVerifier, request?: VerifyRequest): Promise<Verification>;
  /** All, or those about one DID; oldest first. */
  list(subject?: string): readonly HeldCredential[];
  /** By the beginning of its digest (8 characters or more). Throws InputError `credential_unknown`. */
  get(digest: string): HeldCredential;
  /** Throws InputError `credential_unknown`. */
  remove(digest: string): void;
  /**
   * Shows a credential to peers from now on, or no longer. Returns it. Throws InputError `credential_unknown`, LimitError
   * `wallet.shown`.
   */
  show(digest: string, shown: boolean): HeldCredential;
  /** Those about one DID that are shown to peers, oldest first. */
  shown(subject: string): readonly HeldCredential[];
  quarantined(): readonly QuarantinedCredential[];
}

const MAX_HELD = 4096;
/** As many as peers take of one another. */
export const MAX_SHOWN = 16;
const MAX_QUARANTINED = 256;

interface Row {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly type: CredentialType;
  readonly issuer: string;
  readonly subject: string;
  readonly added_at: number;
  readonly shown: 0 | 1;
}
interface QuarantineRow {
  readonly digest: string;
  readonly bytes: Uint8Array | null;
  readonly code: VerdictCode;
  readonly reason: string;
  readonly added_at: number;
}

export function createHeld(database: Database, clock: Clock): Held {
  const columns =
    'digest, bytes, type, issuer, subject, added_at, digest IN (SELECT digest FROM shown) AS shown';
  const all = database.prepare<Row>(`SELECT ${columns} FROM held ORDER BY added_at, digest`);
  const about = database.prepare<Row, [string]>(
    `SELECT ${columns} FROM held WHERE subject = ? ORDER BY added_at, digest`,
  );
  const byPrefix = database.prepare<Row, [string, string]>(
    `SELECT ${columns} FROM held WHERE digest >= ? AND digest < ? LIMIT 2`,
  );
  const has = database.prepare<{ x: 1 }, [string]>('SELECT 1 AS x FROM held WHERE digest = ?');
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM held');
  const add = database.prepare<never, [string, Uint8Array, string, string, string, number]>(
    'INSERT OR IGNORE INTO held (digest, bytes, type, issuer, subject, added_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const remove = database.prepare<never, [string]>('DELETE FROM held WHERE digest = ?');
  const show = database.prepare<never, [string]>('INSERT OR IGNORE INTO shown (digest) VALUES (?)');
  const hide = database.prepare<never, [string]>('DELETE FROM shown WHERE digest = ?');
  const countShown = database.prepare<{ n: number }, [string]>(
    'SELECT count(*) AS n FROM shown JOIN held USING (digest) WHERE subject = ?',
  );
  const quarantine = database.prepare<never, [string, Uint8Array | null, string, string, number]>(
    'INSERT OR REPLACE INTO quarantine (digest, bytes, code, reason, added_at) VALUES (?, ?, ?, ?, ?)',
  );
  const release = database.prepare<never, [string]>('DELETE FROM quarantine WHERE digest = ?');
  const forget = database.prepare<never, [number]>(
    'DELETE FROM quarantine WHERE digest IN (SELECT digest FROM quarantine ORDER BY added_at DESC, digest LIMIT -1 OFFSET ?)',
  );
  const bad = database.prepare<QuarantineRow>(
    'SELECT digest, bytes, code, reason, added_at FROM quarantine ORDER BY added_at, digest',
  );

  const get = (digest: string): HeldCredential => {
    const rows = /^[0-9a-f]{8,64}$/.test(digest) ? byPrefix.all(digest, `${digest}g`) : [];
    if (rows.length === 1) return held(rows[0]!);
    throw new InputError(
      'credential_unknown',
      rows.length === 0
        ? `The wallet holds no credential whose digest begins with '${digest.slice(0, 80)}'. Give 8 to 64 of its characters.`
        : `More than one credential begins with ${digest}. Give more of its characters.`,
    );
  };

  return {
    async import(bytes, verifier, request) {
      const verification = await verifier.verify(bytes, request);
      const { verdict, facts, digest } = verification;
      database.transaction(() => {
        if (facts === null) {
          // One that is held already stays: it is verified again at each use.
          if (has.get(digest) !== undefined) return;
          const kept = bytes.length > CREDENTIAL_MAX_BYTES ? null : bytes;
          quarantine.run(digest, kept, verdict.code, verdict.reason, clock.now());
          forget.run(MAX_QUARANTINED);
          return;
        }
        if (has.get(digest) === undefined && count.get()!.n >= MAX_HELD) {
          throw new LimitError(
            'wallet.credentials',
            MAX_HELD,
            `The wallet holds ${MAX_HELD} credentials, and takes no more until some are removed.`,
          );
        }
        add.run(digest, bytes, facts.type, facts.issuer, facts.subject, clock.now());
        release.run(digest);
      });
      return verification;
    },
    list: (subject) => (subject === undefined ? all.all() : about.all(subject)).map(held),
    get,
    remove: (digest) => void remove.run(get(digest).digest),
    show: (digest, shown) =>
      database.transaction(() => {
        const { digest: whole, subject, shown: before } = get(digest);
        if (!shown) hide.run(whole);
        else if (!before && countShown.get(subject)!.n >= MAX_SHOWN)
          throw new LimitError(
            'wallet.shown',
            MAX_SHOWN,
            `${MAX_SHOWN} credentials are shown to peers already; hide one first: kith identity hide-vc DIGEST`,
          );
        else show.run(whole);
        return get(whole);
      }),
    shown: (subject) =>
      about
        .all(subject)
        .map(held)
        .filter((each) => each.shown),
    quarantined: () => bad.all().map(({ added_at: addedAt, ...row }) => ({ ...row, addedAt })),
  };
}

function held({ added_at: addedAt, shown, ...row }: Row): HeldCredential {
  return {
    ...row,
    addedAt,
    shown: shown === 1,
    format: looksLikeToken(row.bytes) ? 'vc+jwt' : 'data-integrity',
  };
}
