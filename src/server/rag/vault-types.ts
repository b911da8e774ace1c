/**
 * Knowledge bases that are kept on the disks of peers, sealed, for their owner.
 *
 * @module server/rag/vault-types
 */
import type { Tier } from '../../base/index.ts';
import type { Filter, Place } from '../../knowledge/index.ts';
import type { JobView } from './types.ts';

/** What a peer announces that it lends, as its record says: sizes are rounded down to powers of two. */
export interface HeardTerms {
  readonly modes: readonly string[];
  readonly freeBytes: number;
  readonly largestBytes: number;
  readonly days: number;
  /** `friends`, or the lowest tier that gets space. */
  readonly to: string;
}

/** What this node thinks of an Eve. */
export interface EveStandingView {
  /** 0 to 1: the score of the trust room, of all that was seen of the peer and what others signed. */
  readonly score: number;
  readonly tier: Tier;
  /** So much bad was seen of her that others ought to keep what she keeps. */
  readonly poor: boolean;
}

/** A peer that lends space, or why it does not. */
export interface EveView {
  /** PeerId. */
  readonly peer: string;
  /** What it announces; null: it announces nothing, or not on which terms. */
  readonly heard: HeardTerms | null;
  /** Whether it was asked and answered: what follows is its answer then. */
  readonly answered: boolean;
  /** Whether it would give this node a tenant. */
  readonly open: boolean;
  /** Bytes; null where it did not answer, or was not asked. */
  readonly freeBytes: number | null;
  readonly largestBytes: number | null;
  readonly days: number | null;
  /** Round trip of the question, ms. */
  readonly ms: number | null;
  readonly trouble: string | null;
  readonly standing: EveStandingView;
}

export interface PlaceOrder {
  /**
   * `split`: Eves of two operators search in it without learning anything; it awaits review. `perturbed`: weak, and off until
   * `vault.perturbed` is switched on. @default `sealed`
   */
  readonly mode?: 'sealed' | 'split' | 'perturbed';
  /** PeerIds; each gets a tenant. With `Name=PeerId` who runs it is named, and copies go to different ones. */
  readonly eves: readonly string[];
  /** Copies of each block; what `split` searches is at every Eve. @default 2, or 1 with a single Eve */
  readonly replicas?: number;
  /** Space asked of each Eve, bytes. @default what the knowledge base takes, twice, at least 64 MiB */
  readonly quotaBytes?: number;
  /** @default 30, or what the Eve gives where that is less */
  readonly days?: number;
  /** Opens it beside the identity's key, for whoever restores it elsewhere: 12 to 1024 characters. @default the key alone does */
  readonly passphrase?: string;
}

export interface PlacedView {
  readonly kb: string;
  readonly mode: 'sealed' | 'split' | 'perturbed';
  /** What stands beside the name of the mode: `weak`, or that it awaits review. Null: nothing. */
  readonly label: string | null;
  /** What is to be known of the mode before it is relied upon; null: nothing. */
  readonly warning: string | null;
  readonly replicas: number;
  readonly eves: readonly { readonly peer: string; readonly operator: string | null }[];
  /** State that was reached last; 0 before the first. */
  readonly number: number;
  /** ms since 1970; null before the first. */
  readonly synced: number | null;
  /** Whether the knowledge base changed since; null when that cannot be told now. */
  readonly stale: boolean | null;
  /** Those of its Eves of whom so much bad was seen that others ought to keep what they keep. */
  readonly poor: readonly string[];
  /** Whether a passphrase opens it beside the identity's key. */
  readonly passphrase: boolean;
}

export interface PlacedInfo extends PlacedView {
  readonly tenants: readonly {
    readonly peer: string;
    readonly state: 'open' | 'grace' | null;
    readonly quotaBytes: number | null;
    readonly usedBytes: number | null;
    readonly blocks: number | null;
    readonly until: number | null;
    readonly trouble: string | null;
    readonly standing: EveStandingView;
  }[];
}

export interface CheckView {
  /** Number of which there are two states, of two machines with this key; null: there are not. */
  readonly forked: number | null;
  readonly eves: readonly {
    readonly peer: string;
    readonly asked: number;
    readonly failed: number;
    readonly why: string | null;
    readonly standing: EveStandingView;
  }[];
}

/** A knowledge base of this key that was found on an Eve. */
export interface FoundKb {
  readonly id: string;
  readonly name: string;
  readonly mode: 'sealed' | 'split' | 'perturbed';
  /** As of `PlacedView`. */
  readonly label: string | null;
  readonly warning: string | null;
  readonly replicas: number;
  readonly eves: readonly { readonly peer: string; readonly operator: string | null }[];
  /** Where it was found. */
  readonly at: readonly string[];
  /** Whether a passphrase opens it beside the identity's key. */
  readonly passphrase: boolean;
}

export interface PlacedSearch {
  readonly query: string;
  /** @default 10 */
  readonly k: number;
  /** Only documents of these paths (folders end in `/`), patterns and times; where it is placed `sealed`. */
  readonly filter?: Pick<Filter, 'paths' | 'globs' | 'modifiedFrom' | 'modifiedTo'>;
  /** Eves to ask where the knowledge base lies, when it was not placed from here. */
  readonly eves: readonly string[];
  /** With which it was placed, when that was not from here. */
  readonly passphrase?: string;
}

export interface PlacedSearchView {
  readonly kb: string;
  readonly mode: 'sealed' | 'split' | 'perturbed';
  /** As of `PlacedView`. */
  readonly label: string | null;
  /** What is to be known of the mode before it is relied upon; null: nothing. */
  readonly warning: string | null;
  /** State that was searched. */
  readonly number: number;
  readonly hits: readonly {
    /** Cosine of the angle between question and passage. */
    readonly score: number;
    readonly path: string;
    readonly title: string;
    readonly place: Place;
    readonly text: string;
  }[];
  /** Ms: reading the index (0 when it is at hand), the question's vector, other work here, and waiting for scores (0 in `sealed`), rows and texts. */
  readonly times: Readonly<Record<'open' | 'embed' | 'own' | 'scores' | 'rows' | 'texts', number>>;
  /** Of payloads that this question took, all Eves together. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** What Eves learned of it, in sentences. */
  readonly learned: readonly string[];
}

export interface RestoreFromOrder {
  /** Eves to ask; those that its other tenants name are asked too. */
  readonly eves: readonly string[];
  /** As it was called where it was placed, or its id. */
  readonly source: string;
  /** The line of a grant: somebody else's is fetched, from the Eves that it names. */
  readonly grant?: string;
  /** With which it was placed. */
  readonly passphrase?: string;
  /** @default `knowledge.folder` */
  readonly folder?: string;
}

export interface VaultDesk {
  /**
   * @param peers whom to ask; none: those that announce that they lend space
   * @param ask false: only what is announced, at once
   */
  discover(peers: readonly string[], ask: boolean, signal: AbortSignal): Promise<readonly EveView[]>;
  placed(): Promise<readonly PlacedView[]>;
  info(kb: string, signal: AbortSignal): Promise<PlacedInfo>;
  /** Makes the tenants, and a job that places everything. @throws KithError `vault_placed`; what Eves answer */
  place(kb: string, order: PlaceOrder, signal: AbortSignal): Promise<JobView>;
  /** @throws KithError `vault_not_kept` */
  sync(kb: string): Promise<JobView>;
  repair(kb: string): Promise<JobView>;
  /** Other Eves from now on, and a job that moves what has to move. */
  change(kb: string, order: ChangeOrder, signal: AbortSignal): Promise<JobView>;
  check(kb: string, questions: number, signal: AbortSignal): Promise<CheckView>;
  /** Searches it where it lies. @throws KithError `vault_no_index`, `vault_no_filter`, `vault_not_found`, `embedder_mismatch`; of the model store */
  search(kb: string, order: PlacedSearch, signal: AbortSignal): Promise<PlacedSearchView>;
  /** Deletes the tenants; the knowledge base itself stays. Those that are away end by themselves. */
  remove(
    kb: string,
    signal: AbortSignal,
  ): Promise<{ readonly gone: readonly string[]; readonly left: readonly string[] }>;
  find(peers: readonly string[], signal: AbortSignal): Promise<readonly FoundKb[]>;
  /**
   * A job of that name, which makes a knowledge base of what Eves have.
   *
   * @throws as `KnowledgeDesk.create`; KithError `vault_not_found`, `vault_restoring`, `vault_passphrase_needed`, `vault_passphrase_wrong`
   */
  restore(name: string, order: RestoreFromOrder, signal: AbortSignal): Promise<JobView>;
}

export interface ChangeOrder {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** Another mode from now on. Nothing is deleted before what replaces it is there. @default as it is */
  readonly mode?: 'sealed' | 'split' | 'perturbed';
  /** Who runs Eves that it has: `Name=PeerId`. @default as was said before */
  readonly operators?: readonly string[];
  /** Space asked of each Eve, bytes. @default as it is, or more where another mode takes more */
  readonly quotaBytes?: number;
  readonly replicas?: number;
  readonly days?: number;
}
