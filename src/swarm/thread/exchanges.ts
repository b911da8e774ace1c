/**
 * What this node has asked of the swarm thread and waits for: each exchange has a number, and ends with its answer, with its
 * caller's leaving, or with the thread.
 *
 * @module swarm/thread/exchanges
 */
import { AbortedError, KithError, throwIfAborted } from '../../base/index.ts';
import { fromWireError, type WireError } from '../rpc/errors.ts';
import type { ProviderRecord } from '../types.ts';
import type { LifeState } from './life.ts';
import type { OperationName, Operations, Post, ToNode } from './messages.ts';

type Answer = Extract<ToNode, { k: 'reply' | 'failed' | 'done' }>;

interface Pending {
  settle(message: Answer): void;
  provider?(provider: ProviderRecord): void;
}

export class Exchanges {
  readonly #post: Post;
  readonly #state: () => LifeState;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(post: Post, state: () => LifeState) {
    this.#post = post;
    this.#state = state;
  }

  get running(): boolean {
    return this.#state() === 'running';
  }

  /** A number that no other exchange or session of this node has. */
  number(): number {
    this.#last += 2;
    return this.#last;
  }

  /** @throws {KithError} `swarm_lost`, `swarm_breaker` unless the thread runs */
  mustRun(): void {
    const state = this.#state();
    if (state === 'running') return;
    if (state === 'broken')
      throw new KithError(
        'swarm_breaker',
        'The swarm thread died again and again and rests for a minute. See the log.',
        { status: 503, retryAfter: 60 },
      );
    throw new KithError(
      'swarm_lost',
      state === 'closed' ? 'The swarm is closed.' : 'The swarm thread starts again.',
      { status: 503, retryAfter: 1 },
    );
  }

  /** Waits for the answer to `n`; `settle` is called at most once. */
  await(n: number, settle: Pending['settle'], provider?: Pending['provider']): void {
    this.#pending.set(n, { settle, ...(provider !== undefined && { provider }) });
  }

  /** The caller waits no more. */
  leave(n: number): void {
    if (this.#pending.delete(n)) this.#post({ k: 'abort', n });
  }

  /** One operation of the host in the thread. `provider` gets what comes before the answer. */
  async run<Name extends OperationName>(
    op: Name,
    args: Parameters<Operations[Name]>,
    signal?: AbortSignal,
    provider?: (record: ProviderRecord) => void,
  ): Promise<ReturnType<Operations[Name]>> {
    throwIfAborted(signal);
    this.mustRun();
    return new Promise((resolve, reject) => {
      const n = this.number();
      const onAbort = () => {
        this.leave(n);
        reject(new AbortedError(undefined, { cause: signal!.reason }));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = (message: Answer) => {
        signal?.removeEventListener('abort', onAbort);
        if (message.k === 'done') resolve(message.value as ReturnType<Operations[Name]>);
        else if (message.k === 'failed') reject(fromWireError(message.error, ''));
      };
      this.await(n, settle, provider);
      this.#post({ k: 'do', n, op, args });
    });
  }

  settle(message: Answer): void {
    const pending = this.#pending.get(message.n);
    this.#pending.delete(message.n);
    pending?.settle(message);
  }

  provider(n: number, provider: ProviderRecord): void {
    this.#pending.get(n)?.provider?.(provider);
  }

  /** All of them fail with the error. */
  lose(error: WireError): void {
    for (const n of [...this.#pending.keys()]) this.settle({ k: 'failed', n, error });
  }
}
