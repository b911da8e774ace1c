/**
 * An issuer's status lists count for 7 days: a node that runs signs them anew each night, so that nobody has to remember.
 *
 * @module node/status-lists
 */
import { existsSync } from 'node:fs';
import { type Clock, type Logger, messageOf, type Random } from '../base/index.ts';
import { type Identity, openWallet, publishStatusLists, walletPath } from '../identity/index.ts';
import { nightly } from './nightly.ts';

export interface StatusListsOptions {
  readonly home: string;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Publishes the lists that are due now, and all of them each night. A home without a wallet issued nothing, and gets none
 * by this. Never throws: what fails is logged, and tried again the next night.
 */
export async function keepStatusLists(options: StatusListsOptions): Promise<AsyncDisposable> {
  const { home, identity, clock, random, log } = options;
  async function publish(all: boolean): Promise<void> {
    if (!existsSync(walletPath(home))) return;
    using wallet = openWallet(home, { clock, random });
    const lists = all ? wallet.issued.lists(identity) : wallet.issued.due(identity);
    const written = await publishStatusLists(home, wallet, identity, lists);
    for (const { id, path } of written) log.info('signed a status list', { list: id, path });
  }
  await publish(false).catch((error: unknown) =>
    log.warn('status lists were not signed', { err: messageOf(error) }),
  );
  return nightly({ clock, random, log, name: 'signing status lists', work: () => publish(true) });
}
