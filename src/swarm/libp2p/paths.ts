/**
 * The ways to a peer and their order: local network, TCP, WebRTC, relay.
 *
 * libp2p asks only whether an address ends in a relay; here the way counts that bytes take.
 *
 * @module swarm/libp2p/paths
 */
import { BlockList, isIP } from 'node:net';
import type { Address, Connection } from '@libp2p/interface';
import type { PeerLink } from '../types.ts';

const PATHS = ['lan', 'tcp', 'webrtc', 'relay'] as const;
export type Path = (typeof PATHS)[number];

const local = new BlockList();
for (const [address, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  local.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  local.addSubnet(address, bits, 'ipv6');

/**
 * A link over WebRTC has the address of the relay in it that carried its first words, and none of its own; its bytes go
 * directly.
 */
export function pathOf(multiaddr: string): Path {
  if (/\/webrtc(\/|$)/.test(multiaddr)) return 'webrtc';
  if (multiaddr.includes('/p2p-circuit')) return 'relay';
  return isLocalAddress(multiaddr) ? 'lan' : 'tcp';
}

export function isLocalAddress(multiaddr: string): boolean {
  const host = multiaddr.split('/')[2] ?? '';
  const family = isIP(host);
  return family !== 0 && local.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Links over WebRTC on which the peer has said something. libp2p counts one as open on the side that was asked even when
 * the signalling broke off, and then nothing ever comes through it.
 */
const proven = new WeakSet<Connection>();

export function prove(connection: Connection): void {
  proven.add(connection);
}

export function isProven(connection: Connection): boolean {
  return pathOf(connection.remoteAddr.toString()) !== 'webrtc' || proven.has(connection);
}

function rankOf(connection: Connection): number {
  const path = PATHS.indexOf(pathOf(connection.remoteAddr.toString()));
  return path + (connection.limits === undefined ? 0 : PATHS.length);
}

/**
 * The connection that a new stream takes: the best path, the oldest of equals. Never one on which nothing came yet, even
 * where there is no other.
 */
export function bestConnection(connections: readonly Connection[]): Connection | undefined {
  return connections
    .filter((connection) => connection.status === 'open' && isProven(connection))
    .sort((a, b) => rankOf(a) - rankOf(b) || a.timeline.open - b.timeline.open)[0];
}

/**
 * The order in which a peer's addresses are tried. A relay comes before WebRTC, whose failure behind two symmetric NATs
 * takes many seconds to show: the link stands at once, and is made direct afterwards.
 */
export function dialOrder(lan: boolean): (a: Address, b: Address) => -1 | 0 | 1 {
  const order: readonly Path[] = lan ? ['lan', 'tcp', 'relay', 'webrtc'] : ['tcp', 'relay', 'lan', 'webrtc'];
  const rank = (address: Address) => order.indexOf(pathOf(address.multiaddr.toString()));
  return (a, b) => Math.sign(rank(a) - rank(b)) as -1 | 0 | 1;
}

export function linkOf(connection: Connection): PeerLink {
  const address = connection.remoteAddr.toString();
  const path = pathOf(address);
  return {
    peer: connection.remotePeer.toString(),
    address,
    direction: connection.direction === 'inbound' ? 'in' : 'out',
    path,
    direct: path !== 'relay',
    limited: connection.limits !== undefined,
    // WebRTC encrypts by DTLS, with the keys told over the encrypted link through the relay.
    encryption: connection.encryption ?? (path === 'webrtc' ? '/dtls' : 'none'),
    rttMs: connection.rtt ?? null,
    // The node thread's to count.
    lanes: 0,
    since: connection.timeline.open,
  };
}
