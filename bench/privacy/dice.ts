/**
 * Choices from a seeded source, and the languages of the texts.
 *
 * @module bench/privacy/dice
 */
import { createSeededRandom, type Random } from '../../src/base/index.ts';

export const LANGUAGES = ['en', 'de', 'es', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Choices from a seeded source. */
export class Dice {
  readonly #random: Random;
  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
  }
  next(): number {
    return this.#random.float();
  }
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }
  of<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }
  chars(alphabet: string, length: number): string {
    return Array.from({ length }, () => this.of([...alphabet])).join('');
  }
  digits(length: number): string {
    return this.chars('0123456789', length);
  }
  /** `d`: a digit, `n`: 1 to 9, `A`: a capital, `x`: a hexadecimal digit; the rest is itself. */
  fill(pattern: string): string {
    return pattern.replace(/[dnAx]/g, (c) =>
      c === 'd'
        ? this.digits(1)
        : c === 'n'
          ? this.chars('123456789', 1)
          : c === 'A'
            ? this.chars('ABCDEFGHJKLMNPRSTVWXYZ', 1)
            : this.chars('0123456789abcdef', 1),
    );
  }
  /** Draws until the check agrees. */
  until(draw: () => string, check: (text: string) => boolean): string {
    for (let tries = 0; tries < 100_000; tries++) {
      const text = draw();
      if (check(text)) return text;
    }
    throw new Error('No value passes its own check.');
  }
}
