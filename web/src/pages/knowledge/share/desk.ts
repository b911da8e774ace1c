/**
 * What is shared of knowledge bases, and copies of them, as the page asks for it: for the owner alone.
 *
 * @module web/pages/knowledge/share/desk
 */
import type { AcceptedGrant, GivenGrant, GrantOrder } from '../../../../../src/server/rag/share-types.ts';
import type { JobView } from '../../../../../src/server/rag/types.ts';
import type { PeersView } from '../../../../../src/server/swarm/types.ts';
import { asOwner } from '../../../data/owner.ts';

export type { AcceptedGrant, GivenGrant };

const of = (kb: string) => `/api/rag/kbs/${encodeURIComponent(kb)}`;
const shares = '/api/rag/shares';

export const grants = () =>
  asOwner<{ readonly given: readonly GivenGrant[]; readonly accepted: readonly AcceptedGrant[] }>(
    'GET',
    shares,
  );
export const give = (kb: string, order: GrantOrder) => asOwner<GivenGrant>('POST', `${of(kb)}/shares`, order);
export const revoke = (id: string) => asOwner<GivenGrant>('DELETE', `${shares}/given/${id}`);
/** @param from a line that a peer sent, or the PeerId of one that is asked for all that it shares */
export const accept = async (from: { readonly grant: string } | { readonly peer: string }) =>
  (await asOwner<{ accepted: readonly AcceptedGrant[] }>('POST', `${shares}/accepted`, from)).accepted;
export const forget = (id: string) => asOwner('DELETE', `${shares}/accepted/${id}`);

/** PeerIds that are known now; none where the swarm does not run. */
export async function knownPeers(): Promise<readonly string[]> {
  try {
    const { peers } = await asOwner<PeersView>('GET', '/kith/v1/swarm/peers');
    return peers.map(({ peer }) => peer);
  } catch {
    // They are only offered.
    return [];
  }
}

export const writeNotes = (kb: string, folder: string) =>
  asOwner<JobView>('POST', `${of(kb)}/export/notes`, { folder });
export const writeCopy = (kb: string, file: string, replace: boolean) =>
  asOwner<JobView>('POST', `${of(kb)}/export/file`, { file, replace });
