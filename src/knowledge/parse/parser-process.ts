/**
 * One life of a parser's process: starts it, gives it a file, waits for its batches, and ends it when it takes too long.
 *
 * A process, not a worker thread: what fills the heap inside one built-in call makes V8 end the whole process, limits of the
 * thread notwithstanding, and what lies outside of the heap counts for no thread.
 *
 * @module knowledge/parse/parser-process
 */
import { fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../base/index.ts';
import { type Batch, type FromWorker, fromPlain, type ToWorker } from './protocol.ts';
import { OVER_MEMORY } from './words.ts';

export class ParserLost extends Error {
  readonly why: 'time' | 'memory' | 'crash' | 'closed';
  constructor(why: ParserLost['why'], message: string) {
    super(message);
    this.why = why;
  }
}

export interface ParserProcess {
  /** True until the process has ended, or is about to. */
  readonly alive: boolean;
  /** Resident bytes when it was last heard of. */
  readonly resident: number;
  /**
   * Sends a word and waits for the batch that answers it.
   *
   * @throws {ParserLost} when the process ended, or was ended after `timeMs`;
   * @throws {KithError} what the parser threw.
   */
  ask(message: Exclude<ToWorker, { kind: 'stop' }>, timeMs: number): Promise<Batch>;
  /** Nobody wants the rest of the file. */
  stop(id: number): void;
  /** Ends it now; resolves when it is gone. */
  end(): Promise<void>;
}

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
/** Time for the process to start, ms. */
const START_LIMIT_MS = 60_000;
/** Characters of its last words that are kept to tell why it ended. */
const LAST_WORDS = 16_384;
/** Part of the memory that the heap may take before V8 says that it is full; the rest is buffers and Node itself. */
const HEAP_SHARE = 0.75;

/** What a process needs to start and to tell the time; nothing else of the environment is its business. */
function environment(): NodeJS.ProcessEnv {
  const names = ['TZ', 'LANG', 'PATH', 'SystemRoot', 'TEMP', 'TMPDIR'];
  const kept = Object.fromEntries(
    names.map((name) => [name, process.env[name]]).filter(([, value]) => value),
  );
  const cache = getCompileCacheDir();
  return cache === undefined ? kept : { ...kept, NODE_COMPILE_CACHE: dirname(cache) };
}

/** The process reads files and writes none but compiled code; it starts no programs and loads no native code. */
function permissions(): string[] {
  const cache = getCompileCacheDir();
  const writes = cache === undefined ? [] : [`--allow-fs-write=${dirname(cache)}`];
  return ['--permission', '--allow-fs-read=*', '--allow-worker', ...writes];
}

export async function startParser(memoryMb: number): Promise<ParserProcess> {
  const child = fork(fileURLToPath(WORKER), [String(memoryMb)], {
    serialization: 'advanced',
    execArgv: [
      ...permissions(),
      `--max-old-space-size=${Math.floor(HEAP_SHARE * memoryMb)}`,
      '--no-warnings',
    ],
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let end: ParserLost | null = null;
  let waiting: { readonly id: number; resolve(batch: Batch): void; reject(reason: unknown): void } | null =
    null;
  let lastWords = '';
  let resident = 0;

  function lose(lost: ParserLost): void {
    end ??= lost;
    const loser = waiting;
    waiting = null;
    loser?.reject(end);
  }

  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  child.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') return started.resolve();
    resident = message.resident;
    if (waiting?.id !== message.id) return;
    const { resolve, reject } = waiting;
    waiting = null;
    if (message.kind === 'batch') resolve(message);
    else reject(fromPlain(message.error));
  });
  child.on('error', (cause) => {
    const lost = new ParserLost('crash', messageOf(cause));
    started.reject(lost);
    lose(lost);
    // A process that never started has no end to wait for.
    if (child.pid === undefined) ended.resolve();
  });
  // `close` comes after the last of stderr, which tells too much memory from other ends.
  child.on('close', (code, signal) => {
    const full =
      lastWords.includes(OVER_MEMORY) || /heap out of memory|Allocation failed|heap limit/i.test(lastWords);
    const lost = full
      ? new ParserLost('memory', `it needed more than ${memoryMb} MB of memory`)
      : new ParserLost('crash', signal ?? `code ${code}`);
    started.reject(lost);
    lose(lost);
    ended.resolve();
  });

  const timer = setTimeout(
    () => started.reject(new ParserLost('crash', `it did not start within ${START_LIMIT_MS} ms`)),
    START_LIMIT_MS,
  );
  try {
    await started.promise;
  } catch (thrown) {
    child.kill('SIGKILL');
    throw thrown;
  } finally {
    clearTimeout(timer);
  }

  /** An idle process must not keep this one from ending. */
  function hold(wanted: boolean): void {
    if (wanted) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  }
  (child.stderr as unknown as { unref?: () => void } | null)?.unref?.();
  hold(false);

  return {
    get alive() {
      return end === null;
    },
    get resident() {
      return resident;
    },
    async ask(message, timeMs) {
      if (end !== null) throw end;
      const { promise, resolve, reject } = Promise.withResolvers<Batch>();
      const mine = { id: message.id, resolve, reject };
      waiting = mine;
      const limit = setTimeout(() => {
        lose(new ParserLost('time', `it took longer than ${timeMs} ms`));
        child.kill('SIGKILL');
      }, timeMs);
      hold(true);
      child.send(message, (failed) => {
        if (failed !== null) reject(new ParserLost('crash', messageOf(failed)));
      });
      try {
        return await promise;
      } finally {
        if (waiting === mine) waiting = null;
        clearTimeout(limit);
        hold(false);
      }
    },
    stop(id) {
      const word: ToWorker = { kind: 'stop', id };
      // A process that is gone has stopped, too.
      if (end === null) child.send(word, () => {});
    },
    async end() {
      lose(new ParserLost('closed', 'it was closed'));
      hold(true);
      child.kill('SIGKILL');
      await ended.promise;
    },
  };
}
