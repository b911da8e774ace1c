/**
 * The commands that share knowledge bases with peers.
 *
 * @module cli/rag-share-commands
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from './duration.ts';
import { examples, homeOption, jsonOption } from './options.ts';
import type { Add, Load } from './program.ts';

type Name = 'give' | 'list' | 'revoke' | 'accept' | 'forget';

const several = (option: Option) =>
  option.argParser((text: string, before: string[] = []) => [...before, text]);

/** As the routes take it. */
const MOST_DEADLINE_MS = 60_000;

function deadline(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms > MOST_DEADLINE_MS)
    throw new InvalidArgumentError('It must be a span of time from 1s to 60s, or 1m.');
  return ms;
}

/** Options of a question to several knowledge bases. */
export const federatedOptions = () => [
  new Option(
    '--deadline <time>',
    'with several knowledge bases: what takes longer is left out, 1s to 60s (default: 10s)',
  ).argParser(deadline),
  new Option(
    '--privacy <level>',
    'with knowledge bases of peers: where the question may go; local asks no peer (gateway.privacy holds where it is stricter)',
  )
    .choices(['local', 'minimum', 'medium', 'maximum'])
    .default('minimum'),
];

export function addRagShare(rag: Command, add: Add): void {
  const share = rag
    .command('share')
    .description('let peers search a knowledge base, or a part of it')
    .exitOverride();
  const load =
    (name: Name): Load =>
    async () => ({ default: (await import('./commands/rag-share.ts'))[name] });
  examples(
    add(
      share,
      'give <name>',
      'give a peer a grant, a line of text to send to its owner; `give` may be left out',
      [
        homeOption(),
        new Option('--with <peer>', 'PeerId or did:key of the peer'),
        new Option('--rights <list>', 'what it may, with commas: search (get passages), answer (get answers)')
          .argParser((text: string) => text.split(','))
          .default(['search'], 'search'),
        new Option('--expires <time>', 'how long it holds: 12h, 30d, 1y').default('30d'),
        several(
          new Option('--path <path>', 'show only this document, or the folder it begins with (ending in /)'),
        ),
        several(new Option('--tag <tag>', 'show only documents with this tag')),
        jsonOption(),
      ],
      load('give'),
      { isDefault: true },
    ),
    'kith rag share notes --with 12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pn',
    'kith rag share notes --with 12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pn --path Notes/open/ --expires 7d',
  );
  add(
    share,
    'list',
    'list what is shared, with whom, and why somebody was refused',
    [homeOption(), jsonOption()],
    load('list'),
  );
  add(
    share,
    'revoke <grant>',
    'end a grant at once, also for questions under way',
    [homeOption(), jsonOption()],
    load('revoke'),
  );
  examples(
    add(
      share,
      'accept [line]',
      'accept a grant: its line, a file with it, or all that a peer shares with this node',
      [homeOption(), new Option('--from <peer>', 'ask this peer'), jsonOption()],
      load('accept'),
    ),
    'kith rag share accept grant.txt',
  );
  add(
    share,
    'forget <grant>',
    'forget a grant that was accepted',
    [homeOption(), jsonOption()],
    load('forget'),
  );
}
