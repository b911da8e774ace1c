/**
 * Keys that this node provides, told again by each new swarm thread, and the search for others that provide one.
 *
 * @module swarm/thread/providers
 */
import { InputError } from '../../base/index.ts';
import type { ProviderRecord } from '../types.ts';
import type { Exchanges } from './exchanges.ts';

const FIND_MS = 20_000;
const FIND_LIMIT = 64;

interface Provided {
  readonly key: Uint8Array;
  /** Who asked for it and has not let go. */
  users: number;
}

export class Providers {
  readonly #exchanges: Exchanges;
  readonly #provided = new Map<string, Provided>();

  constructor(exchanges: Exchanges) {
    this.#exchanges = exchanges;
  }

  /** Provides the key until all who asked for it let go. One that was not told, or not to the end, is not kept. */
  async provide(key: Uint8Array, signal: AbortSignal | undefined): Promise<AsyncDisposable> {
    const name = keyName(key);
    const provided = this.#provided.get(name) ?? { key, users: 0 };
    this.#provided.set(name, provided);
    provided.users++;
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      if (--provided.users > 0) return;
      this.#provided.delete(name);
      if (this.#exchanges.running) await this.#exchanges.run('unprovide', [key]);
    };
    try {
      await this.#exchanges.run('provide', [key], signal);
    } catch (error) {
      // The network would be told of it again by what remembers it in the thread. Nobody waits for that to be forgotten.
      release().catch(() => undefined);
      throw error;
    }
    return { [Symbol.asyncDispose]: release };
  }

  /** Tells all of a new thread. */
  again(): Promise<unknown>[] {
    return [...this.#provided.values()].map(({ key }) => this.#exchanges.run('provide', [key]));
  }

  async *find(
    key: Uint8Array,
    options: { readonly signal?: AbortSignal; readonly limit?: number; readonly deadlineMs?: number },
  ): AsyncGenerator<ProviderRecord> {
    keyName(key);
    const { limit = FIND_LIMIT, deadlineMs = FIND_MS } = options;
    const found: ProviderRecord[] = [];
    let wake = () => {};
    let over = false;
    let failure: unknown;
    const stop = new AbortController();
    const signal =
      options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    this.#exchanges
      .run('findProviders', [key, limit, deadlineMs], signal, (provider) => {
        found.push(provider);
        wake();
      })
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        over = true;
        wake();
      });
    try {
      for (;;) {
        const next = found.shift();
        if (next !== undefined) yield next;
        else if (over) break;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      if (failure !== undefined) throw failure;
    } finally {
      stop.abort();
    }
  }
}

function keyName(key: Uint8Array): string {
  if (key.length !== 32)
    throw new InputError(
      'swarm_key_invalid',
      `A key of the network has 32 bytes, not ${key.length}: give a SHA-256.`,
    );
  return Buffer.from(key).toString('hex');
}
