/**
 * Worker thread: walks some blocks of a slab in memory that it shares with the node's thread.
 *
 * @module knowledge/vectors/scan-worker
 */
import { parentPort } from 'node:worker_threads';
import { type Scanner, scannerFor } from './scan.ts';
import type { ScanReply, ScanRequest } from './threads.ts';
import { walk } from './walk.ts';

const slabs = new Map<number, { readonly memory: WebAssembly.Memory; readonly scanner: Scanner }>();

parentPort?.on('message', ({ slab, memory, kind, walk: options }: ScanRequest) => {
  if (memory !== null) slabs.set(slab, { memory, scanner: scannerFor(memory, kind)! });
  const own = slabs.get(slab)!;
  const best = walk(own.memory, own.scanner, options);
  const reply: ScanReply = { numbers: best.numbers(), scores: best.scores() };
  parentPort!.postMessage(reply, [reply.numbers.buffer, reply.scores.buffer]);
});
