/**
 * Links to peers and who is banned from having any, as the node thread keeps them over deaths of the swarm thread.
 *
 * @module swarm/thread/links
 */
import type { Clock, Logger } from '../../base/index.ts';
import type { Ban, Misbehaviour, PeerLink } from '../types.ts';
import type { Exchanges } from './exchanges.ts';
import type { Post } from './messages.ts';

const DIAL_MS = 10_000;
const PING_MS = 10_000;

interface Bounds {
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

export interface LinksOptions {
  readonly bans: readonly Ban[];
  readonly clock: Clock;
  readonly log: Logger | undefined;
  readonly onMisbehaviour: ((peer: string, kind: Misbehaviour) => void) | undefined;
}

export class Links {
  readonly #exchanges: Exchanges;
  readonly #options: LinksOptions;
  readonly #bans = new Map<string, number | null>();
  readonly #listeners = new Set<(peer: string, connected: boolean) => void>();

  constructor(exchanges: Exchanges, options: LinksOptions) {
    this.#exchanges = exchanges;
    this.#options = options;
    for (const { peer, until } of options.bans) this.#bans.set(peer, until);
  }

  dial(target: string, { deadlineMs = DIAL_MS, signal }: Bounds): Promise<PeerLink> {
    return this.#exchanges.run('dial', [target, deadlineMs], signal);
  }

  ping(peer: string, { deadlineMs = PING_MS, signal }: Bounds): Promise<number> {
    return this.#exchanges.run('ping', [peer, deadlineMs], signal);
  }

  onPeer(listener: (peer: string, connected: boolean) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async ban(peer: string, until: number | null): Promise<void> {
    this.#bans.set(peer, until);
    await this.#exchanges.run('ban', [peer, until]);
  }

  async unban(peer: string): Promise<void> {
    this.#bans.delete(peer);
    await this.#exchanges.run('unban', [peer]);
  }

  bans(): readonly Ban[] {
    const now = this.#options.clock.now();
    for (const [peer, until] of this.#bans) if (until !== null && until <= now) this.#bans.delete(peer);
    return [...this.#bans].map(([peer, until]) => ({ peer, until }));
  }

  /** Tells a new thread whom to keep out, before it listens. */
  born(post: Post): void {
    for (const { peer, until } of this.bans()) post({ k: 'do', n: 0, op: 'ban', args: [peer, until] });
  }

  onMisbehaved(peer: string, kind: Misbehaviour, banned: number | null): void {
    if (banned !== null) this.#bans.set(peer, banned);
    this.#tell(() => this.#options.onMisbehaviour?.(peer, kind));
  }

  onLink(peer: string, connected: boolean): void {
    for (const listener of this.#listeners) this.#tell(() => listener(peer, connected));
  }

  /** What a listener throws is its own affair: the next message must not wait for it. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.log?.child('swarm').warn('a listener failed', { why: String(error) });
    }
  }
}
