/**
 * Grants by which others read what peers keep of a knowledge base of this node, and those that this node was given.
 *
 * @module server/rag/vault-grant-types
 */
import type { JobView } from './types.ts';
import type { PlacedSearch, PlacedSearchView } from './vault-types.ts';

export interface VaultGrantOrder {
  /** PeerId of who may read it. */
  readonly to: string;
  /** 1 to 365. */
  readonly days: number;
}

/** A grant that this node gave. */
export interface VaultGrantView {
  /** 32 hex digits. */
  readonly id: string;
  readonly kb: string;
  /** PeerId. */
  readonly holder: string;
  /** `old_keys`: the keys were changed since, so that it opens nothing that is placed now. By the clock of this node. */
  readonly state: 'holds' | 'old_keys' | 'expired' | 'revoked';
  /** ms since 1970. */
  readonly until: number;
  readonly revoked: number | null;
  /** Eves that were not told yet that it is revoked. */
  readonly untold: readonly string[];
}

export interface GivenVaultGrantView extends VaultGrantView {
  /** The line for its holder, sealed to their key. */
  readonly text: string;
}

/** What a grant that this node holds says, and what its Eves say to it. */
export interface GrantedView {
  readonly id: string;
  /** As its owner calls it. */
  readonly kb: string;
  /** Id of the collection, as those of own ones. */
  readonly collection: string;
  /** PeerId of who gave it. */
  readonly issuer: string;
  readonly rights: readonly 'read'[];
  readonly from: number;
  readonly until: number;
  readonly mode: 'sealed' | 'split' | 'perturbed';
  /** As of `PlacedView`. */
  readonly label: string | null;
  readonly warning: string | null;
  readonly replicas: number;
  readonly eves: readonly {
    readonly peer: string;
    readonly operator: string | null;
    /** Why this Eve gives nothing; null: she honours the grant. */
    readonly trouble: string | null;
  }[];
  /** State that can be read now; null: none. */
  readonly number: number | null;
  /** Why none can. */
  readonly trouble: string | null;
}

export interface GrantedSearch {
  readonly grant: string;
  readonly query: string;
  readonly k: number;
  readonly filter?: NonNullable<PlacedSearch['filter']>;
}

export interface VaultGrantDesk {
  /** @throws KithError `vault_not_kept`, `vault_grant_state`; what Eves answer */
  give(kb: string, order: VaultGrantOrder, signal: AbortSignal): Promise<GivenVaultGrantView>;
  given(kb: string): Promise<readonly VaultGrantView[]>;
  /** Tells every Eve; those that are away are told later. @throws KithError `vault_grant_unknown` */
  revoke(kb: string, id: string, signal: AbortSignal): Promise<VaultGrantView>;
  /** Changes the keys: all is sealed anew. */
  rotate(kb: string): Promise<JobView>;
  /** @throws InputError `vault_grant_file`, `vault_grant_not_yours` */
  resolve(grant: string, signal: AbortSignal): Promise<GrantedView>;
  search(kb: string, order: GrantedSearch, signal: AbortSignal): Promise<PlacedSearchView>;
}
