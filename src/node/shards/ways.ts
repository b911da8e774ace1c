/**
 * The ways to peers: how long a message takes there and back, and how many bytes go through. A peer that is asked gives back as
 * many bytes as it got, so that nobody is made to send more than who asks.
 *
 * @module node/shards/ways
 */
import type { Clock, Logger } from '../../base/index.ts';
import { isKithError } from '../../base/index.ts';
import type { WayView } from '../../server/index.ts';
import type { Swarm } from '../../swarm/index.ts';

export const WAY_METHOD = '/kith/shard-way/1';
/** What a prompt's piece has: 128 rows of 512 values. */
const BYTES = 256 * 1024;
const PINGS = 5;
const TRIES = 3;
const DEADLINE_MS = 5_000;

/** Answers peers that measure. Bytes and calls count against what the gate lets each of them use. */
export function answerWays(swarm: Pick<Swarm, 'handle'>): Disposable {
  return swarm.handle(WAY_METHOD, {
    caps: { maxPayloadBytes: BYTES, maxMetadataBytes: 64, maxConcurrent: 1 },
    handler: ({ payload }) => ({ payload: new Uint8Array(payload.length) }),
  });
}

/** Those of the peers that answer; one after the other, for they share this node's line. */
export async function measureWays(
  swarm: Pick<Swarm, 'ping' | 'call'>,
  peers: readonly string[],
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<WayView[]> {
  const ways: WayView[] = [];
  for (const peer of peers) {
    try {
      const rtts: number[] = [];
      for (let i = 0; i < PINGS; i++) rtts.push(await swarm.ping(peer, { signal, deadlineMs: DEADLINE_MS }));
      const rttMs = medianOf(rtts);
      ways.push({
        peer,
        at: clock.now(),
        rttMs,
        bytesPerSecond: await rateOf(swarm, peer, rttMs, clock, signal),
      });
    } catch (error) {
      if (signal.aborted || !isKithError(error)) throw error;
      log.debug('the way to a peer was not measured', { peer, code: error.code });
    }
  }
  return ways;
}

/** Null: the peer does not answer such calls. */
async function rateOf(
  swarm: Pick<Swarm, 'call'>,
  peer: string,
  rttMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | null> {
  const times: number[] = [];
  try {
    for (let i = 0; i < TRIES; i++) {
      const begun = clock.monotonic();
      const options = { signal, deadlineMs: DEADLINE_MS, maxReplyBytes: BYTES };
      const { payload } = await swarm.call(peer, WAY_METHOD, {}, new Uint8Array(BYTES), options);
      if (payload.length !== BYTES) return null;
      times.push(clock.monotonic() - begun);
    }
  } catch (error) {
    if (signal.aborted || !isKithError(error)) throw error;
    return null;
  }
  // Half of the time beside the way itself is one direction's.
  return BYTES / (Math.max(0.1, medianOf(times) - rttMs) / 2 / 1000);
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
