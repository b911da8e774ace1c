/**
 * Grants by which others read what peers keep, asked of the node that runs.
 *
 * @module cli/rag-vault-grant-desk
 */
import type {
  GivenVaultGrantView,
  GrantedView,
  PlacedSearchView,
  VaultGrantDesk,
  VaultGrantView,
} from '../server/index.ts';
import type { NodeClient } from './client.ts';

/** @param of path of a knowledge base */
export function vaultGrantsOverHttp(node: NodeClient, of: (kb: string) => string): VaultGrantDesk {
  return {
    give: async (kb, order, signal) =>
      (await node.post(`${of(kb)}/vault/grants`, order, signal)) as GivenVaultGrantView,
    given: async (kb) =>
      (await node.call<{ grants: VaultGrantView[] }>('GET', `${of(kb)}/vault/grants`)).grants,
    revoke: (kb, id) => node.call('DELETE', `${of(kb)}/vault/grants/${encodeURIComponent(id)}`),
    rotate: (kb) => node.call('POST', `${of(kb)}/vault/rotate`),
    resolve: async (grant, signal) =>
      (await node.post('/api/rag/vault/granted', { grant }, signal)) as GrantedView,
    search: async (kb, order, signal) =>
      (await node.post(
        `/api/rag/vault/granted/search/${encodeURIComponent(kb)}`,
        order,
        signal,
      )) as PlacedSearchView,
  };
}
