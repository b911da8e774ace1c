/**
 * What libp2p remembers, in memory and within bounds: peers with their addresses and protocols, and who provides a key.
 *
 * libp2p's own store takes all that strangers tell. One peer can announce any number of keys as its provider, each kept for
 * minutes, and answers of the DHT name peers without end; and each search for providers looks through everything.
 *
 * @module swarm/libp2p/bounded-store
 */
import { NotFoundError } from '@libp2p/interface';
import type { Libp2pOptions } from 'libp2p';

type Datastore = NonNullable<Libp2pOptions['datastore']>;
type Key = Parameters<Datastore['put']>[0];
type Query = Parameters<Datastore['query']>[0];
type KeyQuery = Parameters<Datastore['queryKeys']>[0];
type Options = Parameters<Datastore['get']>[1];

interface Entry {
  readonly key: Key;
  readonly value: Uint8Array;
}

export interface StoreLimits {
  /** Peers known. @default 8192 */
  readonly peers: number;
  /** Provider records of others. @default 16384 */
  readonly providers: number;
  /** Provider records of one peer. @default 256 */
  readonly providersPerPeer: number;
}

const LIMITS: StoreLimits = { peers: 8192, providers: 16_384, providersPerPeer: 256 };
const OTHERS = 1024;
/** A key with the longest hash there is and a PeerId takes about 230. */
const MAX_KEY_CHARS = 512;
const MAX_VALUE_BYTES = 64 * 1024;
const PROVIDERS = '/dht/provider/';
const PEERS = '/peers/';

/** Entries from the one that nobody wanted for longest. */
type Entries = Map<string, Entry>;

/** Adds to the set of a name. */
function addTo(sets: Map<string, Set<string>>, name: string, item: string): Set<string> {
  const set = sets.get(name) ?? new Set();
  sets.set(name, set);
  set.add(item);
  return set;
}

function removeFrom(sets: Map<string, Set<string>>, name: string, item: string): void {
  const set = sets.get(name);
  if (set?.delete(item) && set.size === 0) sets.delete(name);
}

/** `/dht/provider/<key>/<peer>` */
const keyOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
const peerOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

export class BoundedStore implements Datastore {
  readonly #own: string;
  readonly #limits: StoreLimits;
  readonly #peers: Entries = new Map();
  readonly #others: Entries = new Map();
  /** Those of this node, which only it takes away, and those of others. */
  readonly #ownProviders: Entries = new Map();
  readonly #providers: Entries = new Map();
  /** Paths of provider records by key, and of others' by peer. */
  readonly #byKey = new Map<string, Set<string>>();
  readonly #byPeer = new Map<string, Set<string>>();

  /** `own`: this node's PeerId. */
  constructor(own: string, limits: Partial<StoreLimits> = {}) {
    this.#own = own;
    this.#limits = { ...LIMITS, ...limits };
  }

  #of(path: string): Entries {
    if (path.startsWith(PEERS)) return this.#peers;
    if (!path.startsWith(PROVIDERS)) return this.#others;
    return peerOf(path) === this.#own ? this.#ownProviders : this.#providers;
  }

  put(key: Key, value: Uint8Array): Key {
    const path = key.toString();
    if (path.length > MAX_KEY_CHARS || value.length > MAX_VALUE_BYTES)
      throw new RangeError(`What is to be remembered is too large: ${path.slice(0, 64)}`);
    const entries = this.#of(path);
    entries.delete(path);
    entries.set(path, { key, value });
    if (entries === this.#peers) this.#shrink(entries, this.#limits.peers);
    else if (entries === this.#others) this.#shrink(entries, OTHERS);
    else {
      addTo(this.#byKey, keyOf(path), path);
      if (entries === this.#providers) {
        // Told again, it is the newest of its peer's too.
        this.#byPeer.get(peerOf(path))?.delete(path);
        const paths = addTo(this.#byPeer, peerOf(path), path);
        if (paths.size > this.#limits.providersPerPeer) this.#remove(paths.values().next().value!);
        this.#shrink(entries, this.#limits.providers);
      }
    }
    return key;
  }

  #shrink(entries: Entries, limit: number): void {
    if (entries.size > limit) this.#remove(entries.keys().next().value!);
  }

  #remove(path: string): void {
    if (!this.#of(path).delete(path) || !path.startsWith(PROVIDERS)) return;
    removeFrom(this.#byKey, keyOf(path), path);
    removeFrom(this.#byPeer, peerOf(path), path);
  }

  get(key: Key): Uint8Array {
    const path = key.toString();
    const entries = this.#of(path);
    const entry = entries.get(path);
    if (entry === undefined) throw new NotFoundError(`Nothing is known of ${path}`);
    if (entries === this.#peers) {
      entries.delete(path);
      entries.set(path, entry);
    }
    return entry.value;
  }

  has(key: Key): boolean {
    const path = key.toString();
    return this.#of(path).has(path);
  }

  delete(key: Key): void {
    this.#remove(key.toString());
  }

  async *putMany(source: Iterable<Entry> | AsyncIterable<Entry>): AsyncGenerator<Key> {
    for await (const { key, value } of source) yield this.put(key, value);
  }

  async *getMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Entry> {
    for await (const key of source) yield { key, value: this.get(key) };
  }

  async *deleteMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      this.delete(key);
      yield key;
    }
  }

  batch(): ReturnType<Datastore['batch']> {
    const steps: (() => void)[] = [];
    return {
      put: (key, value) => {
        steps.push(() => this.put(key, value));
      },
      delete: (key) => {
        steps.push(() => this.delete(key));
      },
      commit: () => {
        for (const step of steps.splice(0)) step();
      },
    };
  }

  *query(query: Query, options?: Options): Generator<Entry> {
    const { prefix = '', filters = [], orders = [], offset = 0, limit = Number.POSITIVE_INFINITY } = query;
    let found = this.#below(prefix).filter((entry) => filters.every((filter) => filter(entry)));
    for (const order of orders) found = found.sort(order);
    for (const entry of found.slice(offset, offset + limit)) {
      options?.signal?.throwIfAborted();
      yield entry;
    }
  }

  *queryKeys(query: KeyQuery, options?: Options): Generator<Key> {
    const { prefix = '', filters = [], orders = [], offset = 0, limit = Number.POSITIVE_INFINITY } = query;
    let found = this.#below(prefix)
      .map(({ key }) => key)
      .filter((key) => filters.every((filter) => filter(key)));
    for (const order of orders) found = found.sort(order);
    for (const key of found.slice(offset, offset + limit)) {
      options?.signal?.throwIfAborted();
      yield key;
    }
  }

  #below(prefix: string): Entry[] {
    // Providers of one key, without a look at the others.
    if (prefix.startsWith(PROVIDERS))
      return [...(this.#byKey.get(prefix) ?? [])].map((path) => this.#of(path).get(path)!);
    const found: Entry[] = [];
    for (const entries of [this.#peers, this.#others, this.#ownProviders, this.#providers])
      for (const [path, entry] of entries) if (path.startsWith(prefix)) found.push(entry);
    return found;
  }
}
