/** How parts of a model come here. @module models/blocks/types */
import type { BlockRange } from '../gguf/index.ts';
import type { EnsureOptions } from '../store/types.ts';
import type { ModelManifest } from '../types.ts';
import type { Section, TensorList } from './list.ts';

/** Where a provider puts what it gets. */
export interface BlockSink {
  /**
   * Bytes of the model's file at `offset`; those that nobody wants are dropped. The bytes of one section have to come in
   * order, those of several may mix; at its first byte a section begins anew. Resolves when the next may come. `from` is
   * named when they are wrong: a URI, a PeerId.
   *
   * @throws KithError `tensor_corrupt` at the last byte of a section whose sha256 is wrong (it is forgotten and may come
   * again), `source_answer` for bytes out of order, `disk_full`, `write_failed`
   */
  write(offset: number, bytes: Uint8Array, from: string): Promise<void>;
  /** A request was sent, and so many bytes came over the network or from another disk, wanted or not. */
  count(requests: number, bytes: number): void;
}

export interface BlockRequest {
  readonly list: TensorList;
  /** By ascending offset. */
  readonly sections: readonly Section[];
  readonly sink: BlockSink;
  readonly signal: AbortSignal;
}

/** Somebody who has bytes of models: a source of the manifest, or peers. */
export interface BlockProvider {
  /** For messages. */
  readonly name: string;
  /** The list of a model (its sha256) from somebody whose word counts here; null when nobody of those has one. */
  list?(model: string, signal: AbortSignal): Promise<TensorList | null>;
  /** Gives what it can, and writes nothing once it has settled. @throws KithError when something is left; what came stays */
  fetch(request: BlockRequest): Promise<void>;
}

export interface EnsureBlocksOptions extends EnsureOptions {
  /** A list that the owner gives. It counts before every other, and is kept. */
  readonly list?: TensorList | undefined;
  /** Asked before the sources of the manifest, in this order. */
  readonly providers?: readonly BlockProvider[] | undefined;
}

export interface EnsuredBlocks {
  /** The whole model, or a file of its apparent size that holds the wanted tensors at their places. */
  readonly path: string;
  readonly manifest: ModelManifest;
  /** Bytes that came over the network or from other files, thrown away ones too. */
  readonly fetchedBytes: number;
  /** Requests over the network. */
  readonly requests: number;
  /** Who gave bytes that are kept, each once. */
  readonly sources: readonly string[];
}

/** What is there of a model that is not there as a whole. */
export interface PartialBlocks {
  /** Blocks all of whose tensors are there, as ranges [from, to). */
  readonly spans: readonly Pick<BlockRange, 'from' | 'to'>[];
  readonly embedding: boolean;
  readonly head: boolean;
  /** Of verified tensors and the header. */
  readonly bytes: number;
}

/** Verified tensors of a model on this disk. */
export interface Holding {
  readonly path: string;
  readonly list: TensorList;
  /** For each section of the list, whether it is there and verified. */
  readonly has: readonly boolean[];
}
