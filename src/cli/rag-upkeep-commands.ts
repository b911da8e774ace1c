/**
 * The command that says how a knowledge base is cut.
 *
 * @module cli/rag-upkeep-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

export const STRATEGIES = ['sentences', 'paragraphs', 'fixed'] as const;

export const chunkOptions = () => [
  new Option(
    '--chunk-strategy <way>',
    'how documents are cut: along sentences, whole paragraphs while they fit, or as many words as fit (default: knowledge.chunkStrategy)',
  ).choices(STRATEGIES),
  new Option(
    '--chunk-size <tokens>',
    'tokens of a chunk, about; at most what the embedding model reads (default: knowledge.chunkTokens)',
  ).argParser(whole(16, 8192)),
  new Option(
    '--chunk-overlap <sentences>',
    'sentences at the end of a chunk with which the next begins (default: knowledge.chunkOverlap)',
  ).argParser(whole(0, 10)),
];

export const dryRunOption = () =>
  new Option('--dry-run', 'only print what would be done, for each file; nothing is written');

export function addUpkeep(rag: Command, add: Add): void {
  examples(
    add(
      rag,
      'chunking <name>',
      'show how the documents of a knowledge base are cut, or change it; what is there stays until it is synced or rebuilt',
      [
        homeOption(),
        ...chunkOptions(),
        new Option('--reset', 'cut as the settings of the node say'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/rag-upkeep.ts')).chunking }),
    ),
    'kith rag chunking notes',
    'kith rag chunking notes --chunk-strategy paragraphs --chunk-size 240',
    'kith rag rebuild notes --chunks',
  );
}
