/**
 * The envelope of signed records: a CBOR map of `b`, the bytes that were signed, and `s`, 64 bytes of Ed25519.
 *
 * @module swarm/records/envelope
 */
import { encodeCbor } from '../../base/index.ts';
import { Fields, malformed } from './fields.ts';

/** The envelope as it came, taken apart. */
export interface Envelope {
  /** Signed bytes. */
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** @throws {InputError} `record_malformed` when it takes more than `maxBytes`. */
export function encodeEnvelope(envelope: Envelope, maxBytes: number): Uint8Array {
  const bytes = encodeCbor({ b: envelope.body, s: envelope.signature }, { maxDepth: 1, maxItems: 8 });
  if (bytes.length > maxBytes) malformed(`it takes ${bytes.length} bytes, more than ${maxBytes}`);
  return bytes;
}

/** @throws {InputError} `record_malformed` */
export function parseEnvelope(bytes: Uint8Array, maxBytes: number): Envelope {
  const fields = Fields.decode(bytes, { maxBytes, maxDepth: 1, maxItems: 8 });
  const envelope = { body: fields.bytes('b', 1, maxBytes), signature: fields.bytes('s', 64) };
  fields.end();
  return envelope;
}
