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

export interface PassagesView {
  readonly document: DocumentView;
  /** By position. */
  readonly passages: readonly ChunkView[];
}

export interface ReadingDesk {
  /** @throws KithError `document_unknown`, `passage_unknown` */
  passages(kb: string, query: ReadingQuery): Promise<PassagesView>;
  /** Bytes of a file that may be taken in. */
  fileBytes(): Promise<number>;
}
