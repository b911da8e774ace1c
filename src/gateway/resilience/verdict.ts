/**
 * The one error for an ask that no backend answered.
 *
 * @module gateway/resilience/verdict
 */
import { KithError } from '../../base/index.ts';
import type { RunOptions } from './run.ts';
import type { Tried } from './tried.ts';

/** What the caller is told. One backend's own error is passed on as it is; several are put into one sentence. */
export function verdict(tried: readonly Tried[], routes: number, { timers }: RunOptions): KithError {
  const now = timers.monotonic();
  const waits = tried.map(({ readyAt }) => readyAt - now).filter((ms) => Number.isFinite(ms) && ms > 0);
  const wait = waits.length === 0 ? {} : { retryAfter: Math.ceil(Math.min(...waits) / 1000) };
  if (routes === 0)
    return new KithError('no_backend', 'No backend may answer this request.', { status: 503 });
  const failed = tried.filter(({ failure }) => failure !== null);
  // Too long for one and unanswered by a larger one: the larger one's trouble is the news.
  const tooLong = failed.find(({ failure }) => failure!.kind === 'context');
  if (tooLong !== undefined && failed.length === 1) return tooLong.failure!.error;
  if (failed.length === 0)
    return new KithError(
      'backends_unavailable',
      `No backend can be asked now: ${tried.map(({ route }) => `'${route.backend.name}'`).join(', ')} failed too often or asked for a pause. Try again later.`,
      { status: 503, ...wait },
    );
  const first = failed[0]!.failure!;
  if (tried.length === 1) return first.error;
  const said = tried.map(
    ({ route, failure }) =>
      `'${route.backend.name}' (${failure === null ? 'passed over' : failure.error.code})`,
  );
  const alike = failed.every(({ failure }) => failure!.kind === first.kind);
  return new KithError('no_backend_answered', `No backend answered: ${said.join(', ')}.`, {
    status: alike && first.error.status >= 429 ? first.error.status : 503,
    ...wait,
    details: { backends: tried.length, attempts: tried.reduce((sum, one) => sum + one.attempts, 0) },
    cause: first.error,
  });
}
