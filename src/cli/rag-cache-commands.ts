/**
 * The command of answers that are kept.
 *
 * @module cli/rag-cache-commands
 */
import type { Command } from 'commander';
import { examples, homeOption, jsonOption } from './options.ts';
import type { Add } from './program.ts';

export function addRagCache(rag: Command, add: Add): void {
  examples(
    add(
      rag,
      'cache <name> [action]',
      'show how many answers are kept to be given again (stats), or remove them (clear)',
      [homeOption(), jsonOption()],
      async () => ({ default: (await import('./commands/rag-cache.ts')).cache }),
    ),
    'kith rag cache notes',
    'kith rag cache notes clear',
  );
}
