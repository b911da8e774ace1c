/**
 * The commands about trust: what this node thinks of its peers, and who may vouch for them.
 *
 * @module cli/trust-commands
 */
import { type Command, Option } from 'commander';
import { homeOption, jsonOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';

const words = (text: string, before: readonly string[] = []) => [...before, ...text.split(',')];

export function addTrust(program: Command, add: Add): void {
  const reputation = program
    .command('reputation')
    .description('show how far this node trusts its peers, and why')
    .exitOverride();
  const fromReputation =
    (name: 'list' | 'show' | 'reset' | 'endorse' | 'unendorse'): Load =>
    async () => ({ default: (await import('./commands/reputation.ts'))[name] });
  add(
    reputation,
    'list',
    'list the peers that this node knows, with score and tier',
    [homeOption(), jsonOption()],
    fromReputation('list'),
  );
  add(
    reputation,
    'show <peer>',
    'explain the score of a peer term by term',
    [homeOption(), jsonOption()],
    fromReputation('show'),
  );
  add(
    reputation,
    'reset <peer>',
    'forget what was seen of a peer, incidents included',
    [homeOption(), new Option('-y, --yes', 'do not ask'), jsonOption()],
    fromReputation('reset'),
  );
  add(
    reputation,
    'endorse <peer>',
    'sign an endorsement of a peer, to be handed to it; its misconduct then costs this node too',
    [
      homeOption(),
      new Option(
        '--interactions <n>',
        'how often you dealt with it (default: as often as this node did)',
      ).argParser(whole(1, 1_000_000)),
      new Option('--valid-for <time>', 'how long it counts, such as 30d (default: 90d, the longest)'),
      new Option('-o, --out <file>', 'file to write to (default: stdout)'),
      jsonOption(),
    ],
    fromReputation('endorse'),
  );
  add(
    reputation,
    'unendorse <peer>',
    'end the endorsement of a peer here; others count it until its own end',
    [homeOption(), jsonOption()],
    fromReputation('unendorse'),
  );

  const policy = program
    .command('policy')
    .description('say who may vouch for peers; kept in trust/policy.yaml')
    .exitOverride();
  const issuer = policy
    .command('issuer')
    .description('list, add and remove issuers whose credentials count')
    .exitOverride();
  const fromPolicy =
    (name: 'add' | 'remove' | 'list'): Load =>
    async () => ({ default: (await import('./commands/policy.ts'))[name] });
  const typeOption = (description: string) => new Option('--type <list>', description).argParser(words);
  add(
    issuer,
    'add <issuer>',
    'accept credentials of an issuer: a did:key or PeerId',
    [
      homeOption(),
      typeOption('types of credential, with commas, such as VerifiedNode,Uptime').makeOptionMandatory(),
      new Option('--not-before <date>', 'accept none before, such as 2026-11-21'),
      new Option('--not-after <date>', 'accept none from then on'),
      jsonOption(),
    ],
    fromPolicy('add'),
  );
  add(
    issuer,
    'remove <issuer>',
    'accept no credentials of an issuer any more, or none of some types',
    [homeOption(), typeOption('only these types, with commas (default: all)'), jsonOption()],
    fromPolicy('remove'),
  );
  add(
    issuer,
    'list',
    'list the issuers that count, and the roots',
    [homeOption(), jsonOption()],
    fromPolicy('list'),
  );
}
