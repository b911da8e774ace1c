/**
 * What frames travel over: a libp2p stream, or the socket of a lane.
 *
 * @module swarm/rpc/channel
 */

export interface ChannelEvents {
  onData(data: Uint8Array | Iterable<Uint8Array>): void;
  /** What was written has left: there is room again. */
  onDrain(): void;
  /** The other side writes no more. */
  onEnd(): void;
  /** Both directions are over; may be called more than once. */
  onClosed(why: string): void;
}

/** Bytes in order, both ways. Whoever is on its other end has been authenticated. */
export interface Channel {
  /** `in`: the peer opened it, and has to speak first. */
  readonly direction: 'in' | 'out';
  /** There is no room: write again after `onDrain`. */
  readonly full: boolean;
  /** Bytes that were written and have not left. */
  readonly unsent: number;
  /** Nothing is read before. Called once; never calls back at once. */
  start(events: ChannelEvents): void;
  /** Payloads up to here come in one piece with their head; longer ones are worth a piece of their own. */
  readonly joinBytes: number;
  /** A frame. The bytes belong to the channel from now on. Throws when it is over. */
  write(pieces: readonly Uint8Array[]): void;
  pause(): void;
  resume(): void;
  /** Ends this side after what was written. */
  end(): Promise<void>;
  abort(why: string): void;
}
