/**
 * Peers to whom a lane did not come about: they are not asked again for a while that grows, so that a firewall costs one try
 * and not one for each session. Also which peers are asked so much that calls are worth a lane.
 *
 * @module swarm/lane/rest
 */
import type { Clock } from '../../base/index.ts';

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
const MAX_PEERS = 1024;
/** So many bytes within the span, a call counting as some at least, are worth a lane. */
const WORTH_BYTES = 256 * 1024;
const LEAST_BYTES = 4096;
const SPAN_MS = 10_000;

function bounded<T>(map: Map<string, T>, peer: string, value: T): void {
  map.delete(peer);
  map.set(peer, value);
  if (map.size > MAX_PEERS) map.delete(map.keys().next().value!);
}

export class Rest {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #resting = new Map<string, { until: number; ms: number }>();
  readonly #traffic = new Map<string, { since: number; bytes: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  failed(peer: string): void {
    const ms = Math.min(LONGEST_MS, (this.#resting.get(peer)?.ms ?? FIRST_MS / 2) * 2);
    bounded(this.#resting, peer, { until: this.#clock.monotonic() + ms, ms });
  }

  rests(peer: string): boolean {
    const rest = this.#resting.get(peer);
    return rest !== undefined && rest.until > this.#clock.monotonic();
  }

  /** A lane stands, or the peer came anew. */
  forget(peer: string): void {
    this.#resting.delete(peer);
  }

  /** Counts a call's bytes; true when the peer's calls are worth a lane. */
  busy(peer: string, bytes: number): boolean {
    const now = this.#clock.monotonic();
    let seen = this.#traffic.get(peer);
    if (seen === undefined || now - seen.since > SPAN_MS) {
      seen = { since: now, bytes: 0 };
      bounded(this.#traffic, peer, seen);
    }
    seen.bytes += Math.max(bytes, LEAST_BYTES);
    return seen.bytes >= WORTH_BYTES;
  }
}
