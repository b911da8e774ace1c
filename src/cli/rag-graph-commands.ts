/**
 * The command of a knowledge base's graph.
 *
 * @module cli/rag-graph-commands
 */
import { Argument, type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

export const GRAPH_VIEWS = [
  ...(['entities', 'show', 'neighbours', 'timeline', 'communities'] as const),
  ...(['proposals', 'merges', 'merge', 'unmerge', 'score'] as const),
] as const;

export function addGraph(rag: Command, add: Add): void {
  const command = add(
    rag,
    'graph <name>',
    'show what the documents name, how that hangs together, and when it was; make names one',
    [
      homeOption(),
      new Option('--prefix <text>', 'entities: some word of the name begins with it'),
      new Option('--type <type>', 'entities: of this type of schema.org, such as Person, or one below it'),
      new Option('--from <date>', 'timeline: not before; YYYY, YYYY-MM or YYYY-MM-DD'),
      new Option('--to <date>', 'timeline: not after'),
      new Option('--reason <text>', 'merge: why, for people'),
      new Option('--after <name>', 'entities: go on behind this one'),
      new Option('--offset <n>', 'timeline: pass over so many').argParser(whole(0, 10_000_000)),
      new Option('--limit <n>', 'how many').argParser(whole(1, 1000)).default(40),
      jsonOption(),
    ],
    async () => ({ default: (await import('./commands/rag-graph.ts')).graph }),
  );
  command
    .addArgument(new Argument('[what]', 'what to show or do').choices(GRAPH_VIEWS).default('entities'))
    .addArgument(new Argument('[names...]', 'a name or its key; of merge two; of unmerge a number'));
  examples(
    command,
    'kith rag graph notes',
    'kith rag graph notes entities --type Person --prefix ann',
    'kith rag graph notes show "Ann Lee"',
    'kith rag graph notes timeline --from 1880 --to 1900-06',
    'kith rag graph notes merge "A. Lee" "Ann Lee" --reason "her signature"',
  );
}
