/**
 * From those who make to the one who takes, with a bound on what lies between.
 *
 * @module knowledge/ingest/channel
 */
export class Channel<T> {
  readonly #most: number;
  readonly #items: { readonly item: T; readonly weight: number }[] = [];
  #weight = 0;
  #ended = false;
  #error: { readonly reason: unknown } | null = null;
  #takers: (() => void)[] = [];
  #givers: (() => void)[] = [];

  /** @param most weight at which those who put wait; one item may be heavier. */
  constructor(most: number) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Waits until there is room, then puts. Nothing is put once the channel has ended. */
  async put(item: T, weight: number): Promise<void> {
    while (!this.#ended && this.#weight > 0 && this.#weight + weight > this.#most)
      await new Promise<void>((resolve) => this.#givers.push(resolve));
    if (this.#ended) return;
    this.#items.push({ item, weight });
    this.#weight += weight;
    this.#wake();
  }

  /** Null at the end. @throws what `fail` was given, at once */
  async take(): Promise<T | null> {
    while (this.#items.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => this.#takers.push(resolve));
    if (this.#error !== null) throw this.#error.reason;
    return this.takeNow();
  }

  /** What is there; null when nothing is. */
  takeNow(): T | null {
    const next = this.#items.shift();
    if (next === undefined) return null;
    this.#weight -= next.weight;
    this.#wake();
    return next.item;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(reason: unknown): void {
    this.#error ??= { reason };
    this.#items.length = 0;
    this.end();
  }

  #wake(): void {
    const waiting = [...this.#takers, ...this.#givers];
    this.#takers = [];
    this.#givers = [];
    for (const each of waiting) each();
  }
}
