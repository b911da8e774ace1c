/**
 * Answers to nodes of the DHT: who this node is, what it keeps, whom it knows. Everything they send is bounded, and what
 * they claim to be is believed no further than to a place in the table.
 *
 * @module swarm/hivemind/serve
 */
import { createHash } from 'node:crypto';
import { type Clock, toHex } from '../../base/index.ts';
import { TokenBucket } from '../gate/bucket.ts';
import type { ForeignProtocols } from '../types.ts';
import {
  type AddressBook,
  decodeRoutingRequest,
  encodeRoutingAnswer,
  ROUTING_PROTOCOL,
} from './addresses.ts';
import { decodeDictionary, MAX_ENTRIES } from './dictionary.ts';
import { HivemindFault } from './fault.ts';
import { compareDistance } from './ids.ts';
import {
  decodeFindRequest,
  decodePingRequest,
  decodeStoreRequest,
  encodeFindResponse,
  encodePingResponse,
  encodeStoreResponse,
  type FindResult,
  METHODS,
  REGULAR,
  type StoreItem,
  WHOLE,
} from './messages.ts';
import { decodeMsgpack, encodeMsgpack } from './msgpack.ts';
import { peerIdToBytes } from './peer-ids.ts';
import type { Rpc } from './rpc.ts';
import type { Storage } from './storage.ts';
import { BUCKET, type Table } from './table.ts';
import { decodeCall, encodeAnswer } from './unary.ts';

/** Longest request: others send far less, and what is stored in one is bounded too. */
const MAX_REQUEST_BYTES = 4 * 2 ** 20;
const MAX_ROUTING_BYTES = 64 * 1024;
/** Values in one answer, bytes; other nodes take 4 MiB in all. What is over it they find elsewhere, or ask for alone. */
const MAX_VALUE_BYTES = 3 * 2 ** 20;
/** Keys of one request that neighbours are told for; a search asks for few at once. */
const MAX_NEAREST_KEYS = 64;
/** Of a subkey; PeerIds have 54. */
const MAX_SUBKEY_BYTES = 1024;
/** Requests a second of one peer, and at once. */
const RATE = 20;
const BURST = 60;
/** Peers with a count of their own; the ones idle longest go first. */
const MAX_PEERS = 1024;

export interface ServeOptions {
  readonly node: Uint8Array;
  readonly table: Table;
  readonly book: AddressBook;
  readonly storage: Storage;
  readonly rpc: Pick<Rpc, 'ping'>;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

type Handler = (peer: string, data: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Answers until disposed. */
export async function serve(network: ForeignProtocols, options: ServeOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const buckets = new Map<string, TokenBucket>();
  const mayAsk = (peer: string): boolean => {
    const now = options.clock.monotonic();
    const bucket = buckets.get(peer) ?? new TokenBucket(RATE, BURST, now);
    // Last in the map's order is last used.
    buckets.delete(peer);
    buckets.set(peer, bucket);
    if (buckets.size > MAX_PEERS) buckets.delete(buckets.keys().next().value!);
    return bucket.take(1, now);
  };
  for (const [method, handler] of Object.entries(handlers(options)))
    stack.use(
      await network.handleForeign(method, {
        maxRequestBytes: MAX_REQUEST_BYTES,
        async answer(peer, bytes) {
          if (!mayAsk(peer)) return null;
          try {
            const call = decodeCall(bytes);
            if (call.method !== method) return null;
            try {
              return encodeAnswer(call.id, { data: await handler(peer, call.data) });
            } catch (error) {
              if (!(error instanceof HivemindFault)) throw error;
              return encodeAnswer(call.id, { error: error.message });
            }
          } catch (error) {
            if (error instanceof HivemindFault) return null;
            throw error;
          }
        },
      }),
    );
  stack.use(
    await network.handleForeign(ROUTING_PROTOCOL, {
      maxRequestBytes: MAX_ROUTING_BYTES,
      async answer(peer, bytes) {
        if (!mayAsk(peer)) return null;
        try {
          return await route(network, options, peer, bytes);
        } catch (error) {
          if (error instanceof HivemindFault) return null;
          throw error;
        }
      },
    }),
  );
  const owned = stack.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * Where the nodes of the table are, the one that is asked for first: without it, who knows this node alone could reach no
 * other. Of values and providers it has none, and says so by naming nodes only.
 */
async function route(
  network: ForeignProtocols,
  { table, book }: ServeOptions,
  peer: string,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const request = decodeRoutingRequest(bytes);
  // There nearness is that of the SHA-256 of PeerIds, which the one that is asked for is nearest to.
  const target = sha256(request.key);
  const named = table
    .all()
    .filter((contact) => contact.peer !== peer)
    .map((contact) => ({ peer: contact.peer, place: sha256(peerIdToBytes(contact.peer)) }))
    .sort((a, b) => compareDistance(target, a.place, b.place))
    .slice(0, BUCKET)
    .map((one) => one.peer);
  const told = await network.addressesOf(named);
  const closer = new Map<string, readonly string[]>();
  for (const one of named) {
    const addresses = book.fit([...book.of(one), ...(told.get(one) ?? [])]);
    if (addresses.length > 0) closer.set(one, addresses);
  }
  return encodeRoutingAnswer(request, closer);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/** By protocol, from a request to its answer. */
export function handlers({
  node,
  table,
  storage,
  rpc,
  clock,
}: ServeOptions): Readonly<Record<string, Handler>> {
  const meet = (peer: string, id: Uint8Array | null): void => {
    if (id !== null) table.add({ node: id, peer });
  };
  return {
    async [METHODS.ping](peer, data) {
      const asked = decodePingRequest(data);
      let available = false;
      if (asked.node !== null && asked.validate) {
        const back = await rpc.ping(peer, false);
        available = back?.node != null && Buffer.from(back.node).equals(asked.node);
      }
      if (available || !asked.validate) meet(peer, asked.node);
      return encodePingResponse({ node, time: clock.now() / 1000, available });
    },
    [METHODS.store](peer, data) {
      const asked = decodeStoreRequest(data);
      meet(peer, asked.node);
      const room = { entries: MAX_ENTRIES };
      const stored = asked.items.map((item) => keep(storage, peer, item, room));
      return encodeStoreResponse({ node, stored });
    },
    [METHODS.find](peer, data) {
      const asked = decodeFindRequest(data);
      meet(peer, asked.node);
      let room = MAX_VALUE_BYTES;
      const told = new Set<string>();
      const results = asked.keys.map((key, at): FindResult => {
        const nearest = at < MAX_NEAREST_KEYS ? table.nearest(key, BUCKET, peer) : [];
        const nothing = { found: 'nothing', value: WHOLE, expiration: 0, nearest } as const;
        const name = toHex(key);
        // Once is enough.
        if (room <= 0 || told.has(name)) return nothing;
        told.add(name);
        const kept = storage.get(key, room);
        if (kept === null) return nothing;
        const regular = 'regular' in kept;
        const value = regular ? kept.regular : kept.dictionary;
        room -= value.length;
        const found = regular ? 'regular' : 'dictionary';
        return { found, value, expiration: kept.expiration, nearest };
      });
      return encodeFindResponse({ node, results });
    },
  };
}

/**
 * False for what is refused, and for what is no record.
 *
 * @param room entries of dictionaries that are still looked at; more than one peer may store in one request are of no use
 */
export function keep(
  storage: Storage,
  peer: string,
  { key, subkey, value, expiration }: StoreItem,
  room: { entries: number } = { entries: MAX_ENTRIES },
): boolean {
  try {
    const one = (tag: Uint8Array, bytes: Uint8Array, until: number): boolean => {
      if (tag.length > MAX_SUBKEY_BYTES) return false;
      // Read from a copy: a view would keep all of the request.
      const subkeyOf = { value: decodeMsgpack(tag.slice()), tag };
      return storage.store(peer, { key, subkey: subkeyOf, value: bytes, expiration: until });
    };
    if (subkey.length === 0) {
      if (room.entries <= 0) return false;
      const { entries } = decodeDictionary(value);
      // A broken or empty one is not read for free either.
      room.entries -= Math.max(1, entries.length);
      return entries
        .map((entry) => one(encodeMsgpack(entry.subkey), entry.value, entry.expiration))
        .every(Boolean);
    }
    if (Buffer.from(subkey).equals(REGULAR))
      return storage.store(peer, { key, subkey: null, value, expiration });
    return one(subkey, value, expiration);
  } catch (error) {
    if (error instanceof HivemindFault) return false;
    throw error;
  }
}
