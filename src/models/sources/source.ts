/**
 * Where model bytes come from. A source answers for one or more URI schemes; the registry picks it. `ipfs:` and
 * `peer:` sources join by being added to the registry, nothing else changes.
 *
 * @module models/sources/source
 */

import { InputError } from '../../base/index.ts';
import { splitUri } from './uri.ts';

export interface SourceCapabilities {
  /** May answer from this machine alone; `isLocal` says whether it does for a URI. */
  readonly local: boolean;
  /** Can go on from the middle after an interruption. */
  readonly resumable: boolean;
  /** Can list the files of a package or repository. */
  readonly list: boolean;
}

export interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes fetched ahead of the content itself (an archive), and their total when known. */
  readonly onPrepare?: ((doneBytes: number, totalBytes: number | null) => void) | undefined;
  /** The caller will check a known hash, so going on without a validator is safe. */
  readonly hashKnown?: boolean | undefined;
}

/** What a URI stands for right now. */
export interface ResolvedSource {
  /** The URI, made immutable where the source can (a branch becomes its commit). */
  readonly uri: string;
  /** Bytes, or null when the source does not tell before the end. */
  readonly size: number | null;
  /** Equal validators mean equal bytes (an ETag, a modification time, an integrity hash). Null when unknown. */
  readonly validator: string | null;
  /** Lower-case hex sha256 that the source announces, or null. */
  readonly sha256: string | null;
  /** A local file with exactly these bytes, or null when they must be fetched. */
  readonly path: string | null;
  /**
   * The bytes from `from` to the end. Survives dropped connections by itself; ends with a KithError
   * (`source_changed` when the bytes are no longer those that were resolved).
   */
  open(from: number, options?: SourceOptions): AsyncIterable<Uint8Array>;
  /** Throws away what the source keeps on disk to be quick when asked again. Call it when the model is in place. */
  release?(): Promise<void>;
}

/** One URI of which only some stretches are wanted. Nothing is asked for before the first `read`. */
export interface RangeReader extends AsyncDisposable {
  /** Bytes; null until an answer told. */
  readonly size: number | null;
  /** True once it is known that what lies before a wanted stretch is fetched, too. */
  readonly sequential: boolean;
  /** Bytes [from, to), fewer only where the resource ends. Asked for in ascending order it is read once at most. */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
}

export interface RangeOptions {
  readonly signal: AbortSignal;
  /** A request goes out, and so many bytes came in (archives: as they are sent). */
  readonly count: (requests: number, bytes: number) => void;
}

export interface ListedFile {
  readonly uri: string;
  /** Path inside the package or repository. */
  readonly path: string;
  readonly size: number | null;
}

export interface Source {
  readonly schemes: readonly string[];
  readonly capabilities: SourceCapabilities;
  /** Throws InputError `source_uri_invalid` unless the URI is well-formed. Touches neither disk nor network. */
  check(uri: string): void;
  /** True when the URI can be read now without any network. */
  isLocal(uri: string): Promise<boolean>;
  /** Looks the URI up. Throws `source_not_found`, `source_forbidden`, `source_unreachable`, ... */
  resolve(uri: string, options?: SourceOptions): Promise<ResolvedSource>;
  /** For stretches of the URI; absent where only the whole can be read. */
  ranges?(uri: string, options: RangeOptions): Promise<RangeReader>;
  /** Files under a URI that names a folder, package or repository. */
  list?(uri: string, options?: SourceOptions): Promise<readonly ListedFile[]>;
  close?(): Promise<void>;
}

export interface SourceRegistry extends AsyncDisposable {
  readonly schemes: readonly string[];
  /** Adds a source; a scheme that is there already is replaced. */
  add(source: Source): void;
  /** The source for a URI, after `check`. Throws InputError `source_unsupported` naming what is supported. */
  for(uri: string): Source;
}

export function createSourceRegistry(sources: readonly Source[] = []): SourceRegistry {
  const byScheme = new Map<string, Source>();
  const registry: SourceRegistry = {
    get schemes() {
      return [...byScheme.keys()];
    },
    add(source) {
      for (const scheme of source.schemes) byScheme.set(scheme, source);
    },
    for(uri) {
      const { scheme } = splitUri(uri);
      const source = byScheme.get(scheme);
      if (source === undefined) {
        const known = [...byScheme.keys()].map((name) => `${name}:`).join(', ');
        throw new InputError(
          'source_unsupported',
          `No source reads "${scheme}:" URIs here. Supported: ${known || 'none'}.`,
          { param: 'source', details: { scheme } },
        );
      }
      source.check(uri);
      return source;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...new Set(byScheme.values())].map((source) => source.close?.()));
    },
  };
  for (const source of sources) registry.add(source);
  return registry;
}
