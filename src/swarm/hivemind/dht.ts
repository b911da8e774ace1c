/**
 * A part in a DHT of Hivemind nodes: asks them, stores at them, and keeps records for them where the owner says so.
 *
 * @module swarm/hivemind/dht
 */
import { KithError, throwIfAborted, toHex } from '../../base/index.ts';
import { AddressBook } from './addresses.ts';
import { decodeDictionary } from './dictionary.ts';
import { HivemindFault } from './fault.ts';
import { compareDistance, keyId, nodeIdOf } from './ids.ts';
import { type Contact, type FindResult, REGULAR } from './messages.ts';
import { decodeMsgpack, encodeMsgpack, type MsgValue } from './msgpack.ts';
import { Rpc } from './rpc.ts';
import { keep, serve } from './serve.ts';
import { Storage } from './storage.ts';
import { BUCKET, Table } from './table.ts';
import type { Hivemind, HivemindClaim, HivemindEntry, HivemindFound, HivemindOptions } from './types.ts';
import { type Walked, walk } from './walk.ts';

/** Nodes that keep a record, as Hivemind's own have it. */
const REPLICAS = 5;
/** Longest search: nodes that are gone take their time to say nothing, ms. */
const SEARCH_MS = 30_000;
/** Entries that a found dictionary has at most; those that expire first are left out. */
const MAX_ENTRIES = 4096;
/** And their bytes: each of many nodes may answer with others. */
const MAX_FOUND_BYTES = 16 * 2 ** 20;

/** @throws {KithError} of the swarm, when it does not run */
export async function openHivemind(options: HivemindOptions): Promise<Hivemind> {
  const { network, self, clock, random, log } = options;
  const node = nodeIdOf(self);
  const table = new Table(node);
  const book = new AddressBook(options.lan, options.bootstrap);
  const rpc = new Rpc({ network, book, random, node: options.serve ? node : null });
  const storage = options.serve ? new Storage(clock) : null;
  let clockOffset: number | null = null;
  await using stack = new AsyncDisposableStack();
  if (storage !== null) stack.use(await serve(network, { node, table, book, storage, rpc, clock }));

  const met = (peer: string, id: Uint8Array | null): Contact | null => {
    if (id === null || peer === self) return null;
    table.add({ node: id, peer });
    return { node: id.slice(), peer };
  };

  /** The owner's nodes that answer now. */
  async function bootstrap(signal?: AbortSignal): Promise<void> {
    await Promise.all(
      book.bootstrap.map(async (peer) => {
        const answer = await rpc.ping(peer, options.serve, signal);
        if (answer === null) return;
        met(peer, answer.node);
        if (answer.time > 0) clockOffset = answer.time - clock.now() / 1000;
        if (options.serve && !answer.available)
          log?.info('a node of the Hivemind DHT cannot call this node back', { peer });
      }),
    );
  }

  /** Asks for `id` on the way to the nodes nearest to it. */
  async function search(
    id: Uint8Array,
    found: (result: FindResult) => void,
    signal?: AbortSignal,
  ): Promise<Walked> {
    const time = AbortSignal.timeout(SEARCH_MS);
    const within = signal === undefined ? time : AbortSignal.any([signal, time]);
    const ask = async (contact: Contact, namedBy: string | null) => {
      const answer = await rpc.find(contact, namedBy, [id], within);
      if (answer === null) {
        table.remove(contact.peer);
        return null;
      }
      met(contact.peer, answer.node);
      const [result] = answer.results;
      found(result!);
      return result!.nearest.filter(({ peer }) => peer !== self);
    };
    for (let attempt = 0; attempt < 2; attempt++) {
      if (table.size === 0) await bootstrap(signal);
      const walked = await walk(id, table.nearest(id, BUCKET), settled(ask), within);
      throwIfAborted(signal);
      // When the time is up, what was found is the answer.
      if (walked.answered > 0) return walked;
      // Links that ended without a word take all that is known with them: it is begun anew, once.
    }
    throw new KithError(
      'hivemind_unreachable',
      `No node of the Hivemind DHT answers (${book.bootstrap.length} in swarm.hivemindBootstrap). Look whether they run and are nodes of such a DHT, and whether this node can reach them with kith p2p connect.`,
      { status: 503 },
    );
  }

  async function find(key: MsgValue, { signal }: { readonly signal?: AbortSignal } = {}) {
    const id = keyId(key);
    const best = new Best(() => clock.now() / 1000);
    const own = storage?.get(id);
    if (own != null)
      if ('regular' in own) best.regular(own.regular, own.expiration);
      else best.dictionary(own.dictionary);
    const { asked, answered } = await search(id, (result) => best.take(result), signal);
    return best.found(asked, answered);
  }

  const hivemind: Hivemind = {
    find,
    async store({ key, subkey, value, expiration }, { signal } = {}) {
      const id = keyId(key);
      const item = {
        key: id,
        subkey: subkey === undefined ? REGULAR : encodeMsgpack(subkey),
        value: encodeMsgpack(value),
        expiration,
        inCache: false,
      };
      const { nearest } = await search(id, () => {}, signal);
      const waiting = [...nearest];
      const counts = { stored: 0, refused: 0, failed: 0 };
      // One of the nodes that are to keep it may be this one.
      const farthest = nearest[REPLICAS - 1];
      if (storage !== null && (farthest === undefined || compareDistance(id, node, farthest.node) < 0))
        counts[keep(storage, self, item) ? 'stored' : 'refused']++;
      // Those that fail are made up for by the next nearest.
      while (waiting.length > 0 && counts.stored + counts.refused < REPLICAS) {
        const some = waiting.splice(0, REPLICAS - counts.stored - counts.refused);
        const answers = await Promise.all(some.map(({ peer }) => rpc.store(peer, [item], signal)));
        for (const answer of answers)
          counts[answer === null ? 'failed' : answer.stored[0] ? 'stored' : 'refused']++;
      }
      return counts;
    },
    state: () => ({
      node: toHex(node),
      contacts: table.all().map((contact) => ({ peer: contact.peer, node: toHex(contact.node) })),
      kept: storage?.size() ?? null,
      clockOffset,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  const owned = stack.move();
  return hivemind;
}

/** A node whose answer could not be waited for has given none. */
function settled(
  ask: (contact: Contact, namedBy: string | null) => Promise<readonly Contact[] | null>,
): typeof ask {
  return (contact, namedBy) => ask(contact, namedBy).catch(() => null);
}

/** The latest of what nodes tell of one key. */
class Best {
  readonly #now: () => number;
  readonly #entries = new Map<string, HivemindEntry>();
  #regular: HivemindClaim | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  take({ found, value, expiration }: FindResult): void {
    if (found === 'regular') this.regular(value, expiration);
    else if (found === 'dictionary') this.dictionary(value);
  }

  regular(value: Uint8Array, expiration: number): void {
    if (expiration > Math.max(this.#now(), this.#regular?.expiration ?? 0))
      this.#regular = claim(value, expiration);
  }

  dictionary(bytes: Uint8Array): void {
    try {
      const now = this.#now();
      for (const { subkey, value, expiration } of decodeDictionary(bytes).entries) {
        const name = toHex(encodeMsgpack(subkey));
        const held = this.#entries.get(name)?.expiration ?? now;
        if (expiration > held) this.#entries.set(name, { ...claim(value, expiration), subkey });
      }
    } catch (error) {
      // One node's nonsense takes nothing from what the others say.
      if (!(error instanceof HivemindFault)) throw error;
    }
    const latest = [...this.#entries].sort(([, a], [, b]) => b.expiration - a.expiration);
    let held = 0;
    for (const [at, [name, entry]] of latest.entries()) {
      held += name.length + entry.bytes.length;
      if (at >= MAX_ENTRIES || held > MAX_FOUND_BYTES) this.#entries.delete(name);
    }
  }

  found(asked: number, answered: number): HivemindFound {
    const entries = [...this.#entries.values()].sort((a, b) => b.expiration - a.expiration);
    const latest = entries[0]?.expiration ?? 0;
    // A key has one of the two: what expires later has replaced the other at the nodes that saw both.
    if (this.#regular !== null && this.#regular.expiration > latest)
      return { regular: this.#regular, entries: [], asked, answered };
    return { regular: null, entries, asked, answered };
  }
}

function claim(bytes: Uint8Array, expiration: number): HivemindClaim {
  const own = bytes.slice();
  try {
    return { value: decodeMsgpack(own), bytes: own, expiration };
  } catch (error) {
    if (!(error instanceof HivemindFault)) throw error;
    return { value: undefined, bytes: own, expiration };
  }
}
