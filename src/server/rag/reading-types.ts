/**
 * Documents of knowledge bases as one reads them: passages in their order, around one that was found.
 *
 * @module server/rag/reading-types
 */
import type { ChunkView, DocumentView } from './types.ts';

export interface ReadingQuery {
  readonly path: string;
  /** Id of a passage of the document: that one, and `around` before and after it. */
  readonly chunk?: string;
  /** @default 2 */
  readonly around: number;
  /** Without `chunk`: position of the first, from 0. */
  readonly from: number;
  readonly limit: number;
}

/** The file that a document was read from. */
export interface OriginalView {
  /** SHA-256 of its bytes, 64 hex digits: what it is asked for by. */
  readonly id: string;
  /**
   * `here`: it lies where it did, and has as many bytes. `changed`: it has others now. `away`: it is not there. `not_kept`: it lies in
   * no folder that the knowledge base follows, as uploads and what was taken in once.
   */
  readonly state: 'here' | 'changed' | 'away' | 'not_kept';
}

export interface PassagesView {
  readonly document: DocumentView;
  /** By position. */
  readonly passages: readonly ChunkView[];
  readonly original: OriginalView;
}

/** A file that is held open, so that it stays the same one while it is read. */
export interface HeldFile extends AsyncDisposable {
  /** Without folders. */
  readonly name: string;
  /** Kind of file: `pdf`, `md`. */
  readonly type: string;
  readonly bytes: number;
  /** @param to behind the last byte */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
}

export interface ReadingDesk {
  /** @throws KithError `document_unknown`, `passage_unknown` */
  passages(kb: string, query: ReadingQuery): Promise<PassagesView>;
  /**
   * The file that a document was read from, as long as it is still that one, byte by byte. To be disposed of.
   *
   * @param id SHA-256 of its bytes @throws KithError `document_unknown`, `original_not_kept`, `original_away`, `original_changed`
   */
  original(kb: string, id: string, signal: AbortSignal): Promise<HeldFile>;
  /** Bytes of a file that may be taken in. */
  fileBytes(): Promise<number>;
}
