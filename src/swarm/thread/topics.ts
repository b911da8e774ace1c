/**
 * Topics that this node has joined, with their validators; joined again in each new swarm thread.
 *
 * @module swarm/thread/topics
 */
import { InputError, type Logger } from '../../base/index.ts';
import type { GossipMessage, GossipVerdict, Subscription } from '../types.ts';
import type { Exchanges } from './exchanges.ts';

export class Topics {
  readonly #exchanges: Exchanges;
  readonly #log: Logger | undefined;
  readonly #joined = new Map<string, Subscription>();

  constructor(exchanges: Exchanges, log: Logger | undefined) {
    this.#exchanges = exchanges;
    this.#log = log;
  }

  async subscribe(topic: string, subscription: Subscription): Promise<AsyncDisposable> {
    if (this.#joined.has(topic))
      throw new InputError('swarm_topic_taken', `The topic ${topic} is subscribed already.`);
    this.#joined.set(topic, subscription);
    try {
      await this.#join(topic, subscription);
    } catch (error) {
      this.#joined.delete(topic);
      throw error;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#joined.get(topic) !== subscription) return;
        this.#joined.delete(topic);
        if (this.#exchanges.running) await this.#exchanges.run('unsubscribe', [topic]);
      },
    };
  }

  /** Joins all in a new thread. */
  again(): Promise<unknown>[] {
    return [...this.#joined].map(([topic, subscription]) => this.#join(topic, subscription));
  }

  async verdictOn(message: GossipMessage): Promise<GossipVerdict> {
    try {
      return (await this.#joined.get(message.topic)?.validate(message)) ?? 'ignore';
    } catch (error) {
      this.#log
        ?.child('swarm')
        .warn('a gossip validator failed', { topic: message.topic, why: String(error) });
      return 'ignore';
    }
  }

  #join(topic: string, { maxBytes = 16_384, maxPerSecond = 50 }: Subscription): Promise<null> {
    return this.#exchanges.run('subscribe', [topic, { maxBytes, maxPerSecond }]);
  }
}
