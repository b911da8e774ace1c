/**
 * The metadata of a request: which method, which call, what the caller says.
 *
 * @module swarm/rpc/envelope
 */
import { type CborMap, decodeCbor, encodeCbor } from '../../base/index.ts';
import { FrameFault, MAX_METADATA_BYTES } from '../frames/format.ts';

export const CALL_ID_BYTES = 16;
const METHOD = /^(?=.{1,64}$)\/?[a-z0-9][a-z0-9._/-]*$/;
const LIMITS = { maxDepth: 16, maxItems: 4096 } as const;

export interface RequestEnvelope {
  readonly method: string;
  /** 16 bytes, hex. */
  readonly callId: string;
  readonly metadata: CborMap;
}

export const isMethodName = (name: string): boolean => METHOD.test(name);

export function encodeMetadata(metadata: CborMap): Uint8Array {
  return encodeCbor(metadata, { ...LIMITS, maxBytes: MAX_METADATA_BYTES });
}

function isMap(value: unknown): value is CborMap {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** Metadata off the wire; none at all is the empty map. @throws {FrameFault} */
export function decodeMetadata(bytes: Uint8Array): CborMap {
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = decodeCbor(bytes, { ...LIMITS, maxBytes: MAX_METADATA_BYTES });
  } catch (error) {
    throw new FrameFault('garbage', (error as Error).message);
  }
  if (!isMap(value)) throw new FrameFault('garbage', 'Metadata is not a map.');
  return value;
}

export function encodeRequest(method: string, callId: Uint8Array, metadata: CborMap): Uint8Array {
  return encodeCbor(
    { i: callId, m: method, v: metadata },
    { maxDepth: LIMITS.maxDepth + 1, maxItems: LIMITS.maxItems + 8, maxBytes: MAX_METADATA_BYTES + 512 },
  );
}

/** @throws {FrameFault} */
export function decodeRequest(bytes: Uint8Array): RequestEnvelope {
  let value: unknown;
  try {
    value = decodeCbor(bytes, {
      maxDepth: LIMITS.maxDepth + 1,
      maxItems: LIMITS.maxItems + 8,
      maxBytes: MAX_METADATA_BYTES + 512,
    });
  } catch (error) {
    throw new FrameFault('garbage', (error as Error).message);
  }
  if (!isMap(value)) throw new FrameFault('garbage', 'A request is not a map.');
  const { i: id, m: method, v: metadata, ...more } = value;
  if (
    !(id instanceof Uint8Array) ||
    id.length !== CALL_ID_BYTES ||
    typeof method !== 'string' ||
    !METHOD.test(method)
  )
    throw new FrameFault('garbage', 'A request names no call or no method.');
  if (!isMap(metadata) || Object.keys(more).length > 0)
    throw new FrameFault('garbage', 'A request is malformed.');
  return { method, callId: Buffer.from(id).toString('hex'), metadata };
}
