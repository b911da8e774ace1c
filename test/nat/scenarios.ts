/**
 * What nodes behind NATs must manage, each on a lab of its own.
 *
 * @module test/nat/scenarios
 */
import { discovery } from './discovery.ts';
import { NodeError, NodeProcess } from './process.ts';
import type { Report } from './report.ts';
import { A, B, RELAYS, settled, World } from './world.ts';

const KB16 = 16 * 1024;
const MB4 = 4 * 1024 * 1024;
const STEPS = 50;
const BULKS = 7;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof NodeError ? (error.code ?? error.message) : String(error);
  }
}

async function figures(report: Report, a: NodeProcess, b: string, what: string): Promise<void> {
  await a.do('call', b, KB16, 10);
  report.trips(`call, 16 KB and back, ${what}`, await a.do('call', b, KB16, STEPS), KB16);
  report.trips(`session step, 16 KB and back, ${what}`, await a.do('steps', KB16, STEPS), KB16);
  await a.do('steps', MB4, 2);
  report.trips(`session step, 4 MB and back, ${what}`, await a.do('steps', MB4, BULKS), MB4);
}

async function direct(report: Report): Promise<void> {
  await using world = new World('direct');
  await world.startRelays([A, B]);
  const [a, b] = await world.pair('preserving', 'preserving');
  const nat = await a.do('nat');
  report.holds('A learns its public address', nat.address === '45.83.0.101', nat);
  report.holds('A learns that its NAT keeps the port', nat.mapping === 'independent', nat);
  report.holds(
    'B tells an address over each relay',
    (await b.do('info')).addresses.filter((one) => one.includes('/p2p-circuit')).length >= 2,
    (await b.do('info')).addresses,
  );
  const dialled = await a.do('dial', world.over(0, b));
  report.ms('dial over the relay', dialled.ms);
  report.holds('the link says that it is relayed', !dialled.link.direct, dialled.link);
  report.ms('direct by WebRTC, after the relayed link', await a.do('path', b.peer, 'webrtc', 40_000));
  const links = await a.do('links');
  const link = links.find(({ path }) => path === 'webrtc');
  report.holds('the direct link says so, unlimited', link?.direct === true && !link.limited, links);
  await b.do('path', a.peer, 'webrtc', 10_000);
  await a.do('open', b.peer);
  const before = world.lab.traffic(world.relays[0]!);
  await figures(report, a, b.peer, 'direct');
  const passed = world.lab.traffic(world.relays[0]!) - before;
  report.figure('bytes at the relay meanwhile', `${(passed / 1000).toFixed(0)} kB`);
  report.holds('the relay carries none of it', passed < 200_000, passed);
  await b.do('call', a.peer, KB16, 3);
  report.ms('the relayed link is closed, after', await a.do('only', b.peer, 'webrtc', 20_000));
  await Promise.all(world.relayNodes.map((node) => node.kill()));
  report.trips('session step, 16 KB, both relays killed', await a.do('steps', KB16, STEPS), KB16);
  await settled(20_000);
  report.trips('session step, 16 KB, 20 s later', await a.do('steps', KB16, STEPS), KB16);
  report.trips('call back from B, 16 KB', await b.do('call', a.peer, KB16, 5), KB16);
}

async function symmetric(report: Report): Promise<void> {
  await using world = new World('symm');
  await world.startRelays([A, B]);
  const [a, b] = await world.pair('symmetric', 'symmetric');
  const nat = await a.do('nat');
  report.holds('A learns that its NAT is symmetric', nat.mapping === 'dependent', nat);
  const dialled = await a.do('dial', world.over(0, b));
  report.ms('dial over the relay', dialled.ms);
  report.holds('a trusted host has no limits there', !dialled.link.limited, dialled.link);
  await a.do('open', b.peer);
  const before = world.lab.traffic(world.relays[0]!);
  await figures(report, a, b.peer, 'relayed');
  const passed = world.lab.traffic(world.relays[0]!) - before;
  report.figure('bytes at the relay meanwhile', `${(passed / 1e6).toFixed(0)} MB`);
  report.holds('the relay carries all of it', passed > 2 * 2 * BULKS * MB4, passed);
  await settled(25_000);
  const links = (await a.do('links')).filter(({ peer }) => peer === b.peer);
  report.holds(
    'after the attempt at WebRTC the link is the relay, and says so',
    links.length > 0 && links.every((link) => link.path === 'relay' && !link.direct),
    links,
  );
  report.trips('session step, 16 KB, still relayed', await a.do('steps', KB16, STEPS), KB16);
  const [, second] = (await b.do('info')).addresses.filter((one) => one.includes('/p2p-circuit'));
  report.figure('B tells a second way', second === undefined ? 'no' : 'yes');
  await world.relayNodes[0]!.kill();
  const began = performance.now();
  const code = await codeOf(a.do('steps', KB16, 1));
  report.ms('the session ends with an error, after the relay died', performance.now() - began);
  report.holds('the error is typed', code === 'swarm_reset', code);
  const again = performance.now();
  const timing = await a.do('call', b.peer, KB16, 1);
  report.ms('first answer over the second relay, from the call on', performance.now() - again);
  report.holds('the way is the second relay', timing.path === 'relay', timing);
  await a.do('open', b.peer);
  report.trips('session step, 16 KB, over the second relay', await a.do('steps', KB16, STEPS), KB16);
  await world.relayNodes[1]!.kill();
  const gone = await codeOf(a.do('call', b.peer, KB16, 1).then(() => a.do('call', b.peer, KB16, 1)));
  report.holds(
    'with both relays dead the error is typed',
    /^swarm_(unreachable|reset|timeout)$/.test(gone),
    gone,
  );
}

async function mixed(report: Report): Promise<void> {
  await using world = new World('mixed');
  await world.startRelays([A, B]);
  const [a, b] = await world.pair('preserving', 'symmetric');
  report.ms('dial over the relay', (await a.do('dial', world.over(0, b))).ms);
  report.trips('call, 16 KB, at once', await a.do('call', b.peer, KB16, STEPS), KB16);
  await settled(25_000);
  report.trips('call, 16 KB, after 25 s', await a.do('call', b.peer, KB16, STEPS), KB16);
}

async function strangers(report: Report): Promise<void> {
  await using world = new World('strange');
  await world.startRelays([A]);
  const [a, b] = await world.pair('symmetric', 'symmetric');
  const { link } = await a.do('dial', world.over(0, b));
  report.holds('a host that the relay does not trust is limited', link.limited, link);
  report.trips('call, 1 KB, within the limit', await a.do('call', b.peer, 1024, 10), 1024);
  const code = await codeOf(a.do('call', b.peer, MB4, 1));
  report.holds('4 MB break the limit with a typed error', code === 'swarm_reset', code);
  const began = performance.now();
  await a.do('call', b.peer, 1024, 1);
  report.ms('A calls anew, 1 KB, from the call on', performance.now() - began);
  const back = await b.do('dial', world.over(1, a));
  report.holds('the other way, to the trusted host, is not limited', !back.link.limited, back.link);
  report.trips('call to it, 4 MB', await b.do('call', a.peer, MB4, 1), MB4);
}

async function comeback(report: Report): Promise<void> {
  await using world = new World('back');
  await world.startRelays([A, B]);
  const [a, b] = await world.pair('symmetric', 'symmetric');
  await a.do('dial', world.over(0, b));
  const relay = world.relays[0]!;
  await world.relayNodes[0]!.kill();
  world.relayNodes[0] = await NodeProcess.start(relay.space, {
    seed: RELAYS[0],
    options: {
      listen: ['/ip4/0.0.0.0/tcp/4001'],
      announce: [`/ip4/${relay.address}/tcp/4001`],
      relay: { serve: {} },
    },
  });
  const began = performance.now();
  for (;;) {
    const { addresses } = await b.do('info');
    if (addresses.some((one) => one.includes(`/ip4/${relay.address}/`))) break;
    if (performance.now() - began > 60_000) throw new Error('B never reserved on the relay again.');
    await settled(100);
  }
  report.ms('B reserves again on a relay that was killed and came back', performance.now() - began);
  const code = await codeOf(a.do('dial', world.over(0, b)));
  report.holds('A dials B over it', code === 'no error', code);
  report.trips('call, 1 KB', await a.do('call', b.peer, 1024, 10), 1024);
}

export const SCENARIOS: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  'direct: both NATs keep the port': direct,
  'symmetric: both NATs give every destination another port': symmetric,
  'mixed: one NAT of each kind': mixed,
  'strangers: the relay does not trust one of them': strangers,
  'comeback: a relay is killed and starts again': comeback,
  ...discovery,
};
