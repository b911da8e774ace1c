/**
 * How the libp2p daemon of Hivemind carries one request and its answer over a stream: each is a length as a varint and a
 * `PersistentConnectionRequest` (`hivemind/proto/p2pd.proto`). All fields that proto2 requires are there, also when empty.
 *
 * | Message | Fields by number |
 * |---|---|
 * | PersistentConnectionRequest | 1 call id, 3 call, 4 answer |
 * | CallUnaryRequest | 1 peer, 2 protocol, 3 data |
 * | CallUnaryResponse | 1 response or 2 error |
 *
 * @module swarm/hivemind/unary
 */
import { HivemindFault } from './fault.ts';
import { bytesOf, ProtobufWriter, readFields, textOf } from './protobuf.ts';

/** Longest message on the wire, in both directions. */
export const MAX_UNARY_BYTES = 10 * 2 ** 20;
const CALL_ID_BYTES = 16;

export interface UnaryCall {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** Whom it is for, bytes of a PeerId. */
  readonly peer: Uint8Array;
  readonly method: string;
  readonly data: Uint8Array;
}

export interface UnaryAnswer {
  readonly id: Uint8Array;
  /** Null when the peer failed. */
  readonly data: Uint8Array | null;
  /** What it said of its failure, unchecked; empty when there was none. */
  readonly error: string;
}

export function encodeCall({ id, peer, method, data }: UnaryCall): Uint8Array {
  const call = new ProtobufWriter().bytes(1, peer).text(2, method).bytes(3, data).finish();
  return new ProtobufWriter().bytes(1, id).bytes(3, call).finish();
}

export function encodeAnswer(id: Uint8Array, answer: { data: Uint8Array } | { error: string }): Uint8Array {
  const inner = new ProtobufWriter();
  if ('data' in answer) inner.bytes(1, answer.data);
  else inner.text(2, answer.error);
  return new ProtobufWriter().bytes(1, id).bytes(4, inner.finish()).finish();
}

/** @throws {HivemindFault} for what is no call */
export function decodeCall(bytes: Uint8Array): UnaryCall {
  const { id, inner } = envelope(bytes, 3);
  let peer: Uint8Array | null = null;
  let method: string | null = null;
  let data: Uint8Array | null = null;
  for (const field of readFields(inner))
    if (field.number === 1) peer = bytesOf(field);
    else if (field.number === 2) method = textOf(field);
    else if (field.number === 3) data = bytesOf(field);
  if (peer === null || method === null || data === null) throw new HivemindFault('A call lacks a part.');
  return { id, peer, method, data };
}

/** @throws {HivemindFault} for what is no answer */
export function decodeAnswer(bytes: Uint8Array): UnaryAnswer {
  const { id, inner } = envelope(bytes, 4);
  let answer: UnaryAnswer | null = null;
  for (const field of readFields(inner))
    if (field.number === 1) answer = { id, data: bytesOf(field), error: '' };
    else if (field.number === 2)
      answer = { id, data: null, error: new TextDecoder().decode(bytesOf(field).subarray(0, 300)) };
  if (answer === null) throw new HivemindFault('An answer is empty.');
  return answer;
}

function envelope(bytes: Uint8Array, number: 3 | 4): { readonly id: Uint8Array; readonly inner: Uint8Array } {
  let id: Uint8Array | null = null;
  let inner: Uint8Array | null = null;
  for (const field of readFields(bytes))
    if (field.number === 1) id = bytesOf(field);
    // The last of the alternatives counts, as with every `oneof`.
    else if (field.number >= 2 && field.number <= 6) inner = field.number === number ? bytesOf(field) : null;
  if (id?.length !== CALL_ID_BYTES) throw new HivemindFault('A message has no call id of 16 bytes.');
  if (inner === null) throw new HivemindFault('A message is not of the kind that is waited for.');
  return { id, inner };
}
