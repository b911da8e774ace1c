/**
 * The other process of `npm run bench:swarm`: echoes over a TLS 1.3 socket, a bare libp2p stream, and Kith's calls and
 * sessions. It prints where it can be reached and ends with its parent.
 *
 * @module bench/swarm/subject
 */
import { createServer } from 'node:tls';
import { createSwarm } from '../../src/swarm/index.ts';
import { createNode } from '../../src/swarm/libp2p/config.ts';
import { BARE_PROTOCOL, eachBlock, SETTINGS } from './shared.ts';

const { cert, key } = JSON.parse(process.env.BENCH_TLS!) as { cert: string; key: string };

const tls = createServer({ cert, key, minVersion: 'TLSv1.3', noDelay: true }, (socket) => {
  // Whole blocks, as a call gives them: what is measured is a question and its answer.
  const push = eachBlock((block) => socket.write(block));
  socket.on('data', push);
  socket.on('error', () => {});
});
await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));

const bare = await createNode(
  { ...SETTINGS, seed: new Uint8Array(32).fill(21) },
  { denyDialMultiaddr: () => false },
);
await bare.handle(BARE_PROTOCOL, (stream) => {
  const push = eachBlock((block) => stream.send(block));
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) push(data);
    else for (const chunk of data) push(chunk);
  });
});

const swarm = await createSwarm({
  ...SETTINGS,
  seed: new Uint8Array(32).fill(22),
  gate: { requestsPerSecond: 1e6, requestBurst: 1e6, bytesPerSecond: 1e12, byteBurst: 1e12 },
});
swarm.handle('echo', { caps: { maxPayloadBytes: 16 << 20 }, handler: ({ payload }) => ({ payload }) });
swarm.handle('steps', {
  caps: { maxPayloadBytes: 16 << 20 },
  session: async (session) => {
    for await (const { payload } of session) await session.send({}, payload);
  },
});

process.on('disconnect', () => process.exit(0));
process.send!({
  tlsPort: (tls.address() as { port: number }).port,
  bare: bare.getMultiaddrs().map(String)[0],
  swarm: swarm.addresses[0],
  peer: swarm.peer,
});
