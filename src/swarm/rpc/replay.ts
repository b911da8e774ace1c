/**
 * Answers kept for a minute under the id of their call, so that a caller whose link broke may ask again without a second
 * run. Bounded for each peer and in all; a call still running passes its answer to whoever asked last.
 *
 * @module swarm/rpc/replay
 */

export interface KeptAnswer {
  readonly metadata?: Uint8Array | undefined;
  readonly payload?: Uint8Array | undefined;
}

const KEEP_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_PER_PEER_BYTES = 512 * 1024;
const MAX_PER_PEER = 64;
const MAX_PEERS = 256;

interface Entry {
  readonly answer: KeptAnswer;
  readonly bytes: number;
  readonly until: number;
}

export class Replay {
  readonly #peers = new Map<string, { bytes: number; readonly calls: Map<string, Entry> }>();

  /** `now` in ms on a clock that never goes back. */
  get(peer: string, callId: string, now: number): KeptAnswer | null {
    const entry = this.#peers.get(peer)?.calls.get(callId);
    return entry !== undefined && entry.until > now ? entry.answer : null;
  }

  /** `copy`: the payload's buffer goes its own way. Large answers are not kept. */
  keep(peer: string, callId: string, answer: KeptAnswer, now: number, copy: boolean): void {
    const { metadata, payload } = answer;
    const bytes = (metadata?.length ?? 0) + (payload?.length ?? 0);
    if (bytes > MAX_ANSWER_BYTES) return;
    let own = this.#peers.get(peer);
    if (own === undefined) {
      own = { bytes: 0, calls: new Map() };
      this.#peers.set(peer, own);
      if (this.#peers.size > MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!);
    }
    own.calls.set(callId, {
      answer: { metadata, payload: copy ? payload?.slice() : payload },
      bytes,
      until: now + KEEP_MS,
    });
    own.bytes += bytes;
    for (const [id, entry] of own.calls) {
      if (own.calls.size <= MAX_PER_PEER && own.bytes <= MAX_PER_PEER_BYTES && entry.until > now) break;
      own.calls.delete(id);
      own.bytes -= entry.bytes;
    }
  }
}
