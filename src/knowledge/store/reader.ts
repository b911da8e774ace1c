/**
 * What is read from the file of a knowledge base.
 *
 * @module knowledge/store/reader
 */
import type { Database, SqlValue } from '../../base/index.ts';
import type { Filter } from '../types.ts';
import { conditionOf, isEmptyFilter, type Lookup } from './filter.ts';
import { gramQuery } from './grams.ts';
import {
  CHUNK_COLUMNS,
  type ChunkRow,
  chunkOf,
  type DocumentRow,
  documentOf,
  type FileRow,
  fileOf,
  floatsOf,
} from './rows.ts';
import { STORE_LIMITS } from './schema.ts';
import type { FileStage, KnowledgeStore, Page, Scored, SlabRow, StoredMention } from './types.ts';

type Reads =
  | 'document'
  | 'documentById'
  | 'documents'
  | 'documentsByHash'
  | 'recipes'
  | 'madeOtherwise'
  | 'chunks'
  | 'chunk'
  | 'chunksOf'
  | 'neighbours'
  | 'allChunks'
  | 'withoutVector'
  | 'mentions'
  | 'lexical'
  | 'rowsOf'
  | 'slab'
  | 'slabRows'
  | 'f32'
  | 'vectorsById'
  | 'changes'
  | 'files'
  | 'file'
  | 'fileCounts';

/** Rows that are read at a time where a caller goes through all: in between others may write. */
const BATCH = 1024;
/** More than asked for, so that chunks of equal score are put in the order of their ids and not of their rows. */
const SLACK = 64;

const pageOf = ({ limit = 100 }: Page): number => Math.max(0, Math.min(Math.floor(limit), STORE_LIMITS.page));

export function createReader(database: Database): Pick<KnowledgeStore, Reads> {
  const chunkFrom = `SELECT ${CHUNK_COLUMNS} FROM chunk AS c JOIN document AS d ON d.id = c.document`;
  const byPath = database.prepare<DocumentRow, [string]>('SELECT * FROM document WHERE path = ?');
  const byId = database.prepare<DocumentRow, [number]>('SELECT * FROM document WHERE id = ?');
  const byHash = database.prepare<DocumentRow, [Uint8Array, number]>(
    'SELECT * FROM document WHERE hash = ? ORDER BY path LIMIT ?',
  );
  const byRow = database.prepare<ChunkRow, [number]>(`${chunkFrom} WHERE c.row = ?`);
  const byChunkId = database.prepare<ChunkRow, [string, string | null]>(
    `${chunkFrom} WHERE c.id = ?1 AND (?2 IS NULL OR d.path = ?2) ORDER BY d.path LIMIT 1`,
  );
  const ofDocument = database.prepare<ChunkRow, [string, number, number]>(
    `${chunkFrom} WHERE d.path = ? AND c.position >= ? ORDER BY c.position LIMIT ?`,
  );
  const around = database.prepare<ChunkRow, [number, number]>(
    `${chunkFrom} JOIN chunk AS here ON here.row = ?1 AND c.document = here.document
       AND c.position BETWEEN here.position - ?2 AND here.position + ?2 ORDER BY c.position`,
  );
  const next = database.prepare<ChunkRow, [number, number]>(
    `${chunkFrom} WHERE c.row > ? ORDER BY c.row LIMIT ?`,
  );
  const bare = database.prepare<ChunkRow, [number, number]>(
    `${chunkFrom} WHERE c.row > ? AND NOT EXISTS (SELECT 1 FROM vector AS v WHERE v.chunk = c.row) ORDER BY c.row LIMIT ?`,
  );
  const mentionsOf = database.prepare<
    {
      surface: string;
      start: number | null;
      stop: number | null;
      extractor: string;
      confidence: number;
      position: number;
    },
    [number]
  >(
    `SELECT m.surface, m.start, m.stop, m.extractor, m.confidence, c.position FROM mention AS m
     JOIN chunk AS c ON c.row = m.chunk WHERE m.chunk = ? ORDER BY m.id`,
  );
  type VectorRow = { chunk: number; scale: number; i8: Uint8Array };
  const slabAfter = database.prepare<VectorRow, [number, number]>(
    'SELECT chunk, scale, i8 FROM vector WHERE chunk > ? ORDER BY chunk LIMIT ?',
  );
  const slabRow = database.prepare<VectorRow, [number]>(
    'SELECT chunk, scale, i8 FROM vector WHERE chunk = ?',
  );
  // One statement for many rows takes half the time of one for each.
  const exact = database.prepare<{ chunk: number; f32: Uint8Array }, [string]>(
    'SELECT chunk, f32 FROM exact_vector WHERE chunk IN (SELECT value FROM json_each(?))',
  );
  const exactById = database.prepare<{ f32: Uint8Array }, [string]>(
    'SELECT v.f32 FROM chunk AS c JOIN exact_vector AS v ON v.chunk = c.row WHERE c.id = ? LIMIT 1',
  );
  const state = database.prepare<{ version: number; forgotten: number }>(
    'SELECT version, forgotten FROM meta',
  );
  const added = database.prepare<{ row: number }, [number]>(
    // Named, since SQLite would go through all rows to have them in order.
    'SELECT row FROM chunk INDEXED BY chunk_version WHERE version > ? ORDER BY row',
  );
  const removed = database.prepare<{ chunk: number }, [number]>(
    'SELECT chunk FROM removed WHERE version > ? ORDER BY chunk',
  );
  const fileBy = database.prepare<FileRow, [string]>('SELECT * FROM intake WHERE path = ?');
  const filesAfter = database.prepare<FileRow, [string, string | null, number]>(
    'SELECT * FROM intake WHERE path > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY path LIMIT ?3',
  );
  const stages = database.prepare<{ state: FileStage; n: number }>(
    'SELECT state, count(*) AS n FROM intake GROUP BY state',
  );
  const ranked = (index: string, weights: string): string =>
    `SELECT w.row, c.id, w.score FROM (
       SELECT rowid AS row, -bm25(${index}${weights}) AS score FROM ${index} WHERE ${index} MATCH ? ORDER BY score DESC, rowid LIMIT ?
     ) AS w JOIN chunk AS c ON c.row = w.row`;
  type Ranked = { row: number; id: string; score: number };
  const matching = database.prepare<Ranked, [string, number]>(ranked('words', ', 2.0, 1.0'));
  const matchingGrams = database.prepare<Ranked, [string, number]>(ranked('grams', ''));

  const slabOf = ({ chunk, scale, i8 }: VectorRow): SlabRow => ({
    ...{ row: chunk, scale },
    i8: new Int8Array(i8.buffer, i8.byteOffset, i8.byteLength),
  });

  const paths = database.prepare<{ id: number; path: string }>('SELECT id, path FROM document');
  const valuesOf = database.prepare<{ value: string }, [string]>(
    'SELECT DISTINCT value FROM property WHERE name = ?',
  );
  const lookup: Lookup = {
    documents: () => paths.iterate(),
    valuesOf: (property) => valuesOf.all(property).map(({ value }) => value),
  };

  return {
    document(path) {
      const row = byPath.get(path);
      return row === undefined ? null : documentOf(row);
    },
    documentById(id) {
      const row = byId.get(id);
      return row === undefined ? null : documentOf(row);
    },
    documents(page = {}, filter) {
      const { sql, values } = conditionOf(filter, lookup);
      return database
        .prepare<DocumentRow, SqlValue[]>(
          `SELECT d.* FROM document AS d WHERE d.path > ? AND ${sql} ORDER BY d.path LIMIT ?`,
        )
        .all(page.after ?? '', ...values, pageOf(page))
        .map(documentOf);
    },
    recipes: () =>
      database
        .prepare<{ recipe: string; documents: number }>(
          'SELECT recipe, count(*) AS documents FROM document GROUP BY recipe ORDER BY recipe',
        )
        .all(),
    madeOtherwise: (recipe, page = {}) =>
      database
        .prepare<{ path: string }, SqlValue[]>(
          'SELECT path FROM document WHERE recipe <> ? AND path > ? ORDER BY path LIMIT ?',
        )
        .all(recipe, page.after ?? '', pageOf(page))
        .map(({ path }) => path),
    documentsByHash: (hash) => byHash.all(hash, STORE_LIMITS.page).map(documentOf),
    chunks: (rows) =>
      rows.map((each) => {
        const row = byRow.get(each);
        return row === undefined ? null : chunkOf(row);
      }),
    chunk(id, path) {
      const row = byChunkId.get(id, path ?? null);
      return row === undefined ? null : chunkOf(row);
    },
    chunksOf: (path, from = 0, limit = STORE_LIMITS.page) =>
      ofDocument.all(path, from, pageOf({ limit })).map(chunkOf),
    neighbours: (row, n) => around.all(row, Math.max(0, Math.min(n, STORE_LIMITS.page / 2))).map(chunkOf),
    *allChunks(after = 0) {
      for (let last = after; ; ) {
        const rows = next.all(last, BATCH);
        if (rows.length === 0) return;
        for (const row of rows) yield chunkOf(row);
        last = rows.at(-1)!.row;
      }
    },
    withoutVector: (after, limit) => bare.all(after, pageOf({ limit })).map(chunkOf),
    mentions: (rows) =>
      rows.flatMap((row) =>
        mentionsOf.all(row).map(
          ({ position, surface, start, stop, extractor, confidence }): StoredMention => ({
            ...{ row, chunk: position, surface, confidence },
            span: start === null || stop === null ? null : [start, stop],
            extractor: extractor as StoredMention['extractor'],
          }),
        ),
      ),
    lexical(words, limit, filter) {
      if (limit <= 0) return [];
      const most = Math.floor(limit) + SLACK;
      const look = (index: 'words' | 'grams', expression: string | null): Ranked[] => {
        if (expression === null) return [];
        if (isEmptyFilter(filter))
          return (index === 'words' ? matching : matchingGrams).all(expression, most);
        const { sql, values } = conditionOf(filter, lookup);
        return database
          .prepare<Ranked, SqlValue[]>(
            // "+" keeps SQLite from asking the index once for each row that the filter leaves.
            `SELECT c.row, c.id, w.score FROM (
               SELECT rowid AS row, -bm25(${index}${index === 'words' ? ', 2.0, 1.0' : ''}) AS score FROM ${index} WHERE ${index} MATCH ? AND +rowid IN (
                 SELECT c.row FROM chunk AS c WHERE c.document IN (SELECT d.id FROM document AS d WHERE ${sql})
               ) ORDER BY score DESC, rowid LIMIT ?
             ) AS w JOIN chunk AS c ON c.row = w.row`,
          )
          .all(expression, ...values, most);
      };
      const grams = look('grams', gramQuery(words, STORE_LIMITS.words));
      const found = both(look('words', matchOf(words)), grams);
      found.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.row - b.row));
      return found.slice(0, limit).map(({ row, score }): Scored => ({ row, score }));
    },
    rowsOf(filter: Filter | undefined) {
      if (isEmptyFilter(filter)) return null;
      const { sql, values } = conditionOf(filter, lookup);
      const rows = database
        .prepare<{ row: number }, SqlValue[]>(
          `SELECT c.row FROM chunk AS c WHERE c.document IN (SELECT d.id FROM document AS d WHERE ${sql}) ORDER BY c.row`,
        )
        .all(...values);
      return Uint32Array.from(rows, ({ row }) => row);
    },
    *slab(after = 0) {
      for (let last = after; ; ) {
        const rows = slabAfter.all(last, BATCH);
        if (rows.length === 0) return;
        for (const row of rows) yield slabOf(row);
        last = rows.at(-1)!.chunk;
      }
    },
    slabRows: (rows) =>
      rows.map((each) => {
        const row = slabRow.get(each);
        return row === undefined ? null : slabOf(row);
      }),
    f32(rows) {
      const found = new Map(exact.all(JSON.stringify(rows)).map(({ chunk, f32 }) => [chunk, floatsOf(f32)]));
      return rows.map((row) => found.get(row) ?? null);
    },
    vectorsById(ids) {
      const vectors = new Map<string, Float32Array>();
      for (const id of new Set(ids)) {
        const row = exactById.get(id);
        if (row !== undefined) vectors.set(id, floatsOf(row.f32));
      }
      return vectors;
    },
    changes(since) {
      // The version first: what is written after it may be told of twice, and never not at all.
      const { version, forgotten } = state.get()!;
      if (since < forgotten || since > version) return null;
      const rows = added.all(since).map(({ row }) => row);
      return { version, added: rows, removed: removed.all(since).map(({ chunk }) => chunk) };
    },
    file(path) {
      const row = fileBy.get(path);
      return row === undefined ? null : fileOf(row);
    },
    fileCounts: () => Object.fromEntries(stages.all().map(({ state: stage, n }) => [stage, n])),
    files: (page = {}) => filesAfter.all(page.after ?? '', page.stage ?? null, pageOf(page)).map(fileOf),
  };
}

/** What both indexes found of a chunk counts together. */
function both<Row extends { readonly row: number; readonly score: number }>(
  words: Row[],
  grams: Row[],
): Row[] {
  if (grams.length === 0) return words;
  const byRow = new Map(grams.map((each) => [each.row, each]));
  for (const each of words) {
    const other = byRow.get(each.row);
    byRow.set(each.row, other === undefined ? each : { ...each, score: each.score + other.score });
  }
  return [...byRow.values()];
}

/** Any of the words, each a quoted string: nothing that a person writes is an operator of the search. */
export function matchOf(words: readonly string[]): string | null {
  const quoted = words
    .slice(0, STORE_LIMITS.words)
    .map((word) => word.slice(0, STORE_LIMITS.wordCharacters).replaceAll('\0', ' ').toWellFormed())
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .map((word) => `"${word.replaceAll('"', '""')}"`);
  return quoted.length === 0 ? null : [...new Set(quoted)].join(' OR ');
}
