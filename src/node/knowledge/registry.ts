/**
 * Which knowledge bases there are, where their files lie, and the jobs on them: what has to be known before any is opened.
 *
 * @module node/knowledge/registry
 */
import { type Database, KithError, type Migration, openDatabase } from '../../base/index.ts';
import type { BackupOrder, JobKind, JobProgress, JobState, NotesOrder, Trouble } from '../../server/index.ts';
import type { Place, VaultMode } from '../../vault/index.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'knowledge bases and jobs',
    up: `
      CREATE TABLE kb (name TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, made INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kb TEXT NOT NULL REFERENCES kb ON DELETE CASCADE,
        work TEXT NOT NULL, state TEXT NOT NULL, progress TEXT NOT NULL, error TEXT,
        made INTEGER NOT NULL, ended INTEGER
      ) STRICT;
      CREATE INDEX job_kb ON job (kb, id);
    `,
  },
  {
    name: 'what of folders that are watched was taken in',
    up: `
      CREATE TABLE watched (
        kb TEXT NOT NULL REFERENCES kb ON DELETE CASCADE, folder TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (kb, folder)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'whose files knowledge bases are',
    up: 'ALTER TABLE kb ADD COLUMN store TEXT',
  },
  {
    name: 'jobs that make a knowledge base, before there is one',
    up: `
      CREATE TABLE work (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kb TEXT NOT NULL,
        work TEXT NOT NULL, state TEXT NOT NULL, progress TEXT NOT NULL, error TEXT,
        made INTEGER NOT NULL, ended INTEGER
      ) STRICT;
      INSERT INTO work SELECT * FROM job;
      DELETE FROM sqlite_sequence WHERE name = 'work';
      INSERT INTO sqlite_sequence SELECT 'work', seq FROM sqlite_sequence WHERE name = 'job';
      DROP TABLE job;
      ALTER TABLE work RENAME TO job;
      CREATE INDEX job_kb ON job (kb, id);
    `,
  },
];

/** Ended jobs of a KB that are remembered, and of names that never became one. */
const REMEMBERED = 50;
/** Jobs that are given with a list: all that may wait, and those that are remembered. */
const LISTED = 200;

export interface KbEntry {
  readonly name: string;
  /** Of its file. */
  readonly path: string;
  /** ms since 1970. */
  readonly made: number;
}

/** What a job is to do. Paths on the disk are absolute. */
export type Work =
  | {
      readonly kind: 'ingest';
      readonly paths: readonly string[];
      readonly under: string;
      readonly retry: boolean;
    }
  /** `file`: where the bytes wait, in the folder of uploads. */
  | { readonly kind: 'upload'; readonly file: string; readonly path: string }
  | {
      readonly kind: 'sync';
      readonly folder: string;
      readonly under: string;
      readonly allowEmpty: boolean;
    }
  /** `under`: whose documents go, unless they are kept. */
  | { readonly kind: 'forget'; readonly folder: string; readonly under: string; readonly keep: boolean }
  /** `begun`: the vectors of another model were dropped. `only`: vectors stay where passages do. */
  | { readonly kind: 'rebuild'; readonly begun: boolean; readonly only?: 'chunks' }
  /** `run`: in the file of the knowledge base. */
  | { readonly kind: 'dream'; readonly run: number }
  | ({ readonly kind: 'notes' } & NotesOrder)
  | { readonly kind: 'vault'; readonly op: 'sync' | 'repair' }
  /** `from`: epoch of the keys that are to be changed, once it is known. */
  | { readonly kind: 'vault'; readonly op: 'rotate'; readonly from?: number }
  | ({ readonly kind: 'vault'; readonly op: 'restore' } & RestoreWork)
  /** What an engine has of it is made equal to it. */
  | { readonly kind: 'engine' }
  /** `beside`: where it is written. `isWhole`: it was, and gets its name. */
  | ({ readonly kind: 'copy'; readonly beside: string; readonly isWhole?: true } & BackupOrder);

/** What Eves have is to become a knowledge base of the job's name. */
export interface RestoreWork {
  /** Of the collection. */
  readonly id: string;
  readonly mode: VaultMode;
  readonly replicas: number;
  readonly eves: readonly Place[];
  /** Where its file is kept. */
  readonly folder: string;
  /** The state that was fetched: a file of that name in the folder is this job's own. */
  readonly made?: number;
  /** The line of a grant by which somebody else's is read; sealed to this node's key. */
  readonly grant?: string;
  /** It takes a secret beside the identity, which is kept elsewhere (`vault-secret-store.ts`). */
  readonly passphrase?: true;
}

/** Kinds of work that jobs are called otherwise by. */
const KINDS: Partial<Record<Work['kind'], JobKind>> = {
  upload: 'ingest',
  forget: 'sync',
  notes: 'export',
  copy: 'export',
  engine: 'vault',
};
export const kindOf = ({ kind }: Work): JobKind => KINDS[kind] ?? (kind as JobKind);

export interface JobEntry {
  readonly id: number;
  readonly kb: string;
  readonly work: Work;
  readonly state: JobState;
  readonly progress: JobProgress;
  readonly error: Trouble | null;
  /** ms since 1970. */
  readonly made: number;
  readonly ended: number | null;
}

export interface Registry extends Disposable {
  all(): KbEntry[];
  /** @throws KithError `kb_unknown` */
  get(name: string): KbEntry;
  has(name: string): boolean;
  add(entry: KbEntry): void;
  /** Id in the file of it, when it was first opened; null before. */
  storeOf(name: string): string | null;
  noteStore(name: string, id: string): void;
  /** Its jobs go with it. */
  remove(name: string): void;
  addJob(job: Omit<JobEntry, 'id'>): JobEntry;
  saveJob(job: JobEntry): void;
  job(kb: string, id: number): JobEntry | null;
  /** Newest first; those that are not over before the others. Also of a name that is to become one. */
  jobs(kb: string): JobEntry[];
  /** All that are not over, in their order. */
  unfinished(): JobEntry[];
  /** State of a folder whose last sync ended well; null when there was none. */
  watched(kb: string, folder: string): string | null;
  noteWatched(kb: string, folder: string, state: string): void;
}

interface JobRow {
  readonly id: number;
  readonly kb: string;
  readonly work: string;
  readonly state: JobState;
  readonly progress: string;
  readonly error: string | null;
  readonly made: number;
  readonly ended: number | null;
}

const jobOf = ({ work, progress, error, ...row }: JobRow): JobEntry => ({
  ...row,
  work: JSON.parse(work) as Work,
  progress: JSON.parse(progress) as JobProgress,
  error: error === null ? null : (JSON.parse(error) as Trouble),
});

/** Of the knowledge bases in a list that another process may have open. */
export function namesIn(path: string): string[] {
  const database = openDatabase(path, { migrations: MIGRATIONS });
  try {
    return database
      .prepare<{ name: string }>('SELECT name FROM kb ORDER BY name')
      .all()
      .map(({ name }) => name);
  } finally {
    database.close();
  }
}

const OPEN = `state IN ('waiting', 'running')`;

export function openRegistry(path: string): Registry {
  const database: Database = openDatabase(path, { migrations: MIGRATIONS });
  const byName = database.prepare<KbEntry, [string]>('SELECT name, path, made FROM kb WHERE name = ?');
  const jobBy = database.prepare<JobRow, [string, number]>('SELECT * FROM job WHERE kb = ? AND id = ?');
  return {
    all: () => database.prepare<KbEntry>('SELECT name, path, made FROM kb ORDER BY name').all(),
    has: (name) => byName.get(name) !== undefined,
    get(name) {
      const entry = byName.get(name);
      if (entry !== undefined) return entry;
      throw new KithError(
        'kb_unknown',
        `There is no knowledge base '${name.slice(0, 64)}' here. \`kith rag list\` shows those there are, \`kith rag init\` makes one.`,
        { status: 404, param: 'kb' },
      );
    },
    add({ name, path: file, made }) {
      database
        .prepare<never, [string, string, number]>('INSERT INTO kb (name, path, made) VALUES (?, ?, ?)')
        .run(name, file, made);
    },
    storeOf: (name) =>
      database.prepare<{ store: string | null }, [string]>('SELECT store FROM kb WHERE name = ?').get(name)
        ?.store ?? null,
    noteStore(name, id) {
      database.prepare<never, [string, string]>('UPDATE kb SET store = ? WHERE name = ?').run(id, name);
    },
    remove: (name) =>
      database.transaction(() => {
        for (const table of ['job WHERE kb', 'kb WHERE name'])
          database.prepare<never, [string]>(`DELETE FROM ${table} = ?`).run(name);
      }),
    addJob(job) {
      const { lastInsertRowid } = database
        .prepare<never, [string, string, string, string, number]>(
          'INSERT INTO job (kb, work, state, progress, made) VALUES (?, ?, ?, ?, ?)',
        )
        .run(job.kb, JSON.stringify(job.work), job.state, JSON.stringify(job.progress), job.made);
      database
        .prepare<never, [string, string, number]>(
          `DELETE FROM job WHERE kb = ? AND NOT ${OPEN} AND id NOT IN (
             SELECT id FROM job WHERE kb = ? AND NOT ${OPEN} ORDER BY id DESC LIMIT ?)`,
        )
        .run(job.kb, job.kb, REMEMBERED);
      database
        .prepare<never, [number]>(
          `DELETE FROM job WHERE kb NOT IN (SELECT name FROM kb) AND NOT ${OPEN} AND id NOT IN (
             SELECT id FROM job WHERE kb NOT IN (SELECT name FROM kb) AND NOT ${OPEN} ORDER BY id DESC LIMIT ?)`,
        )
        .run(REMEMBERED);
      return { ...job, id: lastInsertRowid };
    },
    saveJob({ id, work, state, progress, error, ended }) {
      database
        .prepare<never, [string, string, string, string | null, number | null, number]>(
          'UPDATE job SET work = ?, state = ?, progress = ?, error = ?, ended = ? WHERE id = ?',
        )
        .run(
          JSON.stringify(work),
          state,
          JSON.stringify(progress),
          error === null ? null : JSON.stringify(error),
          ended,
          id,
        );
    },
    job(kb, id) {
      const row = jobBy.get(kb, id);
      return row === undefined ? null : jobOf(row);
    },
    jobs: (kb) =>
      database
        .prepare<JobRow, [string, number]>(
          `SELECT * FROM job WHERE kb = ? ORDER BY NOT ${OPEN}, id DESC LIMIT ?`,
        )
        .all(kb, LISTED)
        .map(jobOf),
    unfinished: () =>
      database.prepare<JobRow>(`SELECT * FROM job WHERE ${OPEN} ORDER BY id`).all().map(jobOf),
    watched: (kb, folder) =>
      database
        .prepare<{ state: string }, [string, string]>('SELECT state FROM watched WHERE kb = ? AND folder = ?')
        .get(kb, folder)?.state ?? null,
    noteWatched(kb, folder, state) {
      database
        .prepare<never, [string, string, string]>(
          'INSERT OR REPLACE INTO watched (kb, folder, state) SELECT name, ?2, ?3 FROM kb WHERE name = ?1',
        )
        .run(kb, folder, state);
    },
    [Symbol.dispose]: () => database.close(),
  };
}
