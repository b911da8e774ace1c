/**
 * The commands of the swarm: peers, messages, private networks, relays, bans.
 *
 * @module cli/swarm-commands
 */
import { type Command, Option } from 'commander';
import { TIERS } from '../base/index.ts';
import { addHivemind } from './hivemind-commands.ts';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';

export function addSwarm(program: Command, add: Add): void {
  addP2p(program, add);
  addNetwork(program, add);
  addRelay(program, add);
  const fromBans =
    (name: 'ban' | 'unban'): Load =>
    async () => ({ default: (await import('./commands/ban.ts'))[name] });
  examples(
    add(
      program,
      'ban [peer]',
      'cut a peer and refuse it; without a peer, list who is banned',
      [homeOption(), new Option('--for <time>', 'how long: 12h, 30d (default: for good)'), jsonOption()],
      fromBans('ban'),
    ),
    'kith ban 12D3KooW... --for 7d',
    'kith ban',
  );
  examples(
    add(program, 'unban <peer>', 'let a peer connect again', [homeOption(), jsonOption()], fromBans('unban')),
    'kith unban 12D3KooW...',
  );
}

type Messages = 'send' | 'inbox' | 'outbox';
type P2p = 'info' | 'receipts' | 'probe' | 'list' | 'find' | 'connect' | 'disconnect' | Messages;

const isMessages = (name: P2p): name is Messages => ['send', 'inbox', 'outbox'].includes(name);

function addP2p(program: Command, add: Add): void {
  const p2p = program
    .command('p2p')
    .description('look at the swarm, its peers and their messages')
    .exitOverride();
  const load =
    (name: P2p): Load =>
    async () => ({
      default: isMessages(name)
        ? (await import('./commands/messages.ts'))[name]
        : (await import('./commands/p2p.ts'))[name],
    });
  examples(
    add(
      p2p,
      'info',
      'show this node as others see it: PeerId, addresses, links, figures; exit code 3 when the swarm has failed',
      [homeOption(), jsonOption()],
      load('info'),
    ),
    'kith p2p info',
    'kith p2p info --json',
  );
  examples(
    add(
      p2p,
      'probe <target>',
      'connect to a peer if need be and measure the round trip; exit code 1 when no answer comes',
      [
        homeOption(),
        new Option('-n, --count <n>', 'measurements').argParser(whole(1, 1000)).default(5),
        new Option('--timeout <ms>', 'longest wait for each').argParser(whole(100, 60_000)).default(5000),
        jsonOption(),
      ],
      load('probe'),
    ),
    'kith p2p probe 12D3KooW...',
    'kith p2p probe /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW... --count 20',
  );
  examples(
    add(
      p2p,
      'receipts',
      'list the signed receipts of what this node and its peers did for each other',
      [
        homeOption(),
        new Option('--peer <peer>', 'of this peer alone'),
        new Option('--way <way>', 'given: this node answered; got: the peer did').choices(['given', 'got']),
        new Option('--limit <n>', 'receipts at most').argParser(whole(1, 1000)).default(100),
        jsonOption(),
      ],
      load('receipts'),
    ),
    'kith p2p receipts --way got',
    'kith p2p receipts --peer 12D3KooW... --json',
  );
  const peers = p2p.command('peers').description('list peers, find them, connect, send').exitOverride();
  examples(
    add(
      peers,
      'list',
      'list the peers that are connected or announce something',
      [
        homeOption(),
        new Option('--connected', 'only those that are connected'),
        new Option('--limit <n>', 'peers at most').argParser(whole(1, 4096)).default(500),
        jsonOption(),
      ],
      load('list'),
    ),
    'kith p2p peers list --connected',
  );
  for (const parent of [p2p, peers]) addCalls(parent, add, load);
  examples(
    add(
      p2p,
      'inbox [id]',
      'list the messages that peers left; with an id, show that one and mark it as read',
      [
        homeOption(),
        new Option('--unread', 'only those that were not read'),
        new Option('-f, --follow', 'keep printing those that come, until Ctrl-C'),
        new Option('--delete', 'remove the message of that id, or take back one that waits to be delivered'),
        new Option('--limit <n>', 'messages at most').argParser(whole(1, 1000)).default(100),
        jsonOption(),
      ],
      load('inbox'),
    ),
    'kith p2p inbox --unread',
    'kith p2p inbox --follow',
    'kith p2p inbox msg-3f2a...',
    'kith p2p inbox msg-3f2a... --delete',
  );
  add(
    p2p,
    'outbox',
    'list the messages that were sent, and what became of them',
    [
      homeOption(),
      new Option('--limit <n>', 'messages at most').argParser(whole(1, 1000)).default(100),
      jsonOption(),
    ],
    load('outbox'),
  );
  addHivemind(p2p, add);
}

/** What is asked of peers; these stand under `p2p` and, as other nodes have them, under `p2p peers`. */
function addCalls(parent: Command, add: Add, load: (name: P2p) => Load): void {
  examples(
    add(
      parent,
      'find [model]',
      'show who serves a model under these requirements, and why the others do not; exit code 1 when nobody does',
      [
        homeOption(),
        new Option(
          '--serves <what>',
          'chat, embeddings, blocks or storage; without a model only storage (default: chat)',
        ).choices(['chat', 'embeddings', 'blocks', 'storage']),
        new Option('--blocks <range>', 'first and last block, such as 0-11'),
        new Option('--tier <tier>', 'least tier').choices([...TIERS]),
        new Option('--latency <ms>', 'longest round trip and queue').argParser(whole(1, 600_000)),
        new Option('--region <tags>', 'region tags with commas, any of which will do'),
        new Option('--pledge', 'its operator holds a valid FiduciaryPledge'),
        jsonOption(),
      ],
      load('find'),
    ),
    'kith p2p find tinyllama-1.1b-chat --tier verified --latency 200',
    'kith p2p find --serves storage --region eu',
  );
  examples(
    add(
      parent,
      'connect <target>',
      'connect to a PeerId, or to a multiaddr that ends in one',
      [
        homeOption(),
        new Option('--timeout <ms>', 'longest wait').argParser(whole(100, 60_000)).default(15_000),
        jsonOption(),
      ],
      load('connect'),
    ),
    'kith p2p connect /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...',
  );
  add(
    parent,
    'disconnect <peer>',
    'close the connections to a peer; it may come again',
    [homeOption(), jsonOption()],
    load('disconnect'),
  );
  examples(
    add(
      parent,
      'send <peer> [text...]',
      "leave a signed message for a peer's owner; exit code 3 when it waits to be delivered",
      [homeOption(), jsonOption()],
      load('send'),
    ),
    'kith p2p send 12D3KooW... The update is done.',
    'kith p2p send 12D3KooW... < note.txt',
  );
}

function addNetwork(program: Command, add: Add): void {
  const network = program
    .command('network')
    .description('join or leave a private network, whose members have the same key')
    .exitOverride();
  const load =
    (name: 'show' | 'create' | 'join' | 'leave'): Load =>
    async () => ({ default: (await import('./commands/network.ts'))[name] });
  const lan = () => new Option('--lan', 'all members are on one local network: find them by multicast');
  add(network, 'show', 'show which network this node is in', [homeOption(), jsonOption()], load('show'));
  examples(
    add(
      network,
      'create',
      'make the key of a new private network, join it, and say how others do',
      [homeOption(), lan(), jsonOption()],
      load('create'),
    ),
    'kith network create',
  );
  examples(
    add(
      network,
      'join <key>',
      'join a private network by its key file, or its key of 64 hex digits; - reads it from stdin',
      [
        homeOption(),
        new Option(
          '--bootstrap <addresses>',
          'multiaddrs of members with commas; in place of those that are set',
        ),
        lan(),
        jsonOption(),
      ],
      load('join'),
    ),
    'kith network join network.key --bootstrap /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...',
    'ssh friend cat .kith/swarm/network.key | kith network join - --lan',
  );
  add(
    network,
    'leave',
    'leave the private network and switch the swarm off; the key file stays',
    [homeOption(), new Option('--forget', 'remove the key file too'), jsonOption()],
    load('leave'),
  );
}

function addRelay(program: Command, add: Add): void {
  const relay = program
    .command('relay')
    .description('be a relay for others, or be reached over one')
    .exitOverride();
  const load =
    (name: 'show' | 'serve' | 'use'): Load =>
    async () => ({ default: (await import('./commands/relay.ts'))[name] });
  add(
    relay,
    'show',
    'show the relays that this node uses, and whether it is one',
    [homeOption(), jsonOption()],
    load('show'),
  );
  examples(
    add(
      relay,
      'serve',
      'be a relay for others from the next start on',
      [
        homeOption(),
        new Option('--reservations <n>', 'peers that may be reached over it at once').argParser(
          whole(1, 10_000),
        ),
        new Option('--unlimited', 'without bounds of time and bytes: your bandwidth is theirs'),
        new Option('--unlimited-tier <tier>', 'without bounds for peers of this tier and above').choices(
          TIERS,
        ),
        new Option('--min-tier <tier>', 'only for peers of this tier and above').choices(TIERS),
        new Option('--off', 'be none'),
        jsonOption(),
      ],
      load('serve'),
    ),
    'kith relay serve --reservations 16',
    'kith relay serve --min-tier known --unlimited-tier trusted',
    'kith relay serve --off',
  );
  examples(
    add(
      relay,
      'use [address...]',
      'be reached over these relays from the next start on',
      [homeOption(), new Option('--none', 'over none'), jsonOption()],
      load('use'),
    ),
    'kith relay use /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...',
  );
}
