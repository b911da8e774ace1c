/**
 * One life of the text thread: starts its process, sends it a request, waits for the answer, and ends it when it
 * takes too long. It knows nothing of models; `thread.ts` does.
 *
 * A process, not a worker: a template that fills the heap inside one built-in call (a large `replace`, say) makes V8
 * end the whole process, worker limits notwithstanding.
 *
 * @module engine/text/thread-process
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KithError, messageOf } from '../../base/index.ts';
import { compileCache } from '../compile-cache.ts';
import {
  type Envelope,
  type Forget,
  fromPlain,
  Paused,
  type ThreadMessage,
  type ThreadRequest,
  type ThreadResults,
} from './protocol.ts';

/** Why a request got no answer. */
export class ThreadLost extends Error {
  readonly why: 'time' | 'memory' | 'crash';
  constructor(why: ThreadLost['why'], message: string) {
    super(message);
    this.why = why;
  }
}

export interface ThreadLife {
  /** True until the process has ended. */
  readonly alive: boolean;
  /** Models opened in this life. */
  readonly opened: Set<string>;
  /**
   * Sends one request; the one before must have been answered.
   *
   * @throws {ThreadLost} when the process ended, or was ended after `limitMs`;
   * @throws {KithError} what the process answered.
   */
  ask<R extends ThreadRequest>(request: R, limitMs: number): Promise<ThreadResults[R['op']] | Paused>;
  /** Nobody wants the rest of this work any more. */
  forget(ticket: number): void;
  /** Resolves when the process is gone. */
  end(): Promise<void>;
}

interface Waiting {
  readonly id: number;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

// The suffix is that of this file: .ts in the source tree, .js when built.
const CHILD = new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url);

/** Time for the process to start, ms. */
const START_LIMIT_MS = 30_000;
/** Characters of its last words that are kept to tell why it ended. */
const LAST_WORDS = 16_384;

/** What a process needs to start and to tell the time; nothing else of the environment is its business. */
function childEnvironment(): NodeJS.ProcessEnv {
  const names = ['TZ', 'LANG', 'PATH', 'SystemRoot', 'TEMP', 'TMPDIR'];
  const kept = Object.fromEntries(
    names.map((name) => [name, process.env[name]]).filter(([, value]) => value),
  );
  return { ...kept, ...compileCache() };
}

export async function startThread(memoryMb: number): Promise<ThreadLife> {
  const child = fork(fileURLToPath(CHILD), [], {
    serialization: 'advanced',
    execArgv: [`--max-old-space-size=${memoryMb}`],
    env: childEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const opened = new Set<string>();
  let alive = true;
  let nextId = 1;
  let waiting: Waiting | null = null;
  let lastWords = '';

  function lose(lost: ThreadLost): void {
    alive = false;
    const loser = waiting;
    waiting = null;
    loser?.reject(lost);
  }

  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  child.on('message', (message: ThreadMessage) => {
    if (message.kind === 'ready') {
      started.resolve();
      return;
    }
    if (waiting?.id !== message.id) return;
    const { resolve, reject } = waiting;
    waiting = null;
    if (message.kind === 'result') resolve(message.result);
    else if (message.kind === 'paused') resolve(new Paused(message.ticket, message.ms));
    else reject(fromPlain(message.error));
  });
  child.on('error', (cause) => {
    const lost = new ThreadLost('crash', messageOf(cause));
    started.reject(lost);
    lose(lost);
    // A process that never started has no end to wait for.
    if (child.pid === undefined) ended.resolve();
  });
  // `close` comes after the last of stderr, which tells an exhausted heap from other crashes.
  child.on('close', (code, signal) => {
    const full = /heap out of memory|Allocation failed|heap limit/i.test(lastWords);
    const lost = full
      ? new ThreadLost('memory', `it needed more than ${memoryMb} MB of memory`)
      : new ThreadLost('crash', `its process ended with ${signal ?? `code ${code}`}`);
    started.reject(lost);
    lose(lost);
    ended.resolve();
  });

  const timer = setTimeout(
    () => started.reject(new ThreadLost('time', `its process did not start within ${START_LIMIT_MS} ms`)),
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
  const pipe = child.stderr as unknown as { unref?: () => void } | null;
  pipe?.unref?.();
  hold(false);

  return {
    get alive() {
      return alive;
    },
    opened,
    async ask<R extends ThreadRequest>(
      request: R,
      limitMs: number,
    ): Promise<ThreadResults[R['op']] | Paused> {
      if (!alive) throw new ThreadLost('crash', 'its process has ended');
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      waiting = { id, resolve, reject };
      const limit = setTimeout(() => {
        lose(new ThreadLost('time', `it took longer than ${Math.round(limitMs)} ms`));
        child.kill('SIGKILL');
      }, limitMs);
      hold(true);
      try {
        const envelope: Envelope = { id, request, limitMs };
        child.send(envelope, (failed) => {
          if (failed !== null) reject(new ThreadLost('crash', messageOf(failed)));
        });
      } catch (cause) {
        // Only what cannot be copied gets here (functions, for instance): never anything parsed from JSON.
        reject(new KithError('text_failed', `The request cannot be sent: ${messageOf(cause)}`, { cause }));
      }
      try {
        return (await promise) as ThreadResults[R['op']] | Paused;
      } finally {
        if (waiting?.id === id) waiting = null;
        clearTimeout(limit);
        hold(false);
      }
    },
    forget(ticket) {
      const note: Forget = { forget: ticket };
      // A process that is gone has forgotten it too.
      if (alive) child.send(note, () => {});
    },
    async end() {
      lose(new ThreadLost('crash', 'it was closed'));
      hold(true);
      child.kill('SIGKILL');
      await ended.promise;
    },
  };
}
