/**
 * The wallet: one SQLite file under the home, `identity/wallet.sqlite`. Each change is one durable transaction, so a crash
 * at any moment leaves it as it was before or after. Several processes may have it open.
 *
 * @module identity/wallet/wallet
 */
import { join } from 'node:path';
import { type Clock, openDatabase, type Random } from '../../base/index.ts';
import type { Challenges } from '../credentials/present.ts';
import { createChallenges } from './challenges.ts';
import { createHeld, type Held } from './held.ts';
import { createIssued, type Issued } from './issued.ts';
import { createOthers, type Others } from './others.ts';
import { createRequests, type Requests } from './requests.ts';
import { WALLET_MIGRATIONS } from './schema.ts';
import { createSeenLists, type SeenLists } from './seen-lists.ts';

export interface Wallet extends Disposable {
  readonly held: Held;
  readonly issued: Issued;
  readonly requests: Requests;
  /** Status lists of issuers: what verifiers ask. */
  readonly lists: SeenLists;
  readonly challenges: Challenges;
  /** Credentials of peers. */
  readonly others: Others;
  /** Changes whenever another process changed the wallet; its own changes leave it as it is. */
  version(): number;
}

export interface WalletOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Grace for status lists that have ended, ms. @default 7 days */
  readonly statusGraceMs?: number;
}

export function walletPath(home: string): string {
  return join(home, 'identity', 'wallet.sqlite');
}

/** Opens, and makes, the wallet of a home. Throws KithError as `openDatabase` does. */
export function openWallet(home: string, options: WalletOptions): Wallet {
  const { clock, random, statusGraceMs } = options;
  const database = openDatabase(walletPath(home), { migrations: WALLET_MIGRATIONS });
  const lists = createSeenLists(database, {
    clock,
    ...(statusGraceMs === undefined ? {} : { graceMs: statusGraceMs }),
  });
  const version = database.prepare<{ data_version: number }>('PRAGMA data_version');
  return {
    held: createHeld(database, clock),
    issued: createIssued(database, clock, random, lists),
    requests: createRequests(database, clock),
    lists,
    challenges: createChallenges(database, clock, random),
    others: createOthers(database, clock),
    version: () => version.get()!.data_version,
    [Symbol.dispose]: () => database.close(),
  };
}
