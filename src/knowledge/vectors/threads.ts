/**
 * Worker threads that walk slabs. They are started when first needed, and end after a while without work.
 *
 * @module knowledge/vectors/threads
 */
import { Worker } from 'node:worker_threads';
import { entryBeside, KithError } from '../../base/index.ts';
import type { ScanKind } from './scan.ts';
import type { Walk } from './walk.ts';

export interface ScanRequest {
  readonly slab: number;
  /** Given when the thread sees the slab for the first time. */
  readonly memory: WebAssembly.Memory | null;
  readonly kind: ScanKind;
  readonly walk: Walk;
}

export interface ScanReply {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly scores: Float64Array<ArrayBuffer>;
}

interface Thread {
  readonly worker: Worker;
  readonly seen: Set<number>;
  pending: { resolve(reply: ScanReply): void; reject(error: unknown): void } | null;
}

export interface ScanThreads extends AsyncDisposable {
  readonly count: number;
  /** Walks one part on thread `index`, which must be at rest. @throws KithError `vectors_failed` */
  walk(index: number, slab: number, memory: WebAssembly.Memory, options: Walk): Promise<ScanReply>;
}

const IDLE_MS = 60_000;
const MEGABYTES = 64;

export function createScanThreads(count: number, kind: ScanKind): ScanThreads {
  const threads: (Thread | null)[] = new Array<Thread | null>(count).fill(null);
  let idle: NodeJS.Timeout | null = null;

  function start(index: number): Thread {
    const worker = new Worker(entryBeside('./scan-worker', import.meta.url), {
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
    });
    const thread: Thread = { worker, seen: new Set(), pending: null };
    const lose = (error?: unknown) => {
      if (threads[index] === thread) threads[index] = null;
      thread.pending?.reject(
        new KithError('vectors_failed', 'A thread that searches vectors ended. Ask again.', {
          status: 503,
          cause: error,
        }),
      );
      thread.pending = null;
    };
    worker.on('message', (reply: ScanReply) => {
      const { pending } = thread;
      thread.pending = null;
      worker.unref();
      pending?.resolve(reply);
    });
    worker.on('error', lose);
    worker.on('exit', () => lose());
    threads[index] = thread;
    return thread;
  }

  async function end(): Promise<void> {
    const all = threads.splice(0, count, ...new Array<null>(count).fill(null));
    await Promise.all(all.map((thread) => thread?.worker.terminate()));
  }

  function rest(): void {
    if (idle !== null) clearTimeout(idle);
    idle = setTimeout(() => {
      if (threads.every((thread) => thread === null || thread.pending === null)) void end();
    }, IDLE_MS).unref();
  }

  return {
    count,
    walk(index, slab, memory, options) {
      const thread = threads[index] ?? start(index);
      rest();
      return new Promise((resolve, reject) => {
        thread.pending = { resolve, reject };
        thread.worker.ref();
        const request: ScanRequest = {
          slab,
          memory: thread.seen.has(slab) ? null : memory,
          kind,
          walk: options,
        };
        thread.seen.add(slab);
        thread.worker.postMessage(request);
      });
    },
    async [Symbol.asyncDispose]() {
      if (idle !== null) clearTimeout(idle);
      await end();
    },
  };
}
