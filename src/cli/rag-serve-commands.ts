/**
 * The command that lets other programs use knowledge bases.
 *
 * @module cli/rag-serve-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

/** Beside the node's own, which may run at the same time. */
const PORT = 11436;

export function addRagServe(rag: Command, add: Add): void {
  examples(
    add(
      rag,
      'serve [names...]',
      'let other programs ask knowledge bases (all unless some are named) by the API of OpenAI, until Ctrl-C',
      [
        homeOption(),
        new Option('--host <address>', 'address to listen on; any but this machine needs a key').default(
          '127.0.0.1',
        ),
        new Option('--port <n>', 'port to listen on; 0 for any free one')
          .argParser(whole(0, 65_535))
          .default(PORT),
        new Option('--key', 'ask for an API key on this machine, too; makes one when none opens them'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/rag-serve.ts')).serve }),
    ),
    'kith rag serve notes',
    'kith rag serve notes letters --host 0.0.0.0 --key',
  );
}
