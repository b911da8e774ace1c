/**
 * What a job tells of itself while it runs.
 *
 * @module node/knowledge/telling
 */
import { AbortedError } from '../../base/index.ts';
import type { IngestTotals } from '../../knowledge/index.ts';
import type { JobProgress } from '../../server/index.ts';
import type { Work } from './registry.ts';

/** Why the signal of a job fires when the node stops: the job goes on with the next start. */
export const STOPPING = new AbortedError();

export interface Telling {
  readonly signal: AbortSignal;
  tell(progress: JobProgress): void;
  /** The job is another from now on, also after a kill. */
  become(work: Work): void;
}

export const NOTHING: IngestTotals = {
  ...{ files: 0, done: 0, skipped: 0, failed: 0, documents: 0, chunks: 0 },
  ...{ embedded: 0, tokens: 0, bytes: 0, elapsedMs: 0 },
};

export const noProgress: JobProgress = { totals: NOTHING, of: null, renamed: 0, removed: 0, failures: [] };
