/**
 * Worker thread: reads files in order, hashes them and, when asked, writes them one behind the other into a target.
 * Blocking calls on a thread of its own are the quickest way through gigabytes, and leave the main thread alone.
 *
 * @module models/disk/digest-worker
 */

import { createHash } from 'node:crypto';
import { closeSync, constants, copyFileSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

export interface DigestJob {
  readonly files: readonly string[];
  readonly target: string | null;
  readonly algorithm: string;
}
export type DigestReply =
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'done'; readonly digest: Uint8Array; readonly bytes: number }
  | {
      readonly type: 'error';
      readonly code: string | null;
      readonly message: string;
      readonly writing: boolean;
    };

const CHUNK = 4 * 1024 * 1024;
const REPORT_EVERY = 16 * 1024 * 1024;

function run({ files, target, algorithm }: DigestJob, send: (reply: DigestReply) => void): void {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(CHUNK);
  let done = 0;
  let reported = 0;
  let writing = false;
  let output: number | null = null;
  try {
    const cloned = target !== null && files.length === 1 && clone(files[0]!, target);
    if (target !== null) {
      writing = true;
      output = openSync(target, cloned ? 'r+' : 'w', 0o600);
      writing = false;
    }
    for (const path of cloned ? [target!] : files) {
      const input = openSync(path, 'r');
      try {
        for (;;) {
          const length = readSync(input, buffer, 0, CHUNK, null);
          if (length === 0) break;
          const piece = buffer.subarray(0, length);
          hash.update(piece);
          if (output !== null && !cloned) {
            writing = true;
            for (let at = 0; at < length; ) at += writeSync(output, piece, at, length - at);
            writing = false;
          }
          done += length;
          if (done - reported >= REPORT_EVERY) {
            reported = done;
            send({ type: 'progress', done });
          }
        }
      } finally {
        closeSync(input);
      }
    }
    if (output !== null) {
      writing = true;
      fsyncSync(output);
    }
    send({ type: 'done', digest: hash.digest(), bytes: done });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    send({ type: 'error', code: code ?? null, message, writing });
  } finally {
    if (output !== null) closeSync(output);
  }
}

/** A copy that shares blocks with the original, on file systems that have it. */
function clone(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    // Most file systems cannot; the loop above copies instead and reports what is really wrong.
    return false;
  }
}

const port = parentPort;
if (port !== null) run(workerData as DigestJob, (reply) => port.postMessage(reply));
