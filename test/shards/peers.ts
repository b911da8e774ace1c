/**
 * Peers that serve blocks in processes of their own, for tests and benchmarks that kill them.
 *
 * @module test/shards/peers
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { ShardOffer } from '../../src/shards/index.ts';
import type { ShardSettings } from './peer-process.ts';

export interface ShardPeer {
  readonly offer: ShardOffer;
  readonly child: ChildProcess;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
}

export async function forkShardPeer(settings: ShardSettings): Promise<ShardPeer> {
  const child = fork(new URL('./peer-process.ts', import.meta.url), {
    env: { ...process.env, KITH_TEST_SHARD: JSON.stringify(settings) },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { peer, addresses } = await new Promise<{ peer: string; addresses: string[] }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as never));
    child.once('exit', (code) => reject(new Error(`The peer's process ended with ${code}.`)));
  });
  return {
    offer: { peer, addresses, from: settings.from, to: settings.to },
    child,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
