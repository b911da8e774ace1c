/**
 * The wire format between the node and its engine process: one length-prefixed binary frame per message.
 *
 * All integers are little-endian.
 *
 * | offset | bytes | field   | meaning                                                          |
 * |-------:|------:|---------|------------------------------------------------------------------|
 * |      0 |     4 | length  | bytes that follow this field: 12 + meta + payload                 |
 * |      4 |     1 | version | `FRAME_VERSION`; anything else is refused                         |
 * |      5 |     1 | type    | a value of `FrameType`                                            |
 * |      6 |     1 | flags   | bit 0 `END`: the last frame of this request; other bits are zero  |
 * |      7 |     1 | zero    | reserved                                                          |
 * |      8 |     4 | id      | request id, 0 for messages that belong to no request              |
 * |     12 |     4 | meta    | bytes of meta                                                     |
 * |     16 |  meta | meta    | a JSON object as UTF-8; 0 bytes mean `{}`                         |
 * | 16+meta|  rest | payload | bytes of typed arrays, decoded into a buffer of its own           |
 *
 * The decoder accepts any chunking, checks every length against the caps of the frame's type before it allocates,
 * and throws a KithError `frame_invalid` once; after that the connection is useless and must be closed.
 *
 * @module engine/process/frames
 */

import { KithError } from '../../base/index.ts';

export const FRAME_VERSION = 1;
export const HEADER_BYTES = 16;
/** Bytes of the header that `length` counts. */
const COUNTED_HEADER = HEADER_BYTES - 4;

/** Flag: no further frame follows for this request id. */
export const END = 1;

/** Requests (node to engine) are below 64, answers are 64 and above. Hops are asked by the engine: their ids are its own. */
export const FrameType = {
  hello: 1,
  load: 2,
  unload: 3,
  generate: 4,
  cancel: 5,
  embed: 6,
  forward: 7,
  status: 8,
  shutdown: 9,
  ping: 10,
  tokenize: 11,
  detokenize: 12,
  prepare: 13,
  carried: 14,
  dropped: 15,
  lease: 16,
  release: 17,
  step: 18,
  kvRead: 19,
  kvWrite: 20,
  rank: 21,
  reply: 64,
  failure: 65,
  event: 66,
  progress: 67,
  pong: 68,
  hop: 69,
  recall: 70,
} as const;
export type FrameTypeName = keyof typeof FrameType;

export interface FrameCaps {
  readonly meta: number;
  readonly payload: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** Largest meta and payload of each type, in bytes. Checked on both ends, before anything is allocated. */
export const FRAME_CAPS: Readonly<Record<FrameTypeName, FrameCaps>> = {
  hello: { meta: 16 * KiB, payload: 0 },
  load: { meta: 64 * KiB, payload: 0 },
  unload: { meta: 4 * KiB, payload: 0 },
  /** Payload: the prompt's tokens (i32). Meta holds stop strings and logit biases. */
  generate: { meta: 4 * MiB, payload: 16 * MiB },
  cancel: { meta: 0, payload: 0 },
  /** Payload: the tokens of all inputs (i32). */
  embed: { meta: 1 * MiB, payload: 16 * MiB },
  /** Payload: cells, tokens (i32) and hidden states (f32) of all parts. */
  forward: { meta: 256 * KiB, payload: 256 * MiB },
  status: { meta: 0, payload: 0 },
  shutdown: { meta: 4 * KiB, payload: 0 },
  ping: { meta: 0, payload: 0 },
  /** Payload: UTF-8 text. */
  tokenize: { meta: 4 * KiB, payload: 64 * MiB },
  /** Payload: tokens (i32). */
  detokenize: { meta: 4 * KiB, payload: 16 * MiB },
  /** Payload: a conversation as JSON in UTF-8. */
  prepare: { meta: 4 * KiB, payload: 64 * MiB },
  /** What came back of a hop. Payload: hidden states (f32). */
  carried: { meta: 0, payload: 256 * MiB },
  /** Why nothing comes back of a hop. */
  dropped: { meta: 256 * KiB, payload: 0 },
  lease: { meta: 4 * KiB, payload: 0 },
  release: { meta: 4 * KiB, payload: 0 },
  /** Payload: cells (i32) and hidden states (f32) of all parts. */
  step: { meta: 256 * KiB, payload: 256 * MiB },
  kvRead: { meta: 4 * KiB, payload: 0 },
  /** Payload: cells, positions, what they continue (i32) and KV rows. */
  kvWrite: { meta: 4 * KiB, payload: 64 * MiB },
  /** Payload: the tokens of a query and of all passages (i32). */
  rank: { meta: 1 * MiB, payload: 16 * MiB },
  /** Payload: vectors, logits, hidden states, tokens or text. */
  reply: { meta: 4 * MiB, payload: 256 * MiB },
  failure: { meta: 256 * KiB, payload: 0 },
  event: { meta: 16 * MiB, payload: 0 },
  progress: { meta: 4 * KiB, payload: 0 },
  pong: { meta: 4 * KiB, payload: 0 },
  /** Hidden states on their way through blocks that are computed elsewhere. Payload: cells (i32) and hidden states (f32). */
  hop: { meta: 256 * KiB, payload: 256 * MiB },
  /** Nobody waits for the hop any more. */
  recall: { meta: 4 * KiB, payload: 0 },
};

const NAME_BY_TYPE = new Map<number, FrameTypeName>(
  Object.entries(FrameType).map(([name, type]) => [type, name as FrameTypeName]),
);

export type FrameMeta = Readonly<Record<string, unknown>>;

export interface Frame {
  readonly type: FrameTypeName;
  readonly id: number;
  /** True on the last frame of a request. */
  readonly end: boolean;
  readonly meta: FrameMeta;
  /** Starts at offset 0 of its own ArrayBuffer when decoded, so any typed array may view it. */
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const NO_META: FrameMeta = Object.freeze({});

function invalid(message: string, details: Record<string, string | number> = {}): KithError {
  return new KithError('frame_invalid', `The engine connection carried a bad frame: ${message}.`, {
    details,
  });
}

/**
 * Encodes one frame as the chunks to write, in order: header with meta, then the payload as given (not copied).
 * Throws `frame_invalid` when the frame is over its type's caps; nothing was sent then.
 */
export function encodeFrame(frame: {
  readonly type: FrameTypeName;
  readonly id: number;
  readonly end?: boolean;
  readonly meta?: FrameMeta;
  readonly payload?: Uint8Array;
}): Uint8Array[] {
  const caps = FRAME_CAPS[frame.type];
  const meta = frame.meta === undefined ? '' : JSON.stringify(frame.meta);
  const metaBytes = Buffer.byteLength(meta);
  const payload = frame.payload ?? EMPTY;
  if (!Number.isInteger(frame.id) || frame.id < 0 || frame.id > 0xffffffff) {
    throw invalid(`request id ${frame.id} is not an unsigned 32-bit integer`);
  }
  checkCaps(frame.type, caps, metaBytes, payload.byteLength);
  const head = Buffer.alloc(HEADER_BYTES + metaBytes);
  head.writeUInt32LE(COUNTED_HEADER + metaBytes + payload.byteLength, 0);
  head[4] = FRAME_VERSION;
  head[5] = FrameType[frame.type];
  head[6] = frame.end === true ? END : 0;
  head.writeUInt32LE(frame.id, 8);
  head.writeUInt32LE(metaBytes, 12);
  head.write(meta, HEADER_BYTES);
  return payload.byteLength === 0 ? [head] : [head, payload];
}

function checkCaps(type: FrameTypeName, caps: FrameCaps, meta: number, payload: number): void {
  if (meta > caps.meta) throw invalid(`${meta} bytes of meta in '${type}', at most ${caps.meta}`);
  if (payload > caps.payload)
    throw invalid(`${payload} bytes of payload in '${type}', at most ${caps.payload}`);
}

/** Which half of the table a decoder accepts: the engine reads requests, the node reads answers. */
export type FrameDirection = 'requests' | 'answers';

/** Turns chunks of a byte stream into frames. Feed chunks in order; one decoder per connection. */
export class FrameDecoder {
  readonly #direction: FrameDirection;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #meta: Uint8Array | null = null;
  #metaFilled = 0;
  #payload: Uint8Array = EMPTY;
  #payloadFilled = 0;
  #failure: KithError | null = null;

  constructor(direction: FrameDirection) {
    this.#direction = direction;
  }

  /** Frames completed by this chunk. Throws `frame_invalid`; from then on every call throws it. */
  push(chunk: Uint8Array): Frame[] {
    if (this.#failure !== null) throw this.#failure;
    const frames: Frame[] = [];
    try {
      let at = 0;
      do {
        at = this.#fill(chunk, at);
        const frame = this.#take();
        if (frame !== null) frames.push(frame);
      } while (at < chunk.byteLength);
    } catch (error) {
      this.#failure = error instanceof KithError ? error : invalid(String(error));
      throw this.#failure;
    }
    return frames;
  }

  /** Bytes of an unfinished frame that have arrived: more than 0 at the end of a stream means it was cut. */
  get pending(): number {
    return this.#headerFilled + this.#metaFilled + this.#payloadFilled;
  }

  /** Copies what the current frame still needs from `chunk` at `at`; returns the new position. */
  #fill(chunk: Uint8Array, start: number): number {
    let at = start;
    if (this.#headerFilled < HEADER_BYTES) {
      const count = Math.min(HEADER_BYTES - this.#headerFilled, chunk.byteLength - at);
      this.#header.set(chunk.subarray(at, at + count), this.#headerFilled);
      this.#headerFilled += count;
      at += count;
      if (this.#headerFilled < HEADER_BYTES) return at;
      this.#open();
    }
    const meta = this.#meta ?? EMPTY;
    const fromMeta = Math.min(meta.byteLength - this.#metaFilled, chunk.byteLength - at);
    meta.set(chunk.subarray(at, at + fromMeta), this.#metaFilled);
    this.#metaFilled += fromMeta;
    at += fromMeta;
    if (this.#metaFilled < meta.byteLength) return at;
    const fromPayload = Math.min(this.#payload.byteLength - this.#payloadFilled, chunk.byteLength - at);
    this.#payload.set(chunk.subarray(at, at + fromPayload), this.#payloadFilled);
    this.#payloadFilled += fromPayload;
    return at + fromPayload;
  }

  /** Checks a complete header and allocates what it announces. */
  #open(): void {
    const header = this.#header;
    const length = header.readUInt32LE(0);
    const version = header[4];
    const type = NAME_BY_TYPE.get(header[5] as number);
    const metaBytes = header.readUInt32LE(12);
    if (version !== FRAME_VERSION) throw invalid(`version ${version}, this build speaks ${FRAME_VERSION}`);
    if (type === undefined) throw invalid(`unknown type ${header[5]}`);
    if (FrameType[type] >= 64 !== (this.#direction === 'answers'))
      throw invalid(`'${type}' came the wrong way`);
    if (((header[6] as number) & ~END) !== 0 || header[7] !== 0) throw invalid('reserved bits are set');
    if (length < COUNTED_HEADER + metaBytes)
      throw invalid(`length ${length} is shorter than its ${metaBytes} of meta`);
    const payloadBytes = length - COUNTED_HEADER - metaBytes;
    checkCaps(type, FRAME_CAPS[type], metaBytes, payloadBytes);
    this.#meta = metaBytes === 0 ? EMPTY : new Uint8Array(metaBytes);
    this.#payload = payloadBytes === 0 ? EMPTY : new Uint8Array(payloadBytes);
  }

  /** The frame, once all of it is there. */
  #take(): Frame | null {
    const meta = this.#meta;
    if (meta === null || this.#metaFilled < meta.byteLength) return null;
    if (this.#payloadFilled < this.#payload.byteLength) return null;
    const frame: Frame = {
      type: NAME_BY_TYPE.get(this.#header[5] as number) as FrameTypeName,
      id: this.#header.readUInt32LE(8),
      end: (this.#header[6] as number) === END,
      meta: parseMeta(meta),
      payload: this.#payload,
    };
    this.#headerFilled = 0;
    this.#meta = null;
    this.#metaFilled = 0;
    this.#payload = EMPTY;
    this.#payloadFilled = 0;
    return frame;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseMeta(bytes: Uint8Array): FrameMeta {
  if (bytes.byteLength === 0) return NO_META;
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new KithError(
      'frame_invalid',
      'The engine connection carried a bad frame: meta is not JSON in UTF-8.',
      {
        cause,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('meta is not a JSON object');
  return value as FrameMeta;
}

/** The bytes of typed arrays, one after another. All elements here are 4 bytes, so every part stays aligned. */
export function packArrays(arrays: readonly (Int32Array | Float32Array)[]): Uint8Array {
  let bytes = 0;
  for (const array of arrays) bytes += array.byteLength;
  const packed = new Uint8Array(bytes);
  let at = 0;
  for (const array of arrays) {
    packed.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  return packed;
}

/** Views a decoded payload as Int32Array. Throws `frame_invalid` when the bytes do not divide by 4. */
export function asInt32(payload: Uint8Array): Int32Array {
  if (payload.byteLength % 4 !== 0)
    throw invalid(`${payload.byteLength} bytes of payload do not divide by 4`);
  return new Int32Array(payload.buffer, payload.byteOffset, payload.byteLength / 4);
}

/** Views a decoded payload as Float32Array. Throws `frame_invalid` when the bytes do not divide by 4. */
export function asFloat32(payload: Uint8Array): Float32Array {
  if (payload.byteLength % 4 !== 0)
    throw invalid(`${payload.byteLength} bytes of payload do not divide by 4`);
  return new Float32Array(payload.buffer, payload.byteOffset, payload.byteLength / 4);
}
