/**
 * The messages of Hivemind's DHT (`hivemind/proto/dht.proto`, version 1.1): ping, store, find. Fields of authorization are
 * neither sent nor read.
 *
 * | Message | Fields by number |
 * |---|---|
 * | NodeInfo | 1 node id |
 * | PingRequest | 2 peer, 3 validate |
 * | PingResponse | 2 peer, 4 time, 5 available |
 * | StoreRequest | 2 keys, 3 subkeys, 4 values, 5 expirations, 6 in cache, 7 peer |
 * | StoreResponse | 2 stored, 3 peer |
 * | FindRequest | 2 keys, 3 peer |
 * | FindResponse | 2 results, 3 peer |
 * | FindResult | 1 type, 2 value, 3 expiration, 4 nearest node ids, 5 their PeerIds |
 *
 * @module swarm/hivemind/messages
 */
import { HivemindFault } from './fault.ts';
import { NODE_ID_BYTES } from './ids.ts';
import { peerIdFromBytes, peerIdToBytes } from './peer-ids.ts';
import {
  bytesOf,
  doubleOf,
  type Field,
  integerOf,
  ProtobufWriter,
  pushBools,
  pushBounded,
  pushDoubles,
  readFields,
} from './protobuf.ts';

export const METHODS = {
  ping: 'DHTProtocol.rpc_ping',
  store: 'DHTProtocol.rpc_store',
  find: 'DHTProtocol.rpc_find',
} as const;

/** Keys in one request, and results in one answer. */
export const MAX_KEYS = 1024;
/** Neighbours taken from one result; others keep at most 20 in a bucket. */
export const MAX_NEAREST = 64;

export interface Contact {
  /** 20 bytes. */
  readonly node: Uint8Array;
  /** PeerId in text. */
  readonly peer: string;
}

/** `node` is the sender's id, null for one that serves nobody. */
export interface PingRequest {
  readonly node: Uint8Array | null;
  readonly validate: boolean;
}

export interface PingResponse {
  readonly node: Uint8Array | null;
  /** Its clock, seconds since 1970; 0 when it does not say. */
  readonly time: number;
  readonly available: boolean;
}

export interface StoreItem {
  /** 20 bytes. */
  readonly key: Uint8Array;
  /** MessagePack of the subkey; `REGULAR` for none, `WHOLE` when the value is a whole dictionary. */
  readonly subkey: Uint8Array;
  readonly value: Uint8Array;
  /** Seconds since 1970. */
  readonly expiration: number;
  readonly inCache: boolean;
}

export interface StoreRequest {
  readonly node: Uint8Array | null;
  readonly items: readonly StoreItem[];
}

export interface StoreResponse {
  readonly node: Uint8Array | null;
  readonly stored: readonly boolean[];
}

export interface FindRequest {
  readonly node: Uint8Array | null;
  readonly keys: readonly Uint8Array[];
}

export const FOUND = ['nothing', 'regular', 'dictionary'] as const;

export interface FindResult {
  readonly found: (typeof FOUND)[number];
  readonly value: Uint8Array;
  readonly expiration: number;
  readonly nearest: readonly Contact[];
}

export interface FindResponse {
  readonly node: Uint8Array | null;
  readonly results: readonly FindResult[];
}

/** MessagePack of None: the subkey of a value without any. */
export const REGULAR: Uint8Array = Uint8Array.of(0xc0);
export const WHOLE: Uint8Array = new Uint8Array(0);

const nodeInfo = (node: Uint8Array | null): Uint8Array =>
  new ProtobufWriter().proto3Bytes(1, node ?? WHOLE).finish();

function readNodeInfo(field: Field): Uint8Array | null {
  let node: Uint8Array | null = null;
  for (const inner of readFields(bytesOf(field))) if (inner.number === 1) node = bytesOf(inner);
  return node === null || node.length === 0 ? null : nodeId(node);
}

function nodeId(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== NODE_ID_BYTES)
    throw new HivemindFault(`An id has ${bytes.length} bytes in place of ${NODE_ID_BYTES}.`);
  return bytes;
}

export const encodePingRequest = ({ node, validate }: PingRequest): Uint8Array =>
  new ProtobufWriter().bytes(2, nodeInfo(node)).proto3Integer(3, Number(validate)).finish();

export function decodePingRequest(bytes: Uint8Array): PingRequest {
  let node: Uint8Array | null = null;
  let validate = false;
  for (const field of readFields(bytes))
    if (field.number === 2) node = readNodeInfo(field);
    else if (field.number === 3) validate = integerOf(field) !== 0;
  return { node, validate };
}

export const encodePingResponse = ({ node, time, available }: PingResponse): Uint8Array =>
  new ProtobufWriter()
    .bytes(2, nodeInfo(node))
    .proto3Double(4, time)
    .proto3Integer(5, Number(available))
    .finish();

export function decodePingResponse(bytes: Uint8Array): PingResponse {
  let node: Uint8Array | null = null;
  let time = 0;
  let available = false;
  for (const field of readFields(bytes))
    if (field.number === 2) node = readNodeInfo(field);
    else if (field.number === 4) time = doubleOf(field);
    else if (field.number === 5) available = integerOf(field) !== 0;
  return { node, time, available };
}

export function encodeStoreRequest({ node, items }: StoreRequest): Uint8Array {
  const writer = new ProtobufWriter();
  for (const { key } of items) writer.bytes(2, key);
  for (const { subkey } of items) writer.bytes(3, subkey);
  for (const { value } of items) writer.bytes(4, value);
  return writer
    .packedDoubles(
      5,
      items.map(({ expiration }) => expiration),
    )
    .packedBools(
      6,
      items.map(({ inCache }) => inCache),
    )
    .bytes(7, nodeInfo(node))
    .finish();
}

export function decodeStoreRequest(bytes: Uint8Array): StoreRequest {
  let node: Uint8Array | null = null;
  const keys: Uint8Array[] = [];
  const subkeys: Uint8Array[] = [];
  const values: Uint8Array[] = [];
  const expirations: number[] = [];
  const inCache: boolean[] = [];
  for (const field of readFields(bytes))
    if (field.number === 2) pushBounded(keys, nodeId(bytesOf(field)), MAX_KEYS);
    else if (field.number === 3) pushBounded(subkeys, bytesOf(field), MAX_KEYS);
    else if (field.number === 4) pushBounded(values, bytesOf(field), MAX_KEYS);
    else if (field.number === 5) pushDoubles(expirations, field, MAX_KEYS);
    else if (field.number === 6) pushBools(inCache, field, MAX_KEYS);
    else if (field.number === 7) node = readNodeInfo(field);
  for (const list of [subkeys, values, expirations, inCache])
    if (list.length !== keys.length) throw new HivemindFault('The lists of a request differ in length.');
  const items = keys.map((key, index) => ({
    key,
    subkey: subkeys[index]!,
    value: values[index]!,
    expiration: expirations[index]!,
    inCache: inCache[index]!,
  }));
  return { node, items };
}

export const encodeStoreResponse = ({ node, stored }: StoreResponse): Uint8Array =>
  new ProtobufWriter().packedBools(2, stored).bytes(3, nodeInfo(node)).finish();

export function decodeStoreResponse(bytes: Uint8Array): StoreResponse {
  let node: Uint8Array | null = null;
  const stored: boolean[] = [];
  for (const field of readFields(bytes))
    if (field.number === 2) pushBools(stored, field, MAX_KEYS);
    else if (field.number === 3) node = readNodeInfo(field);
  return { node, stored };
}

export function encodeFindRequest({ node, keys }: FindRequest): Uint8Array {
  const writer = new ProtobufWriter();
  for (const key of keys) writer.bytes(2, key);
  return writer.bytes(3, nodeInfo(node)).finish();
}

export function decodeFindRequest(bytes: Uint8Array): FindRequest {
  let node: Uint8Array | null = null;
  const keys: Uint8Array[] = [];
  for (const field of readFields(bytes))
    if (field.number === 2) pushBounded(keys, nodeId(bytesOf(field)), MAX_KEYS);
    else if (field.number === 3) node = readNodeInfo(field);
  return { node, keys };
}

export function encodeFindResponse({ node, results }: FindResponse): Uint8Array {
  const writer = new ProtobufWriter();
  for (const { found, value, expiration, nearest } of results) {
    const result = new ProtobufWriter()
      .proto3Integer(1, FOUND.indexOf(found))
      .proto3Bytes(2, value)
      .proto3Double(3, expiration);
    for (const { node: id } of nearest) result.bytes(4, id);
    for (const { peer } of nearest) result.bytes(5, peerIdToBytes(peer));
    writer.bytes(2, result.finish());
  }
  return writer.bytes(3, nodeInfo(node)).finish();
}

export function decodeFindResponse(bytes: Uint8Array): FindResponse {
  let node: Uint8Array | null = null;
  const results: FindResult[] = [];
  for (const field of readFields(bytes))
    if (field.number === 2) pushBounded(results, readResult(bytesOf(field)), MAX_KEYS);
    else if (field.number === 3) node = readNodeInfo(field);
  return { node, results };
}

function readResult(bytes: Uint8Array): FindResult {
  let type = 0;
  let value = WHOLE;
  let expiration = 0;
  const nodes: Uint8Array[] = [];
  const peers: Uint8Array[] = [];
  for (const field of readFields(bytes))
    if (field.number === 1) type = integerOf(field);
    else if (field.number === 2) value = bytesOf(field);
    else if (field.number === 3) expiration = doubleOf(field);
    else if (field.number === 4) pushBounded(nodes, nodeId(bytesOf(field)), MAX_NEAREST);
    else if (field.number === 5) pushBounded(peers, bytesOf(field), MAX_NEAREST);
  const found = FOUND[type];
  if (found === undefined) throw new HivemindFault(`A result has the unknown type ${type}.`);
  const nearest: Contact[] = [];
  for (const [index, id] of nodes.entries()) {
    const peer = peers[index] === undefined ? null : peerIdFromBytes(peers[index]);
    // Keys of other kinds have PeerIds of other forms, which are nobody's fault.
    if (peer !== null) nearest.push({ node: id, peer });
  }
  return { found, value, expiration, nearest };
}
