/**
 * Which errors are a file's own, and which end the run.
 *
 * @module knowledge/ingest/failure
 */
import { InputError, isKithError, LimitError, messageOf } from '../../base/index.ts';

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Codes with which bad input of a file comes although they are about the whole KB. */
const OF_ALL = new Set(['embedder_mismatch', 'embedder_missing', 'chunking_invalid', 'kb_missing']);

/** A file's own are input that cannot be used and limits it exceeds; the rest (disk, engine, defects) would meet the next file, too. */
export function isFatal(error: unknown): boolean {
  if (error instanceof InputError) return OF_ALL.has(error.code);
  // Without parsers no file can be read.
  if (isKithError(error) && error.code.startsWith('parse_')) return error.code === 'parse_failed';
  return !(error instanceof LimitError && error.limit.startsWith('knowledge.'));
}

export function failureOf(error: unknown): Failure {
  if (isFailure(error)) return error;
  return { code: isKithError(error) ? error.code : 'ingest_failed', message: messageOf(error) };
}

function isFailure(error: unknown): error is Failure {
  const { code, message } = error as Partial<Failure>;
  return !(error instanceof Error) && typeof code === 'string' && typeof message === 'string';
}
