/**
 * Signing status lists into their files: `<home>/identity/status/list-<number>.json`.
 *
 * @module identity/status/publish
 */
import { join } from 'node:path';
import { writeFileAtomic } from '../../base/index.ts';
import type { Identity } from '../types.ts';
import type { PublishedList } from '../wallet/issued.ts';
import type { Wallet } from '../wallet/wallet.ts';

export type WrittenList = PublishedList & { readonly path: string };

/**
 * Signs the lists named, and by default those that are due (new, changed, not in their file yet, or half of their time is
 * over), and puts each into its file, which readers see whole or not at all. A list counts as published once it is in its
 * file, so a crash leaves it due. Of two processes that publish at once, the newer list ends up in the file.
 *
 * Throws InputError `credential_unknown`, KithError `write_failed`, `disk_full`.
 */
export async function publishStatusLists(
  home: string,
  wallet: Wallet,
  identity: Identity,
  lists: readonly string[] = wallet.issued.due(identity),
): Promise<WrittenList[]> {
  const written: WrittenList[] = [];
  for (const id of lists) {
    for (;;) {
      const list = wallet.issued.publish(identity, id);
      const path = join(home, 'identity', 'status', `list-${list.number}.json`);
      await writeFileAtomic(path, list.bytes, { mode: 0o644 });
      // Another process signed a newer one, and this one may have gone over it.
      if (!wallet.issued.written(list)) continue;
      written.push({ ...list, path });
      break;
    }
  }
  return written;
}
