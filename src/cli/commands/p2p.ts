/** `kith p2p ...`: the swarm of the running node. @module cli/commands/p2p */
import { formatBytes, formatCount, formatDuration, formatPlural, systemClock } from '../../base/index.ts';
import type {
  FindView,
  PeersView,
  PeerView,
  ReceiptsView,
  RelayServing,
  SwarmView,
} from '../../server/index.ts';
import type { PeerLink } from '../../swarm/index.ts';
import { runningNode } from '../client.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';

const API = '/kith/v1/swarm';

const reaches: Readonly<Record<SwarmView['reach'], string>> = {
  public: 'the world can dial it',
  relay: 'over a relay only',
  local: 'from this machine or its network only',
  none: 'nobody can dial it; it dials others',
};

const nats: Readonly<Record<NonNullable<SwarmView['nat']>['mapping'], string>> = {
  none: ', its own address',
  independent: ', behind a NAT that keeps its port: WebRTC can cross it',
  dependent: ', behind a symmetric NAT: relays alone can cross it',
  unknown: '',
};

export const info: Handler = async ({ options }) => {
  const view = await (await runningNode(options)).call<SwarmView>('GET', API);
  const code = view.state === 'failed' ? exitCode.degraded : exitCode.ok;
  if (options.json) {
    printJson(view);
    return code;
  }
  const colour = view.state === 'running' ? 'green' : 'yellow';
  print(
    `swarm ${paint(colour, view.state)}${view.message === null ? '' : `: ${plain(asTyped(view.message))}`}`,
  );
  if (view.state === 'off' || view.state === 'failed') {
    print(
      table([
        ['  peer', view.peer],
        ['  did', view.did],
      ]),
    );
    if (view.state === 'off')
      print(asTyped('To take part: kith config set swarm.enabled true, then start the node again.'));
    return code;
  }
  const { network, relay, counters } = view;
  const rows = [
    ['peer', view.peer],
    ['did', view.did],
    [
      'network',
      network.key === null ? `${network.kind}, open` : `${network.kind}, private (key ${network.key})`,
    ],
    ['reach', reaches[view.reach]],
    ...(view.nat?.address == null
      ? []
      : [['seen as', `${plain(view.nat.address)}${nats[view.nat.mapping]}`]]),
    ...view.addresses.map((address, index) => [index === 0 ? 'addresses' : '', plain(address)]),
    ...(view.regions.length === 0 ? [] : [['regions', view.regions.join(', ')]]),
    ['known', `${formatPlural(view.peers, 'peer')}, ${formatPlural(view.records, 'record')}`],
    ['messages', `${formatCount(view.messages)}, ${formatCount(view.unread)} unread`],
  ];
  if (relay.serves !== null)
    rows.push([
      'relay',
      `for ${formatPlural(relay.serves.reservations, 'peer')}${unlimitedText(relay.serves)}`,
    ]);
  if (counters !== null)
    rows.push(
      ['bytes', `${formatBytes(counters.bytesIn)} in, ${formatBytes(counters.bytesOut)} out`],
      ['calls', `${formatCount(counters.callsIn)} in, ${formatCount(counters.callsOut)} out`],
      [
        'refused',
        `${formatPlural(counters.refusedConnections, 'connection')}, ${formatPlural(counters.refusedRequests, 'request')}, ${formatPlural(counters.gossipRefused, 'gossip message')}`,
      ],
    );
  print(table(rows.map(([name, value]) => [`  ${name}`, value!])));
  if (view.links.length > 0) {
    print();
    print(linkTable(view.links));
  }
  return code;
};

function unlimitedText({ unlimited, unlimitedTier }: RelayServing): string {
  if (unlimited) return ', unlimited';
  return unlimitedTier === 'nobody' ? '' : `, unlimited from ${unlimitedTier}`;
}

function linkTable(links: readonly PeerLink[]): string {
  const rows = links.map((link) => [
    link.peer,
    link.direction,
    link.limited ? `limited ${link.path}` : link.path,
    link.rttMs === null ? '-' : formatDuration(link.rttMs),
    formatDuration(systemClock.now() - link.since),
    plain(link.address),
  ]);
  return table([['PEER', 'WAY', 'PATH', 'RTT', 'FOR', 'ADDRESS'], ...rows], [3, 4]);
}

export const probe: Handler = async ({ args, options }) => {
  const target = String(args[0]);
  const count = options.count as number;
  const deadlineMs = options.timeout as number;
  const node = await runningNode(options);
  const link = await node.call<PeerLink>('POST', `${API}/connect`, { body: { target } });
  const path = `${API}/peers/${link.peer}/ping`;
  const times: number[] = [];
  let last: unknown = null;
  for (let done = 1; done <= count; done++) {
    try {
      times.push((await node.call<{ rttMs: number }>('POST', path, { body: { deadlineMs } })).rttMs);
    } catch (error) {
      last = error;
    }
    if (process.stderr.isTTY) process.stderr.write(`\rprobing  ${done} of ${count}\u001b[K`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const { peer, address, direct, encryption } = link;
  const answered = times.length;
  const sorted = [...times].sort((a, b) => a - b);
  const ms =
    answered === 0 ? null : { min: sorted[0]!, median: medianOf(sorted), max: sorted[answered - 1]! };
  if (options.json) printJson({ peer, address, direct, encryption, sent: count, answered, rttMs: ms });
  else {
    print(`${peer} ${direct ? 'directly' : 'over a relay'} at ${plain(address)} (${encryption})`);
    print(
      ms === null
        ? paint('yellow', `no answer in ${formatPlural(count, 'try', 'tries')}`)
        : `${answered} of ${count} answered: ${[ms.min, ms.median, ms.max].map(formatDuration).join(' / ')} (least, median, longest)`,
    );
    if (answered < count && last instanceof Error) say(plain(last.message));
  }
  return answered === 0 ? exitCode.failure : exitCode.ok;
};

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const list: Handler = async ({ options }) => {
  const node = await runningNode(options);
  const told = await node.call<PeersView>('GET', `${API}/peers?limit=${options.limit}`);
  const peers = options.connected ? told.peers.filter((peer) => peer.connected) : told.peers;
  if (options.json) {
    printJson({ peers, more: told.more });
    return;
  }
  if (peers.length === 0) {
    print(options.connected ? 'No peer is connected.' : 'No peer is known.');
    say(
      asTyped(
        'To connect to one: kith p2p connect ADDRESS, with an address that kith p2p info shows on its machine.',
      ),
    );
    return;
  }
  const rows = peers.map((peer) => [
    peer.peer,
    peer.tier,
    peer.banned ? 'banned' : (peer.path ?? '-'),
    peer.rttMs === null ? '-' : formatDuration(peer.rttMs),
    peer.state ?? '-',
    peer.regions.join(',') || '-',
    servesText(peer),
  ]);
  print(table([['PEER', 'TIER', 'PATH', 'RTT', 'STATE', 'REGIONS', 'SERVES'], ...rows], [3]));
  if (told.more > 0) say(`${formatPlural(told.more, 'peer')} more; --limit shows them.`);
};

function servesText({ models, serves }: PeerView): string {
  const parts = models.map(({ id, hash, serves: what, blocks }) => {
    const ranges = blocks.map(([start, end]) => `${start}-${end - 1}`).join(',');
    return `${plain(id ?? hash.slice(0, 12))} (${[...what, ...(ranges === '' ? [] : [ranges])].join(' ') || 'nothing'})`;
  });
  return [...parts, ...serves].join(', ') || '-';
}

export const find: Handler = async ({ args, options }) => {
  if (args[0] === undefined && options.serves === undefined && options.blocks === undefined)
    throw new UsageError(
      asTyped('Name a model, or what else is wanted with --serves. What peers announce: kith p2p peers list'),
    );
  const query = new URLSearchParams();
  if (args[0] !== undefined) query.set('model', String(args[0]));
  const flags = {
    serves: options.serves,
    blocks: options.blocks,
    minTier: options.tier,
    maxLatencyMs: options.latency,
    regions: options.region,
    pledge: options.pledge,
  };
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) query.set(name, String(value));
  const node = await runningNode(options);
  const told = await node.call<FindView>('GET', `${API}/find?${query}`);
  const code = told.found.length === 0 ? exitCode.failure : exitCode.ok;
  if (options.json) {
    printJson(told);
    return code;
  }
  if (told.found.length === 0) print(paint('yellow', 'Nobody serves it under these requirements.'));
  else {
    const rows = told.found.map((one) => [
      one.peer,
      one.tier,
      one.latencyMs === null ? '-' : `${formatDuration(one.latencyMs)} ${one.latencySource}`,
      one.tokensPerSecond === null ? '-' : `${one.tokensPerSecond} tok/s`,
      one.regions.join(',') || '-',
      one.blocks.map(([start, end]) => `${start}-${end - 1}`).join(',') || '-',
    ]);
    print(table([['PEER', 'TIER', 'LATENCY', 'CLAIMS', 'REGIONS', 'BLOCKS'], ...rows]));
  }
  if (told.leftOut.length > 0) {
    print();
    print(
      table([
        ['LEFT OUT', 'REASON', ''],
        ...told.leftOut.map((one) => [one.peer, one.reason, plain(one.detail)]),
      ]),
    );
  }
  if (told.more > 0) say(`${formatPlural(told.more, 'peer')} more.`);
  return code;
};

export const connect: Handler = async ({ args, options }) => {
  const node = await runningNode(options);
  const body = { target: String(args[0]), deadlineMs: options.timeout };
  const link = await node.call<PeerLink>('POST', `${API}/connect`, { body });
  if (options.json) printJson(link);
  else
    print(
      `Connected to ${link.peer} ${link.direct ? 'directly' : 'over a relay'} at ${plain(link.address)}.`,
    );
};

export const disconnect: Handler = async ({ args, options }) => {
  const peer = String(args[0]);
  const node = await runningNode(options);
  const done = await node.call('POST', `${API}/peers/${encodeURIComponent(peer)}/disconnect`);
  if (options.json) printJson(done);
  else print(`Disconnected from ${peer}.`);
};

export const receipts: Handler = async ({ options }) => {
  const query = new URLSearchParams({ limit: String(options.limit) });
  for (const name of ['peer', 'way'] as const)
    if (options[name] !== undefined) query.set(name, String(options[name]));
  const node = await runningNode(options);
  const told = await node.call<ReceiptsView>('GET', `${API}/receipts?${query}`);
  if (options.json) {
    printJson(told);
    return;
  }
  if (told.receipts.length === 0) {
    print('No receipts: this node and its peers did nothing for each other yet.');
    return;
  }
  const rows = told.receipts.map((one) => [
    new Date(one.at).toISOString().slice(0, 16).replace('T', ' '),
    one.way,
    one.peer,
    plain(one.model),
    one.promptTokens === null ? '-' : formatCount(one.promptTokens),
    one.completionTokens === null ? '-' : formatCount(one.completionTokens),
    one.outcome,
  ]);
  print(table([['WHEN (UTC)', 'WAY', 'PEER', 'MODEL', 'READ', 'WRITTEN', 'OUTCOME'], ...rows], [4, 5]));
  say(`${formatPlural(told.total, 'receipt')} in all; --json has the signed bytes.`);
};
