/**
 * One life of a process that works on what may take too long or fill the memory: starts it, sends it a request, waits for the
 * answer, and ends it when it takes too long. What the messages are about is its owner's business.
 *
 * A process, not a worker thread: what fills the heap inside one built-in call makes V8 end the whole process, limits of the
 * thread notwithstanding, and what lies outside of the heap counts for no thread.
 *
 * @module base/child-process
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compileCache } from './compile-cache.ts';
import { messageOf } from './errors.ts';

/** Why a request got no answer. `error`: the system would not start it or send to it. `ended`: by itself; the message is how. */
export class ProcessLost extends Error {
  readonly why: 'start' | 'time' | 'memory' | 'error' | 'ended' | 'closed';
  constructor(why: ProcessLost['why'], message: string) {
    super(message);
    this.why = why;
  }
}

export interface ChildOptions<Received> {
  /** The module that it runs; it sends a message of kind `ready` when it can take requests. */
  readonly module: URL;
  readonly args?: readonly string[];
  /** Options of Node besides that for the heap. */
  readonly execArgv?: readonly string[];
  /** MB of its JavaScript heap. */
  readonly heapMb: number;
  /** MB that it is told to have needed when its last words say that memory was full. */
  readonly memoryMb: number;
  /** What it says itself when it ends for its memory. @default only what V8 says counts */
  readonly overMemory?: string;
  /** ms to start in. */
  readonly startLimitMs: number;
  /** Hears every answer, also those nobody waits for any more. */
  readonly onMessage?: (message: Received) => void;
}

export interface Child<Sent, Received> {
  /** True until the process has ended, or is about to. */
  readonly alive: boolean;
  /**
   * Sends a message and waits for the one with the same id; the one before must have been answered.
   *
   * @throws {ProcessLost} when the process ended, or was ended after `limitMs`
   * @throws {Error} of Node for what cannot be copied
   */
  ask(message: Sent & { readonly id: number }, limitMs: number): Promise<Received>;
  /** Sends a message that nobody answers; a process that is gone needs none. */
  tell(message: Sent): void;
  /** Ends it now; resolves when it is gone. */
  end(): Promise<void>;
}

/** Characters of its last words that are kept to tell why it ended. */
const LAST_WORDS = 16_384;

/** What a process needs to start and to tell the time; nothing else of the environment is its business. */
function environment(): NodeJS.ProcessEnv {
  const names = ['TZ', 'LANG', 'PATH', 'SystemRoot', 'TEMP', 'TMPDIR'];
  const kept = Object.fromEntries(
    names.map((name) => [name, process.env[name]]).filter(([, value]) => value),
  );
  return { ...kept, ...compileCache() };
}

/** @throws {ProcessLost} when it does not start */
export async function startChild<Sent extends object, Received extends { readonly id: number }>(
  options: ChildOptions<Received>,
): Promise<Child<Sent, Received>> {
  const { module, args = [], execArgv = [], heapMb, memoryMb, overMemory, startLimitMs, onMessage } = options;
  const child = fork(fileURLToPath(module), args, {
    serialization: 'advanced',
    execArgv: [...execArgv, `--max-old-space-size=${heapMb}`],
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let lost: ProcessLost | null = null;
  let waiting: {
    readonly id: number;
    resolve(answer: Received): void;
    reject(reason: unknown): void;
  } | null = null;
  let lastWords = '';

  function lose(why: ProcessLost): void {
    lost ??= why;
    const loser = waiting;
    waiting = null;
    loser?.reject(why);
  }

  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  child.on('message', (message: Received | { readonly kind: 'ready' }) => {
    if (!('id' in message)) return started.resolve();
    onMessage?.(message);
    if (waiting?.id !== message.id) return;
    const { resolve } = waiting;
    waiting = null;
    resolve(message);
  });
  child.on('error', (cause) => {
    const why = new ProcessLost('error', messageOf(cause));
    started.reject(why);
    lose(why);
    // A process that never started has no end to wait for.
    if (child.pid === undefined) ended.resolve();
  });
  // `close` comes after the last of stderr, which tells too much memory from other ends.
  child.on('close', (code, signal) => {
    const full =
      (overMemory !== undefined && lastWords.includes(overMemory)) ||
      /heap out of memory|Allocation failed|heap limit/i.test(lastWords);
    const why = full
      ? new ProcessLost('memory', `it needed more than ${memoryMb} MB of memory`)
      : new ProcessLost('ended', signal ?? `code ${code}`);
    started.reject(why);
    lose(why);
    ended.resolve();
  });

  const timer = setTimeout(
    () => started.reject(new ProcessLost('start', `it did not start within ${startLimitMs} ms`)),
    startLimitMs,
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
      return lost === null;
    },
    async ask(message, limitMs) {
      if (lost !== null) throw lost;
      const { promise, resolve, reject } = Promise.withResolvers<Received>();
      const mine = { id: message.id, resolve, reject };
      waiting = mine;
      const limit = setTimeout(() => {
        lose(new ProcessLost('time', `it took longer than ${Math.round(limitMs)} ms`));
        child.kill('SIGKILL');
      }, limitMs);
      hold(true);
      try {
        child.send(message, (failed) => {
          if (failed !== null) reject(new ProcessLost('error', messageOf(failed)));
        });
        return await promise;
      } finally {
        if (waiting === mine) waiting = null;
        clearTimeout(limit);
        hold(false);
      }
    },
    tell(message) {
      if (lost === null) child.send(message, () => {});
    },
    async end() {
      lose(new ProcessLost('closed', 'it was closed'));
      hold(true);
      child.kill('SIGKILL');
      await ended.promise;
    },
  };
}
