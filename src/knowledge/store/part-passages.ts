/**
 * What a part of a document holds to be searched and shown, without making a knowledge base of it.
 *
 * @module knowledge/store/part-passages
 */
import { KithError, type SqlValue } from '../../base/index.ts';
import type { Place } from '../types.ts';
import { decoded } from './parts.ts';
import { floatsOf, kept } from './rows.ts';

export interface PartDocument {
  readonly id: number;
  readonly path: string;
  /** ms since 1970. */
  readonly modified: number;
}

export interface PartPassage {
  /** Title and headings, joined by ` › `. */
  readonly title: string;
  readonly text: string;
  readonly place: Place;
}

/** By row of the chunk. A passage and its vector may stand in different parts of a document. */
export interface PartPassages {
  readonly document: PartDocument | null;
  readonly passages: ReadonlyMap<number, PartPassage>;
  /** Exact ones, L2-normalised. */
  readonly vectors: ReadonlyMap<number, Float32Array>;
}

/** @throws KithError `parts_invalid`, `database_newer`, `database_corrupt`; InputError `cbor_invalid` */
export function passagesOfPart(part: Uint8Array): PartPassages {
  let document: PartDocument | null = null;
  const passages = new Map<number, PartPassage>();
  const vectors = new Map<number, Float32Array>();
  for (const [table, columns, rows] of decoded(part)) {
    const reader = READERS[table];
    if (reader === undefined) continue;
    const at = reader.map((column) => columns.indexOf(column));
    if (at.includes(-1)) throw wrong(table);
    for (const row of rows) {
      const values = at.map((index) => row[index]);
      if (table === 'document') {
        const [id, path, modified] = values;
        document = { id: number(id, table), path: text(path, table), modified: number(modified, table) };
      } else if (table === 'chunk') {
        const [own, title, body, place] = values;
        passages.set(number(own, table), {
          ...{ title: text(title, table), text: text(body, table) },
          place: kept<Place>(text(place, table), 'a passage'),
        });
      } else {
        const [own, bytes] = values;
        if (!(bytes instanceof Uint8Array) || bytes.length % 4 !== 0) throw wrong(table);
        vectors.set(number(own, table), floatsOf(bytes));
      }
    }
  }
  return { document, passages, vectors };
}

/** Columns that are read. */
const READERS: Readonly<Record<string, readonly string[]>> = {
  document: ['id', 'path', 'modified'],
  chunk: ['row', 'title', 'text', 'place'],
  exact_vector: ['chunk', 'f32'],
};

function number(value: SqlValue | undefined, table: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(table);
  return value;
}

function text(value: SqlValue | undefined, table: string): string {
  if (typeof value !== 'string') throw wrong(table);
  return value;
}

const wrong = (table: string): KithError =>
  new KithError(
    'parts_invalid',
    `What is to be a part of a document is none: its table ${table} holds something else.`,
    { status: 422 },
  );
