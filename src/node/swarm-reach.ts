/**
 * Who can dial a node, as far as its own addresses tell.
 *
 * @module node/swarm-reach
 */
import { BlockList, isIP } from 'node:net';
import type { Reach } from '../server/index.ts';

/** Not of the public Internet: RFC 6890 and its like. */
const local = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  local.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  ['2001:db8::', 32],
] as const)
  local.addSubnet(address, bits, 'ipv6');

/** @param addresses multiaddrs that others are told */
export function reachOf(addresses: readonly string[]): Reach {
  let best: Reach = 'none';
  for (const address of addresses) {
    const [, kind, host = ''] = address.split('/');
    if (address.includes('/p2p-circuit')) best = best === 'public' ? best : 'relay';
    else if (kind?.startsWith('dns') || (isIP(host) !== 0 && !isLocal(host))) best = 'public';
    else if (best === 'none') best = 'local';
  }
  return best;
}

function isLocal(host: string): boolean {
  // A list takes an IPv4 address and its IPv6 form for the same, in both directions.
  return local.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
