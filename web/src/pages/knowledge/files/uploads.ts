/**
 * Files that the reader hands over: what is to be sent under which name, and what cannot be.
 *
 * @module web/pages/knowledge/files/uploads
 */

export type UploadState = 'ready' | 'sending' | 'waiting' | 'taking' | 'done' | 'failed' | 'left';

export interface Upload {
  readonly id: number;
  /** In the knowledge base. */
  readonly path: string;
  readonly bytes: number;
  readonly state: UploadState;
  /** Bytes that are with the node. */
  readonly sent: number;
  /** Of the job that takes it in. */
  readonly job: number | null;
  /** Why it failed or was left out. */
  readonly trouble: { readonly code: string; readonly message: string } | null;
}

/** A file with its place below the folder that was handed over. */
export interface Given<Body> {
  readonly path: string;
  readonly bytes: number;
  readonly body: Body;
}

/** More files than this belong to a folder that is followed. */
export const MOST_FILES = 1000;

/** Names that nobody means to hand over. */
const isHidden = (path: string): boolean =>
  path.split('/').some((part) => part.startsWith('.') || part === 'node_modules' || part.startsWith('~$'));

/** A path as knowledge bases have them: no empty parts, none that leads up. */
export function placeOf(path: string): string {
  return path
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/');
}

export interface Plan<Body> {
  readonly uploads: readonly Upload[];
  readonly bodies: ReadonlyMap<number, Body>;
  /** Files beyond `MOST_FILES`. */
  readonly beyond: number;
}

/**
 * @param uploadBytes that the node takes of one file; null: not known
 * @param words of a file that is too large, before it is sent
 */
export function planUploads<Body>(
  given: readonly Given<Body>[],
  firstId: number,
  uploadBytes: number | null,
  words: { tooLarge(bytes: number): string; empty: string },
): Plan<Body> {
  const bodies = new Map<number, Body>();
  const uploads: Upload[] = [];
  const seen = new Set<string>();
  let beyond = 0;
  for (const { path: named, bytes, body } of given) {
    const path = placeOf(named);
    if (path === '' || isHidden(path) || seen.has(path)) continue;
    if (uploads.length >= MOST_FILES) {
      beyond++;
      continue;
    }
    seen.add(path);
    const id = firstId + uploads.length;
    const tooLarge = uploadBytes !== null && bytes > uploadBytes;
    const trouble = tooLarge
      ? { code: 'too_large', message: words.tooLarge(bytes) }
      : bytes === 0
        ? { code: 'empty', message: words.empty }
        : null;
    uploads.push({
      ...{ id, path, bytes, sent: 0, job: null, trouble },
      state: trouble === null ? 'ready' : 'left',
    });
    if (trouble === null) bodies.set(id, body);
  }
  return { uploads, bodies, beyond };
}

export interface UploadSums {
  readonly files: number;
  readonly over: number;
  readonly failed: number;
  readonly left: number;
  /** Bytes on their way and of all that are sent. */
  readonly sent: number;
  readonly bytes: number;
  readonly busy: boolean;
}

const OVER: ReadonlySet<UploadState> = new Set(['done', 'failed', 'left']);

export function sumsOf(uploads: readonly Upload[]): UploadSums {
  const wanted = uploads.filter(({ state }) => state !== 'left');
  return {
    files: uploads.length,
    over: uploads.filter(({ state }) => OVER.has(state)).length,
    failed: uploads.filter(({ state }) => state === 'failed').length,
    left: uploads.length - wanted.length,
    sent: wanted.reduce((sum, { sent }) => sum + sent, 0),
    bytes: wanted.reduce((sum, { bytes }) => sum + bytes, 0),
    busy: uploads.some(({ state }) => !OVER.has(state)),
  };
}

/** What a job that has ended says of the file that it took in. */
export interface JobEnd {
  readonly id: number;
  readonly state: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly progress: {
    readonly totals: { readonly done: number; readonly skipped: number; readonly failed: number };
    readonly failures: readonly { readonly code: string; readonly message: string }[];
  };
}

/** Uploads after a look at the jobs: those whose job is over are over. Jobs that are not listed change nothing. */
export function settleUploads(uploads: readonly Upload[], jobs: readonly JobEnd[]): readonly Upload[] {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return uploads.map((upload) => {
    const job = upload.state === 'taking' && upload.job !== null ? byId.get(upload.job) : undefined;
    if (job === undefined || job.state === 'waiting' || job.state === 'running') return upload;
    const trouble = job.error ?? job.progress.failures[0] ?? null;
    if (trouble !== null || job.state === 'failed')
      return { ...upload, state: 'failed', trouble: trouble ?? { code: 'failed', message: '' } };
    return { ...upload, state: job.state === 'cancelled' ? 'left' : 'done' };
  });
}
