/**
 * What Bob may ask of an Eve about one of his tenants there. The same over the swarm and beside this process.
 *
 * @module vault/types
 */
import type { LeafProof } from './block.ts';
import type { Near, NearestForm } from './perturbed/nearest.ts';

export const TENANT_STATES = ['open', 'grace'] as const;
/** `open`: all works. `grace`: its time is over; it can be read, erased and prolonged until Eve lets it go. */
export type TenantState = (typeof TENANT_STATES)[number];

export interface TenantInfo {
  /** What the owner calls it at this Eve: 32 hex digits. */
  readonly label: string;
  readonly state: TenantState;
  /** Bytes on Eve's disk that it may take, files of the journal included, and takes now. */
  readonly quotaBytes: number;
  readonly usedBytes: number;
  readonly blocks: number;
  /** When its time ends, and when Eve deletes it; ms since 1970 by her clock, which is `now`. */
  readonly until: number;
  readonly deletedAt: number;
  readonly now: number;
}

export interface BlockRow {
  readonly id: string;
  readonly bytes: number;
}

/** A small sealed pointer whose number only rises. */
export interface HeadRow {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface Stretch {
  readonly at: number;
  readonly length: number;
}

/** One tenant at one Eve. All throw what Eve answers (`storage_...`), and errors of the way to her. */
export interface EveTenant {
  /** PeerId of Eve. */
  readonly peer: string;
  info(signal?: AbortSignal): Promise<TenantInfo>;
  /** The name under which it is kept once this resolves; harmless when it is there already. */
  put(block: Uint8Array, signal?: AbortSignal): Promise<string>;
  /** The block, or a stretch of it. A whole block is held against its name; who reads a stretch has to know it otherwise. */
  get(id: string, stretch: Stretch | null, signal?: AbortSignal): Promise<Uint8Array>;
  prove(id: string, leaf: number, signal?: AbortSignal): Promise<LeafProof>;
  /** Blocks in the order of their names, those after `after`; an empty list ends it. */
  list(after: string | null, signal?: AbortSignal): Promise<readonly BlockRow[]>;
  /** How many of these were there and are no more. */
  remove(ids: readonly string[], signal?: AbortSignal): Promise<number>;
  head(name: string, signal?: AbortSignal): Promise<HeadRow | null>;
  /**
   * Sets it when its number is `before` (0: there is none) and the new one is larger. Setting what it is already is harmless.
   * Throws `storage_head_moved` with the number that it has.
   */
  setHead(name: string, head: HeadRow, before: number, signal?: AbortSignal): Promise<void>;
  /** What comes of half of a question (`split/bob.ts`), for each block; blocks × 4096 bytes. */
  score(blocks: readonly string[], share: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** For each question the XOR of the rows whose bit is set (`split/pir.ts`); questions × bytes. */
  gather(
    blocks: readonly string[],
    form: { readonly rows: number; readonly bytes: number; readonly questions: number },
    bits: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Uint8Array>;
  /** The rows that lie nearest to a perturbed vector, by rising distance (`perturbed/nearest.ts`); k at most. */
  nearest(
    blocks: readonly string[],
    form: NearestForm,
    query: Float32Array,
    signal?: AbortSignal,
  ): Promise<readonly Near[]>;
}

export const TENANT_BOUNDS = {
  /** Characters of a head's name, and how many heads there are. */
  headName: 64,
  heads: 64,
  headBytes: 64 << 10,
  /** Names in one answer of `list` and in one `remove`. */
  page: 1000,
  /** The least space of a tenant: its journal takes some. */
  minQuotaBytes: 32 << 20,
} as const;
