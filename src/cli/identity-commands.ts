/**
 * The commands about the node's key, all below `kith identity`.
 *
 * @module cli/identity-commands
 */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { homeOption, jsonOption, whole } from './options.ts';
import { passphraseOptions } from './passphrase.ts';
import type { Add, Load } from './program.ts';

export function addIdentity(program: Command, add: Add): void {
  const identity =
    program.commands.find((command) => command.name() === 'identity') ??
    program.command('identity').description('the key of this node, and credentials').exitOverride();
  const load =
    (name: 'show' | 'create' | 'exportKey' | 'importFile' | 'encrypt' | 'decrypt'): Load =>
    async () => ({ default: (await import('./commands/identity.ts'))[name] });
  const fromRotation =
    (name: 'rotate' | 'history'): Load =>
    async () => ({ default: (await import('./commands/identity-rotate.ts'))[name] });

  add(
    identity,
    'show',
    "show this node's names and where its key is",
    [homeOption(), jsonOption()],
    load('show'),
  );
  add(
    identity,
    'create',
    'make the key without starting the node; with a passphrase if one is given',
    [
      homeOption(),
      ...passphraseOptions('the passphrase that the key gets'),
      new Option('--anew', 'also where a former key was lost: the node becomes somebody else'),
      jsonOption(),
    ],
    load('create'),
  );
  add(
    identity,
    'export',
    'write the private key for a backup or another program, or the public DID document',
    [
      homeOption(),
      new Option(
        '-f, --format <format>',
        'json is a key file of Kith, protected if the key is; did-document is public',
      )
        .choices(['json', 'libp2p', 'pkcs8', 'jwk', 'did-document'])
        .default('json'),
      new Option('-o, --out <file>', 'new file to write to; only you can read it'),
      new Option('--stdout', 'print it, for a pipe'),
      ...passphraseOptions(),
    ],
    load('exportKey'),
  );
  add(
    identity,
    'import <file>',
    "make a private key this node's key: a key file of Kith, libp2p, PKCS#8 or JWK",
    [
      homeOption(),
      new Option('--replace', 'in the place of the key that is here, which is kept'),
      ...passphraseOptions('the passphrase of the file, or the one that the key gets'),
      jsonOption(),
    ],
    load('importFile'),
  );
  add(
    identity,
    'encrypt',
    'put the key under a passphrase, or under another one',
    [
      homeOption(),
      ...passphraseOptions('the new passphrase'),
      new Option('--old-passphrase-file <file>', 'file with the passphrase until now').argParser((path) =>
        resolve(path),
      ),
      new Option(
        '--old-passphrase-fd <n>',
        'open descriptor to read the passphrase until now from',
      ).argParser(whole(0, 1023)),
    ],
    load('encrypt'),
  );
  add(
    identity,
    'decrypt',
    'take the passphrase off the key',
    [homeOption(), ...passphraseOptions()],
    load('decrypt'),
  );
  add(
    identity,
    'rotate',
    'give this node a new key, and hand over to it with a statement that both keys sign',
    [homeOption(), ...passphraseOptions(), jsonOption()],
    fromRotation('rotate'),
  );
  add(
    identity,
    'history [files...]',
    'show the hand-overs of this node, or check those in files; exit code 2: invalid, 3: two successors',
    [
      homeOption(),
      new Option('-o, --out <file>', "write this node's hand-overs to a new file"),
      jsonOption(),
    ],
    fromRotation('history'),
  );
}
