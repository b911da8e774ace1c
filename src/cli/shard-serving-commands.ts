/**
 * The commands of a node that serves blocks to peers.
 *
 * @module cli/shard-serving-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, modelOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';

export function addServing(shard: Command, add: Add): void {
  const load =
    (name: 'serve' | 'stop' | 'status'): Load =>
    async () => ({ default: (await import('./commands/shard-serving.ts'))[name] });
  examples(
    add(
      shard,
      'serve',
      'serve blocks of a model to peers: fetches their bytes alone, loads and announces them, now and after each start',
      [
        homeOption(),
        modelOption(),
        new Option('--start-block <n>', 'first block, from 0').argParser(whole(0, 4095)),
        new Option('--blocks <n>', 'how many (default: as many as fit, or to the last)').argParser(
          whole(1, 4096),
        ),
        new Option(
          '--auto',
          'the node chooses the blocks that help most, and others later when those are needed more (default without --start-block, but once)',
        ),
        new Option('--start', 'start the node in the background when none runs'),
        jsonOption(),
      ],
      load('serve'),
    ),
    'kith shard serve --model tinyllama-1.1b-chat --auto',
    'kith shard serve --model tinyllama-1.1b-chat --start-block 0 --blocks 11',
    'kith shard serve --start',
  );
  examples(
    add(
      shard,
      'stop [model]',
      'serve blocks no longer, of one model or of all; sessions of peers get time to go on elsewhere',
      [
        homeOption(),
        new Option('--start-block <n>', 'only the range that begins there').argParser(whole(0, 4095)),
        jsonOption(),
      ],
      load('stop'),
    ),
    'kith shard stop',
    'kith shard stop tinyllama-1.1b-chat --start-block 11',
  );
  examples(
    add(
      shard,
      'status',
      'show what this node serves, to whom, and who computes with it now; exit code 3 when something cannot be served',
      [homeOption(), jsonOption()],
      load('status'),
    ),
    'kith shard status',
    'kith shard status --json',
  );
}
