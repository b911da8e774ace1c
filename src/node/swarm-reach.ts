/**
 * Who can dial a node, as far as its own addresses tell.
 *
 * @module node/swarm-reach
 */
import { isIP } from 'node:net';
import { isPublicAddress } from '../base/index.ts';
import type { Reach } from '../server/index.ts';

/** @param addresses multiaddrs that others are told */
export function reachOf(addresses: readonly string[]): Reach {
  let best: Reach = 'none';
  for (const address of addresses) {
    const [, kind, host = ''] = address.split('/');
    if (address.includes('/p2p-circuit')) best = best === 'public' ? best : 'relay';
    else if (kind?.startsWith('dns') || (isIP(host) !== 0 && isPublicAddress(host))) best = 'public';
    else if (best === 'none') best = 'local';
  }
  return best;
}
