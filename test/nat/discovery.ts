/**
 * How nodes come to addresses and to each other: a router that is asked to map a port, a local network, IPv6, peers that
 * tell a node where it is seen.
 *
 * @module test/nat/discovery
 */
import { whyNoIgd } from './lab.ts';
import type { NodeProcess } from './process.ts';
import type { Report } from './report.ts';
import { A, B, settled, World } from './world.ts';

const KB16 = 16 * 1024;
const MB4 = 4 * 1024 * 1024;
const LISTEN = ['/ip4/0.0.0.0/tcp/4001'];

async function figures(report: Report, from: NodeProcess, to: string, what: string): Promise<void> {
  await from.do('call', to, KB16, 5);
  report.trips(`call, 16 KB and back, ${what}`, await from.do('call', to, KB16, 50), KB16);
  report.trips(`call, 4 MB and back, ${what}`, await from.do('call', to, MB4, 5), MB4);
}

async function upnp(report: Report): Promise<void> {
  const why = whyNoIgd();
  if (why !== null) {
    report.skipped(why);
    return;
  }
  await using world = new World('upnp');
  const server = world.lab.server('outside', 3);
  const outside = await world.start(server.space, 3, { listen: LISTEN });
  const home = world.lab.home('b', 2, 'forwarding');
  const b = await world.start(home.space, B, { listen: LISTEN, upnp: true });
  const mapped = `/ip4/${home.outside}/tcp/`;
  report.ms('the router has mapped the port, and B tells the address', await b.do('address', mapped, 60_000));
  const forwards = world.lab.forwards('b');
  report.holds('the router leads it to B', forwards.includes(`${home.address}:4001`), forwards);
  const address = (await b.do('info')).addresses.find((one) => one.startsWith(mapped))!;
  const { link, ms } = await outside.do('dial', address);
  report.ms('dial from outside, to the router', ms);
  report.holds('the link is direct, over TCP', link.direct && link.path === 'tcp', link);
  await figures(report, outside, b.peer, 'from outside');
  const a = await world.start(world.lab.home('a', 1, 'symmetric').space, A, { listen: LISTEN });
  const other = await a.do('dial', address);
  report.holds('a host behind a symmetric NAT reaches B directly', other.link.path === 'tcp', other.link);
  await b.do('close');
  const left = world.lab.forwards('b');
  report.holds('B takes the mapping back when it ends', !left.includes(home.address), left);
}

async function lan(report: Report): Promise<void> {
  await using world = new World('lan');
  const [first, second] = world.lab.neighbours(2);
  const options = { listen: LISTEN, network: 'lan', mdns: true } as const;
  const a = await world.start(first!.space, A, options);
  const b = await world.start(second!.space, B, options);
  const found = await a.do('found', b.peer, 60_000);
  report.ms('A and B are linked, after the start of B; nobody told either', found.ms);
  const { link } = await b.do('found', a.peer, 5000);
  const near = (one: typeof link) => one.path === 'lan' && one.direct && one.address.includes('192.168.88.');
  report.holds('the link is direct, over the local network', near(found.link) && near(link), [
    found.link,
    link,
  ]);
  await figures(report, a, b.peer, 'over the local network');
  await b.kill();
  const again = await world.start(second!.space, B, options);
  const back = await a.do('found', again.peer, 60_000);
  report.ms('B was killed and started again: linked after', back.ms);
}

async function six(report: Report): Promise<void> {
  await using world = new World('six');
  const [first, second] = world.lab.neighbours(2);
  const options = { listen: ['/ip6/::/tcp/4001'], network: 'lan' } as const;
  const a = await world.start(first!.space, A, options);
  const b = await world.start(second!.space, B, options);
  const address = (await b.do('info')).addresses.find((one) => one.startsWith(`/ip6/${second!.ip6}/`));
  report.holds('B tells its IPv6 address', address !== undefined, (await b.do('info')).addresses);
  const { link, ms } = await a.do('dial', `/ip6/${second!.ip6}/tcp/4001/p2p/${b.peer}`);
  report.ms('dial', ms);
  report.holds('the link goes over IPv6, and says that it is local', link.path === 'lan', link);
  const back = (await b.do('found', a.peer, 30_000)).link;
  report.holds('B sees the address of A', back.address.includes(first!.ip6), back);
  await figures(report, a, b.peer, 'over IPv6');
  const both = await world.start(first!.space, 3, {
    listen: ['/ip4/0.0.0.0/tcp/4002', '/ip6/::/tcp/4002'],
    network: 'lan',
  });
  const told = (await both.do('info')).addresses;
  report.holds(
    'a node that listens on both tells both',
    [first!.ip4, first!.ip6].every((ip) => told.some((one) => one.includes(`/${ip}/tcp/4002`))),
    told,
  );
}

async function reflectors(report: Report): Promise<void> {
  await using world = new World('seen');
  const peers = await Promise.all(
    [3, 4, 5].map((number) => {
      const { space, address } = world.lab.server(`peer${number}`, number);
      return world.start(space, number, { listen: LISTEN, announce: [`/ip4/${address}/tcp/4001`] });
    }),
  );
  const home = world.lab.home('a', 1, 'preserving');
  const a = await world.start(home.space, A, { listen: LISTEN });
  const addresses = await Promise.all(peers.map(async (peer) => (await peer.do('info')).addresses[0]!));
  await a.do('dial', addresses[0]!);
  await settled(1000);
  const one = await a.do('nat');
  report.holds('what one peer says is not believed', one.address === null, one);
  for (const address of addresses.slice(1)) await a.do('dial', address);
  const seen = await a.do('seen', 60_000);
  report.holds('what three say is, without any server of STUN', seen.address === home.outside, seen);
  report.holds('nothing is said of the kind of NAT', seen.mapping === 'unknown', seen);
  const [server] = peers;
  const own = await server!.do('nat');
  report.holds('a server hears nothing of NATs from its own links', own.mapping === 'unknown', own);
}

export const discovery: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  'upnp: a router that maps ports for who asks': upnp,
  'lan: two hosts on one local network, by multicast': lan,
  'ipv6: two hosts with IPv6 addresses': six,
  'reflectors: peers tell a node where they see it': reflectors,
};
