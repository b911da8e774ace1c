/**
 * A wallet in a home of its own, a clock that stands, and a verifier over both, for tests.
 *
 * @module identity/testing/wallet
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, createSeededRandom, openDatabase } from '../../base/index.ts';
import { createCredentialVerifier } from '../credentials/verify.ts';
import type { IssuerPolicy } from '../types.ts';
import { WALLET_MIGRATIONS } from '../wallet/schema.ts';
import { openWallet, walletPath } from '../wallet/wallet.ts';
import { acceptAll, CLAIMS, identityOf } from './credentials.ts';

export const start = Date.UTC(2026, 10, 21);
export const issuer = identityOf('issuer');
export const subject = identityOf('subject');

export async function withHome<T>(work: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'kith-wallet-'));
  try {
    return await work(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs `sql` with a JSON array of 0 to `count` - 1 in one transaction: many rows without as many syncs. */
export function fill(home: string, sql: string, count: number): void {
  using database = openDatabase(walletPath(home), { migrations: WALLET_MIGRATIONS });
  database.prepare<never, [string]>(sql).run(JSON.stringify(Array.from({ length: count }, (_, n) => n)));
}

/** A wallet, a clock that stands, and a verifier over both. */
export async function withWallet(
  work: (kit: ReturnType<typeof kitOf>) => Promise<void>,
  policy: IssuerPolicy = acceptAll,
): Promise<void> {
  await withHome(async (home) => {
    const kit = kitOf(home, policy);
    using _ = kit.wallet;
    await work(kit);
  });
}

function kitOf(home: string, policy: IssuerPolicy) {
  const clock = createManualClock(start);
  const wallet = openWallet(home, { clock, random: createSeededRandom(3) });
  const verifier = createCredentialVerifier({ clock, policy, status: wallet.lists });
  const issue = () =>
    wallet.issued.issue(issuer, {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: clock.now(),
    });
  const codeOf = async (bytes: Uint8Array) => (await verifier.verify(bytes)).verdict.code;
  return { home, clock, wallet, verifier, issue, codeOf };
}
