/**
 * What the scenarios of the lab found, line by line.
 *
 * @module test/nat/report
 */
import type { Timing } from './node.ts';

export class Report {
  #failures = 0;
  #claims = 0;

  scenario(name: string): void {
    console.log(`\n${name}`);
  }

  figure(what: string, value: string): void {
    console.log(`  ${what.padEnd(58)} ${value}`);
  }

  ms(what: string, ms: number): void {
    this.figure(what, `${ms.toFixed(ms < 10 ? 2 : 0)} ms`);
  }

  trips(what: string, timing: Timing, bytes: number): void {
    const { p50, min, max, path } = timing;
    const rate = bytes >= 1_000_000 ? `, ${((2 * bytes) / 1000 / p50).toFixed(0)} MB/s both ways` : '';
    this.figure(what, `${p50.toFixed(2)} ms (${min.toFixed(2)} to ${max.toFixed(2)}) over ${path}${rate}`);
  }

  holds(what: string, holds: boolean, seen: unknown = ''): void {
    this.#claims++;
    if (holds) this.figure(what, 'yes');
    else this.failed(`${what}: ${typeof seen === 'string' ? seen : JSON.stringify(seen)}`);
  }

  skipped(why: string): void {
    console.log(`  SKIPPED: ${why}`);
  }

  failed(why: string): void {
    this.#failures++;
    console.log(`  FAILED: ${why}`);
  }

  /** Exit code. */
  end(): number {
    console.log(`\n${this.#claims} claims, ${this.#failures} failures`);
    return this.#failures === 0 ? 0 : 1;
  }
}
