/**
 * How a knowledge base is cut and what a sync would do, asked of the node that runs.
 *
 * @module cli/rag-upkeep-desk
 */
import type { ChunkingView, SyncPlanView, UpkeepDesk } from '../server/index.ts';
import type { NodeClient } from './client.ts';

/** @param of path of a knowledge base */
export function upkeepOverHttp(node: NodeClient, of: (kb: string) => string): UpkeepDesk {
  return {
    chunking: (kb) => node.call<ChunkingView>('GET', `${of(kb)}/chunking`),
    setChunking: (kb, body) => node.call<ChunkingView>('POST', `${of(kb)}/chunking`, { body }),
    preview: async (kb, order, signal) => {
      const told = await node.post(`${of(kb)}/sync`, { ...order, dryRun: true }, signal);
      return (told as { readonly plans: SyncPlanView[] }).plans;
    },
  };
}
