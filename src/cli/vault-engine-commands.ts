/**
 * The commands of engines that owners run (`kith vpk engine`).
 *
 * @module cli/vault-engine-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';

/** `kith vpk engine`: vectors in an engine that the owner runs. */
export function addEngine(vpk: Command, add: Add): void {
  const engine = vpk
    .command('engine')
    .description('keep the vectors of a knowledge base in PostgreSQL with pgvector or in Qdrant of your own')
    .exitOverride();
  type Name = keyof typeof import('./commands/vpk-engine.ts');
  const load = (name: Name) => async () => ({ default: (await import('./commands/vpk-engine.ts'))[name] });
  examples(
    add(
      engine,
      'connect <kb> <url>',
      'put the vectors of a knowledge base into an engine, which sees them as they are; texts lie there sealed',
      [
        homeOption(),
        new Option('--search', 'searches ask it from now on, unless they say --no-engine'),
        new Option('--no-search', 'searches ask it only when they say --engine (the default)'),
        new Option(
          '--secret-stdin',
          'read the password or API key from stdin, so that no list of commands has it',
        ),
        jsonOption(),
      ],
      load('connect'),
    ),
    'kith vpk engine connect notes postgres://kith@db.example/kith --secret-stdin < password.txt',
    'kith vpk engine connect notes https://qdrant.example:6333 --secret-stdin --search < key.txt',
  );
  add(
    engine,
    'sync <kb>',
    'bring the engine up to date: what changed is sent, what is gone is removed',
    [homeOption(), jsonOption()],
    load('sync'),
  );
  add(
    engine,
    'status [kb]',
    'which knowledge bases are connected to which engines; of one, what its engine says',
    [homeOption(), jsonOption()],
    load('status'),
  );
  examples(
    add(
      engine,
      'search <kb> <question...>',
      'search by the engine alone',
      [
        homeOption(),
        new Option('--k <n>', 'how many passages').argParser(whole(1, 50)).default(10),
        new Option('--exact', 'compare with every vector there'),
        new Option('--verbose', 'show times, and who learned what'),
        jsonOption(),
      ],
      load('search'),
    ),
    'kith vpk engine search notes "Where is the blue notebook?"',
  );
  add(
    engine,
    'disconnect <kb>',
    'connect it no longer; the knowledge base itself stays',
    [homeOption(), new Option('--drop', 'remove what the engine has first'), jsonOption()],
    load('disconnect'),
  );
}
