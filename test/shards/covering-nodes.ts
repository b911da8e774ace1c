/**
 * Nodes that look often whether their blocks are needed elsewhere, each with a small model at hand.
 *
 * @module test/shards/covering-nodes
 */
import { createModelStore } from '../../src/models/index.ts';
import type { CoverageListView, ServedView, ServingView } from '../../src/server/index.ts';
import { begin } from '../cli-support.ts';
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
export const kith = ({ home }: SwarmNode, ...args: string[]) =>
  begin(['shard', ...args, '--home', home]).ended;
export const ranges = async (call: Call) =>
  (await call<ServingView>('GET', '/../shards/serving')).served
    .filter(({ state }) => state === 'ready')
    .map(({ from, to }) => [from, to]);
