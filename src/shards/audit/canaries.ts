/**
 * Inputs whose right outputs are known, from rows of real prompts on which two peers agreed (or this machine). When nobody else
 * serves a shard's blocks it is asked for these: a session like any other, of as many cells as the path's, the same messages.
 *
 * A peer gets none that it saw before: neither on the path that it was taken from nor when it was computed again.
 *
 * @module shards/audit/canaries
 */
import type { BlockSpan } from '../types.ts';
import type { Executor } from './executor.ts';
import type { Piece } from './trail.ts';

/** Of one span. */
const MOST = 8;

export interface Canary {
  readonly span: BlockSpan;
  readonly pieces: readonly Piece[];
  readonly input: Float32Array;
  /** What comes of the input, and of disturbed copies of it. */
  readonly outputs: readonly Float32Array[];
  readonly build: string;
  /** On whose word the outputs are right: this machine's (null), or that of the peers who agreed on them. */
  readonly by: readonly (string | null)[];
  /** PeerIds that know the input. */
  readonly seen: Set<string>;
}

export class Canaries {
  readonly #kept: Canary[] = [];

  /** True when one more is of use. */
  wants(span: BlockSpan): boolean {
    return this.#of(span).length < MOST;
  }

  keep(canary: Canary): void {
    this.#kept.push(canary);
  }

  /** One that the peer does not know yet; it counts as known from now on. */
  for(span: BlockSpan, peer: string): Canary | null {
    const found = this.#of(span).find(({ seen }) => !seen.has(peer)) ?? null;
    found?.seen.add(peer);
    return found;
  }

  #of({ from, to }: BlockSpan): Canary[] {
    return this.#kept.filter(({ span }) => span.from === from && span.to === to);
  }
}

/** Gives what is known, in the order in which it would be computed. */
export function recorded({ outputs, build }: Canary): Executor {
  let next = 0;
  return {
    by: null,
    compute: async () => outputs[next++]!,
    build: async () => build,
    [Symbol.asyncDispose]: async () => {},
  };
}
