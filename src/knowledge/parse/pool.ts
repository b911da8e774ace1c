/**
 * Parsers in processes, a few at once. A file that takes too long or too much memory ends its process, and nothing else: the next
 * file gets another.
 *
 * @module knowledge/parse/pool
 */
import { AbortedError, KithError, ProcessLost, throwIfAborted } from '../../base/index.ts';
import { crashed, outOfMemory, timedOut } from './failures.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { nameOf } from './parse-file.ts';
import { type ParserProcess, startParser } from './parser-process.ts';
import type { ParseJob } from './protocol.ts';
import type {
  Parsed,
  ParseLimits,
  ParseOptions,
  ParserPool,
  ParserPoolOptions,
  ParseSource,
} from './types.ts';

const PROCESSES = 2;
const TIME_MS = 30_000;
const MEMORY_MB = 512;
/** Less would not hold Node and the parsers' own code. */
const LEAST_MEMORY_MB = 256;
/** ms after which an idle process is ended: it holds some 100 MB. */
const IDLE_MS = 30_000;
/** A process that keeps more of its memory than this part after a file is replaced. */
const WORN_SHARE = 0.6;

class Pool implements ParserPool {
  readonly #timeMs: number;
  readonly #memoryMb: number;
  readonly #limits: ParseLimits;
  readonly #idle: { readonly parser: ParserProcess; readonly timer: NodeJS.Timeout }[] = [];
  readonly #busy = new Set<ParserProcess>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #nextId = 1;
  #closed = false;

  constructor({
    processes = PROCESSES,
    timeMs = TIME_MS,
    memoryMb = MEMORY_MB,
    limits = {},
  }: ParserPoolOptions) {
    this.#free = Math.max(1, Math.trunc(processes));
    this.#timeMs = timeMs;
    this.#memoryMb = Math.max(LEAST_MEMORY_MB, Math.trunc(memoryMb));
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  async *parse(source: ParseSource, options: ParseOptions = {}): AsyncGenerator<Parsed> {
    const { signal } = options;
    await this.#enter(signal);
    try {
      yield* this.#parseNow(source, options);
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    this.#throwIfClosed();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      const at = this.#waiting.indexOf(resolve);
      // Whoever was let in already gives his place back by himself.
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      reject(new AbortedError(undefined, { cause: signal?.reason }));
    };
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  #throwIfClosed(): void {
    if (this.#closed)
      throw new KithError('parse_failed', 'The parsers were closed. Open the knowledge base again.', {
        status: 503,
      });
  }

  async #take(): Promise<ParserProcess> {
    this.#throwIfClosed();
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      clearTimeout(last.timer);
      if (last.parser.alive) return last.parser;
    }
    const parser = await this.#start();
    if (this.#closed) await parser.end();
    this.#throwIfClosed();
    return parser;
  }

  async #start(): Promise<ParserProcess> {
    try {
      return await startParser(this.#memoryMb);
    } catch (cause) {
      throw new KithError(
        'parse_failed',
        `The process that reads files did not start (${cause instanceof Error ? cause.message : String(cause)}). Free some memory and try again.`,
        { status: 503, cause },
      );
    }
  }

  #giveBack(parser: ParserProcess): void {
    this.#busy.delete(parser);
    if (!parser.alive) return;
    if (this.#closed || parser.resident > WORN_SHARE * this.#memoryMb * 1024 * 1024) {
      void parser.end();
      return;
    }
    const timer = setTimeout(() => {
      const at = this.#idle.findIndex((entry) => entry.parser === parser);
      if (at !== -1) this.#idle.splice(at, 1);
      void parser.end();
    }, IDLE_MS);
    timer.unref();
    this.#idle.push({ parser, timer });
  }

  async *#parseNow(source: ParseSource, { type, signal }: ParseOptions): AsyncGenerator<Parsed> {
    const name = nameOf(source);
    const id = this.#nextId++;
    const job: ParseJob = { kind: 'parse', id, source, type, limits: this.#limits };
    const parser = await this.#take();
    this.#busy.add(parser);
    // A parser at work hears nothing: only its process can be ended.
    const onAbort = () => void parser.end();
    let done = false;
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      throwIfAborted(signal);
      for (
        let batch = await parser.ask(job, this.#timeMs);
        ;
        batch = await parser.ask({ kind: 'more', id }, this.#timeMs)
      ) {
        done = batch.done;
        for (const parsed of batch.parsed) {
          yield parsed;
          throwIfAborted(signal);
        }
        if (done) return;
      }
    } catch (thrown) {
      // A failed parse leaves a process that can take the next file.
      if (!(thrown instanceof ProcessLost)) done = true;
      throw this.#failure(name, thrown, signal);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (!done) parser.stop(id);
      this.#giveBack(parser);
    }
  }

  #failure(name: string, thrown: unknown, signal: AbortSignal | undefined): unknown {
    if (!(thrown instanceof ProcessLost)) return thrown;
    if (signal?.aborted === true) return new AbortedError(undefined, { cause: signal.reason });
    switch (thrown.why) {
      case 'time':
        return timedOut(name, this.#timeMs);
      case 'memory':
        return outOfMemory(name, this.#memoryMb);
      case 'start':
      case 'error':
      case 'ended':
        return crashed(name, thrown.message);
      case 'closed':
        return new AbortedError('The parsers were closed while a file was read.');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const parsers = [...this.#busy, ...this.#idle.map(({ parser }) => parser)];
    for (const { timer } of this.#idle) clearTimeout(timer);
    this.#idle.length = 0;
    await Promise.all(parsers.map((parser) => parser.end()));
  }
}

/** Nothing starts before the first file. */
export function createParserPool(options: ParserPoolOptions = {}): ParserPool {
  return new Pool(options);
}
