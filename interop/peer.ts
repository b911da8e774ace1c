/**
 * A peer program in another language: a child process that takes commands and tells events as JSON lines.
 *
 * @module interop/peer
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A line may wait this long for libp2p's own time limits to run out first, ms. */
const PATIENCE_MS = 60_000;

export type Fields = Readonly<Record<string, unknown>>;

export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, { resolve(value: Fields): void; reject(error: Error): void }>();
  readonly #events: Fields[] = [];
  readonly #listeners = new Set<() => void>();
  #lastId = 0;
  #over: Error | null = null;
  #stderr = '';
  peer = '';
  addresses: readonly string[] = [];
  versions: Readonly<Record<string, string>> = {};

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(JSON.parse(line) as Fields));
    const end = (why: string) => {
      this.#over ??= new Error(`The peer ended (${why}). ${this.#stderr}`);
      for (const { reject } of this.#waiting.values()) reject(this.#over);
      this.#waiting.clear();
      for (const listener of this.#listeners) listener();
    };
    child.on('error', (error) => end(error.message));
    child.on('exit', (code, signal) => end(`${code ?? signal}`));
    // A write to a peer that has just ended: its exit tells more.
    child.stdin.on('error', () => {});
  }

  static async start(program: string, ...args: string[]): Promise<PeerProcess> {
    const process = new PeerProcess(spawn(program, args, { stdio: 'pipe' }));
    const ready = await process.event((event) => event.event === 'ready');
    process.peer = ready.peer as string;
    process.addresses = ready.addresses as string[];
    process.versions = ready.versions as Record<string, string>;
    return process;
  }

  #take(line: Fields): void {
    if (typeof line.id === 'number') {
      const waiting = this.#waiting.get(line.id);
      this.#waiting.delete(line.id);
      if (typeof line.error === 'string') waiting?.reject(new Error(line.error));
      else waiting?.resolve(line);
      return;
    }
    this.#events.push(line);
    for (const listener of this.#listeners) listener();
  }

  get address(): string {
    return this.addresses[0]!;
  }

  /** Has the peer do something. Throws what it says went wrong. */
  ask<T = Fields>(what: string, fields: Fields = {}): Promise<T> {
    if (this.#over !== null) return Promise.reject(this.#over);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Fields>();
    this.#waiting.set(id, { resolve, reject });
    this.#child.stdin.write(`${JSON.stringify({ id, do: what, ...fields })}\n`);
    return within(promise, `an answer to ${what}`) as Promise<T>;
  }

  /** The first event that fits, of those that came and those to come. */
  event(fits: (event: Fields) => boolean): Promise<Fields> {
    const { promise, resolve, reject } = Promise.withResolvers<Fields>();
    const look = () => {
      const found = this.#events.find(fits);
      if (found !== undefined) resolve(found);
      else if (this.#over !== null) reject(this.#over);
    };
    this.#listeners.add(look);
    look();
    return within(promise, 'an event').finally(() => this.#listeners.delete(look));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(timer);
  }
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}.`)), PATIENCE_MS);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
