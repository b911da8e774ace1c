/** Dreams of a knowledge base over the node that runs. @module cli/rag-dream-desk */
import type { DreamDesk } from '../server/index.ts';
import type { NodeClient } from './client.ts';

/** @param of path of a knowledge base */
export function dreamsOverHttp(node: NodeClient, of: (kb: string) => string): DreamDesk {
  type Runs = Awaited<ReturnType<DreamDesk['runs']>>;
  return {
    score: (kb, limit) => node.call('GET', `${of(kb)}/graph/score?limit=${limit}`),
    run: (kb, body) => node.call('POST', `${of(kb)}/dreams`, { body }),
    runs: async (kb, limit) =>
      (await node.call<{ runs: Runs }>('GET', `${of(kb)}/dreams?limit=${limit}`)).runs,
    extraction: (kb) => node.call('GET', `${of(kb)}/extraction`),
    journal: (kb, run, { after, limit }) =>
      node.call('GET', `${of(kb)}/dreams/${run}?after=${after}&limit=${limit}`),
    undo: (kb, run) => node.call('POST', `${of(kb)}/dreams/${run}/undo`),
  };
}
