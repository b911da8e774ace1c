/**
 * A node in a process of its own, so that its memory and open files are its own. Answers `status`, `memory`
 * (needs --expose-gc) and `close` over the channel of the process that forked it.
 *
 * @module test/long/soak-node
 */
import { resolveConfig, silentLogger } from '../../src/base/index.ts';
import { createNode } from '../../src/node/index.ts';

const [, , home, flags] = process.argv;
const { config } = resolveConfig({ home: home!, flags: JSON.parse(flags!), env: {} });
const node = await createNode({ config, log: silentLogger, version: '0.0.0-test' });
await node.ready;

process.on('message', async (message) => {
  if (message === 'status') {
    const [status, engine] = await Promise.all([node.status(), node.engineStatus()]);
    process.send!({ requests: status.requests, engine });
  } else if (message === 'memory') {
    // Twice: what finalizers free in the first run is collected in the second.
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
    const { heapUsed, external } = process.memoryUsage();
    process.send!({ heapUsed, external });
  } else {
    process.disconnect();
  }
});
// Nobody is left to ask for its end.
process.on('disconnect', () => void node.close());
process.on('unhandledRejection', (error) => {
  process.stderr.write(`unhandled rejection: ${String(error)}\n`);
  process.exit(70);
});
process.send!({ url: node.url, port: node.port });
