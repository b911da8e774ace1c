/**
 * Where nodes of the DHT are. They name each other by PeerId alone; the address is told by whoever named one, over the
 * peer routing of libp2p (`/ipfs/kad/1.0.0`, FIND_NODE), which all of them speak. A node that serves tells where those are
 * that it names.
 *
 * | Message | Fields by number |
 * |---|---|
 * | Message | 1 type (4 = FIND_NODE), 2 key (there a PeerId), 8 closer peers |
 * | Peer | 1 id, 2 addresses |
 *
 * Source: https://github.com/libp2p/specs/blob/master/kad-dht/README.md
 *
 * @module swarm/hivemind/addresses
 */
import { multiaddr } from '@multiformats/multiaddr';
import { isPeerAddress, isPublicAddress } from '../../base/index.ts';
import { peerIdFromBytes, peerIdToBytes } from './peer-ids.ts';
import { bytesOf, integerOf, ProtobufWriter, pushBounded, readFields } from './protobuf.ts';

export const ROUTING_PROTOCOL = '/ipfs/kad/1.0.0';
export const ROUTING_MAX_BYTES = 256 * 1024;
const FIND_NODE = 4;
const MAX_PEERS = 64;
const MAX_ADDRESSES = 32;
/** Addresses of one peer that are tried. */
const MAX_TRIED = 8;
/** Peers whose addresses are remembered. */
const MAX_KNOWN = 2048;

export function encodeRoutingRequest(peer: string): Uint8Array {
  return new ProtobufWriter().proto3Integer(1, FIND_NODE).bytes(2, peerIdToBytes(peer)).finish();
}

export interface RoutingRequest {
  readonly type: number;
  readonly key: Uint8Array;
}

export function decodeRoutingRequest(bytes: Uint8Array): RoutingRequest {
  let type = 0;
  let key: Uint8Array = new Uint8Array(0);
  for (const field of readFields(bytes))
    if (field.number === 1) type = integerOf(field);
    else if (field.number === 2) key = bytesOf(field);
  return { type, key };
}

/** @param closer multiaddrs by PeerId */
export function encodeRoutingAnswer(
  { type, key }: RoutingRequest,
  closer: ReadonlyMap<string, readonly string[]>,
): Uint8Array {
  const writer = new ProtobufWriter().proto3Integer(1, type).proto3Bytes(2, key);
  for (const [peer, addresses] of closer) {
    const one = new ProtobufWriter().bytes(1, peerIdToBytes(peer));
    for (const address of addresses) one.bytes(2, multiaddr(address.replace(`/p2p/${peer}`, '')).bytes);
    writer.bytes(8, one.finish());
  }
  return writer.finish();
}

/** Addresses of peers, those that can be dialled over TCP, with the PeerId at their end. */
export function decodeRoutingAnswer(bytes: Uint8Array): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const field of readFields(bytes)) {
    if (field.number !== 8 || found.size >= MAX_PEERS) continue;
    let peer: string | null = null;
    const addresses: Uint8Array[] = [];
    for (const inner of readFields(bytesOf(field)))
      if (inner.number === 1) peer = peerIdFromBytes(bytesOf(inner));
      else if (inner.number === 2) pushBounded(addresses, bytesOf(inner), MAX_ADDRESSES);
    if (peer === null) continue;
    const texts = addresses.map((address) => textOf(address, peer)).filter((text) => text !== null);
    if (texts.length > 0) found.set(peer, texts);
  }
  return found;
}

function textOf(bytes: Uint8Array, peer: string): string | null {
  if (bytes.length > 512) return null;
  try {
    const text = multiaddr(bytes).toString();
    const whole = text.endsWith(`/p2p/${peer}`) ? text : `${text}/p2p/${peer}`;
    return isPeerAddress(whole) ? whole : null;
  } catch {
    // Of a transport that this node does not know.
    return null;
  }
}

/** Addresses by peer, bounded; the owner's own count whatever they are. */
export class AddressBook {
  readonly #lan: boolean;
  readonly #known = new Map<string, readonly string[]>();
  readonly #fixed = new Map<string, string[]>();

  /** @param lan whether private addresses that strangers tell may be dialled */
  constructor(lan: boolean, bootstrap: readonly string[]) {
    this.#lan = lan;
    for (const address of bootstrap) {
      const peer = peerOf(address);
      this.#fixed.set(peer, [...(this.#fixed.get(peer) ?? []), address]);
    }
  }

  /** Peers that the owner named. */
  get bootstrap(): readonly string[] {
    return [...this.#fixed.keys()];
  }

  /** Those that are of use to others, or from others. */
  fit(addresses: readonly string[]): string[] {
    return addresses.filter((address) => this.#lan || isOfTheWorld(address)).slice(0, MAX_TRIED);
  }

  of(peer: string): readonly string[] {
    return this.#fixed.get(peer) ?? this.#known.get(peer) ?? [];
  }

  /** False when none of them may be dialled. */
  learn(peer: string, addresses: readonly string[]): boolean {
    const usable = this.fit(addresses);
    if (usable.length === 0) return false;
    this.#known.delete(peer);
    this.#known.set(peer, usable);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    return true;
  }
}

export function peerOf(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1);
}

/** A stranger must not make this node dial into its owner's network; a name could lead there too. */
function isOfTheWorld(address: string): boolean {
  const [, kind, host] = address.split('/');
  return (kind === 'ip4' || kind === 'ip6') && isPublicAddress(host!);
}
