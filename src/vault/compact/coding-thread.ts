/**
 * Worker thread: codes of vectors, and what they are made with. For many of them either takes seconds.
 *
 * @module vault/compact/coding-thread
 */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../base/index.ts';
import { type CodingOrder, type CodingReply, coded } from './coding.ts';

parentPort!.on('message', (order: CodingOrder) => {
  try {
    parentPort!.postMessage(coded(order));
  } catch (error) {
    parentPort!.postMessage({ type: 'failed', message: messageOf(error) } satisfies CodingReply);
  }
});
