/**
 * The wire format of calls between nodes, version 1, protocol `/kith/call/1.0.0`.
 *
 * A frame is a header of 24 bytes, metadata (deterministic CBOR), payload (raw bytes). Integers are big-endian.
 *
 * | at | bytes | field    | holds                                                                                   |
 * | -- | ----- | -------- | --------------------------------------------------------------------------------------- |
 * | 0  | 1     | version  | 1                                                                                       |
 * | 1  | 1     | type     | see below                                                                               |
 * | 2  | 2     | flags    | bit 0 `MORE`: the request opens a session, the response accepts it; the others are zero |
 * | 4  | 4     | id       | request on this stream, from 1, rising; 0 in ping and pong                              |
 * | 8  | 4     | sequence | data: 0, 1, 2 ... in each direction; else 0                                             |
 * | 12 | 4     | argument | request: ms left, 0 for no deadline; window: bytes granted; else 0                      |
 * | 16 | 4     | metadata | bytes of metadata                                                                       |
 * | 20 | 4     | payload  | bytes of payload                                                                        |
 *
 * | type | name     | by       | metadata, payload (most bytes)                                                    |
 * | ---- | -------- | -------- | --------------------------------------------------------------------------------- |
 * | 1    | request  | opener   | `{i: id of the call, m: method, v: metadata of the caller}` 64 Ki + 512; 16 Mi    |
 * | 2    | response | acceptor | metadata of the answer 64 Ki; 16 Mi                                               |
 * | 3    | error    | both     | `{c: code, m: message, r: seconds to wait, s: status}` 4 Ki; 0. Ends the request  |
 * | 4    | data     | both     | metadata 64 Ki; 16 Mi. Within sessions, while the window has room                 |
 * | 5    | end      | both     | no more data from this side; from the acceptor it ends the session                |
 * | 6    | cancel   | both     | the request is of no more interest                                                |
 * | 7    | window   | both     | grants the other side bytes of data                                               |
 * | 8    | ping     | both     | 0; 8, given back in a pong                                                        |
 * | 9    | pong     | both     | 0; 8                                                                              |
 *
 * A stream carries either calls of its opener (any number, side by side) or one session. A session's data counts 24 bytes a
 * frame plus metadata and payload; a side may send a frame while less than `WINDOW_BYTES` are out ungranted, so a single
 * frame may pass the window's end. Lengths are checked against the type's caps before anything is allocated.
 *
 * @module swarm/frames/format
 */

export const CALL_PROTOCOL = '/kith/call/1.0.0';
export const FRAME_VERSION = 1;
export const HEADER_BYTES = 24;
export const WINDOW_BYTES = 4 * 1024 * 1024;
export const MAX_METADATA_BYTES = 64 * 1024;
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
const ENVELOPE_BYTES = 512;
/** Two pieces on a stream are two records of encryption and two system calls: payloads up to here are worth a copy. */
export const JOIN_BYTES = 64 * 1024;

export const FRAME = {
  request: 1,
  response: 2,
  error: 3,
  data: 4,
  end: 5,
  cancel: 6,
  window: 7,
  ping: 8,
  pong: 9,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** The request opens a session; the response accepts one. */
export const MORE = 1;

interface TypeRule {
  readonly metadata: number;
  readonly payload: number;
  readonly flags: number;
  readonly id: boolean;
  readonly sequence: boolean;
  readonly argument: boolean;
}

const rule = (metadata: number, payload: number, rest: Partial<TypeRule> = {}): TypeRule => ({
  metadata,
  payload,
  flags: 0,
  id: true,
  sequence: false,
  argument: false,
  ...rest,
});

const RULES: readonly (TypeRule | undefined)[] = [
  undefined,
  rule(MAX_METADATA_BYTES + ENVELOPE_BYTES, MAX_PAYLOAD_BYTES, { flags: MORE, argument: true }),
  rule(MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES, { flags: MORE }),
  rule(4096, 0),
  rule(MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES, { sequence: true }),
  rule(0, 0),
  rule(0, 0),
  rule(0, 0, { argument: true }),
  rule(0, 8, { id: false }),
  rule(0, 8, { id: false }),
];

export interface FrameHeader {
  readonly type: FrameType;
  readonly flags: number;
  readonly id: number;
  readonly sequence: number;
  readonly argument: number;
  readonly metadataBytes: number;
  readonly payloadBytes: number;
}

/** Why a stream is cut. `kind` is what trust is told. */
export class FrameFault extends Error {
  override readonly name = 'FrameFault';
  readonly kind: 'garbage' | 'oversize' | 'protocol' | 'window';
  constructor(kind: FrameFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Fields that are absent are zero. The lengths are those of the parts. */
export interface FrameInit {
  readonly type: FrameType;
  readonly id?: number;
  readonly flags?: number;
  readonly sequence?: number;
  readonly argument?: number;
}

/** Header and metadata in one piece; the payload follows as it is, without a copy. */
export function encodeHead(
  frame: FrameInit,
  metadata: Uint8Array | undefined,
  payloadBytes: number,
): Uint8Array {
  const metadataBytes = metadata === undefined ? 0 : metadata.length;
  const out = new Uint8Array(HEADER_BYTES + metadataBytes);
  writeHead(out, frame, metadata, payloadBytes);
  return out;
}

function writeHead(
  out: Uint8Array,
  frame: FrameInit,
  metadata: Uint8Array | undefined,
  payloadBytes: number,
): void {
  const view = new DataView(out.buffer);
  out[0] = FRAME_VERSION;
  out[1] = frame.type;
  view.setUint16(2, frame.flags ?? 0);
  view.setUint32(4, frame.id ?? 0);
  view.setUint32(8, frame.sequence ?? 0);
  view.setUint32(12, frame.argument ?? 0);
  view.setUint32(16, metadata === undefined ? 0 : metadata.length);
  view.setUint32(20, payloadBytes);
  if (metadata !== undefined) out.set(metadata, HEADER_BYTES);
}

/**
 * A frame as it is handed to a channel: payloads of up to `joinBytes` are copied behind their head, larger ones follow in
 * their own buffer.
 */
export function encodeFrame(
  frame: FrameInit,
  metadata: Uint8Array | undefined,
  payload: Uint8Array | undefined,
  joinBytes = JOIN_BYTES,
): readonly Uint8Array[] {
  const size = payload === undefined ? 0 : payload.length;
  if (size === 0) return [encodeHead(frame, metadata, 0)];
  if (size > joinBytes) return [encodeHead(frame, metadata, size), payload!];
  const metadataBytes = metadata === undefined ? 0 : metadata.length;
  const out = new Uint8Array(HEADER_BYTES + metadataBytes + size);
  writeHead(out, frame, metadata, size);
  out.set(payload!, HEADER_BYTES + metadataBytes);
  return [out];
}

/** Reads 24 bytes. @throws {FrameFault} for anything that no node of this version writes. */
export function decodeHeader(bytes: Uint8Array): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (bytes[0] !== FRAME_VERSION)
    throw new FrameFault('garbage', `Version ${bytes[0]} is not ${FRAME_VERSION}.`);
  const type = bytes[1]!;
  const rules = RULES[type];
  if (rules === undefined) throw new FrameFault('garbage', `There is no frame of type ${type}.`);
  const flags = view.getUint16(2);
  const id = view.getUint32(4);
  const sequence = view.getUint32(8);
  const argument = view.getUint32(12);
  const metadataBytes = view.getUint32(16);
  const payloadBytes = view.getUint32(20);
  if ((flags & ~rules.flags) !== 0)
    throw new FrameFault('garbage', `Flags ${flags} have no meaning in type ${type}.`);
  if ((id !== 0) !== rules.id) throw new FrameFault('garbage', `Id ${id} has no meaning in type ${type}.`);
  if (sequence !== 0 && !rules.sequence) throw new FrameFault('garbage', `Type ${type} has no sequence.`);
  if (argument !== 0 && !rules.argument) throw new FrameFault('garbage', `Type ${type} has no argument.`);
  if (metadataBytes > rules.metadata)
    throw new FrameFault(
      'oversize',
      `${metadataBytes} bytes of metadata pass the ${rules.metadata} of type ${type}.`,
    );
  if (payloadBytes > rules.payload)
    throw new FrameFault(
      'oversize',
      `${payloadBytes} bytes of payload pass the ${rules.payload} of type ${type}.`,
    );
  return { type: type as FrameType, flags, id, sequence, argument, metadataBytes, payloadBytes };
}

/** What a frame of data takes of the window. */
export function windowCost(header: Pick<FrameHeader, 'metadataBytes' | 'payloadBytes'>): number {
  return HEADER_BYTES + header.metadataBytes + header.payloadBytes;
}
