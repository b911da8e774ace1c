/** The graph of a knowledge base over the node that runs. @module cli/rag-graph-desk */
import type { GraphDesk } from '../server/index.ts';
import type { NodeClient } from './client.ts';

/** @param of path of a knowledge base */
export function graphOverHttp(node: NodeClient, of: (kb: string) => string): GraphDesk {
  const at = (
    kb: string,
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ) => {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return `${of(kb)}/graph/${path}${given.length === 0 ? '' : `?${new URLSearchParams(given)}`}`;
  };
  type Merges = Awaited<ReturnType<GraphDesk['merges']>>;
  type Proposals = Awaited<ReturnType<GraphDesk['proposals']>>;
  return {
    entities: (kb, query) => node.call('GET', at(kb, 'entities', { ...query })),
    entity: (kb, key) => node.call('GET', at(kb, `entities/${encodeURIComponent(key)}`)),
    network: (kb, query) => node.call('GET', at(kb, 'network', { ...query })),
    merges: async (kb) => (await node.call<{ merges: Merges }>('GET', at(kb, 'merges'))).merges,
    merge: (kb, body) => node.call('POST', at(kb, 'merges'), { body }),
    unmerge: (kb, id) => node.call('DELETE', at(kb, `merges/${id}`)),
    proposals: async (kb) =>
      (await node.call<{ proposals: Proposals }>('GET', at(kb, 'proposals'))).proposals,
    timeline: (kb, query) => node.call('GET', at(kb, 'timeline', { ...query })),
    communities: (kb) => node.call('GET', at(kb, 'communities')),
  };
}
