/**
 * The parent's end of one engine process's pipe: requests out, answers matched by id.
 *
 * @module engine/process/connection
 */

import type { Duplex } from 'node:stream';
import { AbortedError, KithError } from '../../base/index.ts';
import type { Carry } from '../runner/path-runner.ts';
import { type Channel, openChannel } from './channel.ts';
import { decodeFailure } from './failure.ts';
import type { Frame, FrameMeta, FrameTypeName } from './frames.ts';
import { Carrying } from './hop.ts';

export interface CallOptions {
  readonly meta?: FrameMeta;
  readonly payload?: Uint8Array;
  /** On abort a cancel frame goes out at once and the call rejects with AbortedError. */
  readonly signal?: AbortSignal | undefined;
  /** `event` and `progress` frames that come before the answer. */
  readonly onFrame?: (frame: Frame) => void;
}

export interface Call {
  /** The last frame of the request. Rejects with what the engine process failed with, or with `engine_lost`. */
  readonly answer: Promise<Frame>;
  /** Tells the engine process to stop; the answer still comes. Does nothing when it has come. */
  cancel(): void;
}

interface Pending {
  readonly type: FrameTypeName;
  /** What the request works on, or null. */
  readonly model: string | null;
  readonly onFrame: ((frame: Frame) => void) | undefined;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: unknown) => void;
}

export interface ConnectionOptions {
  readonly stream: Duplex;
  /** The pipe is closed or carried nonsense; calls in flight wait for `fail`. */
  readonly onClose: (error: Error | null) => void;
  readonly onPong: (meta: FrameMeta) => void;
  /** Who computes the blocks of a model that are not in the engine process. @default nobody */
  readonly carryOf?: (model: string) => Carry | null;
}

export class Connection {
  readonly #channel: Channel;
  readonly #pending = new Map<number, Pending>();
  readonly #onPong: (meta: FrameMeta) => void;
  readonly #carrying: Carrying;
  #nextId = 1;
  #failure: KithError | null = null;

  constructor(options: ConnectionOptions) {
    this.#onPong = options.onPong;
    this.#channel = openChannel({
      stream: options.stream,
      reads: 'answers',
      onFrame: (frame) => this.#receive(frame),
      onClose: (error) => {
        this.#carrying.close();
        options.onClose(error);
      },
    });
    this.#carrying = new Carrying((frame) => this.#channel.send(frame), options.carryOf ?? (() => null));
  }

  /** Requests without an answer so far. */
  get inFlight(): number {
    return this.#pending.size;
  }

  isWaitingFor(type: FrameTypeName): boolean {
    for (const pending of this.#pending.values()) if (pending.type === type) return true;
    return false;
  }

  /** True while a request on the model has no answer. */
  isBusy(model: string): boolean {
    for (const pending of this.#pending.values()) if (pending.model === model) return true;
    return false;
  }

  get received(): number {
    return this.#channel.received;
  }

  /** Sends a request. Throws `frame_invalid` when it is over the caps of its type. */
  open(type: FrameTypeName, options: CallOptions = {}): Call {
    if (this.#failure !== null) return { answer: Promise.reject(this.#failure), cancel: () => {} };
    if (options.signal?.aborted) return { answer: Promise.reject(new AbortedError()), cancel: () => {} };
    const id = this.#takeId();
    // Encoding may refuse the request: nothing is registered then.
    this.#channel.send({
      type,
      id,
      end: true,
      ...(options.meta === undefined ? {} : { meta: options.meta }),
      ...(options.payload === undefined ? {} : { payload: options.payload }),
    });
    const cancel = (): void => {
      if (this.#pending.has(id)) this.#channel.send({ type: 'cancel', id, end: true });
    };
    const answer = new Promise<Frame>((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        // The entry stays until the engine process answers, so late frames find their request and the id is not reused.
        reject(new AbortedError(undefined, { cause: options.signal?.reason }));
      };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const settled = (): void => options.signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        type,
        model: typeof options.meta?.model === 'string' ? options.meta.model : null,
        onFrame: options.onFrame,
        resolve: (frame) => {
          resolve(frame);
          // After those who wait for the answer: a token over peers waits for them.
          if (options.signal !== undefined) setImmediate(settled);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
    });
    return { answer, cancel };
  }

  call(type: FrameTypeName, options: CallOptions = {}): Promise<Frame> {
    return this.open(type, options).answer;
  }

  ping(): void {
    this.#channel.send({ type: 'ping', id: 0, end: true });
  }

  /** Ends the connection: every call in flight, and every later one, rejects with `error`. */
  fail(error: KithError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#channel.close();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) each.reject(error);
  }

  #takeId(): number {
    while (this.#pending.has(this.#nextId)) this.#nextId = (this.#nextId % 0xffffffff) + 1;
    const id = this.#nextId;
    this.#nextId = (id % 0xffffffff) + 1;
    return id;
  }

  #receive(frame: Frame): void {
    if (frame.type === 'pong') {
      this.#onPong(frame.meta);
      return;
    }
    if (frame.type === 'hop' || frame.type === 'recall') {
      this.#carrying.receive(frame);
      return;
    }
    const pending = this.#pending.get(frame.id);
    // Nobody asked: an answer to a request of this connection always finds its entry, so this is the other side's fault.
    if (pending === undefined) {
      throw new KithError(
        'frame_invalid',
        `The engine process answered request ${frame.id}, which is not open.`,
      );
    }
    if (frame.type === 'failure') {
      this.#pending.delete(frame.id);
      pending.reject(decodeFailure(frame.meta));
    } else if (frame.end) {
      this.#pending.delete(frame.id);
      pending.resolve(frame);
    } else {
      pending.onFrame?.(frame);
    }
  }
}
