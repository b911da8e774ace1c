/**
 * Makes codes of vectors: a few at once here, more in a thread, so that the node answers others meanwhile.
 *
 * @module vault/compact/coder
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryBeside, KithError, throwIfAborted } from '../../base/index.ts';
import { COMPACT_FROM, type CodeFit } from './codes.ts';
import { type CodingOrder, type CodingReply, coded } from './coding.ts';

/** One order at a time. Vectors are row-major. */
export interface Coder extends AsyncDisposable {
  /** @param all how many there are, of which these are a sample */
  fit(vectors: Float32Array, from: number, all: number): Promise<CodeFit>;
  encode(
    fit: CodeFit,
    vectors: Float32Array,
  ): Promise<{ readonly codes: Uint8Array; readonly error: number }>;
}

/** Multiplications that take less time than a thread takes to start. */
const FEW = 30e6;

export function createCoder(signal?: AbortSignal): Coder {
  let thread: Worker | null = null;

  function started(): Worker {
    if (thread === null) {
      thread = new Worker(entryBeside('./coding-thread', import.meta.url), { execArgv: [] });
      // Whoever waits is told by `once`; without anybody it would end the process.
      thread.on('error', () => {});
    }
    return thread;
  }

  async function inThread(order: CodingOrder): Promise<CodingReply> {
    const worker = started();
    const answered = new AbortController();
    const both = signal === undefined ? answered.signal : AbortSignal.any([signal, answered.signal]);
    const ended = once(worker, 'exit', { signal: both }).then(() => {
      throw failed('the thread ended');
    });
    // It is refused when the answer came first.
    ended.catch(() => {});
    try {
      const reply = once(worker, 'message', { signal: both }) as Promise<[CodingReply]>;
      worker.postMessage(order);
      const [made] = await Promise.race([reply, ended]);
      return made;
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      answered.abort();
    }
  }

  async function ask(order: CodingOrder, work: number): Promise<CodingReply> {
    throwIfAborted(signal);
    const made = work < FEW ? coded(order) : await inThread(order);
    if (made.type === 'failed') throw failed(made.message);
    return made;
  }

  const wrong = () => new RangeError('The thread answered something else.');
  return {
    async fit(vectors, from, all) {
      // The eigenvectors take some 20 n³, where there are any to be found.
      const work = all < COMPACT_FROM ? vectors.length : vectors.length * from + 20 * from ** 3;
      const reply = await ask({ do: 'fit', vectors, from, all }, work);
      if (reply.type !== 'fitted') throw wrong();
      return reply.fit;
    },
    async encode(fit, vectors) {
      const reply = await ask(
        { do: 'encode', fit, vectors },
        vectors.length * (fit.projection === null ? 1 : fit.to),
      );
      if (reply.type !== 'encoded') throw wrong();
      const { codes, error } = reply;
      return { codes, error };
    },
    async [Symbol.asyncDispose]() {
      await thread?.terminate();
    },
  };
}

const failed = (why: string): KithError =>
  new KithError('vault_coding_failed', `The index of the vectors could not be made: ${why}. Try again.`, {
    status: 500,
  });
