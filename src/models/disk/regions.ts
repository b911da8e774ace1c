/**
 * Hashes of stretches of a file, off the main thread.
 *
 * @module models/disk/regions
 */
import { Worker } from 'node:worker_threads';
import { AbortedError, entryBeside, KithError, throwIfAborted } from '../../base/index.ts';
import type { RegionsJob, RegionsReply } from './regions-worker.ts';

export interface RegionsOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((done: number) => void) | undefined;
}

/**
 * Lower-case hex sha256 of each region, in their order; null for one that reaches over the file's end.
 *
 * @throws KithError `file_unreadable`; AbortedError
 */
export async function digestRegions(
  file: string,
  regions: RegionsJob['regions'],
  { signal, onBytes }: RegionsOptions = {},
): Promise<readonly (string | null)[]> {
  throwIfAborted(signal);
  if (regions.length === 0) return [];
  const job: RegionsJob = {
    file,
    regions: regions.map(({ offset, bytes }) => ({ offset, bytes })),
  };
  const worker = new Worker(entryBeside('./regions-worker', import.meta.url), { workerData: job });
  let onAbort: () => void = () => {};
  try {
    return await new Promise((resolve, reject) => {
      const failed = (why: string) =>
        reject(new KithError('file_unreadable', `${file} could not be read: ${why}.`));
      onAbort = () => reject(new AbortedError(undefined, { cause: signal?.reason }));
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.once('error', reject);
      worker.once('exit', (code) => failed(`the hashing thread ended early (exit code ${code})`));
      worker.on('message', (reply: RegionsReply) => {
        if (reply.type === 'progress') onBytes?.(reply.done);
        else if (reply.type === 'error') failed(reply.message);
        else resolve(reply.digests);
      });
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}
