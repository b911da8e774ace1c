/**
 * Where peers see this node: each tells the address that a link came from. One may lie, so that only what three say from
 * addresses of their own, and most of all, counts; and it is shown, never announced.
 *
 * @module swarm/libp2p/observed
 */
import type { Connection, IdentifyResult } from '@libp2p/interface';
import { isLocalAddress, pathOf } from './paths.ts';

const LEAST = 3;
const MAX_OBSERVERS = 64;

export class Observed {
  /** IP address that an observer saw, by the IP address of the observer; the latest last. */
  readonly #seen = new Map<string, string>();

  /** Only links that this node opened count: nobody can add to them by dialling it. */
  onIdentify({ connection, observedAddr }: Pick<IdentifyResult, 'connection' | 'observedAddr'>): void {
    if (observedAddr === undefined || !counts(connection)) return;
    const seen = observedAddr.toString();
    if (pathOf(seen) !== 'tcp' || isLocalAddress(seen)) return;
    const observer = hostOf(connection.remoteAddr.toString());
    this.#seen.delete(observer);
    this.#seen.set(observer, hostOf(seen));
    if (this.#seen.size > MAX_OBSERVERS) this.#seen.delete(this.#seen.keys().next().value!);
  }

  /** The address that at least three, and more than half, of the observers saw. */
  agreed(): string | null {
    const counts = new Map<string, number>();
    for (const address of this.#seen.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    for (const [address, count] of counts) if (count >= LEAST && count * 2 > this.#seen.size) return address;
    return null;
  }
}

function counts({ direction, remoteAddr }: Connection): boolean {
  return direction === 'outbound' && pathOf(remoteAddr.toString()) === 'tcp';
}

function hostOf(address: string): string {
  return address.split('/')[2] ?? '';
}
