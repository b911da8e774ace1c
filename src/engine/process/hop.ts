/**
 * Hops across the process boundary: the engine process asks the node to take hidden states through the blocks that are
 * computed elsewhere.
 *
 * @module engine/process/hop
 */
import { AbortedError, KithError } from '../../base/index.ts';
import type { CarriedPart, Carry } from '../runner/path-runner.ts';
import type { OutgoingFrame } from './channel.ts';
import { decodeFailure, encodeFailure } from './failure.ts';
import { asFloat32, asInt32, type Frame, type FrameMeta, packArrays } from './frames.ts';
import { shapeOf } from './shape.ts';

const MAX_POSITION = 0x7fffffff;

export interface HopRequest {
  readonly model: string;
  readonly parts: readonly CarriedPart[];
  readonly hidden: Float32Array;
}

export function encodeHop({ parts, hidden }: Omit<HopRequest, 'model'>): {
  meta: FrameMeta;
  payload: Uint8Array;
} {
  const described = parts.map(({ start, count, after, outputs }) => ({ start, count, after, outputs }));
  return { meta: { parts: described }, payload: packArrays([...parts.map(({ cells }) => cells), hidden]) };
}

/** @throws InputError `request_invalid` */
export function decodeHop(frame: Frame): HopRequest {
  const shape = shapeOf(frame.meta);
  const words = asInt32(frame.payload);
  let at = 0;
  const parts = shape.records('parts', 1024).map((part): CarriedPart => {
    const count = part.integer('count', 1, words.length - at);
    at += count;
    return {
      start: part.integer('start', 0, MAX_POSITION),
      count,
      after: part.integer('after', -1, MAX_POSITION),
      cells: words.subarray(at - count, at),
      outputs: part.oneOf('outputs', ['none', 'last', 'all', 'each']),
    };
  });
  return {
    model: shape.string('model', 256),
    parts,
    hidden: new Float32Array(words.buffer, words.byteOffset + at * 4, words.length - at),
  };
}

/** The engine process's end: hops under way, by id. */
export interface HopDesk {
  /** `Carry` of one model. */
  carryFor(model: string): Carry;
  /** A `carried` or `dropped` frame. @throws KithError `frame_invalid` for a hop that nobody asked for */
  receive(frame: Frame): void;
}

interface Waiting {
  readonly resolve: (rows: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

export function createHopDesk(send: (frame: OutgoingFrame) => void): HopDesk {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  return {
    carryFor: (model) => (parts, hidden, signal) =>
      new Promise<Float32Array>((resolve, reject) => {
        if (signal.aborted) throw aborted(signal);
        do last = (last % 0xffffffff) + 1;
        while (waiting.has(last));
        const id = last;
        const { meta, payload } = encodeHop({ parts, hidden });
        send({ type: 'hop', id, end: true, meta: { ...meta, model }, payload });
        const onAbort = (): void => {
          if (!waiting.has(id)) return;
          // The entry stays until the node has answered, so that the answer finds it.
          send({ type: 'recall', id, end: true });
          reject(aborted(signal));
        };
        signal.addEventListener('abort', onAbort, { once: true });
        const settled = () => signal.removeEventListener('abort', onAbort);
        waiting.set(id, {
          resolve(rows) {
            resolve(rows);
            // After those who wait for the rows.
            setImmediate(settled);
          },
          reject(error) {
            settled();
            reject(error);
          },
        });
      }),
    receive(frame) {
      const hop = waiting.get(frame.id);
      if (hop === undefined)
        throw new KithError('frame_invalid', `Hop ${frame.id} is not under way.`, { status: 500 });
      waiting.delete(frame.id);
      if (frame.type === 'carried') hop.resolve(asFloat32(frame.payload));
      else hop.reject(decodeFailure(frame.meta));
    },
  };
}

const aborted = (signal: AbortSignal) => new AbortedError(undefined, { cause: signal.reason });

/** The node's end: who takes the hops of which model, and those under way. */
export class Carrying {
  readonly #send: (frame: OutgoingFrame) => void;
  readonly #carryOf: (model: string) => Carry | null;
  readonly #underWay = new Map<number, AbortController>();

  constructor(send: (frame: OutgoingFrame) => void, carryOf: (model: string) => Carry | null) {
    this.#send = send;
    this.#carryOf = carryOf;
  }

  /** A `hop` or `recall` frame. */
  receive(frame: Frame): void {
    if (frame.type === 'recall') {
      this.#underWay.get(frame.id)?.abort();
      return;
    }
    const hop = decodeHop(frame);
    const abort = new AbortController();
    this.#underWay.set(frame.id, abort);
    // Called in the order of the frames, before anything is waited for.
    void this.#answer(frame.id, this.#carry(hop, abort.signal));
  }

  /** The process is gone: nobody waits for what is under way. */
  close(): void {
    for (const abort of this.#underWay.values()) abort.abort();
    this.#underWay.clear();
  }

  async #carry({ model, parts, hidden }: HopRequest, signal: AbortSignal): Promise<Float32Array> {
    const carry = this.#carryOf(model);
    if (carry === null)
      throw new KithError('path_closed', `Nothing takes the blocks of '${model}' that are not here.`, {
        status: 503,
      });
    return carry(parts, hidden, signal);
  }

  async #answer(id: number, carried: Promise<Float32Array>): Promise<void> {
    let frame: OutgoingFrame;
    try {
      const rows = await carried;
      const payload = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      frame = { type: 'carried', id, end: true, payload };
    } catch (error) {
      frame = { type: 'dropped', id, end: true, meta: encodeFailure(error) };
    }
    if (this.#underWay.delete(id)) this.#send(frame);
  }
}
