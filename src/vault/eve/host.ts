/**
 * Eve as the node has her: in a thread of her own, started with the first call, started again when it died.
 *
 * @module vault/eve/host
 */
import { Worker } from 'node:worker_threads';
import {
  entryBeside,
  isKithError,
  KithError,
  type Logger,
  messageOf,
  systemClock,
} from '../../base/index.ts';
import type { EveAccount, EveCall, EveReply, LentTenant } from './eve.ts';
import type { EveOrder, FromEve, ThreadOptions } from './thread.ts';
import { createTurns } from './turns.ts';

export interface EveTotals {
  readonly promisedBytes: number;
  readonly tenants: number;
  readonly capacityBytes: number;
}

export interface EveCounters {
  readonly answered: number;
  readonly refused: number;
  /** Refusals by their code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Of payloads. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface EveHost extends AsyncDisposable {
  /** @throws what Eve answers; KithError `storage_busy`, `storage_lost` */
  answer(call: EveCall): Promise<EveReply>;
  tenants(): Promise<readonly LentTenant[]>;
  totals(): Promise<EveTotals>;
  /** What she has, promised and could still lend. */
  account(): Promise<EveAccount>;
  destroy(owner: string, label: string): Promise<void>;
  backup(owner: string, label: string, target: string): Promise<void>;
  bringBack(owner: string, label: string, source: string): Promise<void>;
  readonly counters: EveCounters;
  /** Calls that wait for her, the one that she works at included. */
  readonly waiting: number;
}

export interface EveHostOptions extends ThreadOptions {
  readonly log: Logger;
}

/** Calls that wait, those of peers that get no space, and bytes of all; more are told to come again. */
const MAX_WAITING = 256;
const MAX_WAITING_STRANGERS = 64;
const MAX_WAITING_BYTES = 64 << 20;
const SWEEP_MS = 600_000;
/** Whose orders go first: those of the owner of this node. */
const OWN = '';

interface Waiting {
  readonly order: EveOrder;
  readonly bytes: number;
  readonly stranger: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

function settle(
  { resolve, reject }: Pick<Waiting, 'resolve' | 'reject'>,
  told: Exclude<FromEve, { readonly id: null }>,
): void {
  if ('failed' in told) {
    const { code, message, status, details } = told.failed;
    reject(new KithError(code, message, { status, details }));
  } else resolve(told.done);
}

export function createEveHost({ log, ...options }: EveHostOptions): EveHost {
  let worker: Worker | null = null;
  let next = 1;
  let bytes = 0;
  let strangers = 0;
  let closed = false;
  let opened = false;
  const turns = createTurns<Waiting>(OWN);
  /** What she works at: one at a time, so that its time is known. */
  let current: { readonly id: number; readonly who: string; readonly one: Waiting; began: number } | null =
    null;
  const counters = { answered: 0, refused: 0, bytesIn: 0, bytesOut: 0 };
  const refusals = new Map<string, number>();

  /** What takes long and waits for the disk most of it: others go on meanwhile. */
  const aside = new Map<number, Pick<Waiting, 'resolve' | 'reject'>>();

  function left(one: Waiting): void {
    bytes -= one.bytes;
    if (one.stranger) strangers -= 1;
  }

  function lose(thread: Worker, cause?: unknown): void {
    if (worker !== thread) return;
    worker = null;
    const all = [...(current === null ? [] : [current.one]), ...turns.clear()];
    current = null;
    if (all.length > 0)
      log.warn('The thread of the storage ended.', { waiting: all.length, cause: messageOf(cause) });
    const lost = new KithError(
      'storage_lost',
      'The storage of this node stopped and begins anew. Ask again.',
      { status: 503, retryAfter: 1, cause },
    );
    for (const one of all) {
      left(one);
      one.reject(lost);
    }
    for (const one of aside.values()) one.reject(lost);
    aside.clear();
  }

  function start(): Worker {
    const thread = new Worker(entryBeside('./thread', import.meta.url), {
      execArgv: [],
      // What was open once is not begun anew where it is not there.
      workerData: { ...options, mustExist: opened || options.mustExist === true },
    });
    thread.on('message', (told: FromEve) => {
      if (told.id === null) {
        if ('opened' in told) opened = true;
        else log[told.line.level](told.line.message, told.line.fields);
        return;
      }
      const long = aside.get(told.id);
      aside.delete(told.id);
      if (long !== undefined) {
        settle(long, told);
        work();
        return;
      }
      if (current?.id !== told.id) return;
      const { who, one, began } = current;
      current = null;
      turns.used(who, systemClock.monotonic() - began);
      left(one);
      settle(one, told);
      work();
    });
    thread.on('error', (error) => lose(thread, error));
    thread.on('exit', () => lose(thread));
    worker = thread;
    return thread;
  }

  function work(): void {
    if (current !== null) return;
    const taken = turns.next();
    if (taken === null) {
      if (aside.size === 0) worker?.unref();
      return;
    }
    const thread = worker ?? start();
    const id = next++;
    current = { id, ...taken, began: systemClock.monotonic() };
    thread.ref();
    thread.postMessage({ id, order: taken.one.order });
  }

  function ask(order: EveOrder, who = OWN, size = 0, stranger = false): Promise<unknown> {
    if (closed)
      throw new KithError('storage_lost', 'The storage of this node is being closed.', { status: 503 });
    const waits = turns.waiting + (current === null ? 0 : 1);
    const tooMany =
      waits >= MAX_WAITING ||
      bytes + size > MAX_WAITING_BYTES ||
      (stranger && strangers >= MAX_WAITING_STRANGERS);
    if (who !== OWN && tooMany)
      throw new KithError('storage_busy', 'This Eve has more to do than she can. Ask again in a second.', {
        status: 503,
        retryAfter: 1,
      });
    return new Promise((resolve, reject) => {
      bytes += size;
      if (stranger) strangers += 1;
      turns.add(who, { order, bytes: size, stranger, resolve, reject });
      work();
    });
  }

  function askAside(order: EveOrder): Promise<unknown> {
    if (closed)
      throw new KithError('storage_lost', 'The storage of this node is being closed.', { status: 503 });
    const thread = worker ?? start();
    const id = next++;
    return new Promise((resolve, reject) => {
      aside.set(id, { resolve, reject });
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
        const order = { do: 'answer', peer, welcome, metadata, payload } as const;
        const reply = (await ask(order, peer, payload.length, !welcome)) as EveReply;
        counters.answered += 1;
        counters.bytesOut += reply.payload?.length ?? 0;
        return reply;
      } catch (error) {
        counters.refused += 1;
        const code = isKithError(error) ? error.code : 'unknown';
        refusals.set(code, (refusals.get(code) ?? 0) + 1);
        throw error;
      }
    },
    tenants: async () => (await ask({ do: 'tenants' })) as readonly LentTenant[],
    totals: async () => (await ask({ do: 'totals' })) as EveTotals,
    account: async () => (await ask({ do: 'account' })) as EveAccount,
    async destroy(owner, label) {
      await ask({ do: 'destroy', owner, label });
    },
    async backup(owner, label, target) {
      await askAside({ do: 'backup', owner, label, target });
    },
    async bringBack(owner, label, source) {
      await askAside({ do: 'bring_back', owner, label, source });
    },
    get counters() {
      return { ...counters, refusals: Object.fromEntries(refusals) };
    },
    get waiting() {
      return turns.waiting + (current === null ? 0 : 1);
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
