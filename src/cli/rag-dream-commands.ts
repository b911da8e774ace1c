/**
 * The commands of dreams: complete what a knowledge base knows of names, look at what was done, undo it.
 *
 * @module cli/rag-dream-commands
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from './duration.ts';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';

const NUMBERS = whole(1, Number.MAX_SAFE_INTEGER);

function span(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms > 86_400_000)
    throw new InvalidArgumentError('Say a time such as 60s, 10m or 2h, a day at most.');
  return ms;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('Say a number from 0 to 1.');
  return value;
}

export function addDream(rag: Command, add: Add): void {
  const dream = rag
    .command('dream')
    .description('complete what is known of names, from quoted sentences')
    .exitOverride();
  const load =
    (name: 'run' | 'status' | 'journal' | 'undo'): Load =>
    async () => ({ default: (await import('./commands/rag-dream.ts'))[name] });
  examples(
    add(
      dream,
      'run <name>',
      'find types, summaries and relations of names, each with the sentence that says so',
      [
        homeOption(),
        new Option('--budget <time>', 'how long it may take, such as 60s or 2h')
          .argParser(span)
          .default(60_000, '60s'),
        new Option(
          '--model <id>',
          'who reads passages beside the rules: a model, auto, or none (default: knowledge.writer)',
        ),
        new Option('--calls <n>', 'passages that the model may read')
          .argParser(whole(0, 100_000))
          .default(50),
        new Option('--merge-at <share>', 'make names one when it is at least so sure that they are')
          .argParser(share)
          .default(0.8),
        new Option('--no-merges', 'make no names one'),
        jsonOption(),
      ],
      load('run'),
    ),
    'kith rag dream run notes',
    'kith rag dream run notes --budget 10m --model auto --calls 200',
  );
  examples(
    add(
      dream,
      'status <name>',
      'list the dreams, and how complete the graph is',
      [homeOption(), jsonOption()],
      load('status'),
    ),
    'kith rag dream status notes',
  );
  examples(
    add(
      dream,
      'journal <name> <run>',
      'show what a dream did, why, and the sentence that says so',
      [
        homeOption(),
        new Option('--after <n>', 'go on behind this one').argParser(NUMBERS),
        new Option('--limit <n>', 'how many').argParser(whole(1, 1000)).default(40),
        jsonOption(),
      ],
      load('journal'),
    ),
    'kith rag dream journal notes 3',
  );
  examples(
    add(
      dream,
      'undo <name> <run>',
      'undo a dream: everything is shown again as it was before it',
      [homeOption(), jsonOption()],
      load('undo'),
    ),
    'kith rag dream undo notes 3',
  );
}
