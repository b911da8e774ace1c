/**
 * Peers on the local network, by multicast DNS: found ones are dialled. libp2p only remembers their addresses.
 *
 * @module swarm/libp2p/neighbours
 */
import type { PeerDiscovery, PeerId, PeerInfo } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { isLocalAddress } from './paths.ts';

const SERVICE = 'kith.local';
/** Between two questions, ms; the first comes at the start. */
const INTERVAL_MS = 20_000;
/** A peer that was not reached is tried again after this. */
const REST_MS = 30_000;
const DIAL_MS = 10_000;
/** Anybody on the network can make up peers: so many are dialled at once, and so many remembered. */
const MAX_DIALS = 8;
const MAX_REMEMBERED = 256;
const MAX_ADDRESSES = 8;

/** What of libp2p the dialling needs. */
export interface Dialler {
  getConnections(peer: PeerId): readonly unknown[];
  openConnection(addresses: Multiaddr[], options: { readonly signal: AbortSignal }): Promise<unknown>;
}

/** Dials who is found, within bounds. Addresses that are not of a local network are left out: multicast tells of none. */
export class Neighbours {
  readonly #dialler: Dialler;
  readonly #now: () => number;
  /** When a peer was dialled last, oldest first. */
  readonly #tried = new Map<string, number>();
  #dialling = 0;

  /** @param now monotonic, ms */
  constructor(dialler: Dialler, now: () => number) {
    this.#dialler = dialler;
    this.#now = now;
  }

  async found({ id, multiaddrs }: Pick<PeerInfo, 'id' | 'multiaddrs'>): Promise<void> {
    const peer = id.toString();
    const now = this.#now();
    const last = this.#tried.get(peer);
    if (this.#dialling >= MAX_DIALS || this.#dialler.getConnections(id).length > 0) return;
    if (last !== undefined && now - last < REST_MS) return;
    const end = `/p2p/${peer}`;
    const local = multiaddrs
      .filter((address) => isLocalAddress(address.toString()))
      .slice(0, MAX_ADDRESSES)
      .map((address) => (address.toString().endsWith(end) ? address : address.encapsulate(end)));
    if (local.length === 0) return;
    this.#tried.delete(peer);
    this.#tried.set(peer, now);
    if (this.#tried.size > MAX_REMEMBERED) this.#tried.delete(this.#tried.keys().next().value!);
    this.#dialling++;
    try {
      await this.#dialler.openConnection(local, { signal: AbortSignal.timeout(DIAL_MS) });
    } catch {
      // It is gone, or does not want this node; the next answer of it starts anew.
    } finally {
      this.#dialling--;
    }
  }
}

/** The discovery module of the node. */
export async function multicast(): Promise<(components: never) => PeerDiscovery> {
  const { mdns } = await import('@libp2p/mdns');
  const make = mdns({ serviceTag: SERVICE, interval: INTERVAL_MS });
  return (components) => {
    const service = make(components) as unknown as PeerDiscovery;
    const { connectionManager } = components as { readonly connectionManager: Dialler };
    const neighbours = new Neighbours(connectionManager, () => performance.now());
    service.addEventListener('peer', ({ detail }) => void neighbours.found(detail));
    return service;
  };
}
