/**
 * What changes the file of a knowledge base: each call one transaction, with its version.
 *
 * @module knowledge/store/writer
 */
import { type Database, InputError } from '../../base/index.ts';
import type { Chunk, Mention } from '../types.ts';
import type { AssertionStore } from './assertion-types.ts';
import { createAssertions } from './assertions.ts';
import { addGrams, hasRuns } from './grams.ts';
import { createMerges } from './merges.ts';
import { checkChunks, checkPath, documentColumns, foldTag, invalid, over, propertyValues } from './rows.ts';
import { STORE_LIMITS } from './schema.ts';
import type { EmbedderIdentity, FileState, KnowledgeStore, NewDocument } from './types.ts';
import { createVectorWriter } from './vector-writer.ts';

type Writes =
  | 'remove'
  | 'rename'
  | 'touch'
  | 'addMentions'
  | 'merge'
  | 'undoMerge'
  | 'merges'
  | 'setVectors'
  | 'useEmbedder'
  | 'changeEmbedder'
  | 'noteFiles'
  | 'forgetFile'
  | 'setSettings';

export interface Writer extends Pick<KnowledgeStore, Writes>, AssertionStore {
  /** Row of the document. */
  put(
    document: NewDocument,
    chunks: readonly Chunk[],
    vectors: Float32Array | null,
    mentions: readonly Mention[],
    state: Omit<FileState, 'path'> | undefined,
  ): number;
}

interface KeptChunk {
  row: number;
  id: string;
  position: number;
  tokens: number;
  place: string;
  title: string;
  text: string;
}

interface MentionRow {
  surface: string;
  start: number | null;
  stop: number | null;
  extractor: string;
  confidence: number;
}

export interface WriterOptions {
  readonly database: Database;
  /** Called before each change: throws when the file is not there any more. */
  readonly present: () => void;
  /** Reads the embedder that the file names. */
  readonly embedder: () => EmbedderIdentity | null;
}

export function createWriter({ database, present, embedder }: WriterOptions): Writer {
  const prepare = database.prepare.bind(database);
  const grow = prepare<{ version: number }>('UPDATE meta SET version = version + 1 RETURNING version');
  const idOf = prepare<{ id: number }, [string]>('SELECT id FROM document WHERE path = ?');
  const columns =
    'path, title, titled, type, hash, recipe, bytes, modified, pages, chunks, properties, tags, aliases, links, notes'.split(
      ', ',
    );
  const insert = prepare<{ id: number }, Record<string, string | number | null | Uint8Array>>(
    `INSERT INTO document (${columns.join(', ')}) VALUES (${columns.map((name) => `:${name}`).join(', ')})
     ON CONFLICT (path) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(', ')} RETURNING id`,
  );
  const saidBy = prepare<Record<'title' | 'properties' | 'aliases' | 'links', string>, [string]>(
    'SELECT title, properties, aliases, links FROM document WHERE path = ?',
  );
  const dropDocument = prepare<never, [number]>('DELETE FROM document WHERE id = ?');
  const dropTags = prepare<never, [number]>('DELETE FROM tag WHERE document = ?');
  const dropProperties = prepare<never, [number]>('DELETE FROM property WHERE document = ?');
  const addTag = prepare<never, [number, string]>('INSERT OR IGNORE INTO tag (document, tag) VALUES (?, ?)');
  const addProperty = prepare<never, [number, string, string]>(
    'INSERT OR IGNORE INTO property (document, name, value) VALUES (?, ?, ?)',
  );
  const kept = prepare<KeptChunk, [number]>(
    'SELECT row, id, position, tokens, place, title, text FROM chunk WHERE document = ? ORDER BY position',
  );
  const addChunk = prepare<{ row: number }, [string, number, number, number, string, number, string, string]>(
    'INSERT INTO chunk (id, document, position, tokens, place, version, title, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING row',
  );
  const moveChunk = prepare<never, [number, number, string, number]>(
    'UPDATE chunk SET position = ?, tokens = ?, place = ? WHERE row = ?',
  );
  const dropChunk = prepare<never, [number]>('DELETE FROM chunk WHERE row = ?');
  const addWords = prepare<never, [number, string, string]>(
    'INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)',
  );
  const dropWords = prepare<never, [number, string, string]>(
    "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?, ?, ?)",
  );
  const gramsTo = addGrams(database);
  const dropGrams = prepare<never, [number]>('DELETE FROM grams WHERE rowid = ?');
  const noteRemoved = prepare<never, [number, number]>('INSERT INTO removed (version, chunk) VALUES (?, ?)');
  const forgetFrom = prepare<{ version: number }, [number]>(
    'SELECT version FROM removed ORDER BY version DESC, chunk DESC LIMIT 1 OFFSET ?',
  );
  const forget = prepare<never, [number]>('DELETE FROM removed WHERE version <= ?');
  const forgotten = prepare<never, [number]>('UPDATE meta SET forgotten = ?');
  const hasChunk = prepare<{ one: number }, [number]>('SELECT 1 AS one FROM chunk WHERE row = ?');
  const addMention = prepare<never, [number, string, number | null, number | null, string, number]>(
    'INSERT INTO mention (chunk, surface, start, stop, extractor, confidence) VALUES (?, ?, ?, ?, ?, ?)',
  );
  // What a put brings is by rules, and comes again with each; what a model found of a chunk stays with it.
  const dropRuled = prepare<never, [number]>("DELETE FROM mention WHERE chunk = ? AND extractor <> 'model'");
  const ruled = prepare<MentionRow, [number]>(
    "SELECT surface, start, stop, extractor, confidence FROM mention WHERE chunk = ? AND extractor <> 'model' ORDER BY id",
  );
  const touchChunk = prepare<never, [number, number]>('UPDATE chunk SET version = ? WHERE row = ?');
  const movePath = prepare<never, [string, number]>('UPDATE document SET path = ? WHERE id = ?');
  // Documents below the path that have no state of their own are the pages of a dump.
  const setModified = prepare<never, Record<string, string | number>>(
    `UPDATE document SET modified = :modified WHERE modified <> :modified AND (path = :path OR (
       path >= :from AND path < :to AND NOT EXISTS (SELECT 1 FROM intake WHERE intake.path = document.path)))`,
  );
  const moveFile = prepare<never, [string, string]>('UPDATE OR REPLACE intake SET path = ? WHERE path = ?');
  const noteFile = prepare<
    never,
    [string, string, string | null, string | null, Uint8Array | null, string, number, number]
  >(
    'INSERT OR REPLACE INTO intake (path, state, code, message, hash, recipe, bytes, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const dropFile = prepare<never, [string]>('DELETE FROM intake WHERE path = ?');
  const saveSettings = prepare<never, [string]>('UPDATE meta SET settings = ?');

  const change = <T>(work: (version: number) => T): T => {
    present();
    return database.transaction(() => work(grow.get()!.version));
  };
  const takeOut = (chunk: KeptChunk, version: number): void => {
    dropWords.run(chunk.row, chunk.title, chunk.text);
    if (hasRuns(chunk.title) || hasRuns(chunk.text)) dropGrams.run(chunk.row);
    dropChunk.run(chunk.row);
    noteRemoved.run(version, chunk.row);
  };
  const sweepRemoved = (): void => {
    const oldest = forgetFrom.get(STORE_LIMITS.removed);
    if (oldest === undefined) return;
    forget.run(oldest.version);
    forgotten.run(oldest.version);
  };
  const writeFile = (state: FileState): void => {
    const { path, stage, code, message, hash, recipe, bytes, at } = state;
    noteFile.run(path, stage, code, message?.slice(0, 2000) ?? null, hash, recipe, bytes, at);
  };
  const writeMentions = (row: number, mentions: readonly Mention[]): void => {
    for (const { surface, span, extractor, confidence } of mentions)
      addMention.run(row, surface, span?.[0] ?? null, span?.[1] ?? null, extractor, confidence);
  };
  const vectorWriter = createVectorWriter(database, change, embedder);
  const { setVectors, useEmbedder, changeEmbedder } = vectorWriter;

  return {
    ...{ setVectors, useEmbedder, changeEmbedder },
    ...createMerges(database, change),
    ...createAssertions(database, change, (work) => {
      present();
      return database.transaction(work);
    }),
    put(document, chunks, vectors, mentions, state) {
      const row = documentColumns(document);
      const { path } = document;
      checkChunks(path, chunks);
      if (mentions.length > STORE_LIMITS.mentions)
        throw over('mentions', STORE_LIMITS.mentions, `${path} has ${mentions.length} mentions`);
      const of = Map.groupBy(mentions, ({ chunk }) => chunk);
      for (const position of of.keys())
        if (chunks[position] === undefined)
          throw invalid(`a mention is of chunk ${position}, which it has not`, path);
      return change((version) => {
        const dimension = vectors === null ? 0 : vectorWriter.dimensionFor(vectors, chunks.length);
        const said = saidBy.get(path);
        const { id } = insert.get({ ...row, chunks: chunks.length })!;
        const saysOther =
          said !== undefined &&
          (['title', 'properties', 'aliases', 'links'] as const).some((name) => said[name] !== row[name]);
        dropTags.run(id);
        dropProperties.run(id);
        for (const tag of document.tags) addTag.run(id, foldTag(tag));
        for (const [name, value] of Object.entries(document.properties))
          for (const each of propertyValues(value)) addProperty.run(id, name, each);

        const before = new Map(kept.all(id).map((chunk) => [chunk.id, chunk]));
        const stays = new Set(chunks.map((chunk) => chunk.id));
        for (const chunk of before.values()) if (!stays.has(chunk.id)) takeOut(chunk, version);
        for (const [at, chunk] of chunks.entries()) {
          const place = JSON.stringify(chunk.place);
          const exact = vectors?.subarray(at * dimension, (at + 1) * dimension);
          const title = chunk.title.toWellFormed();
          const text = chunk.text.toWellFormed();
          let old = before.get(chunk.id);
          // An id stands for title and text; should it ever not, the chunk is another one.
          if (old !== undefined && (old.title !== title || old.text !== text)) {
            takeOut(old, version);
            old = undefined;
          }
          if (old !== undefined) {
            if (old.position !== at || old.tokens !== chunk.tokens || old.place !== place)
              moveChunk.run(at, chunk.tokens, place, old.row);
            const named = of.get(at) ?? [];
            const isSame = sameMentions(ruled.all(old.row), named);
            if (!isSame) {
              dropRuled.run(old.row);
              writeMentions(old.row, named);
            }
            // Who follows what is named has to know; where a document begins counts there, and what it says of itself.
            const begins = at === 0 && saysOther;
            if (!isSame || begins || (named.length > 0 && (old.position === 0) !== (at === 0)))
              touchChunk.run(version, old.row);
            if (exact !== undefined && !vectorWriter.has(old.row)) {
              vectorWriter.write(old.row, exact, version);
            }
            continue;
          }
          const added = addChunk.get(chunk.id, id, at, chunk.tokens, place, version, title, text)!.row;
          addWords.run(added, title, text);
          gramsTo(added, title, text);
          if (exact !== undefined) vectorWriter.write(added, exact, null);
          writeMentions(added, of.get(at) ?? []);
        }
        if (state !== undefined) writeFile({ ...state, path });
        sweepRemoved();
        return id;
      });
    },
    remove(path) {
      if (idOf.get(path) === undefined) return false;
      return change((version) => {
        const id = idOf.get(path)?.id;
        if (id === undefined) return false;
        for (const chunk of kept.all(id)) takeOut(chunk, version);
        dropDocument.run(id);
        dropFile.run(path);
        sweepRemoved();
        return true;
      });
    },
    rename(from, to) {
      checkPath(to);
      if (from === to) return idOf.get(from) !== undefined;
      return change(() => {
        const id = idOf.get(from)?.id;
        if (id === undefined) return false;
        if (idOf.get(to) !== undefined)
          throw new InputError('document_exists', `There is a document at ${to} already; remove it first.`, {
            status: 409,
          });
        movePath.run(to, id);
        moveFile.run(to, from);
        return true;
      });
    },
    touch(path, modified) {
      change(() => setModified.run({ path, modified, from: `${path}/`, to: `${path}0` }));
    },
    addMentions(mentions) {
      if (mentions.length === 0) return;
      change((version) => {
        for (const { row, ...mention } of mentions)
          if (hasChunk.get(row) !== undefined) {
            writeMentions(row, [mention]);
            touchChunk.run(version, row);
          }
      });
    },
    noteFiles(states) {
      if (states.length === 0) return;
      for (const { path } of states) checkPath(path);
      present();
      database.transaction(() => states.forEach(writeFile));
    },
    forgetFile(path) {
      present();
      dropFile.run(path);
    },
    setSettings(settings) {
      present();
      saveSettings.run(JSON.stringify(settings));
    },
  };
}

function sameMentions(before: readonly MentionRow[], now: readonly Mention[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ surface, span, extractor, confidence }, i) => {
      const old = before[i]!;
      return (
        old.surface === surface &&
        old.start === (span?.[0] ?? null) &&
        old.stop === (span?.[1] ?? null) &&
        old.extractor === extractor &&
        old.confidence === confidence
      );
    })
  );
}
