/**
 * Where nodes of the DHT are. They name each other by PeerId alone; the address is told by whoever named one, over the
 * peer routing of libp2p (`/ipfs/kad/1.0.0`, FIND_NODE), which all of them speak.
 *
 * | Message | Fields by number |
 * |---|---|
 * | Message | 1 type (4 = FIND_NODE), 2 key (a PeerId), 8 closer peers |
 * | Peer | 1 id, 2 addresses |
 *
 * Source: https://github.com/libp2p/specs/blob/master/kad-dht/README.md
 *
 * @module swarm/hivemind/addresses
 */
import { multiaddr } from '@multiformats/multiaddr';
import { isPeerAddress, isPublicAddress } from '../../base/index.ts';
import { peerIdFromBytes, peerIdToBytes } from './peer-ids.ts';
import { bytesOf, ProtobufWriter, pushBounded, readFields } from './protobuf.ts';

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

  of(peer: string): readonly string[] {
    return this.#fixed.get(peer) ?? this.#known.get(peer) ?? [];
  }

  /** False when none of them may be dialled. */
  learn(peer: string, addresses: readonly string[]): boolean {
    const usable = addresses.filter((address) => this.#lan || isOfTheWorld(address)).slice(0, MAX_TRIED);
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
