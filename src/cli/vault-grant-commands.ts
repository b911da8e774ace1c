/**
 * The commands by which others are let read what peers keep: `kith vpk grant`, `kith vpk rotate`.
 *
 * @module cli/vault-grant-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

export const grantOption = () =>
  new Option('--grant <file>', "somebody else's, by the grant in this file (kith vpk grant create, there)");

export function addGrant(vpk: Command, add: Add): void {
  const grant = vpk
    .command('grant')
    .description('let peers read what is kept of a knowledge base on the disks of others')
    .exitOverride();
  const load = (name: 'create' | 'list' | 'revoke' | 'rotate') => async () => ({
    default: (await import('./commands/vpk-grant.ts'))[name],
  });
  examples(
    add(
      grant,
      'create <kb>',
      'let a peer read it: the line that is made is sealed to that peer',
      [
        homeOption(),
        new Option('--to <peer>', 'who may read it, as kith p2p info shows it there'),
        new Option('--rights <rights>', 'read: nobody but its owner can change what is kept').default('read'),
        new Option('--days <n>', 'for how long').argParser(whole(1, 365)).default(30),
        new Option('--out <file>', 'put the line there, where no file is yet (default: print it)'),
        jsonOption(),
      ],
      load('create'),
    ),
    'kith vpk grant create notes --to 12D3KooWB... --days 30 --out notes.grant',
  );
  add(grant, 'list <kb>', 'who was let read it, until when', [homeOption(), jsonOption()], load('list'));
  examples(
    add(
      grant,
      'revoke <kb> <id>',
      'end a grant at every Eve at once; those that are away are told as soon as they answer. Exit code 3 while one is',
      [homeOption(), new Option('--rotate', 'change the keys, too'), jsonOption()],
      load('revoke'),
    ),
    'kith vpk grant revoke notes 0f3a... --rotate',
  );
  add(
    vpk,
    'rotate <kb>',
    'change the keys of what peers keep: all is sealed anew, and former grants open nothing of it',
    [homeOption(), jsonOption()],
    load('rotate'),
  );
}
