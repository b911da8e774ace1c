/**
 * A TCP port that passes everything on to another one and counts it: what it counts is what a peer's socket sees.
 *
 * @module test/peers/counted-port
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface CountedPort extends AsyncDisposable {
  readonly port: number;
  /** The port that connections go on to: nobody listened there when it was chosen. */
  readonly onward: number;
  /** Connections so far, and bytes that went towards the peer. */
  counts(): { readonly connections: number; readonly bytes: number };
  /** Waits until nobody is connected. */
  quiet(): Promise<void>;
  /** Breaks all connections off. */
  cut(): void;
}

export async function countedPort(): Promise<CountedPort> {
  const onwards = await freePort();
  let connections = 0;
  let bytes = 0;
  const open = new Set<Socket>();
  let waiting: (() => void)[] = [];
  const server = createServer((socket) => {
    connections++;
    const onward = connect(onwards, '127.0.0.1');
    for (const each of [socket, onward]) {
      open.add(each);
      each.on('error', () => {});
      each.once('close', () => {
        open.delete(each);
        socket.destroy();
        onward.destroy();
        if (open.size > 0) return;
        for (const wake of waiting) wake();
        waiting = [];
      });
    }
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.pipe(onward);
    onward.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    onward: onwards,
    counts: () => ({ connections, bytes }),
    async quiet() {
      if (open.size > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
