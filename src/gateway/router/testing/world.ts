/**
 * A small world for the router's tests: some words make prompts that only the frontier model answers, the rest both
 * answer; and an embedder that counts those words.
 *
 * @module gateway/router/testing/world
 */
import { createSeededRandom, type Random } from '../../../base/index.ts';
import type { Embedder, Outcome } from '../types.ts';

const EASY = ['tea', 'river', 'cat', 'lamp', 'bread', 'chair', 'green', 'walk'];
const HARD = ['tensor', 'lemma', 'quorum', 'enzyme'];

export interface Case {
  readonly prompt: { readonly text: string; readonly depth: number; readonly tools: number };
  readonly outcome: { readonly local: number; readonly frontier: number };
}

/** @param noise Share of outcomes that have nothing to do with the prompt. */
export function world(seed: number, noise = 0.2): { next(): Case; readonly random: Random } {
  const random = createSeededRandom(seed);
  const pick = (words: readonly string[]) => words[random.uint32() % words.length]!;
  return {
    random,
    next() {
      const hard = random.float() < 0.4;
      const words = Array.from({ length: 8 }, () => pick(EASY));
      if (hard) words[random.uint32() % 8] = pick(HARD);
      const helped = random.float() < noise ? random.float() < 0.4 : hard;
      return {
        prompt: { text: words.join(' '), depth: 0, tools: 0 },
        outcome: { local: helped ? 0 : 1, frontier: 1 },
      };
    },
  };
}

export const wordCounter = (id = 'words-v1'): Embedder => ({
  id,
  dimension: EASY.length + HARD.length,
  embed: async (text) => {
    const counts = [...EASY, ...HARD].map((word) => text.split(' ').filter((each) => each === word).length);
    const norm = Math.hypot(...counts) || 1;
    return Float32Array.from(counts, (count) => count / norm);
  },
});

export const only = (side: 'local' | 'frontier', { local, frontier }: Outcome): Outcome =>
  side === 'local' ? { local, frontier: null } : { local: null, frontier };
