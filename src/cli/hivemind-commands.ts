/**
 * The commands of the Hivemind bridge, below `kith p2p`.
 *
 * @module cli/hivemind-commands
 */
import { type Command, Option } from 'commander';
import { homeOption, jsonOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';

export function addHivemind(p2p: Command, add: Add): void {
  const hivemind = p2p
    .command('hivemind')
    .description('look things up in a Hivemind DHT (Petals, KwaaiNet), and be found there')
    .exitOverride();
  const load =
    (name: 'info' | 'find' | 'announce'): Load =>
    async () => ({ default: (await import('./commands/hivemind.ts'))[name] });
  add(
    hivemind,
    'info',
    "show this node's part in the DHT: nodes that answered, what is kept for others, what is told",
    [homeOption(), jsonOption()],
    load('info'),
  );
  const find = add(
    hivemind,
    'find <key>',
    'show what stands under a key: claims of strangers; exit code 1 when nobody has it',
    [
      homeOption(),
      new Option('--subkey <subkey>', 'only this entry of a key that has many'),
      new Option('--limit <n>', 'entries at most').argParser(whole(1, 4096)).default(50),
      jsonOption(),
    ],
    load('find'),
  );
  find.addHelpText(
    'after',
    '\nExamples:\n  kith p2p hivemind find _petals.models\n  kith p2p hivemind find _kwaai.inference.nodes --subkey 12D3KooW...',
  );
  add(
    hivemind,
    'announce',
    'tell the DHT now which models this node serves; exit code 3 when nobody took it',
    [homeOption(), jsonOption()],
    load('announce'),
  );
}
