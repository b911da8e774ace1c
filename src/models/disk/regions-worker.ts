/**
 * Worker thread: sha256 of stretches of one file.
 *
 * @module models/disk/regions-worker
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

export interface RegionsJob {
  readonly file: string;
  readonly regions: readonly { readonly offset: number; readonly bytes: number }[];
}
export type RegionsReply =
  | { readonly type: 'progress'; readonly done: number }
  /** In the order of the job; null where the file ends before. */
  | { readonly type: 'done'; readonly digests: readonly (string | null)[] }
  | { readonly type: 'error'; readonly message: string };

const CHUNK = 4 * 1024 * 1024;
const REPORT_EVERY = 16 * 1024 * 1024;

function run({ file, regions }: RegionsJob, send: (reply: RegionsReply) => void): void {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let done = 0;
  let reported = 0;
  try {
    const input = openSync(file, 'r');
    try {
      const digests = regions.map(({ offset, bytes }) => {
        const hash = createHash('sha256');
        for (let at = 0; at < bytes; ) {
          const length = readSync(input, buffer, 0, Math.min(CHUNK, bytes - at), offset + at);
          if (length === 0) return null;
          hash.update(buffer.subarray(0, length));
          at += length;
          done += length;
          if (done - reported < REPORT_EVERY) continue;
          reported = done;
          send({ type: 'progress', done });
        }
        return hash.digest('hex');
      });
      send({ type: 'done', digests });
    } finally {
      closeSync(input);
    }
  } catch (error) {
    send({ type: 'error', message: (error as Error).message });
  }
}

const port = parentPort;
if (port !== null) run(workerData as RegionsJob, (reply) => port.postMessage(reply));
