/**
 * Nodes that look often whether their blocks are needed elsewhere, each with a small model at hand.
 *
 * @module test/shards/covering-nodes
 */
import { fork } from 'node:child_process';
import { createModelStore } from '../../src/models/index.ts';
import type { CoverageListView, ServedView, ServingView } from '../../src/server/index.ts';
import { kith as run } from '../cli-support.ts';
import { testModel } from '../models/index.ts';
import { type SwarmNode, swarmHome } from '../swarm-support.ts';

export type Call = SwarmNode['call'];

/** A home with the model `stories`, of 6 blocks. */
export async function homeWithModel(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const home = await swarmHome({
    'engine.threads': 1,
    'engine.device': 'cpu',
    'engine.context': 256,
    'engine.kvCells': 512,
    'shards.use': 'unknown',
    'shards.drainMs': 100,
    'shards.lookMs': 200,
    'shards.rebalanceRestMs': 2000,
    ...more,
  });
  await using store = createModelStore({ home });
  await store.add(await testModel('stories15m-f16'), { id: 'stories', link: true, task: 'chat' });
  return home;
}

export const serve = (call: Call, from: number, blocks: number): Promise<ServedView> =>
  call('POST', '/../shards/serving', { model: 'stories', from, blocks });
export const coverage = (call: Call, query = ''): Promise<CoverageListView> =>
  call('GET', `/../shards/coverage?model=stories${query}`);
export const kith = ({ home }: SwarmNode, ...args: string[]) => run(['shard', ...args, '--home', home]);
export const ranges = async (call: Call) =>
  (await call<ServingView>('GET', '/../shards/serving')).served
    .filter(({ state }) => state === 'ready')
    .map(({ from, to }) => [from, to]);

/** A node in a process of its own. */
export interface NodeProcess {
  readonly call: Call;
  /** kill -9. */
  kill(): void;
}

export async function nodeInProcess(home: string): Promise<NodeProcess> {
  const child = fork(new URL('./node-process.ts', import.meta.url), {
    env: { ...process.env, KITH_TEST_HOME: home },
  });
  let last = 0;
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const answerTo = (id: number) =>
    new Promise<never>((resolve, reject) => waiting.set(id, { resolve, reject }));
  child.on('message', ({ id, answer, error }: { id: number; answer: never; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(answer);
    else waiting.get(id)?.reject(new Error(error));
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The process of the node ended.'));
  });
  await answerTo(0);
  return {
    call(method, path, body) {
      const id = ++last;
      child.send({ id, method, path, body });
      return answerTo(id);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
