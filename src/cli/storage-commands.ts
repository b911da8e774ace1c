/**
 * The commands of space that is lent to peers (`kith storage`).
 *
 * @module cli/storage-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

export function addStorage(program: Command, add: Add): void {
  const storage = program
    .command('storage')
    .description('lend space on this disk to peers, who keep there what this node cannot read')
    .exitOverride();
  const load = (name: 'init' | 'status' | 'serve' | 'destroy' | 'backup' | 'restore') => async () => ({
    default: (await import('./commands/storage.ts'))[name],
  });
  examples(
    add(
      storage,
      'init',
      'say how much is lent to whom; the node lends it from its next start on',
      [
        homeOption(),
        new Option('--capacity <bytes>', 'space for all together, such as 50GB'),
        new Option('--tenant <bytes>', 'space that one tenant gets at most, such as 5GB'),
        new Option('--days <n>', 'days that a tenant lasts until it is renewed').argParser(whole(1, 3660)),
        new Option('--tier <tier>', 'peers of this tier and above get space; friends always do').choices([
          ...['nobody', 'unknown', 'known', 'verified', 'trusted'],
        ]),
        new Option('--folder <dir>', 'where it is kept (default: vault in the home folder)'),
        new Option('--anew', 'begin with an empty folder, where the one before is gone for good'),
      ],
      load('init'),
    ),
    'kith storage init --capacity 50GB --tenant 5GB',
    'kith storage init --tier trusted',
  );
  add(
    storage,
    'status',
    'what is lent, to whom, and what of it is used',
    [homeOption(), jsonOption()],
    load('status'),
  );
  add(storage, 'serve', 'start the node, lending what storage init said', [homeOption()], load('serve'));
  examples(
    add(
      storage,
      'backup <owner> <label> <file>',
      'copy a tenant of the running node into a file',
      [homeOption(), jsonOption()],
      load('backup'),
    ),
    'kith storage backup 12D3KooW... 0f3a... tenant.sqlite',
  );
  examples(
    add(
      storage,
      'restore <owner> <label> <file>',
      'bring a backup of a tenant back; what it holds now is lost',
      [homeOption(), new Option('--yes', 'do not ask')],
      load('restore'),
    ),
    'kith storage restore 12D3KooW... 0f3a... tenant.sqlite --yes',
  );
  examples(
    add(
      storage,
      'destroy [owner] [label]',
      'delete a tenant of the running node with all that is in it; without names, lend nothing from the next start on, and delete nothing',
      [homeOption(), new Option('--yes', 'do not ask')],
      load('destroy'),
    ),
    'kith storage destroy 12D3KooW... 0f3a... --yes',
  );
}
