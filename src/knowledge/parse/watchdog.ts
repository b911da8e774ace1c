/**
 * A thread beside the parser that ends the process when it has too much memory, or when the program that started it is gone. Limits of
 * V8 do not count what lies outside of its heap, and the parser's own thread may be busy for as long as it likes.
 *
 * @module knowledge/parse/watchdog
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { OVER_MEMORY } from './words.ts';

const INTERVAL_MS = 25;
const STDERR = 2;

const { limit, parent } = workerData as { readonly limit: number; readonly parent: number };

setInterval(() => {
  if (process.memoryUsage.rss() > limit) {
    writeSync(STDERR, OVER_MEMORY);
    process.kill(process.pid, 'SIGKILL');
  }
  // An orphan has another parent.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
