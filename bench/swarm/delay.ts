/** A TCP proxy that holds every byte for a while in each direction: distance without a network. @module bench/swarm/delay */
import { connect, createServer, type Socket } from 'node:net';

/** Listens on a free port of loopback and passes all to `port`, `ms` later each way. */
export async function delayed(port: number, ms: number): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket) => {
    from.setNoDelay(true);
    sockets.add(from);
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), ms));
    from.on('close', () => setTimeout(() => to.destroy(), ms));
    from.on('error', () => {});
  };
  const server = createServer((socket) => {
    const far = connect(port, '127.0.0.1');
    pass(socket, far);
    pass(far, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
