/**
 * Members of a swarm in processes of their own, many in each: what a machine with few cores can carry of a swarm.
 *
 * @module test/swarm/herd
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { orders } from './herd-process.ts';

type Orders = typeof orders;
type Result<Name extends keyof Orders> = Awaited<ReturnType<Orders[Name]>>;

export interface HerdMember {
  readonly number: number;
  readonly peer: string;
  readonly address: string;
  readonly herd: Herd;
}

export class Herd implements Disposable {
  readonly members: HerdMember[] = [];
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  private constructor() {
    this.#process = fork(new URL('./herd-process.ts', import.meta.url), { serialization: 'advanced' });
    this.#process.on('message', ({ n, value, error }: { n: number; value?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(n);
      this.#waiting.delete(n);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The process of a herd ended.'));
      this.#waiting.clear();
    });
  }

  /** A process with members of these numbers. */
  static async start(numbers: readonly number[]): Promise<Herd> {
    const herd = new Herd();
    const started = await herd.tell('start', numbers);
    herd.members.push(...started.map((one, index) => ({ ...one, number: numbers[index]!, herd })));
    return herd;
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  tell<Name extends keyof Orders>(order: Name, ...args: Parameters<Orders[Name]>): Promise<Result<Name>> {
    const n = ++this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(n, waiting);
    this.#process.send({ n, order, args });
    return waiting.promise as Promise<Result<Name>>;
  }

  /** Ends the process where it stands, and its members with it. */
  async kill(): Promise<void> {
    if (!this.alive) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }

  [Symbol.dispose](): void {
    void this.kill();
  }
}
