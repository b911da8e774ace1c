/**
 * Counts failed sign-ins per peer address, so that nobody can try keys, or fill the log with tries, at full speed.
 * A valid key is never held up by the failures of others behind the same address.
 *
 * @module server/access/failures
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../base/index.ts';
import { type Bucket, createBucket } from './rate.ts';

/** Failures a minute. */
export const failuresPerMinute = 20;
/** Addresses remembered; the one that failed longest ago is forgotten first. */
const maxPeers = 4096;

export interface Failures {
  /** Notes a failure. Returns the ms to wait when there were too many, else 0. */
  note(address: string): number;
  readonly size: number;
}

export function createFailures(clock: Clock, capacity = maxPeers): Failures {
  const peers = new Map<string, Bucket>();
  return {
    note(address) {
      const peer = peerOf(address);
      const bucket = peers.get(peer) ?? createBucket(failuresPerMinute, clock);
      // A Map keeps the order of insertion: the first is the one that failed longest ago.
      peers.delete(peer);
      if (peers.size >= capacity) peers.delete(peers.keys().next().value!);
      peers.set(peer, bucket);
      const wait = bucket.waitMs();
      if (wait === 0) bucket.take(1);
      return wait;
    },
    get size() {
      return peers.size;
    },
  };
}

/** One host may have all addresses of an IPv6 /64. */
export function peerOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle =
    tail === undefined ? [] : new Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return `${[...front, ...middle, ...back]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
