/**
 * Calls to nodes of the DHT: ping, store, find. What is no answer, comes too late, or is for another call counts as none.
 *
 * @module swarm/hivemind/rpc
 */
import { isKithError, type Random, throwIfAborted } from '../../base/index.ts';
import type { ForeignProtocols } from '../types.ts';
import {
  type AddressBook,
  decodeRoutingAnswer,
  encodeRoutingRequest,
  ROUTING_MAX_BYTES,
  ROUTING_PROTOCOL,
} from './addresses.ts';
import { HivemindFault } from './fault.ts';
import {
  type Contact,
  decodeFindResponse,
  decodePingResponse,
  decodeStoreResponse,
  encodeFindRequest,
  encodePingRequest,
  encodeStoreRequest,
  type FindResponse,
  METHODS,
  type PingResponse,
  type StoreItem,
  type StoreResponse,
} from './messages.ts';
import { peerIdToBytes } from './peer-ids.ts';
import { decodeAnswer, encodeCall, MAX_UNARY_BYTES } from './unary.ts';

/** Time for one call, dialling included, ms. */
const CALL_MS = 8_000;
const ROUTING_MS = 5_000;

export interface RpcOptions {
  readonly network: ForeignProtocols;
  readonly book: AddressBook;
  readonly random: Random;
  /** This node's id in the DHT, as others are told it; null for one that serves nobody. */
  readonly node: Uint8Array | null;
}

export class Rpc {
  readonly #options: RpcOptions;

  constructor(options: RpcOptions) {
    this.#options = options;
  }

  /** `namedBy` tells where the peer is, when this node does not know. */
  async ping(peer: string, validate: boolean, signal?: AbortSignal): Promise<PingResponse | null> {
    const request = encodePingRequest({ node: this.#options.node, validate });
    return this.#call(peer, null, METHODS.ping, request, decodePingResponse, signal);
  }

  async store(
    peer: string,
    items: readonly StoreItem[],
    signal?: AbortSignal,
  ): Promise<StoreResponse | null> {
    const request = encodeStoreRequest({ node: this.#options.node, items });
    const answer = await this.#call(peer, null, METHODS.store, request, decodeStoreResponse, signal);
    return answer?.stored.length === items.length ? answer : null;
  }

  async find(
    { peer }: Contact,
    namedBy: string | null,
    keys: readonly Uint8Array[],
    signal?: AbortSignal,
  ): Promise<FindResponse | null> {
    const request = encodeFindRequest({ node: this.#options.node, keys });
    const answer = await this.#call(peer, namedBy, METHODS.find, request, decodeFindResponse, signal);
    return answer?.results.length === keys.length ? answer : null;
  }

  async #call<T>(
    peer: string,
    namedBy: string | null,
    method: string,
    data: Uint8Array,
    decode: (bytes: Uint8Array) => T,
    signal?: AbortSignal,
  ): Promise<T | null> {
    const { random, book } = this.#options;
    const id = random.bytes(16);
    const request = encodeCall({ id, peer: peerIdToBytes(peer), method, data });
    const bounds = {
      maxReplyBytes: MAX_UNARY_BYTES,
      deadlineMs: CALL_MS,
      ...(signal !== undefined && { signal }),
    };
    const ask = () =>
      this.#options.network.askForeign(peer, method, request, { ...bounds, addresses: book.of(peer) });
    try {
      const bytes = await ask().catch(async (error: unknown) => {
        if (namedBy === null || book.of(peer).length > 0) throw error;
        if (!(await this.#locate(peer, namedBy, signal))) throw error;
        return ask();
      });
      const answer = decodeAnswer(bytes);
      if (!Buffer.from(answer.id).equals(id) || answer.data === null) return null;
      return decode(answer.data);
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof HivemindFault || isKithError(error)) return null;
      throw error;
    }
  }

  /** Asks where a peer is of the one who named it. */
  async #locate(peer: string, namedBy: string, signal?: AbortSignal): Promise<boolean> {
    const { network, book } = this.#options;
    const answer = await network.askForeign(namedBy, ROUTING_PROTOCOL, encodeRoutingRequest(peer), {
      addresses: book.of(namedBy),
      maxReplyBytes: ROUTING_MAX_BYTES,
      deadlineMs: ROUTING_MS,
      ...(signal !== undefined && { signal }),
    });
    // Of others too, but only the one that was asked for is of use.
    return book.learn(peer, decodeRoutingAnswer(answer).get(peer) ?? []);
  }
}
