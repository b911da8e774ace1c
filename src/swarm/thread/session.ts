/**
 * One end of a session in the node thread: messages in order, and no more under way to the swarm thread than the window.
 *
 * @module swarm/thread/session
 */
import { AbortedError, type CborMap, KithError } from '../../base/index.ts';
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, WINDOW_BYTES } from '../frames/format.ts';
import { encodeMetadata } from '../rpc/envelope.ts';
import { fromWireError, type WireError } from '../rpc/errors.ts';
import type { SessionEnd, SessionEvents } from '../rpc/session-end.ts';
import type { Payload, Session, SessionMessage } from '../types.ts';
import { alone, taken } from './messages.ts';

export interface SessionLink {
  send(metadata: Uint8Array | undefined, payload: Uint8Array | undefined): void;
  consumed(bytes: number): void;
  end(): void;
  cancel(error?: WireError): void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Reports of what was read go out in steps of this size. */
const STEP = WINDOW_BYTES / 8;

export class SessionHandle implements Session {
  readonly peer: string;
  readonly method: string;
  readonly metadata: CborMap;
  readonly path: Session['path'];
  readonly signal: AbortSignal;
  readonly #link: SessionLink;
  readonly #controller = new AbortController();
  readonly #arrived: { message: SessionMessage; cost: number }[] = [];
  readonly #readers: Waiter[] = [];
  readonly #senders: Waiter[] = [];
  #underWay = 0;
  #unreported = 0;
  #peerEnded = false;
  #ended = false;
  #over = false;
  #error: KithError | null = null;

  constructor(peer: string, method: string, metadata: CborMap, path: Session['path'], link: SessionLink) {
    this.peer = peer;
    this.method = method;
    this.metadata = metadata;
    this.path = path;
    this.signal = this.#controller.signal;
    this.#link = link;
  }

  async send(metadata: CborMap, payload?: Payload): Promise<void> {
    const encoded = encodeMetadata(metadata);
    // The empty map is no bytes at all.
    const bytes = encoded.length === 1 ? undefined : encoded;
    const size = payload?.length ?? 0;
    if (size > MAX_PAYLOAD_BYTES)
      throw new KithError(
        'swarm_too_large',
        `${size} bytes pass the ${MAX_PAYLOAD_BYTES} of one message. Send parts.`,
        {
          status: 413,
        },
      );
    while (this.#underWay >= WINDOW_BYTES && !this.#over)
      await new Promise<void>((resolve, reject) => this.#senders.push({ resolve, reject }));
    if (this.#over || this.#ended) throw this.#error ?? closed(this.peer);
    this.#underWay += HEADER_BYTES + (bytes?.length ?? 0) + size;
    this.#link.send(bytes, alone(payload));
  }

  async receive(options: { readonly signal?: AbortSignal } = {}): Promise<SessionMessage | null> {
    for (;;) {
      const next = this.#arrived.shift();
      if (next !== undefined) {
        this.#report(next.cost);
        return next.message;
      }
      if (this.#error !== null) throw this.#error;
      if (this.#peerEnded || this.#over) return null;
      await this.#arrival(options.signal);
    }
  }

  #arrival(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal === undefined) {
        this.#readers.push({ resolve, reject });
        return;
      }
      const onAbort = () => {
        const at = this.#readers.indexOf(waiter);
        if (at >= 0) this.#readers.splice(at, 1);
        reject(new AbortedError(undefined, { cause: signal.reason }));
      };
      const waiter: Waiter = {
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
        reject,
      };
      if (signal.aborted) onAbort();
      else {
        signal.addEventListener('abort', onAbort, { once: true });
        this.#readers.push(waiter);
      }
    });
  }

  async end(): Promise<void> {
    if (this.#ended || this.#over) return;
    this.#ended = true;
    this.#link.end();
  }

  cancel(): void {
    this.fail();
  }

  /** Ends both directions; the peer learns the error when there is one. */
  fail(error?: WireError): void {
    if (this.#over) return;
    this.#link.cancel(error);
    this.onOver({ code: 'aborted', message: 'The session was cancelled on this side.', status: 499 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SessionMessage> {
    for (let next = await this.receive(); next !== null; next = await this.receive()) yield next;
  }

  #report(cost: number): void {
    this.#unreported += cost;
    if (this.#unreported < STEP || this.#over) return;
    this.#link.consumed(this.#unreported);
    this.#unreported = 0;
  }

  onMessage({ metadata, payload }: SessionMessage, cost: number): void {
    this.#arrived.push({ message: { metadata, payload }, cost });
    this.#readers.shift()?.resolve();
  }

  onSent(bytes: number): void {
    this.#underWay -= bytes;
    this.#wake(this.#senders);
  }

  onEnded(): void {
    this.#peerEnded = true;
    this.#wake(this.#readers);
  }

  onOver(error: WireError | null): void {
    if (this.#over) return;
    this.#over = true;
    if (error !== null) this.#error = fromWireError(error, this.peer);
    this.#wake(this.#readers);
    this.#wake(this.#senders);
    this.#controller.abort(this.#error ?? closed(this.peer));
  }

  #wake(waiters: Waiter[]): void {
    for (const waiter of waiters.splice(0)) waiter.resolve();
  }
}

function closed(peer: string): KithError {
  return new KithError('swarm_reset', 'The session is over.', { status: 502, details: { peer } });
}

/** The link to an end in this thread, as a lane has it. */
export function linkTo(end: () => SessionEnd): SessionLink {
  return {
    send: (metadata, payload) => void end().send(metadata, taken(payload)),
    consumed: (bytes) => end().consumed(bytes),
    end: () => end().end(),
    cancel: (error) => end().cancel(error),
  };
}

export function eventsTo(handle: SessionHandle): SessionEvents {
  return {
    message: (metadata, payload, cost) => handle.onMessage({ metadata, payload }, cost),
    sent: (bytes) => handle.onSent(bytes),
    ended: () => handle.onEnded(),
    over: (error) => handle.onOver(error),
  };
}
