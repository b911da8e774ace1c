/**
 * Bytes in flight: payloads that came from peers and wait for whoever asked or answers. One peer may hold a quarter.
 *
 * @module swarm/gate/budget
 */

export class ByteBudget {
  readonly #limit: number;
  readonly #share: number;
  readonly #byPeer = new Map<string, number>();
  readonly #onChange: (held: number) => void;
  #held = 0;

  constructor(limit: number, onChange: (held: number) => void = () => {}) {
    this.#limit = limit;
    this.#share = Math.floor(limit / 4);
    this.#onChange = onChange;
  }

  get held(): number {
    return this.#held;
  }

  heldBy(peer: string): number {
    return this.#byPeer.get(peer) ?? 0;
  }

  /** False, and nothing is taken, when the peer's share or the whole would be passed. */
  reserve(peer: string, bytes: number): boolean {
    const own = this.heldBy(peer) + bytes;
    if (own > this.#share || this.#held + bytes > this.#limit) return false;
    if (bytes === 0) return true;
    this.#byPeer.set(peer, own);
    this.#held += bytes;
    this.#onChange(this.#held);
    return true;
  }

  release(peer: string, bytes: number): void {
    if (bytes === 0) return;
    const own = this.heldBy(peer) - bytes;
    if (own > 0) this.#byPeer.set(peer, own);
    else this.#byPeer.delete(peer);
    this.#held -= bytes;
    this.#onChange(this.#held);
  }
}
