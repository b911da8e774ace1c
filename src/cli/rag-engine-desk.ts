/**
 * Engines of knowledge bases, asked of the node that runs.
 *
 * @module cli/rag-engine-desk
 */
import type { EngineSearchView, EnginesDesk, EngineView } from '../server/index.ts';
import type { NodeClient } from './client.ts';

/** @param of path of a knowledge base */
export function enginesOverHttp(node: NodeClient, of: (kb: string) => string): EnginesDesk {
  return {
    list: async () => (await node.call<{ engines: EngineView[] }>('GET', '/api/rag/engines')).engines,
    connect: (kb, body) => node.call('POST', `${of(kb)}/engine`, { body }),
    info: (kb) => node.call('GET', `${of(kb)}/engine`),
    sync: (kb) => node.call('POST', `${of(kb)}/engine/sync`),
    search: async (kb, order, signal) =>
      (await node.post(`${of(kb)}/engine/search`, order, signal)) as EngineSearchView,
    disconnect: (kb, drop) => node.call('DELETE', `${of(kb)}/engine?drop=${drop}`),
  };
}
