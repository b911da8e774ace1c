/**
 * A part of a knowledge base as if it were all there is: who searches it sees nothing that depends on the rest.
 *
 * A filter on the results would not do. BM25 weighs a word by how many passages have it: from scores, and from the order of
 * hits, one could learn which words stand in documents that one may not see. So the words of the part are counted for themselves,
 * in an index in memory; vectors are compared one by one and tell of nothing else; the graph, which ties all documents
 * together, is not asked.
 *
 * @module knowledge/share/scope
 */
import { setImmediate as pause } from 'node:timers/promises';
import { LimitError, oneAtATime, openDatabase, type SqlValue, throwIfAborted } from '../../base/index.ts';
import type { SearchedPart } from '../retrieve/index.ts';
import type { KnowledgeStore, Scored } from '../store/index.ts';
import { matchOf } from '../store/reader.ts';
import type { Filter } from '../types.ts';

export interface Scope extends SearchedPart, Disposable {
  /** Brings it up to what the store has now. @throws LimitError `knowledge.scope` */
  follow(signal?: AbortSignal): Promise<void>;
}

/** Chunks that are put in before others get their turn: about 5 ms. */
const SLICE = 256;
/** Chunks of a part, each about 2 kB of memory. */
export const SCOPE_CHUNKS = 50_000;

/** @param filter what may be seen */
export function createScope(
  store: Pick<KnowledgeStore, 'rowsOf' | 'chunks' | 'version'>,
  filter: Filter,
  most: number = SCOPE_CHUNKS,
): Scope {
  const database = openDatabase(':memory:', {
    synchronous: 'NORMAL',
    migrations: [
      {
        name: 'words',
        // The tokenizer of the store: a word is here what it is there.
        up: `
          CREATE TABLE chunk (row INTEGER PRIMARY KEY, id TEXT NOT NULL) STRICT;
          CREATE VIRTUAL TABLE words USING fts5 (
            title, text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
          );
        `,
      },
    ],
  });
  const addWords = database.prepare<never, [number, string, string]>(
    'INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)',
  );
  const addChunk = database.prepare<never, [number, string]>('INSERT INTO chunk (row, id) VALUES (?, ?)');
  const dropWords = database.prepare<never, [number]>('DELETE FROM words WHERE rowid = ?');
  const dropChunk = database.prepare<never, [number]>('DELETE FROM chunk WHERE row = ?');
  const matching = (kept: string) =>
    database.prepare<{ row: number; id: string; score: number }, SqlValue[]>(
      `SELECT w.row, c.id, w.score FROM (
         SELECT rowid AS row, -bm25(words, 2.0, 1.0) AS score FROM words WHERE words MATCH ? ${kept}
       ) AS w JOIN chunk AS c ON c.row = w.row ORDER BY w.score DESC, c.id, c.row LIMIT ?`,
    );
  const everywhere = matching('');
  const among = matching('AND +rowid IN (SELECT value FROM json_each(?))');
  let rows = new Uint32Array(0);
  let version: number | null = null;
  const inTurn = oneAtATime();

  async function catchUp(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    // The version first: what is written after it is looked at again.
    const now = store.version();
    if (now === version) return;
    const wanted = store.rowsOf(filter) ?? new Uint32Array(0);
    if (wanted.length > most)
      throw new LimitError(
        'knowledge.scope',
        most,
        `What this grant shares has ${wanted.length} passages, and a part of a knowledge base that is searched by itself may have ${most}. Share a smaller part, or all of it.`,
      );
    // A row is never given to another chunk, and the text of a chunk never changes.
    const before = new Set(rows);
    const kept = new Set(wanted);
    // What may not be seen any more goes first, and at once.
    database.transaction(() => {
      for (const row of rows) {
        if (kept.has(row)) continue;
        dropWords.run(row);
        dropChunk.run(row);
        before.delete(row);
      }
    });
    rows = Uint32Array.from(before).sort();
    const fresh = wanted.filter((row) => !before.has(row));
    try {
      for (let at = 0; at < fresh.length; at += SLICE) {
        const chunks = store.chunks([...fresh.subarray(at, at + SLICE)]);
        database.transaction(() => {
          for (const chunk of chunks) {
            if (chunk === null) continue;
            addWords.run(chunk.row, chunk.title, chunk.text);
            addChunk.run(chunk.row, chunk.id);
            before.add(chunk.row);
          }
        });
        await pause();
        throwIfAborted(signal);
      }
      version = now;
    } finally {
      rows = Uint32Array.from(before).sort();
    }
  }

  return {
    // Each begins where the one before ended, also where that failed.
    follow: (signal) => inTurn(() => catchUp(signal)),
    rowsOf(asked) {
      const chosen = store.rowsOf(asked);
      if (chosen === null) return rows;
      const kept = new Set(chosen);
      return rows.filter((row) => kept.has(row));
    },
    lexical(words, limit, asked): Scored[] {
      const expression = matchOf(words);
      if (expression === null || limit <= 0) return [];
      const chosen = store.rowsOf(asked);
      const found =
        chosen === null
          ? everywhere.all(expression, Math.floor(limit))
          : among.all(expression, JSON.stringify([...chosen]), Math.floor(limit));
      return found.map(({ row, score }) => ({ row, score }));
    },
    [Symbol.dispose]: () => database.close(),
  };
}
