/**
 * The commands of paths: ask a model over peers, see which path would be taken, order circuits.
 *
 * @module cli/shard-path-commands
 */
import { type Command, Option } from 'commander';
import { TIERS } from '../base/index.ts';
import { decimal, examples, homeOption, jsonOption, modelOption, seedOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';

/** What a path is to be like. */
const wishOptions = () => [
  new Option('--min-tier <tier>', 'lowest tier of each peer').choices([...TIERS]),
  new Option('--region <regions>', 'regions of peers that will do, with commas between'),
  new Option('--pledge', 'only peers whose operator gave the FiduciaryPledge'),
  new Option('--via <peers>', 'go through these, PEER or PEER:FIRST-LAST (blocks), with commas between'),
  new Option('--cells <n>', 'KV cells (tokens) that each peer is to lend').argParser(whole(1, 131_072)),
];

export function addPaths(shard: Command, add: Add): void {
  examples(
    add(
      shard,
      'run [prompt...]',
      'answer one prompt with a model whose blocks peers compute, over the running node',
      [
        homeOption(),
        modelOption(),
        new Option('-s, --system <text>', 'system message'),
        new Option('--max-tokens <n>', 'tokens of the answer').argParser(whole(1, 1_000_000)),
        new Option('--temperature <x>', 'randomness, 0 to 2').argParser(decimal(0, 2)),
        seedOption(),
        new Option('--session <name>', 'go on with the conversation of this name, on the path that it had'),
        new Option('--circuit <name>', 'over this circuit (kith shard circuits create)'),
        new Option('--local', 'on this machine alone, for comparison'),
        new Option('--stats', 'say who computed what, and how long it took'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/shard-run.ts')).run }),
    ),
    'kith shard run "Why is the sky blue?" --stats',
    'kith shard run "Why is the sky blue?" --local --stats',
    'kith shard run "And the sea?" --session talk',
  );
  const load =
    (name: 'plan' | 'create' | 'list' | 'close'): Load =>
    async () => ({ default: (await import('./commands/shard-paths.ts'))[name] });
  examples(
    add(
      shard,
      'plan <model>',
      'show which peers would compute which blocks, and what that would take; exit code 1 when there is no path',
      [
        homeOption(),
        new Option('--explain', 'also why each other peer was left out, and what there is without each one'),
        ...wishOptions(),
        jsonOption(),
      ],
      load('plan'),
    ),
    'kith shard plan tinyllama-1.1b-chat --explain',
    'kith shard plan tinyllama-1.1b-chat --min-tier verified --region eu',
  );
  const circuits = shard
    .command('circuits')
    .description('paths that are open, or kept open by order')
    .exitOverride();
  examples(
    add(
      circuits,
      'create <model>',
      'open a path now and keep it for the time given',
      [
        homeOption(),
        new Option('--name <name>', 'what requests call it: MODEL@NAME'),
        new Option('--ttl <time>', 'how long: 30m, 12h').default('30m'),
        ...wishOptions(),
        jsonOption(),
      ],
      load('create'),
    ),
    'kith shard circuits create tinyllama-1.1b-chat --name evening --ttl 3h',
    'kith shard circuits create tinyllama-1.1b-chat --via 12D3KooW...:0-9,12D3KooX...:10-21',
  );
  add(circuits, 'list', 'list the paths that are open', [homeOption(), jsonOption()], load('list'));
  add(
    circuits,
    'close <name>',
    'close a path; answers that use it end',
    [homeOption(), jsonOption()],
    load('close'),
  );
}
