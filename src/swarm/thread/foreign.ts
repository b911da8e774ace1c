/**
 * Protocols of others in the node thread: what is asked of peers, and what answers theirs, told again to each new swarm
 * thread.
 *
 * @module swarm/thread/foreign
 */
import { InputError, type Logger } from '../../base/index.ts';
import type { ForeignHandler, ForeignOptions } from '../types.ts';
import type { Exchanges } from './exchanges.ts';
import type { ToNode } from './messages.ts';

const MIB = 2 ** 20;
const ASK_MS = 10_000;
/** Longest request of others and longest answer of ours, whatever is asked for. */
export const FOREIGN_MAX_BYTES = 16 * MIB;

export class Foreign {
  readonly #exchanges: Exchanges;
  readonly #log: Logger | undefined;
  readonly #handlers = new Map<string, ForeignHandler>();

  constructor(exchanges: Exchanges, log: Logger | undefined) {
    this.#exchanges = exchanges;
    this.#log = log;
  }

  ask(
    peer: string,
    protocol: string,
    request: Uint8Array,
    { addresses = [], maxReplyBytes = MIB, deadlineMs = ASK_MS, signal }: ForeignOptions,
  ): Promise<Uint8Array> {
    const most = Math.min(maxReplyBytes, FOREIGN_MAX_BYTES);
    const ask = { peer, protocol, request, addresses, maxReplyBytes: most };
    return this.#exchanges.run('askForeign', [ask, deadlineMs], signal);
  }

  async handle(protocol: string, handler: ForeignHandler): Promise<AsyncDisposable> {
    if (this.#handlers.has(protocol))
      throw new InputError('swarm_method_taken', `The protocol ${protocol} has a handler already.`);
    this.#handlers.set(protocol, handler);
    await this.#tell(protocol, handler);
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#handlers.get(protocol) !== handler) return;
        this.#handlers.delete(protocol);
        if (this.#exchanges.running) await this.#exchanges.run('unhandleForeign', [protocol]);
      },
    };
  }

  /** Tells all of a new thread. */
  again(): Promise<unknown>[] {
    return [...this.#handlers].map(([protocol, handler]) => this.#tell(protocol, handler));
  }

  #tell(protocol: string, { maxRequestBytes = MIB, maxConcurrent = 8 }: ForeignHandler): Promise<null> {
    const rules = { maxRequestBytes: Math.min(maxRequestBytes, FOREIGN_MAX_BYTES), maxConcurrent };
    return this.#exchanges.run('handleForeign', [protocol, rules]);
  }

  /** Null for no answer. */
  async answerTo({ protocol, peer, data }: Extract<ToNode, { k: 'foreign' }>): Promise<Uint8Array | null> {
    try {
      return (await this.#handlers.get(protocol)?.answer(peer, data)) ?? null;
    } catch (error) {
      this.#log?.child('swarm').warn('a handler of a foreign protocol failed', {
        protocol,
        why: String(error),
      });
      return null;
    }
  }
}
