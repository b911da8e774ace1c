/**
 * Calls and sessions of one node with all its peers: streams for calls are kept open and shared, one for each session.
 *
 * @module swarm/rpc/endpoint
 */
import type { Clock } from '../../base/index.ts';
import type { Channel } from './channel.ts';
import { type WireError, wayErrors } from './errors.ts';
import type { StreamContext } from './framed-stream.ts';
import { type Acceptor, InboundStream, Running } from './inbound.ts';
import { Opening, type OpeningEvents } from './opening.ts';
import { type CallOut, OutboundStream } from './outbound.ts';
import type { SessionCaps, SessionEnd } from './session-end.ts';

/** Streams for calls to one peer. */
const MAX_STREAMS = 4;
/** Waiting calls, or bytes, on the freest stream that make another worth its round trip. */
const BUSY_CALLS = 4;
const BUSY_BYTES = 64 * 1024;
/** Ms after which a stream without calls is closed. */
export const IDLE_MS = 60_000;
const OPEN_MS = 15_000;

export interface EndpointOptions extends StreamContext {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly acceptor: Acceptor;
  /** Whether a call that finds its stream dead is asked again on a new one. @default true */
  readonly again?: boolean;
  /** A new stream of the call protocol to the peer, over a link that stands or a new one. */
  openStream(peer: string, signal: AbortSignal): Promise<Channel>;
}

export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #pools = new Map<string, OutboundStream[]>();
  readonly #opening = new Map<string, Promise<OutboundStream>>();
  /** Streams that take no more calls. */
  readonly #retired = new Set<OutboundStream>();
  readonly #running = new Running();

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** A peer opened a stream. */
  accept(channel: Channel, peer: string): void {
    const { gate, counters, limits, acceptor } = this.#options;
    new InboundStream(channel, peer, {
      gate,
      counters,
      limits,
      acceptor,
      running: this.#running,
    });
  }

  /** The signal gives up the way there; the function given to `started` cancels the call once it has left. */
  async call(
    peer: string,
    call: CallOut,
    signal: Pick<AbortSignal, 'aborted'>,
    started: (cancel: () => void) => void,
  ): Promise<void> {
    let reused = false;
    const begin = this.#options.clock.monotonic();
    const left = () =>
      call.deadlineMs === 0
        ? 0
        : Math.max(1, Math.round(call.deadlineMs - (this.#options.clock.monotonic() - begin)));
    const attempt = async (again: boolean): Promise<void> => {
      const standing = this.#freest(peer);
      reused = standing !== undefined;
      const stream = standing ?? (await this.#open(peer));
      if (signal.aborted) return;
      started(
        stream.call({
          ...call,
          deadlineMs: left(),
          // A copy stays for the second attempt only while one is possible and cheap.
          payload: call.payload,
          failed: (error) => {
            // The stream stood from before and was dead already: the same call under the same id is safe to repeat.
            if (
              again &&
              reused &&
              error.code === 'swarm_reset' &&
              !signal.aborted &&
              call.payload === undefined
            )
              attempt(false).catch((reason: Error) => call.failed(wayErrors.unreachable(reason.message)));
            else call.failed(error);
          },
        }),
      );
    };
    try {
      await attempt(this.#options.again ?? true);
    } catch (error) {
      call.failed(wayErrors.unreachable((error as Error).message));
    }
  }

  async openSession(
    peer: string,
    envelope: Uint8Array,
    caps: SessionCaps,
    signal: AbortSignal,
    events: OpeningEvents,
  ): Promise<SessionEnd | WireError> {
    let channel: Channel;
    try {
      channel = await this.#options.openStream(peer, signal);
    } catch (error) {
      return wayErrors.unreachable((error as Error).message);
    }
    return new Opening(channel, peer, envelope, caps, this.#options, events).session;
  }

  async ping(peer: string, signal: AbortSignal): Promise<number> {
    const stream = this.#freest(peer) ?? (await this.#open(peer));
    const begin = this.#options.clock.monotonic();
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('No pong came in time.')), { once: true });
      stream.ping().then(resolve, reject);
    });
    return this.#options.clock.monotonic() - begin;
  }

  /** Whether a stream for calls to the peer stands. */
  standing(peer: string): boolean {
    return this.#pools.get(peer)?.some((stream) => stream.open) ?? false;
  }

  /** Opens a stream for calls to come, unless one stands; nobody waits for it. */
  warm(peer: string): void {
    if (!this.standing(peer))
      this.#open(peer).catch(() => {
        // The calls go another way.
      });
  }

  /** A better path to the peer stands: new calls open streams there, and those under way end where they are. */
  retire(peer: string): void {
    for (const stream of this.#pools.get(peer)?.splice(0) ?? [])
      if (stream.load === 0) stream.close();
      else this.#retired.add(stream);
    this.#pools.delete(peer);
  }

  /** Closes streams that nobody has used for a while. */
  sweep(): void {
    for (const stream of this.#retired)
      if (stream.load === 0) {
        this.#retired.delete(stream);
        stream.close();
      }
    const before = this.#options.clock.monotonic() - IDLE_MS;
    for (const pool of this.#pools.values())
      for (const stream of [...pool]) if (stream.load === 0 && stream.idleSince < before) stream.close();
  }

  #freest(peer: string): OutboundStream | undefined {
    const pool = this.#pools.get(peer);
    if (pool === undefined) return undefined;
    let best: OutboundStream | undefined;
    for (const stream of pool) {
      if (!stream.open) continue;
      if (stream.load === 0 && stream.queuedBytes === 0) return stream;
      if (best === undefined || stream.load < best.load) best = stream;
    }
    if (
      best !== undefined &&
      (best.load >= BUSY_CALLS || best.queuedBytes > BUSY_BYTES) &&
      pool.length < MAX_STREAMS
    )
      this.#open(peer).catch(() => {
        // The calls go over the stream there is.
      });
    return best;
  }

  /** One opening at a time for each peer: calls that come together share it, so that no one's leaving ends it. */
  #open(peer: string): Promise<OutboundStream> {
    const under = this.#opening.get(peer);
    if (under !== undefined) return under;
    const opening = this.#options
      .openStream(peer, AbortSignal.timeout(OPEN_MS))
      .then((channel) => {
        const pool = this.#pools.get(peer) ?? [];
        this.#pools.set(peer, pool);
        const outbound = new OutboundStream(
          channel,
          peer,
          this.#options,
          () => this.#options.clock.monotonic(),
          () => {
            const at = pool.indexOf(outbound);
            if (at >= 0) pool.splice(at, 1);
            if (pool.length === 0 && this.#pools.get(peer) === pool) this.#pools.delete(peer);
          },
        );
        pool.push(outbound);
        // Whom it was opened for may have left by now, and who opens a stream and says nothing is taken for an attacker.
        setImmediate(() => {
          if (outbound.open && outbound.load === 0) outbound.ping().catch(() => undefined);
        });
        return outbound;
      })
      .finally(() => this.#opening.delete(peer));
    this.#opening.set(peer, opening);
    return opening;
  }
}
