/**
 * IP addresses of links, and where to listen for more from there.
 *
 * @module swarm/libp2p/addresses
 */
import { isIP } from 'node:net';
import type { Connection } from '@libp2p/interface';
import { isLocalAddress, linkOf } from './paths.ts';

/** Where a node listens when its owner says nothing. */
export const LISTEN = ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001'];

/** IPv4 addresses in the form of IPv6 as what they are. */
export function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** The IP address that a multiaddr begins with; null when it begins with something else. */
export function addressOf(multiaddr: string): string | null {
  const address = plainAddress(/^\/ip[46]\/([^/]+)\//.exec(multiaddr)?.[1] ?? '');
  return isIP(address) === 0 ? null : address;
}

/**
 * The address of this machine to listen on for somebody at `remote`: one that the owner listens on already, or null.
 * `listen` are multiaddrs.
 */
export function listenFor(remote: string, listen: readonly string[]): string | null {
  const hosts = listen
    .filter((address) => address.includes('/tcp/'))
    .map(addressOf)
    .filter((host) => host !== null && isIP(host) === isIP(remote)) as string[];
  const any = hosts.find((host) => host === '0.0.0.0' || host === '::');
  return any ?? hosts.find((host) => kindOf(host) === kindOf(remote)) ?? null;
}

function kindOf(address: string): 'loopback' | 'local' | 'public' {
  if (address === '::1' || address.startsWith('127.')) return 'loopback';
  return isLocalAddress(`/ip${isIP(address)}/${address}/`) ? 'local' : 'public';
}

export interface LanePath {
  /** IP addresses at which the peer's direct TCP links end, best first. */
  readonly addresses: readonly string[];
  /** Address of this machine to listen on; null without one. */
  readonly listen: string | null;
}

/**
 * Where a lane may stand beside these links: a relay or WebRTC has no place for one, and a link that the peer dialled over
 * the Internet tells where its router is, not where the peer listens. `asking`: this node is to connect.
 */
export function lanePath(
  connections: readonly Connection[],
  asking: boolean,
  listen: readonly string[],
): LanePath | null {
  const addresses = connections
    .filter(({ status }) => status === 'open')
    .map(linkOf)
    .filter(({ path, limited }) => !limited && (path === 'lan' || path === 'tcp'))
    .filter(({ path, direction }) => !asking || path === 'lan' || direction === 'out')
    .map(({ address }) => addressOf(address))
    .filter((address) => address !== null);
  return addresses.length === 0 ? null : { addresses, listen: listenFor(addresses[0]!, listen) };
}
