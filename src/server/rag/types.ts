/**
 * What the routes of knowledge bases answer, and what they are given to answer from.
 *
 * @module server/rag/types
 */
import type {
  ChunkOptions,
  ExportReport,
  FileStage,
  Filter,
  Found,
  Hit,
  IngestTotals,
  Language,
  ParseNote,
  Place,
} from '../../knowledge/index.ts';
import type { AnswersDesk } from './answer-types.ts';
import type { CacheDesk } from './cache-types.ts';
import type { DreamDesk } from './dream-types.ts';
import type { EnginesDesk } from './engine-types.ts';
import type { BackupView, ExchangeDesk } from './exchange-types.ts';
import type { GraphDesk } from './graph-types.ts';
import type { ReadingDesk } from './reading-types.ts';
import type { SharesDesk } from './share-types.ts';
import type { StepView, StepWishes } from './step-types.ts';
import type { ChunkingView, UpkeepDesk } from './upkeep-types.ts';
import type { VaultGrantDesk } from './vault-grant-types.ts';
import type { VaultDesk } from './vault-types.ts';

/** Why something is not as it should be. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
}

/** A folder that a knowledge base follows. */
export interface FolderView {
  /** On the disk of the node. */
  readonly folder: string;
  /** Where its files stand in the knowledge base: ends in `/`. */
  readonly under: string;
}

/** How a node hears of changes in a folder. */
export interface FolderWatch {
  /** `events`: the system tells; `looking`: it is looked every so often. */
  readonly by: 'events' | 'looking';
  readonly everyMs: number;
  /** Why it is only looked; null otherwise. */
  readonly why: string | null;
}

export interface KbView {
  readonly name: string;
  /** File of it. */
  readonly path: string;
  /** ms since 1970. */
  readonly made: number;
  /** Null when it cannot be opened now; `trouble` says why. */
  readonly contents: {
    readonly documents: number;
    readonly chunks: number;
    readonly vectors: number;
    /** On the disk. */
    readonly bytes: number;
    /** Null until something was taken in. */
    readonly embedder: { readonly id: string; readonly dimension: number } | null;
    /** `watch`: null while nobody watches it. */
    readonly folders: readonly (FolderView & { readonly watch: FolderWatch | null })[];
    /** How many files are at each stage. */
    readonly files: Partial<Record<FileStage, number>>;
    readonly chunking: ChunkingView;
  } | null;
  readonly trouble: Trouble | null;
  /** Jobs that wait or run. */
  readonly jobs: number;
  /** When it is made of a file that was there: folders that it followed, and follows no longer. */
  readonly unfollowed?: readonly FolderView[];
}

export type JobKind = 'ingest' | 'sync' | 'rebuild' | 'dream' | 'export' | 'vault';
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** How far a job is, or how far it came. */
export interface JobProgress {
  readonly totals: IngestTotals;
  /** Files (for `rebuild` chunks, for `dream` what its step goes through, for `export` notes, or pages of the file) there are to look at; null while that is not known. */
  readonly of: number | null;
  readonly renamed: number;
  readonly removed: number;
  /** Of files, and of folders that could not be read; the last of them. Of an export notes that were left as they are. */
  readonly failures: readonly (Trouble & { readonly path: string })[];
  /** What an export of notes came to, once it has ended well. */
  readonly notes?: ExportReport;
  /** What an export of a whole copy came to, once it has ended well. */
  readonly copy?: BackupView;
}

export interface JobView {
  readonly id: number;
  readonly kb: string;
  readonly kind: JobKind;
  /** What it works on, for people. */
  readonly what: string;
  readonly state: JobState;
  /** Grows with each change; for `seen`. */
  readonly step: number;
  readonly progress: JobProgress;
  /** Why it failed. */
  readonly error: Trouble | null;
  /** ms since 1970. */
  readonly made: number;
  readonly ended: number | null;
  /** It is not over, and nobody works on it: the process that did is gone. A node that starts goes on with it. */
  readonly stalled?: true;
}

export interface DocumentView {
  readonly path: string;
  readonly title: string;
  readonly type: string;
  readonly bytes: number;
  /** ms since 1970. */
  readonly modified: number;
  readonly chunks: number;
  readonly pages: number | null;
  readonly tags: readonly string[];
  readonly notes: readonly ParseNote[];
  /** How it was cut; null where that was by a version of before. */
  readonly chunking: Required<ChunkOptions> | null;
}

export interface FileView {
  readonly path: string;
  readonly stage: FileStage;
  /** Why it failed. */
  readonly error: Trouble | null;
  readonly bytes: number;
  /** ms since 1970. */
  readonly at: number;
}

export interface ChunkView {
  readonly id: string;
  readonly path: string;
  readonly title: string;
  readonly text: string;
  readonly position: number;
  readonly place: Place;
}

export interface HitView extends ChunkView {
  readonly score: number;
  readonly words: Hit['words'];
  readonly vector: Hit['vector'];
  readonly graph: Hit['graph'];
  /** Ids of chunks that say the same and were left out. */
  readonly duplicates: readonly string[];
  readonly neighbours: readonly ChunkView[];
}

export interface SearchView {
  readonly hits: readonly HitView[];
  readonly by: Found['by'];
  /** Which way was taken, and why, where the question's form was to say. */
  readonly route: Found['route'];
  /** Why meaning did not count although it was asked for. */
  readonly degraded: Trouble | null;
  /** What was done beside searching, or left out, and why; empty where nothing was asked for. */
  readonly steps: readonly StepView[];
  readonly ms: number;
}

export interface SearchQuery extends StepWishes {
  readonly query: string;
  readonly k: number;
  readonly mode: 'auto' | 'both' | 'words' | 'vectors' | 'graph';
  readonly neighbours: number;
  /** @default as the question's form asks for */
  readonly diversity?: number;
  readonly filter?: Filter;
  /** Who is asked for other ways to ask, and for an order. @default `knowledge.writer` */
  readonly writer?: string | null;
  /** Of why the question took its way. @default that of the question */
  readonly language?: Language;
}

export interface PageQuery {
  /** Path of the last one of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface NewKb {
  readonly name: string;
  /** Absolute; a file there with the name of the KB is taken as it is, once it was checked. @default `knowledge.folder` */
  readonly folder?: string;
  /** A file that is there goes on following its folders: its maker says which files of this machine are read. @default false */
  readonly keepFolders?: boolean;
  /** How its documents are cut, where that is to be other than the node's settings say. */
  readonly chunking?: ChunkOptions;
}

export interface IngestOrder {
  /** Files and folders of this machine, absolute. */
  readonly paths: readonly string[];
  /** Where they stand in the knowledge base; folders in it with their names. @default '' */
  readonly under?: string;
  /** Files that failed and did not change are tried again. */
  readonly retry: boolean;
}

export interface SyncOrder {
  /** Absolute. @default all that were named before */
  readonly folder?: string;
  /** Ends in `/`. @default the folder's name */
  readonly under?: string;
  /** Removes everything when the folder is there and has no files. */
  readonly allowEmpty: boolean;
}

export interface UnfollowOrder {
  /** As it is followed, absolute. */
  readonly folder: string;
  /** Its documents stay, and belong to no folder any more. */
  readonly keep: boolean;
}

export interface UploadBody {
  /** Null when nobody said. */
  readonly bytes: number | null;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** What a knowledge base does beside taking in and finding. Everything in them is asynchronous. */
export interface KnowledgeAreas {
  readonly answers: AnswersDesk;
  readonly cache: CacheDesk;
  readonly dream: DreamDesk;
  readonly engines: EnginesDesk;
  readonly exchange: ExchangeDesk;
  readonly graph: GraphDesk;
  readonly reading: ReadingDesk;
  readonly shares: SharesDesk;
  readonly upkeep: UpkeepDesk;
  readonly vault: VaultDesk;
  readonly vaultGrants: VaultGrantDesk;
}

/** Knowledge bases as their owner uses them. All may throw `kb_unknown`, `kb_missing` and errors of the disk. */
export interface KnowledgeDesk extends KnowledgeAreas {
  list(): Promise<KbView[]>;
  /** @throws InputError `kb_name_invalid`, `chunking_invalid`; KithError `kb_exists`, `path_unusable`, `backup_invalid` */
  create(kb: NewKb): Promise<KbView>;
  show(kb: string): Promise<KbView>;
  /** Ends its jobs. `keep`: forgets it, and leaves its file. */
  destroy(kb: string, keep: boolean): Promise<void>;
  /** @throws KithError `kb_path_taken`, InputError `path_invalid` */
  ingest(kb: string, order: IngestOrder): Promise<JobView>;
  /** Takes in a file of these bytes. @param path in the knowledge base @throws as `ingest` */
  upload(kb: string, path: string, bytes: Uint8Array): Promise<JobView>;
  /** The same of bytes that come piece by piece: they are on the disk and never all in memory. @throws as `upload`, and what the pieces throw */
  uploadFrom(kb: string, path: string, body: UploadBody): Promise<JobView>;
  /** Follows a folder no longer, also one that is gone; its documents go unless they are to be kept. @throws KithError `folder_not_followed` */
  unfollow(kb: string, order: UnfollowOrder): Promise<JobView>;
  /** One job for each folder. @throws KithError `kb_path_taken`, `no_folder` */
  sync(kb: string, order: SyncOrder): Promise<JobView[]>;
  /**
   * Documents that were cut by other settings are cut anew, of files that are still where they were taken from; then all vectors are
   * made anew by the configured embedding model, unless `only` chunks are wanted: what stays as it was keeps its vectors.
   */
  rebuild(kb: string, only?: 'chunks'): Promise<JobView>;
  /** Those that wait or run, then the last ones. */
  jobs(kb: string): Promise<JobView[]>;
  /** As soon as its step is not `seen`, or after a while. @throws KithError `job_unknown` */
  job(kb: string, id: number, seen: number | null, signal: AbortSignal): Promise<JobView>;
  /** Ends it; what was put stays. @throws KithError `job_unknown` */
  cancel(kb: string, id: number): Promise<JobView>;
  documents(kb: string, page: PageQuery): Promise<DocumentView[]>;
  /** How many were removed: a dump is many. @throws KithError `document_unknown` */
  removeDocument(kb: string, path: string): Promise<number>;
  files(kb: string, page: PageQuery & { readonly stage?: FileStage }): Promise<FileView[]>;
  /** @throws KithError `document_unknown` */
  file(kb: string, path: string): Promise<FileView>;
  search(kb: string, query: SearchQuery, signal: AbortSignal): Promise<SearchView>;
}
