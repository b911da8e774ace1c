/**
 * Knowledge bases that are shared with peers, and those that peers share, as the routes give them and the node makes them.
 *
 * @module server/rag/share-types
 */
import type { FusedHit, GrantFilter, GrantRight, RagFilter, RagHit, RagMode } from '../../knowledge/index.ts';
import type { Trouble } from './types.ts';

/** What a grant says. */
export interface GrantView {
  /** 32 hex digits. */
  readonly id: string;
  /** PeerIds. */
  readonly issuer: string;
  readonly holder: string;
  /** The knowledge base as its issuer calls it. */
  readonly kb: string;
  readonly rights: readonly GrantRight[];
  /** What of it may be seen; null: all. */
  readonly filter: GrantFilter | null;
  /** ms since 1970. */
  readonly from: number;
  readonly until: number;
  /** By the clock of this node. */
  readonly state: 'holds' | 'to_come' | 'expired' | 'revoked';
}

/** A grant that this node's owner gave. */
export interface GivenGrant extends GrantView {
  /** The line that its holder accepts. */
  readonly text: string;
  /** ms since 1970; null: it holds as long as it says. */
  readonly revoked: number | null;
  /** Questions that were answered, and when the last one was, ms since 1970. */
  readonly used: number;
  readonly usedAt: number | null;
  /** Questions by its holder that were refused, and why the last one was. */
  readonly refused: number;
  readonly refusedAt: number | null;
  readonly refusedWhy: string | null;
}

/** A grant that a peer gave to this node. */
export interface AcceptedGrant extends GrantView {
  /** As questions name it: `@PEER:NAME`. */
  readonly name: string;
  /** When it was accepted, ms since 1970. */
  readonly at: number;
}

export interface GrantOrder {
  /** PeerId or `did:key`. */
  readonly with: string;
  readonly rights: readonly GrantRight[];
  readonly filter?: GrantFilter;
  /** ms since 1970. @default now */
  readonly from?: number;
  /** ms from its beginning; at most 366 days. */
  readonly forMs: number;
}

/** `local`: the question does not leave this machine. The others as everywhere; the owner's level holds where it is stricter. */
export type QuestionPrivacy = 'local' | 'minimum' | 'medium' | 'maximum';

export interface FederatedQuery {
  readonly query: string;
  /** Knowledge bases of this node by name, those of peers as `@PEER:NAME`, PEER the PeerId or the end of it. */
  readonly kbs: readonly string[];
  readonly k: number;
  readonly mode: RagMode;
  readonly filter?: RagFilter;
  /** ms after which what has not answered is late. */
  readonly deadlineMs: number;
  readonly privacy: QuestionPrivacy;
}

/** How one knowledge base answered. */
export interface SourceReport {
  /** As the question named it. */
  readonly source: string;
  /** PeerId; null: of this node. */
  readonly peer: string | null;
  /**
   * `late`: not before the deadline. `refused`: by the peer, or the question may not go there. `offline`: the peer was not
   * reached. `failed`: something else.
   */
  readonly state: 'answered' | 'late' | 'refused' | 'offline' | 'failed';
  readonly hits: number;
  /** Why it did not answer, or why meaning did not count. */
  readonly trouble: Trouble | null;
  /** Id of the model of its vectors; null where it has none, or did not answer. */
  readonly embedder: string | null;
  readonly ms: number;
}

export interface FederatedView {
  readonly hits: readonly FusedHit[];
  /** In the order of the question. */
  readonly sources: readonly SourceReport[];
  readonly ms: number;
}

/** A question that a peer answers. `k`: sources, at most 8 of them. */
export interface SharedQuestion extends Omit<FederatedQuery, 'kbs'> {
  /** `@PEER:NAME`. */
  readonly kb: string;
}

/** What a peer answered: its words, which nobody here checked. */
export interface SharedAnswer {
  /** With `[1]` where a source is cited; empty: its documents do not say. */
  readonly text: string;
  /** In the order of their numbers. */
  readonly sources: readonly RagHit[];
  /** PeerId. */
  readonly peer: string;
  readonly ms: number;
}

/** Grants, and questions to several knowledge bases. */
export interface SharesDesk {
  /** @throws InputError `grant_invalid`; KithError `kb_unknown`, `share_off`; LimitError `knowledge.scope`, `knowledge.grants` */
  give(kb: string, order: GrantOrder): Promise<GivenGrant>;
  /** Newest first. */
  given(): Promise<GivenGrant[]>;
  /** Ends it at once, calls under way too. @throws KithError `grant_unknown` */
  revoke(id: string): Promise<GivenGrant>;
  /** @param text the line that its issuer sent @throws InputError `grant_invalid`, `grant_not_yours`, `grant_expired` */
  accept(text: string): Promise<AcceptedGrant>;
  /** Asks a peer what it shares with this node, and accepts all of it. @throws as `Swarm.call` */
  acceptFrom(peer: string, signal?: AbortSignal): Promise<AcceptedGrant[]>;
  accepted(): Promise<AcceptedGrant[]>;
  /** @throws KithError `grant_unknown` */
  forget(id: string): Promise<void>;
  /** @throws InputError `kbs_invalid`; KithError `kb_unknown`, `grant_unknown`, `privacy_unmet` when nobody may be asked */
  search(query: FederatedQuery, signal?: AbortSignal): Promise<FederatedView>;
  /** @throws KithError `grant_unknown`, `grant_expired`, `privacy_unmet`, `rag_refused`, `rag_busy`; as `Swarm.call` */
  answer(query: SharedQuestion, signal?: AbortSignal): Promise<SharedAnswer>;
}
