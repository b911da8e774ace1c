/**
 * The commands of sharded inference: serve blocks of a model, see who covers it, run prompts over peers.
 *
 * @module cli/shard-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, modelOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';
import { addPaths } from './shard-path-commands.ts';
import { addServing } from './shard-serving-commands.ts';

export function addShard(program: Command, add: Add): void {
  const shard = program
    .command('shard')
    .description('run models over several nodes, a part on each')
    .exitOverride();
  addDownload(shard, add);
  addCoverage(shard, add);
  addPaths(shard, add);
  addServing(shard, add);
  addReceipts(shard, add);
}

function addDownload(shard: Command, add: Add): void {
  examples(
    add(
      shard,
      'download <model>',
      'fetch the bytes of some blocks of a model and no others, each tensor checked: from peers through the running node, and from the sources of the model',
      [
        homeOption(),
        new Option('--start-block <n>', 'first block, from 0').argParser(whole(0, 4095)),
        new Option('--blocks <n>', 'how many (default: to the last)').argParser(whole(1, 4096)),
        new Option('--ends', 'also what turns text into hidden states and back, which an owner keeps'),
        new Option('--list <file>', 'what `kith models tensors` wrote where the whole model is'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/shard-download.ts')).download }),
    ),
    'kith shard download tinyllama-1.1b-chat --start-block 5 --blocks 5',
    'kith shard download tinyllama-1.1b-chat --ends',
  );
}

type Coverage = 'chain' | 'gap';

function addCoverage(shard: Command, add: Add): void {
  const load =
    (name: Coverage): Load =>
    async () => ({ default: (await import('./commands/shard-coverage.ts'))[name] });
  examples(
    add(
      shard,
      'chain <model>',
      'draw who serves which blocks of a model (its id, or the SHA-256 of its file), and who of them may be used',
      [homeOption(), jsonOption()],
      load('chain'),
    ),
    'kith shard chain tinyllama-1.1b-chat',
  );
  examples(
    add(
      shard,
      'gap [model]',
      'show blocks that nobody serves, the weakest stretch, and what this node could serve; exit code 1 when there is a gap',
      [homeOption(), jsonOption()],
      load('gap'),
    ),
    'kith shard gap',
    'kith shard gap tinyllama-1.1b-chat --json',
  );
  examples(
    add(
      shard,
      'calibrate',
      'measure what blocks of a model cost on this machine, and the ways to peers that serve it',
      [homeOption(), modelOption(), jsonOption()],
      async () => ({ default: (await import('./commands/shard-calibrate.ts')).calibrate }),
    ),
    'kith shard calibrate --model tinyllama-1.1b-chat',
  );
}

function addReceipts(shard: Command, add: Add): void {
  examples(
    add(
      shard,
      'receipts',
      'list the receipts of what nodes computed for each other, signed by both; or check a file of them',
      [
        homeOption(),
        new Option('--peer <peer>', 'of this peer alone'),
        new Option('--since <time>', 'how far back, such as 12h, 7d or 2026-01-31'),
        new Option('--given', 'only what this node computed'),
        new Option('--taken', 'only what peers computed for it'),
        new Option('--totals', 'sums by peer and model; without --since, of all that ever was'),
        new Option('--limit <n>', 'receipts at most').argParser(whole(1, 5000)).default(100),
        new Option(
          '--verify <file>',
          'check a file that --json wrote; no node is asked; exit code 1 for faults',
        ),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/shard-receipts.ts')).receipts }),
    ),
    'kith shard receipts --totals',
    'kith shard receipts --since 7d --json > receipts.json',
    'kith shard receipts --verify receipts.json',
  );
}
