/**
 * The commands that bring knowledge bases out of the node and back.
 *
 * @module cli/rag-exchange-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

export function addRagExchange(rag: Command, add: Add): void {
  examples(
    add(
      rag,
      'export <name> <target>',
      'write notes for Obsidian into a folder, or a whole copy into a file that ends in .sqlite; exit code 3 when some notes were left as they are',
      [
        homeOption(),
        new Option('--obsidian', 'a note for each name, linked by relations, and an index'),
        new Option('--least <n>', 'names in fewer passages get no note (default: 3)').argParser(
          whole(1, 1_000_000),
        ),
        new Option('--all', 'all names get notes'),
        new Option('--sources <form>', 'documents as notes, or links to the files themselves').choices([
          'notes',
          'files',
        ]),
        new Option('--force', 'write over a copy that is there'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/rag-exchange.ts')).exportKb }),
    ),
    'kith rag export notes ~/Vault/Kith --obsidian',
    'kith rag export notes /media/drive/notes.sqlite',
  );
  examples(
    add(
      rag,
      'import <name> <source>',
      'take in what you changed in exported notes (a folder), or make a knowledge base of a whole copy (a file); exit code 3 when something was not taken',
      [
        homeOption(),
        new Option('--dry-run', 'say what would be taken in from notes, and do nothing'),
        new Option(
          '--folder <dir>',
          'where the file of the new knowledge base is kept (default: knowledge.folder)',
        ),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/rag-exchange.ts')).importKb }),
    ),
    'kith rag import notes ~/Vault/Kith --dry-run',
    'kith rag import archive /media/drive/notes.sqlite',
  );
}
