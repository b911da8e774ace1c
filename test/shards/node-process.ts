/**
 * A whole node in a process of its own, to be killed: its home comes in `KITH_TEST_HOME`. It says where it is and ends with its
 * parent.
 *
 * @module test/shards/node-process
 */
import { startSwarmNode } from '../swarm-support.ts';

interface Asked {
  readonly id: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

process.on('disconnect', () => process.exit(0));
const { call } = await startSwarmNode(process.env.KITH_TEST_HOME!);
process.on('message', async ({ id, method, path, body }: Asked) => {
  try {
    process.send!({ id, answer: await call(method, path, body) });
  } catch (error) {
    process.send!({ id, error: String(error) });
  }
});
process.send!({ id: 0, answer: null });
