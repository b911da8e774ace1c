/**
 * A session that this node opens: its stream until the peer accepts or refuses, then the session's end.
 *
 * @module swarm/rpc/opening
 */
import { FRAME, FrameFault, type FrameHeader, MORE } from '../frames/format.ts';
import type { Channel } from './channel.ts';
import { decodeWireError, type WireError, wayErrors } from './errors.ts';
import { FramedStream, type StreamContext, type StreamSink } from './framed-stream.ts';
import { type SessionCaps, SessionEnd, type SessionEvents } from './session-end.ts';

export interface OpeningEvents extends SessionEvents {
  /** The peer accepted. Before it there is no other event but `over`. */
  opened(): void;
}

export class Opening implements StreamSink {
  readonly session: SessionEnd;
  readonly #stream: FramedStream;
  readonly #events: OpeningEvents;
  #accepted = false;
  #over = false;

  constructor(
    channel: Channel,
    peer: string,
    envelope: Uint8Array,
    caps: SessionCaps,
    context: StreamContext,
    events: OpeningEvents,
  ) {
    this.#events = events;
    this.#stream = new FramedStream(channel, peer, context, this);
    this.session = new SessionEnd(this.#stream, 'opener', caps, context.gate.budget, {
      message: (metadata, payload, cost) => events.message(metadata, payload, cost),
      sent: (bytes) => events.sent(bytes),
      ended: () => events.ended(),
      over: (error) => this.#finish(error),
    });
    context.counters.add('sessionsOut');
    this.#stream.send({ type: FRAME.request, id: 1, flags: MORE }, envelope);
  }

  #finish(error: WireError | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.over(error);
  }

  onHead(header: FrameHeader): 'take' | 'skip' {
    if (header.type === FRAME.ping || header.type === FRAME.pong) return 'take';
    if (this.#accepted) return this.session.onHead(header);
    const accepts = header.type === FRAME.response && header.flags === MORE && header.payloadBytes === 0;
    if (header.id !== 1 || !(accepts || header.type === FRAME.error || header.type === FRAME.cancel))
      throw new FrameFault('protocol', `Type ${header.type} does not answer the opening of a session.`);
    return 'take';
  }

  onFrame(header: FrameHeader, metadata: Uint8Array, payload: Uint8Array): void {
    if (header.type === FRAME.ping) this.#stream.send({ type: FRAME.pong }, undefined, payload);
    else if (header.type === FRAME.pong) return;
    else if (this.#accepted) this.session.onFrame(header, metadata, payload);
    else if (header.type === FRAME.response) {
      this.#accepted = true;
      this.#events.opened();
    } else if (header.type === FRAME.error) {
      const error = decodeWireError(metadata);
      if (error === null) throw new FrameFault('garbage', 'An error is malformed.');
      this.#finish(error);
      this.#stream.close();
    } else {
      this.#finish(wayErrors.aborted());
      this.#stream.close();
    }
  }

  onFlushed(): void {
    if (this.#accepted) this.session.flush();
  }

  onClosed(why: string): void {
    this.session.onClosed(why);
    this.#finish(wayErrors.reset(why));
  }
}
