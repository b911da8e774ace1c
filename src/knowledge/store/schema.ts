/**
 * The file of a knowledge base: its tables and what they may hold.
 *
 * Words stand in an FTS5 index over the chunks' own rows ("external content"), so that a text is on the disk once; its rows are
 * therefore taken out explicitly, with the old values, before a chunk goes. The int8 rows and the exact ones are two tables:
 * filling the slab reads a fifth of the bytes.
 *
 * @module knowledge/store/schema
 */
import type { Migration } from '../../base/index.ts';
import { CREATE_GRAMS, fillGrams } from './grams.ts';

export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'documents, chunks, words, vectors, mentions',
    up: `
      CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL, name TEXT NOT NULL, made INTEGER NOT NULL,
        embedder TEXT, embedder_hash TEXT, dimension INTEGER,
        version INTEGER NOT NULL,
        forgotten INTEGER NOT NULL,
        settings TEXT NOT NULL
      ) STRICT;
      CREATE TABLE document (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path TEXT NOT NULL UNIQUE, title TEXT NOT NULL, titled INTEGER NOT NULL, type TEXT NOT NULL,
        hash BLOB NOT NULL, recipe TEXT NOT NULL, bytes INTEGER NOT NULL, modified INTEGER NOT NULL,
        pages INTEGER, chunks INTEGER NOT NULL,
        properties TEXT NOT NULL, tags TEXT NOT NULL, aliases TEXT NOT NULL, links TEXT NOT NULL, notes TEXT NOT NULL
      ) STRICT;
      CREATE INDEX document_hash ON document (hash);
      CREATE TABLE tag (
        document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, tag TEXT NOT NULL,
        PRIMARY KEY (tag, document)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX tag_document ON tag (document);
      CREATE TABLE property (
        document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (name, value, document)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX property_document ON property (document);
      CREATE TABLE chunk (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL, document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
        position INTEGER NOT NULL, tokens INTEGER NOT NULL, place TEXT NOT NULL, version INTEGER NOT NULL,
        title TEXT NOT NULL, text TEXT NOT NULL
      ) STRICT;
      CREATE INDEX chunk_id ON chunk (id);
      CREATE INDEX chunk_document ON chunk (document, position);
      CREATE INDEX chunk_version ON chunk (version);
      CREATE VIRTUAL TABLE words USING fts5 (
        title, text, content = 'chunk', content_rowid = 'row', tokenize = 'porter unicode61 remove_diacritics 2'
      );
      CREATE TABLE vector (
        chunk INTEGER PRIMARY KEY REFERENCES chunk ON DELETE CASCADE, scale REAL NOT NULL, i8 BLOB NOT NULL
      ) STRICT;
      CREATE TABLE exact_vector (
        chunk INTEGER PRIMARY KEY REFERENCES chunk ON DELETE CASCADE, f32 BLOB NOT NULL
      ) STRICT;
      CREATE TABLE mention (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        chunk INTEGER NOT NULL REFERENCES chunk ON DELETE CASCADE,
        surface TEXT NOT NULL, start INTEGER, stop INTEGER, extractor TEXT NOT NULL, confidence REAL NOT NULL
      ) STRICT;
      CREATE INDEX mention_chunk ON mention (chunk);
      CREATE TABLE removed (
        version INTEGER NOT NULL, chunk INTEGER NOT NULL, PRIMARY KEY (version, chunk)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE intake (
        path TEXT PRIMARY KEY, state TEXT NOT NULL, code TEXT, message TEXT,
        hash BLOB, recipe TEXT NOT NULL, bytes INTEGER NOT NULL, at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'merges of names',
    up: `
      CREATE TABLE merge (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        alias TEXT NOT NULL, entity TEXT NOT NULL, reason TEXT NOT NULL, made INTEGER NOT NULL, undone INTEGER
      ) STRICT;
      CREATE UNIQUE INDEX merge_alias ON merge (alias) WHERE undone IS NULL;
    `,
  },
  {
    name: 'assertions about names, runs, and what models have read',
    // Evidence names a chunk by its content and not by its row: it counts again when the chunk comes back.
    up: `
      CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL, state TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER, undone INTEGER
      ) STRICT;
      CREATE TABLE assertion (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        subject TEXT NOT NULL, property TEXT NOT NULL, relation TEXT, object TEXT, value TEXT, denies INTEGER NOT NULL,
        chunk TEXT, sentence TEXT, by TEXT NOT NULL, model TEXT, reason TEXT NOT NULL, confidence REAL NOT NULL,
        run INTEGER REFERENCES run, made INTEGER NOT NULL, undone INTEGER
      ) STRICT;
      CREATE INDEX assertion_subject ON assertion (subject, property) WHERE undone IS NULL;
      CREATE INDEX assertion_object ON assertion (object) WHERE object IS NOT NULL AND undone IS NULL;
      CREATE INDEX assertion_run ON assertion (run) WHERE run IS NOT NULL;
      CREATE TABLE reading (
        chunk TEXT NOT NULL, by TEXT NOT NULL, run INTEGER NOT NULL REFERENCES run,
        kept INTEGER NOT NULL, refused INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (chunk, by)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX reading_run ON reading (run);
      CREATE TABLE asked (name TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      ALTER TABLE merge ADD COLUMN run INTEGER REFERENCES run;
      CREATE INDEX merge_run ON merge (run) WHERE run IS NOT NULL;
    `,
  },
  {
    name: 'kept answers',
    up: `
      CREATE TABLE kept (
        id INTEGER PRIMARY KEY,
        topic BLOB NOT NULL, asked BLOB NOT NULL, vector BLOB, value TEXT NOT NULL, version INTEGER NOT NULL,
        made INTEGER NOT NULL, used INTEGER NOT NULL, hits INTEGER NOT NULL, bytes INTEGER NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX kept_question ON kept (topic, asked);
      CREATE INDEX kept_used ON kept (used);
    `,
  },
  {
    name: 'kept answers go with the version that they are of',
    // At once: they quote documents that may have been removed for good.
    up: 'CREATE TRIGGER kept_gone AFTER UPDATE OF version ON meta BEGIN DELETE FROM kept; END',
  },
  {
    name: 'documents by how they were cut',
    up: 'CREATE INDEX document_recipe ON document (recipe, path)',
  },
  {
    name: 'pairs of characters of scripts without spaces',
    up: (database) => {
      database.exec(CREATE_GRAMS);
      fillGrams(database);
    },
  },
];

/** What one document may have. More is refused, except where `cut` is said. */
export const STORE_LIMITS = {
  /** Characters of a path in the KB. */
  path: 4096,
  /** Characters of a title; longer ones are cut. */
  title: 1000,
  /** Chunks of one document. */
  chunks: 200_000,
  /** Characters of one chunk with its title. */
  chunkCharacters: 200_000,
  /** Characters of the properties of a document as JSON, and likewise of its tags, aliases, links and notes. */
  facts: 4_000_000,
  /** Mentions that come with one document. */
  mentions: 2_000_000,
  /** Merges of names that a KB remembers, undone ones counted, and characters of a name or a reason. */
  merges: 100_000,
  mergeName: 500,
  /** Assertions that a KB remembers, undone ones counted, and characters of a value and of a sentence. */
  assertions: 5_000_000,
  value: 4000,
  sentence: 4000,
  /** Runs that a KB remembers, and characters of the state of one. */
  runs: 100_000,
  runState: 65_536,
  /** Names of which it is remembered how often they were asked for. */
  asked: 200_000,
  /** Removed chunks that are remembered for those who follow; who is further behind reads all anew. */
  removed: 200_000,
  /** Answers that a KB keeps, bytes of them together, and of one. */
  kept: 500,
  keptBytes: 16 * 1024 * 1024,
  keptAnswer: 256 * 1024,
  /** Rows of a page. */
  page: 1000,
  /** Words of a question that are looked up, and characters of one. */
  words: 256,
  wordCharacters: 100,
} as const;
