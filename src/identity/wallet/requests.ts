/**
 * Requests that this node made, and those that it was sent and has answered.
 *
 * @module identity/wallet/requests
 */
import { type Clock, type Database, LimitError } from '../../base/index.ts';
import type { CredentialRequest } from '../credentials/request.ts';
import type { CredentialFacts, CredentialType } from '../types.ts';

export interface RequestRow {
  readonly digest: string;
  readonly direction: 'out' | 'in';
  readonly type: CredentialType;
  /** Who asks. */
  readonly holder: string;
  /** Who is asked; null for anyone. */
  readonly issuer: string | null;
  readonly expiresAt: number;
  /** Digest of the credential that answered it; null while none has. */
  readonly credential: string | null;
}

export interface Requests {
  /** Remembers one. Throws LimitError `wallet.requests`. */
  add(direction: 'out' | 'in', bytes: Uint8Array, request: CredentialRequest): void;
  /** Notes that a request was answered, in either direction. */
  answer(digest: string, credential: string): void;
  /** Notes the answer to an open request of this node, when a credential that came in is one. */
  match(facts: CredentialFacts): void;
  list(): readonly RequestRow[];
}

const MAX_REQUESTS = 1024;

export function createRequests(database: Database, clock: Clock): Requests {
  const insert = database.prepare<never, [string, string, Uint8Array, string, string, string | null, number]>(
    'INSERT OR IGNORE INTO requests (digest, direction, bytes, type, holder, issuer, expires_at) ' +
      'VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  // What was answered long ago is known by the credential itself.
  const prune = database.prepare<never, [number]>('DELETE FROM requests WHERE expires_at <= ?');
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM requests');
  const answer = database.prepare<never, [string, string]>(
    'UPDATE requests SET credential = ? WHERE digest = ?',
  );
  const open = database.prepare<{ digest: string }, [string, string, string]>(
    "SELECT digest FROM requests WHERE direction = 'out' AND credential IS NULL AND type = ? AND holder = ? " +
      'AND (issuer IS NULL OR issuer = ?) ORDER BY expires_at LIMIT 1',
  );
  const all = database.prepare<Omit<RequestRow, 'expiresAt'> & { readonly expires_at: number }>(
    'SELECT digest, direction, type, holder, issuer, expires_at, credential FROM requests ORDER BY expires_at, digest',
  );
  return {
    add: (direction, bytes, request) =>
      database.transaction(() => {
        prune.run(clock.now());
        if (count.get()!.n >= MAX_REQUESTS) {
          throw new LimitError(
            'wallet.requests',
            MAX_REQUESTS,
            `The wallet holds ${MAX_REQUESTS} open requests, and takes no more until some of them end.`,
          );
        }
        const { digest, type, holder, issuer, expiresAt } = request;
        insert.run(digest, direction, bytes, type, holder, issuer, expiresAt);
      }),
    answer: (digest, credential) => void answer.run(credential, digest),
    match(facts) {
      const row = open.get(facts.type, facts.subject, facts.issuer);
      if (row !== undefined) answer.run(facts.digest, row.digest);
    },
    list: () => all.all().map(({ expires_at: expiresAt, ...row }) => ({ ...row, expiresAt })),
  };
}
