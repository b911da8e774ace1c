/** Gives back what it is given: a thread's hop by itself. @module bench/swarm/echo-worker */
import { parentPort } from 'node:worker_threads';

parentPort!.on('message', (message: { payload: Uint8Array<ArrayBuffer> }) =>
  parentPort!.postMessage(message, [message.payload.buffer]),
);
