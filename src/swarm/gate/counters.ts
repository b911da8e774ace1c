/**
 * Counters that one thread adds to and another reads without asking: doubles in shared memory.
 *
 * @module swarm/gate/counters
 */
import { COUNTERS, type CounterName } from '../types.ts';

const INDEX = new Map(COUNTERS.map((name, index) => [name, index]));

export class Counters {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(COUNTERS.length * 8)) {
    this.buffer = buffer;
    this.#values = new Float64Array(buffer);
  }

  add(name: CounterName, count = 1): void {
    this.#values[INDEX.get(name)!]! += count;
  }

  set(name: CounterName, value: number): void {
    this.#values[INDEX.get(name)!] = value;
  }

  read(): Record<CounterName, number> {
    return Object.fromEntries(COUNTERS.map((name, index) => [name, this.#values[index]!])) as Record<
      CounterName,
      number
    >;
  }
}
