/**
 * The commands that look at the gateway of a running node and steer it.
 *
 * @module cli/gateway-commands
 */
import { type Command, Option } from 'commander';
import { PRIVACY_LEVELS } from '../base/index.ts';
import { decimal, homeOption, jsonOption } from './options.ts';
import type { Add, Load } from './program.ts';

export function addGateway(program: Command, add: Add): void {
  const common = () => [homeOption(), jsonOption()];
  const backends = program
    .command('backends')
    .description('look at the backends that answer, and reset them')
    .exitOverride();
  const fromBackends =
    (name: 'list' | 'reset' | 'explain'): Load =>
    async () => ({ default: (await import('./commands/backends.ts'))[name] });
  add(
    backends,
    'list',
    'list the backends of the running node, and how they fare',
    common(),
    fromBackends('list'),
  );
  add(
    backends,
    'reset <name>',
    'ask a backend again that failed or asked for a pause',
    common(),
    fromBackends('reset'),
  );
  add(
    backends,
    'explain [prompt...]',
    'show which backend would answer, and why the others would not',
    [
      homeOption(),
      new Option('-m, --model <id>', 'model or alias that is asked for (default: none)'),
      new Option('--privacy <level>', PRIVACY_LEVELS.join(', ')).choices([...PRIVACY_LEVELS]),
      new Option('--route <wish>', 'auto, local or frontier').choices(['auto', 'local', 'frontier']),
      new Option('--agent <name>', 'agent that it is asked for'),
      new Option('--tools', 'the request offers tools'),
      new Option('--json-schema', 'the request wants JSON by a schema'),
      jsonOption(),
    ],
    fromBackends('explain'),
  );

  const cache = program.command('cache').description('look at kept answers, and remove them').exitOverride();
  const fromCache =
    (name: 'stats' | 'clear'): Load =>
    async () => ({ default: (await import('./commands/cache.ts'))[name] });
  add(
    cache,
    'stats',
    'show how many answers are kept and how often they served',
    common(),
    fromCache('stats'),
  );
  add(
    cache,
    'clear',
    'remove kept answers: all, or those that fit',
    [
      homeOption(),
      new Option('-m, --model <id>', 'only answers of this model'),
      new Option('--older-than <time>', 'only answers older than this: 12h, 7d'),
      jsonOption(),
    ],
    fromCache('clear'),
  );

  const router = program
    .command('router')
    .description('look at the choice between local and frontier model, and steer it')
    .exitOverride();
  const fromRouter =
    (name: 'status' | 'versions' | 'rollback' | 'threshold' | 'refit'): Load =>
    async () => ({ default: (await import('./commands/router.ts'))[name] });
  add(router, 'status', 'show what was learnt, and the thresholds of agents', common(), fromRouter('status'));
  add(router, 'versions', 'list the versions that are kept', common(), fromRouter('versions'));
  add(router, 'rollback <version>', 'use a kept version again', common(), fromRouter('rollback'));
  add(
    router,
    'refit',
    'learn anew from all outcomes; the result is used if it proves better',
    common(),
    fromRouter('refit'),
  );
  const share = (flag: string, description: string) =>
    new Option(`${flag} <x>`, `${description}, 0 to 1`).argParser(decimal(0, 1));
  add(
    router,
    'threshold',
    "show an agent's threshold and its history, or change it",
    [
      homeOption(),
      new Option('--agent <name>', 'agent').default('default'),
      share('--target', 'share of requests that shall go to the frontier model'),
      share('--min', 'lowest threshold'),
      share('--max', 'highest threshold'),
      share('--threshold', 'the threshold itself'),
      jsonOption(),
    ],
    fromRouter('threshold'),
  );
}
