/**
 * A swarm whose sessions take longer: every message of a session waits for half of a round trip, each way, as on a link of that length
 * with room enough. What opens a session waits for a whole one.
 *
 * @module test/shards/delayed
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Session, SessionMessage, Swarm } from '../../src/swarm/index.ts';

type Sessions = Pick<Swarm, 'openSession' | 'learn' | 'ping'>;

/** @param rttOf asked as each session opens */
export function delayed(swarm: Sessions, rttOf: () => number): Sessions {
  return {
    learn: (peer, addresses) => swarm.learn(peer, addresses),
    ping: async (...given) => rttOf() + (await swarm.ping(...given)),
    async openSession(peer, method, metadata, options) {
      const rttMs = rttOf();
      if (rttMs > 0) await wait(rttMs);
      const session = await swarm.openSession(peer, method, metadata, options);
      return rttMs > 0 ? new Delayed(session, rttMs / 2) : session;
    },
  };
}

type Arrival = { readonly message: SessionMessage | null } | { readonly error: unknown };

class Delayed implements Session {
  readonly #under: Session;
  readonly #ms: number;
  readonly #arrived: Arrival[] = [];
  #wake: (() => void) | null = null;
  /** What left before, so that the end comes after it. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(under: Session, ms: number) {
    this.#under = under;
    this.#ms = ms;
    void this.#pump();
  }

  get peer() {
    return this.#under.peer;
  }

  get method() {
    return this.#under.method;
  }

  get metadata() {
    return this.#under.metadata;
  }

  get path() {
    return this.#under.path;
  }

  get signal() {
    return this.#under.signal;
  }

  async send(...message: Parameters<Session['send']>): Promise<void> {
    this.#under.signal.throwIfAborted();
    const before = this.#sent;
    const arrives = wait(this.#ms);
    this.#sent = Promise.all([before, arrives]).then(() => this.#under.send(...message));
    this.#sent.catch(() => {});
  }

  async receive({ signal }: { readonly signal?: AbortSignal } = {}): Promise<SessionMessage | null> {
    while (this.#arrived.length === 0) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const [arrival] = this.#arrived as [Arrival];
    if ('error' in arrival) throw arrival.error;
    if (arrival.message !== null) this.#arrived.shift();
    return arrival.message;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<SessionMessage> {
    for (let message = await this.receive(); message !== null; message = await this.receive()) yield message;
  }

  async end(): Promise<void> {
    await Promise.all([this.#sent, wait(this.#ms)]);
    await this.#under.end();
  }

  cancel(): void {
    this.#under.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#under[Symbol.asyncDispose]());
  }

  async #pump(): Promise<void> {
    let message: SessionMessage | null;
    try {
      do {
        message = await this.#under.receive();
        this.#later({ message });
      } while (message !== null);
    } catch (error) {
      this.#later({ error });
    }
  }

  #later(arrival: Arrival): void {
    setTimeout(() => {
      this.#arrived.push(arrival);
      this.#wake?.();
    }, this.#ms);
  }
}
