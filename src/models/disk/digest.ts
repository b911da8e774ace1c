/**
 * Hashes of files, and copies that are hashed on the way, off the main thread.
 *
 * @module models/disk/digest
 */

import { Worker } from 'node:worker_threads';
import { AbortedError, entryBeside, KithError, throwIfAborted, writeError } from '../../base/index.ts';
import type { DigestJob, DigestReply } from './digest-worker.ts';

export interface DigestOptions {
  /** Also write the bytes here (replaced if it exists), flushed to the disk when done. */
  readonly target?: string | undefined;
  /** @default 'sha256' */
  readonly algorithm?: 'sha256' | 'sha384' | 'sha512' | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((done: number) => void) | undefined;
}

export interface Digest {
  readonly hex: string;
  readonly base64: string;
  readonly bytes: number;
}

/**
 * Digest of the concatenation of `files`.
 *
 * @throws KithError `file_unreadable`; `disk_full` or `write_failed` for the target; AbortedError.
 */
export async function digestFiles(files: readonly string[], options: DigestOptions = {}): Promise<Digest> {
  const { target, signal, onBytes } = options;
  throwIfAborted(signal);
  const job: DigestJob = { files, target: target ?? null, algorithm: options.algorithm ?? 'sha256' };
  const worker = new Worker(entryBeside('./digest-worker', import.meta.url), { workerData: job });
  let onAbort: () => void = () => {};
  try {
    return await new Promise<Digest>((resolve, reject) => {
      onAbort = () => reject(new AbortedError(undefined, { cause: signal?.reason }));
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.once('error', reject);
      worker.once('exit', (code) =>
        reject(new KithError('file_unreadable', `The hashing thread ended early (exit code ${code}).`)),
      );
      worker.on('message', (reply: DigestReply) => {
        if (reply.type === 'progress') onBytes?.(reply.done);
        else if (reply.type === 'error') reject(failure(job, reply));
        else {
          onBytes?.(reply.bytes);
          const digest = Buffer.from(reply.digest);
          resolve({ hex: digest.toString('hex'), base64: digest.toString('base64'), bytes: reply.bytes });
        }
      });
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

function failure(job: DigestJob, reply: Extract<DigestReply, { type: 'error' }>): KithError {
  const cause = Object.assign(new Error(reply.message), reply.code === null ? {} : { code: reply.code });
  if (reply.writing && job.target !== null) return writeError(job.target, cause);
  return new KithError('file_unreadable', `A model file could not be read: ${reply.message}.`, { cause });
}
