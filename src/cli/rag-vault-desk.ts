/**
 * Knowledge bases on peers' disks, asked of the node that runs.
 *
 * @module cli/rag-vault-desk
 */
import type { EveView, FoundKb, PlacedSearchView, PlacedView, VaultDesk } from '../server/index.ts';
import type { NodeClient } from './client.ts';

/** @param of path of a knowledge base */
export function vaultOverHttp(node: NodeClient, of: (kb: string) => string): VaultDesk {
  return {
    discover: async (peers, ask, signal) =>
      ((await node.post('/api/rag/vault/discover', { peers, ask }, signal)) as { eves: EveView[] }).eves,
    placed: async () => (await node.call<{ placed: PlacedView[] }>('GET', '/api/rag/vault')).placed,
    info: (kb) => node.call('GET', `${of(kb)}/vault`),
    place: (kb, body) => node.call('POST', `${of(kb)}/vault`, { body }),
    sync: (kb) => node.call('POST', `${of(kb)}/vault/sync`),
    repair: (kb) => node.call('POST', `${of(kb)}/vault/repair`),
    change: (kb, body) => node.call('POST', `${of(kb)}/vault/eves`, { body }),
    check: (kb, questions) => node.call('POST', `${of(kb)}/vault/check`, { body: { questions } }),
    search: async (kb, order, signal) =>
      (await node.post(`${of(kb)}/vault/search`, order, signal)) as PlacedSearchView,
    remove: (kb) => node.call('DELETE', `${of(kb)}/vault`),
    find: async (peers, signal) =>
      ((await node.post('/api/rag/vault/find', { peers }, signal)) as { found: FoundKb[] }).found,
    restore: (name, body) =>
      node.call('POST', `/api/rag/vault/restore/${encodeURIComponent(name)}`, { body }),
  };
}
