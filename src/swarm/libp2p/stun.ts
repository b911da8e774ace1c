/**
 * Binding messages of STUN (RFC 5389): a node asks, over UDP, from which address and port its packets arrive. Only what
 * that needs: no authentication, no other methods. OTHER-ADDRESS (RFC 5780) names a second port of the same server, by
 * which a client sees whether its NAT gives every destination another port.
 *
 * @module swarm/libp2p/stun
 */
import { isIP } from 'node:net';
import { crc32 } from 'node:zlib';

const COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
/** RFC 5389 section 7.1: what fits every IPv4 path. */
export const MAX_STUN_BYTES = 548;
const REQUEST = 0x0001;
const SUCCESS = 0x0101;
const FAILURE = 0x0111;
const MAPPED_ADDRESS = 0x0001;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const XOR_MAPPED_ADDRESS = 0x0020;
const FINGERPRINT = 0x8028;
const OTHER_ADDRESS = 0x802c;
const FINGERPRINT_XOR = 0x5354554e;
const MAX_ATTRIBUTES = 32;
const MAX_UNKNOWN = 8;

export interface Endpoint {
  /** IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
}

export interface BindingRequest {
  /** 12 bytes. */
  readonly transaction: Uint8Array;
  readonly fingerprint: boolean;
  /** Attributes that RFC 5389 section 7.3.1 says a server must understand and this one does not. */
  readonly unknown: readonly number[];
}

export interface BindingAnswer {
  readonly transaction: Uint8Array;
  /** Where the request came from, as the server saw it. */
  readonly mapped: Endpoint;
  readonly other: Endpoint | null;
}

interface Message {
  readonly type: number;
  readonly transaction: Uint8Array;
  readonly attributes: readonly { readonly type: number; readonly value: Uint8Array }[];
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Null for what is no STUN message in every byte. */
function parse(bytes: Uint8Array): Message | null {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_STUN_BYTES || bytes.length % 4 !== 0) return null;
  const view = viewOf(bytes);
  const type = view.getUint16(0);
  if (type >> 14 !== 0 || view.getUint16(2) !== bytes.length - HEADER_BYTES || view.getUint32(4) !== COOKIE)
    return null;
  const attributes: { type: number; value: Uint8Array }[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (attributes.length >= MAX_ATTRIBUTES) return null;
    const length = view.getUint16(at + 2);
    const end = at + 4 + length;
    if (end > bytes.length) return null;
    const attribute = view.getUint16(at);
    attributes.push({ type: attribute, value: bytes.subarray(at + 4, end) });
    at = end + ((4 - (length % 4)) % 4);
    if (attribute === FINGERPRINT) {
      // It is the last one, over all before it.
      if (length !== 4 || at !== bytes.length) return null;
      const sum = (crc32(bytes.subarray(0, bytes.length - 8)) ^ FINGERPRINT_XOR) >>> 0;
      if (view.getUint32(bytes.length - 4) !== sum) return null;
    }
  }
  return { type, transaction: bytes.slice(8, HEADER_BYTES), attributes };
}

function encode(
  type: number,
  transaction: Uint8Array,
  attributes: readonly (readonly [number, Uint8Array])[],
  fingerprint: boolean,
): Uint8Array {
  const body = attributes.reduce((sum, [, value]) => sum + 4 + Math.ceil(value.length / 4) * 4, 0);
  const bytes = new Uint8Array(HEADER_BYTES + body + (fingerprint ? 8 : 0));
  const view = viewOf(bytes);
  view.setUint16(0, type);
  view.setUint16(2, bytes.length - HEADER_BYTES);
  view.setUint32(4, COOKIE);
  bytes.set(transaction, 8);
  let at = HEADER_BYTES;
  for (const [attribute, value] of attributes) {
    view.setUint16(at, attribute);
    view.setUint16(at + 2, value.length);
    bytes.set(value, at + 4);
    at += 4 + Math.ceil(value.length / 4) * 4;
  }
  if (fingerprint) {
    view.setUint16(at, FINGERPRINT);
    view.setUint16(at + 2, 4);
    view.setUint32(at + 4, (crc32(bytes.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0);
  }
  return bytes;
}

/** The bytes of an address, 4 or 16; null when it is none. */
function addressBytes(host: string): Uint8Array | null {
  if (isIP(host) === 4) return Uint8Array.from(host.split('.'), Number);
  if (isIP(host) !== 6) return null;
  const groups = new URL(`http://[${host.split('%')[0]}]`).hostname.slice(1, -1).split('::');
  const words = (text: string | undefined) =>
    text ? text.split(':').map((word) => Number.parseInt(word, 16)) : [];
  const head = words(groups[0]);
  const tail = words(groups[1]);
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 255]));
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = viewOf(bytes);
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16));
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

/** XOR with the cookie and the transaction keeps NATs that rewrite addresses in payloads from doing so. */
function masked(bytes: Uint8Array, transaction: Uint8Array): Uint8Array {
  const mask = new Uint8Array(16);
  viewOf(mask).setUint32(0, COOKIE);
  mask.set(transaction, 4);
  return bytes.map((byte, i) => byte ^ mask[i]!);
}

function encodeEndpoint({ host, port }: Endpoint, transaction: Uint8Array | null): Uint8Array | null {
  const address = addressBytes(host);
  if (address === null) return null;
  const bytes = new Uint8Array(4 + address.length);
  bytes[1] = address.length === 4 ? 1 : 2;
  viewOf(bytes).setUint16(2, transaction === null ? port : port ^ (COOKIE >>> 16));
  bytes.set(transaction === null ? address : masked(address, transaction), 4);
  return bytes;
}

function decodeEndpoint(value: Uint8Array, transaction: Uint8Array | null): Endpoint | null {
  const length = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (length === 0 || value.length !== 4 + length) return null;
  const port = viewOf(value).getUint16(2);
  const address = value.subarray(4);
  return {
    host: addressText(transaction === null ? address : masked(address, transaction)),
    port: transaction === null ? port : port ^ (COOKIE >>> 16),
  };
}

/** @param transaction 12 bytes that nobody can guess: they are all that ties an answer to its question */
export function encodeBindingRequest(transaction: Uint8Array): Uint8Array {
  return encode(REQUEST, transaction, [], true);
}

/** Null for everything that a server leaves without an answer. */
export function parseBindingRequest(bytes: Uint8Array): BindingRequest | null {
  const message = parse(bytes);
  if (message === null || message.type !== REQUEST) return null;
  const types = message.attributes.map(({ type }) => type);
  return {
    transaction: message.transaction,
    fingerprint: types.includes(FINGERPRINT),
    unknown: types.filter((type) => type < 0x8000).slice(0, MAX_UNKNOWN),
  };
}

/** The answer to a request: its source, or error 420 when it asks for what this server does not know. */
export function answerBinding(request: BindingRequest, source: Endpoint, other: Endpoint | null): Uint8Array {
  const { transaction, fingerprint, unknown } = request;
  if (unknown.length > 0) {
    const list = new Uint8Array(unknown.length * 2);
    unknown.forEach((type, i) => {
      viewOf(list).setUint16(i * 2, type);
    });
    const code = [ERROR_CODE, Uint8Array.of(0, 0, 4, 20)] as const;
    return encode(FAILURE, transaction, [code, [UNKNOWN_ATTRIBUTES, list]], fingerprint);
  }
  const attributes: (readonly [number, Uint8Array])[] = [];
  const mapped = encodeEndpoint(source, transaction);
  if (mapped !== null) attributes.push([XOR_MAPPED_ADDRESS, mapped]);
  const second = other === null ? null : encodeEndpoint(other, null);
  if (second !== null) attributes.push([OTHER_ADDRESS, second]);
  return encode(SUCCESS, transaction, attributes, fingerprint);
}

/** Null for what is no successful answer; the caller compares the transaction with what it asked. */
export function parseBindingAnswer(bytes: Uint8Array): BindingAnswer | null {
  const message = parse(bytes);
  if (message === null || message.type !== SUCCESS) return null;
  const value = (type: number) => message.attributes.find((attribute) => attribute.type === type)?.value;
  const xored = value(XOR_MAPPED_ADDRESS);
  const plain = value(MAPPED_ADDRESS);
  const mapped =
    xored !== undefined
      ? decodeEndpoint(xored, message.transaction)
      : plain === undefined
        ? null
        : decodeEndpoint(plain, null);
  if (mapped === null || mapped.port === 0) return null;
  const other = value(OTHER_ADDRESS);
  return {
    transaction: message.transaction,
    mapped,
    other: other === undefined ? null : decodeEndpoint(other, null),
  };
}
