/**
 * Eve as the node has her: in a thread of her own, started with the first call, started again when it died.
 *
 * @module vault/eve/host
 */
import { Worker } from 'node:worker_threads';
import { entryBeside, isKithError, KithError, type Logger } from '../../base/index.ts';
import type { EveCall, EveReply, LentTenant } from './eve.ts';
import type { EveOrder, FromEve, ThreadOptions } from './thread.ts';

export interface EveTotals {
  readonly promisedBytes: number;
  readonly tenants: number;
  readonly capacityBytes: number;
}

export interface EveCounters {
  readonly answered: number;
  readonly refused: number;
  /** Of payloads. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface EveHost extends AsyncDisposable {
  /** @throws what Eve answers; KithError `storage_busy`, `storage_lost` */
  answer(call: EveCall): Promise<EveReply>;
  tenants(): Promise<readonly LentTenant[]>;
  totals(): Promise<EveTotals>;
  /** Bytes that could still be lent, by the capacity and by the disk. */
  lendable(): Promise<number>;
  destroy(owner: string, label: string): Promise<void>;
  backup(owner: string, label: string, target: string): Promise<void>;
  readonly counters: EveCounters;
}

export interface EveHostOptions extends ThreadOptions {
  readonly log: Logger;
}

/** Calls that wait, and bytes of theirs; more are told to come again. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 64 << 20;
const SWEEP_MS = 600_000;

interface Waiting {
  readonly bytes: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export function createEveHost({ log, ...options }: EveHostOptions): EveHost {
  let worker: Worker | null = null;
  let next = 1;
  let bytes = 0;
  let closed = false;
  const waiting = new Map<number, Waiting>();
  const counters = { answered: 0, refused: 0, bytesIn: 0, bytesOut: 0 };

  function lose(thread: Worker, cause?: unknown): void {
    if (worker !== thread) return;
    worker = null;
    const lost = new KithError(
      'storage_lost',
      'The storage of this node stopped and begins anew. Ask again.',
      {
        status: 503,
        retryAfter: 1,
        cause,
      },
    );
    if (waiting.size > 0) log.warn('The thread of the storage ended.', { waiting: waiting.size });
    for (const one of waiting.values()) one.reject(lost);
    waiting.clear();
    bytes = 0;
  }

  function start(): Worker {
    const thread = new Worker(entryBeside('./thread', import.meta.url), {
      execArgv: [],
      workerData: options,
    });
    thread.on('message', (told: FromEve) => {
      const one = waiting.get(told.id);
      if (one === undefined) return;
      waiting.delete(told.id);
      bytes -= one.bytes;
      if (waiting.size === 0) thread.unref();
      if ('failed' in told) {
        const { code, message, status, details } = told.failed;
        one.reject(new KithError(code, message, { status, details }));
      } else one.resolve(told.done);
    });
    thread.on('error', (error) => lose(thread, error));
    thread.on('exit', () => lose(thread));
    worker = thread;
    return thread;
  }

  function ask(order: EveOrder, size = 0): Promise<unknown> {
    if (closed)
      throw new KithError('storage_lost', 'The storage of this node is being closed.', { status: 503 });
    if (waiting.size >= MAX_WAITING || bytes + size > MAX_WAITING_BYTES)
      throw new KithError('storage_busy', 'This Eve has more to do than she can. Ask again in a second.', {
        status: 503,
        retryAfter: 1,
      });
    const thread = worker ?? start();
    const id = next++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { bytes: size, resolve, reject });
      bytes += size;
      thread.ref();
      thread.postMessage({ id, order });
    });
  }

  const sweeping = setInterval(() => {
    if (!closed) ask({ do: 'sweep' }).catch(() => undefined);
  }, SWEEP_MS);
  sweeping.unref();

  return {
    async answer({ peer, welcome, metadata, payload }) {
      counters.bytesIn += payload.length;
      try {
        const reply = (await ask(
          { do: 'answer', peer, welcome, metadata, payload },
          payload.length,
        )) as EveReply;
        counters.answered += 1;
        counters.bytesOut += reply.payload?.length ?? 0;
        return reply;
      } catch (error) {
        counters.refused += 1;
        if (!isKithError(error) || !error.code.startsWith('disk_')) throw error;
        // Whose disk it is learns where and why; who asked does not.
        log.error('The disk of the storage is full or fails.', { cause: error.message });
        throw new KithError(
          'storage_failed',
          'The disk of this Eve is full or fails, and nothing of this was kept. Try again later, or take another Eve.',
          { status: 503 },
        );
      }
    },
    tenants: async () => (await ask({ do: 'tenants' })) as readonly LentTenant[],
    totals: async () => (await ask({ do: 'totals' })) as EveTotals,
    lendable: async () => (await ask({ do: 'lendable' })) as number,
    async destroy(owner, label) {
      await ask({ do: 'destroy', owner, label });
    },
    async backup(owner, label, target) {
      await ask({ do: 'backup', owner, label, target });
    },
    get counters() {
      return { ...counters };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(sweeping);
      const thread = worker;
      if (thread !== null) await ask({ do: 'end' }).catch(() => undefined);
      closed = true;
      await thread?.terminate();
    },
  };
}
