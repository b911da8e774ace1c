/**
 * Protocols that are not ours: one request and one answer over a stream, each a length as a varint and so many bytes. What
 * the bytes mean is for whoever asked; here they are bounded, before anything is kept of them.
 *
 * @module swarm/libp2p/foreign
 */
import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Gate } from '../gate/gate.ts';
import type { Node } from './config.ts';
import { readDelimited, sendDelimited, TooLong } from './delimited.ts';
import { bestConnection } from './paths.ts';

/** How a peer is asked. */
export interface ForeignAsk {
  readonly peer: string;
  readonly protocol: string;
  readonly request: Uint8Array;
  /** Where the peer is, when no link to it stands; those that are known already when there are none. */
  readonly addresses: readonly string[];
  readonly maxReplyBytes: number;
}

/** How a protocol is answered. */
export interface ForeignRules {
  readonly maxRequestBytes: number;
  /** Streams of one connection at once. */
  readonly maxConcurrent: number;
}

/** Ms for a request to be here whole, and for its answer to be gone. */
const IN_MS = 15_000;
const OUT_MS = 30_000;
const MAX_OUTBOUND = 64;
const MAX_TOLD = 8;

export class ForeignStreams {
  readonly #node: Node;
  readonly #gate: Gate;

  constructor(node: Node, gate: Gate) {
    this.#node = node;
    this.#gate = gate;
  }

  async ask(
    { peer, protocol, request, addresses, maxReplyBytes }: ForeignAsk,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const connection = await this.#connect(peerIdFromString(peer), addresses, signal);
    const stream = await connection.newStream(protocol, {
      signal,
      runOnLimitedConnection: true,
      maxOutboundStreams: MAX_OUTBOUND,
    });
    let held = 0;
    try {
      const reply = readDelimited(stream, maxReplyBytes, signal, (bytes) => {
        const free = this.#gate.budget.reserve(peer, bytes);
        if (free) held = bytes;
        return free;
      });
      // Whichever fails first is the reason.
      await Promise.all([reply, sendDelimited(stream, request, signal)]);
      stream.close({ signal: AbortSignal.timeout(OUT_MS) }).catch((error: Error) => stream.abort(error));
      return await reply;
    } catch (error) {
      stream.abort(error as Error);
      throw error;
    } finally {
      this.#gate.budget.release(peer, held);
    }
  }

  async #connect(id: PeerId, addresses: readonly string[], signal: AbortSignal): Promise<Connection> {
    const standing = bestConnection(this.#node.getConnections(id));
    if (standing !== undefined) return standing;
    const to = addresses.length > 0 ? addresses.map((address) => fullAddress(address, id)) : id;
    // Without an address it would be looked for in our own network, where it is not.
    if (to === id && (await this.#addressesOf(id)).length === 0)
      throw new Error('No address of it is known.');
    return this.#node.dial(to, { signal });
  }

  async addressesOf(peers: readonly string[]): Promise<Map<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    for (const peer of peers) {
      const addresses = await this.#addressesOf(peerIdFromString(peer));
      if (addresses.length > 0) found.set(peer, addresses.slice(0, MAX_TOLD));
    }
    return found;
  }

  async #addressesOf(id: PeerId): Promise<string[]> {
    return this.#node.peerStore.get(id).then(
      (known) => known.addresses.map(({ multiaddr }) => multiaddr.toString()),
      () => [],
    );
  }

  /** @param onRequest null for no answer: the stream is cut */
  async handle(
    protocol: string,
    rules: ForeignRules,
    onRequest: (peer: string, data: Uint8Array) => Promise<Uint8Array | null>,
  ): Promise<void> {
    await this.#node.handle(
      protocol,
      (stream, connection) => void this.#answer(stream, connection.remotePeer.toString(), rules, onRequest),
      { maxInboundStreams: rules.maxConcurrent, runOnLimitedConnection: true, force: true },
    );
  }

  async unhandle(protocol: string): Promise<void> {
    await this.#node.unhandle(protocol);
  }

  async #answer(
    stream: Stream,
    peer: string,
    { maxRequestBytes }: ForeignRules,
    onRequest: (peer: string, data: Uint8Array) => Promise<Uint8Array | null>,
  ): Promise<void> {
    let held = 0;
    try {
      if (this.#gate.request(peer) > 0) throw new Error('The peer asks too much.');
      const request = await readDelimited(stream, maxRequestBytes, AbortSignal.timeout(IN_MS), (bytes) => {
        const free = this.#gate.budget.reserve(peer, bytes);
        if (free) held = bytes;
        return free;
      });
      const reply = await onRequest(peer, request);
      if (reply === null) throw new Error('There is no answer.');
      await sendDelimited(stream, reply, AbortSignal.timeout(OUT_MS));
      await stream.close({ signal: AbortSignal.timeout(OUT_MS) });
    } catch (error) {
      stream.abort(error as Error);
      if (error instanceof TooLong) this.#gate.strike(peer, 'oversize');
    } finally {
      this.#gate.budget.release(peer, held);
    }
  }
}

function fullAddress(address: string, id: PeerId): Multiaddr {
  const given = multiaddr(address);
  return address.includes('/p2p/') && !address.endsWith('/p2p-circuit')
    ? given
    : given.encapsulate(`/p2p/${id.toString()}`);
}
