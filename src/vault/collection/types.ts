/**
 * What the parts of Bob's end hand to each other.
 *
 * @module vault/collection/types
 */
import type { CborMap, Clock, Logger, Random } from '../../base/index.ts';
import type { KeyRing } from '../keys/keys.ts';
import type { KeptReads } from '../place/kept.ts';
import type { EveFault, PlacedEve } from '../place/reader.ts';
import type { VaultMode } from '../seal/manifest.ts';
import type { Fork } from './manifest-view.ts';

export interface Named {
  readonly name: string;
  readonly digest: Uint8Array;
}

/** Objects as they are now at Bob: what is to be placed. */
export interface ObjectSource {
  /** Names with the digest of each object (`digestOf`), in any order; each name once. */
  list(): Iterable<Named> | AsyncIterable<Named>;
  /** The object, as it was listed or newer. Null: it is gone meanwhile. */
  read(name: string): Promise<Uint8Array | null>;
}

export interface CollectionOptions {
  /** Its id: 1 to 64 characters; what keys and labels are derived from. */
  readonly id: string;
  readonly root: KeyRing;
  /** All of its Eves. */
  readonly eves: readonly PlacedEve[];
  /** Copies of each block. */
  readonly replicas: number;
  readonly random: Pick<Random, 'bytes' | 'float' | 'uint32'>;
  readonly clock: Pick<Clock, 'now' | 'sleep' | 'monotonic'>;
  readonly log: Logger;
  readonly hedgeMs?: number;
  /** What was read before, sealed as it came. */
  readonly cache?: KeptReads;
  /** The newest state that was reached, as remembered by this node; 0 when it remembers none. */
  readonly reached: number;
  /** Told once an Eve shows or took it, so that it can be written down. */
  readonly onReached: (number: number) => void;
  /** Told what a state says before its head is set anywhere, so that whose it is can be told later. */
  readonly onSealed?: (state: string) => void;
  readonly onFault?: (peer: string, fault: EveFault, block: string) => void;
  /** Whether an Eve is asked after all others. @default none is */
  readonly isLast?: (peer: string) => boolean;
}

export interface SyncReport {
  readonly number: number;
  /** Names what it says, and what the state said on which it was put; empty for none. */
  readonly state: string;
  readonly before: string;
  readonly objects: number;
  readonly added: number;
  readonly changed: number;
  readonly erased: number;
  /** Objects that were placed again since no Eve had them any more. */
  readonly again: number;
  /** Blocks of before that are not at all Eves who are to have them: 'repair' puts them there. 0 while an Eve is away. */
  readonly thin: number;
  /** Two states of one number were there; this one stands on top of both. */
  readonly fork: Fork | null;
  /** Objects that were sealed again since their segments had much that is erased in them. */
  readonly repacked: number;
  readonly segments: number;
  readonly uploadedBytes: number;
  readonly removedBlocks: number;
  /** Eves that were away, and why: 'repair' brings them up to date. */
  readonly away: ReadonlyMap<string, string>;
}

export interface SyncOptions {
  readonly info: CborMap;
  /** @default as it is */
  readonly mode?: VaultMode;
  /** Blocks that all Eves hold (`Collection.everywhere` put them), 512 at most. @default those that were */
  readonly everywhere?: readonly string[];
  /** The number on which it has to stand. @default the newest */
  readonly from?: number;
  readonly signal?: AbortSignal;
  /** Objects done, of how many. */
  readonly told?: (done: number, of: number) => void;
}

export interface RepairReport {
  readonly blocks: number;
  /** Copies that were missing and are there now. */
  readonly copied: number;
  readonly copiedBytes: number;
  /** Copies where they need not be, and blocks of former states. */
  readonly removed: number;
  /** Blocks that no Eve has. */
  readonly lost: readonly string[];
  readonly away: ReadonlyMap<string, string>;
  /** The state that all show that answer, and what it says. */
  readonly number: number;
  readonly state: string;
  /** Two states of one number were there; the one that counts stands on top of both now. */
  readonly fork: Fork | null;
}

export interface CheckReport {
  /** What was checked, by what it says. */
  readonly state: string;
  readonly fork: Fork | null;
  /** By Eve: leaves that were asked for, and those that did not come back whole. */
  readonly eves: readonly {
    readonly peer: string;
    readonly asked: number;
    readonly failed: number;
    /** Of these: blocks that she says she does not have, and those of which she gave other bytes. */
    readonly missing: number;
    readonly damaged: number;
    readonly why: string | null;
  }[];
}
