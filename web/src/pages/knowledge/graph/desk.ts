/**
 * The graph of a knowledge base as the node tells it, for the owner alone.
 *
 * @module web/pages/knowledge/graph/desk
 */
import type { EntityDetail, EntityPage, NetworkView } from '../../../../../src/server/rag/graph-types.ts';
import { asOwner } from '../../../data/owner.ts';

const of = (kb: string) => `/api/rag/kbs/${encodeURIComponent(kb)}/graph`;

export interface Wanted {
  readonly limit: number;
  readonly documents: boolean;
  /** Key of the name that everything is around; null: the weightiest of all. */
  readonly around: string | null;
}

export function network(kb: string, { limit, documents, around }: Wanted): Promise<NetworkView> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (documents) query.set('documents', 'true');
  if (around !== null) query.set('around', around);
  return asOwner<NetworkView>('GET', `${of(kb)}/network?${query}`);
}

export const entity = (kb: string, key: string) =>
  asOwner<EntityDetail>('GET', `${of(kb)}/entities/${encodeURIComponent(key)}`);

export const entitiesLike = (kb: string, prefix: string, limit: number) =>
  asOwner<EntityPage>('GET', `${of(kb)}/entities?${new URLSearchParams({ prefix, limit: String(limit) })}`);
