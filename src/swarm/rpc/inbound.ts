/**
 * A stream that a peer opened: its calls, or its one session.
 *
 * @module swarm/rpc/inbound
 */
import type { CborMap } from '../../base/index.ts';
import { FRAME, FrameFault, type FrameHeader, HEADER_BYTES, MORE } from '../frames/format.ts';
import type { Channel } from './channel.ts';
import { decodeRequest, type RequestEnvelope } from './envelope.ts';
import { encodeWireError, refusals, type WireError } from './errors.ts';
import { FramedStream, type StreamContext, type StreamSink } from './framed-stream.ts';
import { SessionEnd, type SessionEvents } from './session-end.ts';

/** A method as the swarm thread knows it, all caps filled in. */
export interface MethodRules {
  readonly session: boolean;
  readonly maxPayloadBytes: number;
  readonly maxMetadataBytes: number;
  readonly maxConcurrent: number;
}

export interface CallIn {
  readonly peer: string;
  /** 16 bytes, hex: who asks under the same again gets the same answer. */
  readonly callId: string;
  readonly method: string;
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
  readonly deadlineMs: number | null;
}

/** What answers a call. */
export interface Answer {
  readonly metadata?: Uint8Array | undefined;
  readonly payload?: Uint8Array | undefined;
  readonly error?: WireError | undefined;
}

/** Where calls and sessions of peers go. */
export interface Acceptor {
  method(name: string): MethodRules | undefined;
  /** `answer` is called once, also when the caller has left. @returns what is told when it leaves; null when it was answered already */
  onCall(call: CallIn, answer: (answer: Answer) => void): (() => void) | null;
  /** The session stands after `accept`; `refuse` ends it with a typed error. */
  onSession(
    open: { readonly peer: string; readonly method: string; readonly metadata: CborMap },
    session: SessionEnd,
    decide: { accept(): void; refuse(error: WireError): void },
  ): SessionEvents;
}

export interface InboundContext extends StreamContext {
  readonly acceptor: Acceptor;
  readonly running: Running;
}

/** How many calls run, by peer and method, over all streams. */
export class Running {
  readonly #counts = new Map<string, number>();

  enter(key: string, limit: number): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= limit) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  leave(key: string): void {
    const count = this.#counts.get(key)! - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}

/** Refused requests of one stream by their rate before it is cut. */
const MAX_RATE_REFUSALS = 256;
/** What a request's envelope adds to the caller's metadata, at most. */
const ENVELOPE_BYTES = 128;

export class InboundStream implements StreamSink {
  readonly #context: InboundContext;
  readonly #stream: FramedStream;
  readonly #leave = new Map<number, () => void>();
  #session: SessionEnd | null = null;
  #lastId = 0;
  #rateRefusals = 0;
  #pending: { envelope: RequestEnvelope; rules: MethodRules; held: number } | null = null;
  #refusal: WireError | null = null;
  #sessionHeld = false;

  constructor(channel: Channel, peer: string, context: InboundContext) {
    this.#context = context;
    this.#stream = new FramedStream(channel, peer, context, this);
  }

  get peer(): string {
    return this.#stream.peer;
  }

  onHead(header: FrameHeader, metadata: Uint8Array): 'take' | 'skip' {
    if (header.type === FRAME.ping || header.type === FRAME.pong) return 'take';
    if (this.#session !== null) return this.#session.onHead(header);
    if (header.type === FRAME.cancel) return 'take';
    if (header.type !== FRAME.request)
      throw new FrameFault(
        'protocol',
        `Type ${header.type} does not come from the opener of a stream of calls.`,
      );
    if (header.id <= this.#lastId)
      throw new FrameFault('protocol', `Request ${header.id} follows ${this.#lastId}.`);
    if (header.flags === MORE && (this.#lastId !== 0 || header.id !== 1 || header.payloadBytes > 0))
      throw new FrameFault('protocol', 'A session is not the only thing on its stream.');
    this.#lastId = header.id;
    const envelope = decodeRequest(metadata);
    this.#refusal = this.#judge(header, envelope);
    return this.#refusal === null ? 'take' : 'skip';
  }

  /** Null when the request may run; then what it holds is recorded. */
  #judge(header: FrameHeader, envelope: RequestEnvelope): WireError | null {
    const { gate, acceptor, running } = this.#context;
    const wait = gate.request(this.peer);
    if (wait > 0) {
      if (++this.#rateRefusals > MAX_RATE_REFUSALS)
        queueMicrotask(() => this.#stream.cut('it asks too often', 'rate'));
      return refusals.rate(wait);
    }
    const rules = acceptor.method(envelope.method);
    if (rules === undefined || rules.session !== (header.flags === MORE))
      return refusals.unknownMethod(envelope.method);
    if (header.payloadBytes > rules.maxPayloadBytes)
      return refusals.tooLarge(header.payloadBytes, rules.maxPayloadBytes);
    if (header.metadataBytes > rules.maxMetadataBytes + ENVELOPE_BYTES)
      return refusals.tooLarge(header.metadataBytes, rules.maxMetadataBytes);
    if (rules.session) {
      if (!gate.openSession(this.peer))
        return refusals.busy('it has as many sessions with this peer as it allows');
      this.#sessionHeld = true;
      this.#pending = { envelope, rules, held: 0 };
      return null;
    }
    const held = HEADER_BYTES + header.metadataBytes + header.payloadBytes;
    if (!gate.budget.reserve(this.peer, held)) return refusals.busy('too many bytes wait');
    if (!running.enter(runKey(this.peer, envelope.method), rules.maxConcurrent)) {
      gate.budget.release(this.peer, held);
      return refusals.busy(`${rules.maxConcurrent} calls of the method run for this peer`);
    }
    this.#pending = { envelope, rules, held };
    return null;
  }

  onFrame(header: FrameHeader, metadata: Uint8Array, payload: Uint8Array): void {
    if (header.type === FRAME.ping) {
      this.#stream.send({ type: FRAME.pong }, undefined, payload);
      return;
    }
    if (header.type === FRAME.pong) return;
    if (this.#session !== null) {
      this.#session.onFrame(header, metadata, payload);
      return;
    }
    if (header.type === FRAME.cancel) {
      this.#leave.get(header.id)?.();
      this.#leave.delete(header.id);
      return;
    }
    const pending = this.#pending;
    this.#pending = null;
    if (this.#refusal !== null || pending === null) {
      this.#stream.send({ type: FRAME.error, id: header.id }, encodeWireError(this.#refusal!));
      // A stream whose session was refused has no other use.
      if (header.flags === MORE) this.#stream.close();
      return;
    }
    if (pending.rules.session) this.#startSession(pending.envelope, pending.rules);
    else this.#startCall(header, pending.envelope, pending.held, payload);
  }

  #startCall(header: FrameHeader, envelope: RequestEnvelope, held: number, payload: Uint8Array): void {
    const { gate, counters, acceptor, running } = this.#context;
    const { peer } = this;
    counters.add('callsIn');
    const leave = acceptor.onCall(
      {
        peer,
        callId: envelope.callId,
        method: envelope.method,
        metadata: envelope.metadata,
        payload,
        deadlineMs: header.argument === 0 ? null : header.argument,
      },
      (answer) => {
        gate.budget.release(peer, held);
        running.leave(runKey(peer, envelope.method));
        this.#leave.delete(header.id);
        this.#answer(header.id, answer);
      },
    );
    if (leave !== null) this.#leave.set(header.id, leave);
  }

  #answer(id: number, { metadata, payload, error }: Answer): void {
    if (error !== undefined) this.#stream.send({ type: FRAME.error, id }, encodeWireError(error));
    else this.#stream.send({ type: FRAME.response, id }, metadata, payload);
  }

  #startSession(envelope: RequestEnvelope, rules: MethodRules): void {
    const { gate, counters, acceptor } = this.#context;
    counters.add('sessionsIn');
    let events: SessionEvents | undefined;
    const session = new SessionEnd(this.#stream, 'acceptor', rules, gate.budget, {
      message: (metadata, payload, cost) => events!.message(metadata, payload, cost),
      sent: (bytes) => events!.sent(bytes),
      ended: () => events!.ended(),
      over: (error) => {
        this.#freeSession();
        events!.over(error);
      },
    });
    this.#session = session;
    events = acceptor.onSession(
      { peer: this.peer, method: envelope.method, metadata: envelope.metadata },
      session,
      {
        accept: () => this.#stream.send({ type: FRAME.response, id: 1, flags: MORE }),
        refuse: (error) => session.cancel(error),
      },
    );
  }

  #freeSession(): void {
    if (!this.#sessionHeld) return;
    this.#sessionHeld = false;
    this.#context.gate.closeSession(this.peer);
  }

  onFlushed(): void {
    this.#session?.flush();
  }

  onClosed(why: string): void {
    if (this.#pending !== null) {
      const { envelope, held, rules } = this.#pending;
      this.#pending = null;
      if (!rules.session) {
        this.#context.gate.budget.release(this.peer, held);
        this.#context.running.leave(runKey(this.peer, envelope.method));
      }
    }
    this.#session?.onClosed(why);
    this.#freeSession();
    for (const leave of this.#leave.values()) leave();
    this.#leave.clear();
  }
}

export const runKey = (peer: string, method: string) => `${peer} ${method}`;
