/**
 * Threads that search long texts: as many at a time as there are. The others wait, no more than a few dozen; the shortest
 * goes first, so that who sends much does not keep everybody waiting, but none is passed over for ever.
 *
 * @module gateway/privacy/search/pool
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AbortedError, entryBeside, KithError, LimitError, throwIfAborted } from '../../../base/index.ts';
import type { Conversation } from '../conversation.ts';
import type { PatternSource } from '../pattern/index.ts';
import {
  type HideJob,
  type HideResult,
  type SearchReply,
  type SearchRequest,
  type SearchSetup,
  unitsOf,
} from './job.ts';

export interface SearchPoolOptions {
  /** The owner's patterns, besides what is built in. */
  readonly patterns: readonly PatternSource[];
  /** Threads at most. They start when there is work and end when there was none for a while. @default 2, or 1 */
  readonly threads?: number;
  /** Texts that wait for a thread. @default 32 */
  readonly maxWaiting?: number;
  /** ms after which the search of one request is given up. @default 60_000 */
  readonly limitMs?: number;
  /** ms without work after which a thread ends. @default 30_000 */
  readonly idleMs?: number;
}

export interface SearchPool extends AsyncDisposable {
  /**
   * Does the work in a thread and brings the conversation up to it.
   *
   * @throws LimitError when too many wait, or (413) when the request holds more than is replaced; KithError
   * `privacy_search_failed` (503) when the thread ended or took too long; AbortedError
   */
  hide<J extends HideJob>(job: J, conversation: Conversation, signal: AbortSignal): Promise<HideResult<J>>;
  /** Threads that there are now. */
  readonly threads: number;
}

interface Task {
  readonly request: SearchRequest;
  readonly conversation: Conversation;
  readonly resolve: (result: HideResult) => void;
  readonly reject: (error: unknown) => void;
  readonly units: number;
  /** How often one that came later went first. */
  passed: number;
  /** Its caller has gone or was answered. */
  over: boolean;
}

interface Thread {
  readonly worker: Worker;
  readonly stop: Int32Array;
  task: Task | null;
  timer: NodeJS.Timeout | null;
}

const threadMegabytes = 1024;
/** A text that so many others went before is next. */
const MAX_PASSED = 4;

export function createSearchPool(options: SearchPoolOptions): SearchPool {
  const { patterns, maxWaiting = 32, limitMs = 60_000, idleMs = 30_000 } = options;
  const most = options.threads ?? Math.max(1, Math.min(2, availableParallelism() - 1));
  const threads = new Set<Thread>();
  const waiting: Task[] = [];
  let nextId = 1;
  let closed = false;

  function failed(why: string): KithError {
    return new KithError(
      'privacy_search_failed',
      `The request was not searched for personal data, so it was not sent: ${why}. Ask again, or ask for less at once.`,
      { status: 503, retryAfter: 1 },
    );
  }

  function start(): Thread {
    const stop = new SharedArrayBuffer(4);
    const workerData: SearchSetup = { patterns, stop };
    const worker = new Worker(entryBeside('./search-worker', import.meta.url), {
      workerData,
      execArgv: [],
      // Its environment is none of its business.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: threadMegabytes },
    });
    const thread: Thread = { worker, stop: new Int32Array(stop), task: null, timer: null };
    threads.add(thread);
    worker.on('message', (reply: SearchReply) => answered(thread, reply));
    worker.on('error', (error: NodeJS.ErrnoException) =>
      lose(
        thread,
        error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it needs too much memory' : 'the search thread failed',
      ),
    );
    worker.on('exit', () => lose(thread, 'the search thread ended'));
    return thread;
  }

  function lose(thread: Thread, why: string): void {
    if (!threads.delete(thread)) return;
    settle(thread)?.reject(failed(why));
    void thread.worker.terminate();
    next();
  }

  /** Ends the thread's task; null when its caller has gone already. */
  function settle(thread: Thread): Task | null {
    const { task } = thread;
    thread.task = null;
    if (thread.timer !== null) clearTimeout(thread.timer);
    thread.timer = null;
    if (task === null || task.over) return null;
    task.over = true;
    return task;
  }

  function answered(thread: Thread, reply: SearchReply): void {
    if (thread.task?.request.id !== reply.id) return;
    const task = settle(thread);
    thread.worker.unref();
    thread.timer = setTimeout(() => lose(thread, 'it was idle'), idleMs).unref();
    if (task !== null) {
      if (reply.type === 'done') {
        task.conversation.adopt(reply.state);
        task.resolve(reply.result);
      } else if (reply.type === 'error') {
        task.reject(
          reply.code === 'privacy_search_failed'
            ? failed(`the search failed (${reply.message})`)
            : new KithError(reply.code, reply.message, { status: reply.status }),
        );
      } else task.reject(new AbortedError());
    }
    next();
  }

  function next(): void {
    if (closed) return;
    let idle = [...threads].find(({ task }) => task === null);
    while (waiting.length > 0 && (idle !== undefined || threads.size < most)) {
      const task = takeNext(waiting);
      give(idle ?? start(), task);
      idle = [...threads].find((thread) => thread.task === null);
    }
  }

  function give(thread: Thread, task: Task): void {
    if (thread.timer !== null) clearTimeout(thread.timer);
    thread.task = task;
    thread.worker.ref();
    thread.timer = setTimeout(() => lose(thread, `it took longer than ${limitMs} ms`), limitMs);
    try {
      thread.worker.postMessage(task.request);
    } catch {
      settle(thread)?.reject(failed('it holds what is no plain data'));
      next();
    }
  }

  return {
    get threads() {
      return threads.size;
    },
    async hide<J extends HideJob>(job: J, conversation: Conversation, signal: AbortSignal) {
      throwIfAborted(signal);
      if (closed) throw failed('the node is stopping');
      if (waiting.length >= maxWaiting)
        throw new LimitError(
          'privacy.searches',
          maxWaiting,
          `${maxWaiting} long requests wait to be searched for personal data; ask again later.`,
          { retryAfter: 1 },
        );
      const { promise, resolve, reject } = Promise.withResolvers<HideResult>();
      const request = { id: nextId++, job, state: conversation.state() };
      const units = unitsOf(job.texts);
      const task: Task = { request, conversation, resolve, reject, units, passed: 0, over: false };
      const leave = () => {
        if (task.over) return;
        task.over = true;
        const place = waiting.indexOf(task);
        if (place >= 0) waiting.splice(place, 1);
        else {
          const thread = [...threads].find((one) => one.task === task);
          if (thread !== undefined) Atomics.store(thread.stop, 0, task.request.id);
        }
        reject(new AbortedError(undefined, { cause: signal.reason }));
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(task);
      next();
      try {
        return (await promise) as HideResult<J>;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const task of waiting.splice(0)) {
        task.over = true;
        task.reject(failed('the node is stopping'));
      }
      await Promise.all(
        [...threads].map(async (thread) => {
          threads.delete(thread);
          settle(thread)?.reject(failed('the node is stopping'));
          await thread.worker.terminate();
        }),
      );
    },
  };
}

/** Takes out the one that was passed over too often, or the shortest. They are in the order in which they came. */
function takeNext(waiting: Task[]): Task {
  let place = waiting.findIndex(({ passed }) => passed >= MAX_PASSED);
  if (place < 0) {
    place = 0;
    for (let at = 1; at < waiting.length; at++) if (waiting[at]!.units < waiting[place]!.units) place = at;
  }
  for (let at = 0; at < place; at++) waiting[at]!.passed++;
  return waiting.splice(place, 1)[0]!;
}
