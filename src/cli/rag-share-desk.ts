/**
 * What is shared with peers and by peers, over the node that runs.
 *
 * @module cli/rag-share-desk
 */
import type { AcceptedGrant, GivenGrant, SharesDesk } from '../server/index.ts';
import type { NodeClient } from './client.ts';

const BASE = '/api/rag/shares';

export function sharesOverHttp(node: NodeClient): SharesDesk {
  const list = () => node.call<{ given: GivenGrant[]; accepted: AcceptedGrant[] }>('GET', BASE);
  const accept = async (body: { readonly grant: string } | { readonly peer: string }) =>
    (await node.call<{ accepted: AcceptedGrant[] }>('POST', `${BASE}/accepted`, { body })).accepted;
  return {
    give: (kb, body) => node.call('POST', `/api/rag/kbs/${encodeURIComponent(kb)}/shares`, { body }),
    given: async () => (await list()).given,
    revoke: (id) => node.call('DELETE', `${BASE}/given/${encodeURIComponent(id)}`),
    accept: async (grant) => (await accept({ grant }))[0]!,
    acceptFrom: (peer) => accept({ peer }),
    accepted: async () => (await list()).accepted,
    forget: async (id) => void (await node.call('DELETE', `${BASE}/accepted/${encodeURIComponent(id)}`)),
    answer: (body) => node.call('POST', `${BASE}/answer`, { body }),
    search: (body) => node.call('POST', '/api/rag/search', { body }),
  };
}
