/**
 * What an engine may answer, in words that say what to do. No message holds a credential.
 *
 * @module vault/adapters/errors
 */
import { AbortedError, InputError, isKithError, KithError, messageOf } from '../../base/index.ts';
import type { EngineAddress } from './types.ts';

/** Characters of an engine's own words that are passed on: it is another's server. */
const MOST_WORDS = 300;

/** What another server said, short and in one line, without what was secret. */
export function wordsOf(error: unknown, { secret }: Pick<EngineAddress, 'secret'>): string {
  const said = messageOf(error) || (error as { code?: string } | null)?.code || 'no reason given';
  const line = said.replace(/[\u0000-\u001f\u007f-\u009f]+/gu, ' ').slice(0, MOST_WORDS * 2);
  const hidden = secret === null || secret === '' ? line : line.replaceAll(secret, '[redacted]');
  return hidden.slice(0, MOST_WORDS).toWellFormed();
}

export function unreachable(address: EngineAddress, cause: unknown): KithError {
  return new KithError(
    'engine_unreachable',
    `The engine at ${address.shown} cannot be reached: ${wordsOf(cause, address)}. Look whether it runs and whether its address is right (kith vpk engine status).`,
    { status: 503, cause: hidden(cause, address) },
  );
}

export function refused(address: EngineAddress, cause: unknown): KithError {
  return new KithError(
    'engine_refused',
    `The engine at ${address.shown} refuses this user or key: ${wordsOf(cause, address)}. Connect it again with credentials that may make and change tables or collections.`,
    { status: 502, cause: hidden(cause, address) },
  );
}

export function noExtension(address: EngineAddress, found: string): KithError {
  return new KithError(
    'engine_extension',
    `PostgreSQL at ${address.shown} ${found}. Version 0.8 of pgvector or newer is needed: install it there, and let an administrator say CREATE EXTENSION vector (or ALTER EXTENSION vector UPDATE) in that database.`,
    { status: 502 },
  );
}

export function wrongDimension(address: EngineAddress, there: string, wanted: number): KithError {
  return new KithError(
    'engine_dimension',
    `The collection at ${address.shown} is for vectors of ${there} numbers, and these have ${wanted}. Disconnect it (kith vpk engine disconnect KB --drop) and connect it anew.`,
    { status: 409 },
  );
}

export function full(address: EngineAddress, cause: unknown): KithError {
  return new KithError(
    'engine_full',
    `The engine at ${address.shown} has no space left: ${wordsOf(cause, address)}. Make room there, then kith vpk engine sync goes on.`,
    { status: 507, cause: hidden(cause, address) },
  );
}

export function late(address: EngineAddress, ms: number): KithError {
  return new KithError(
    'engine_timeout',
    `The engine at ${address.shown} did not answer within ${ms} ms. Try again when it has less to do.`,
    { status: 504 },
  );
}

export function gone(address: EngineAddress): KithError {
  return new KithError(
    'engine_lost',
    `The collection is not at ${address.shown} any more: somebody removed it there. kith vpk engine sync makes it again.`,
    { status: 502 },
  );
}

/** The engine answers, and not as one does. */
export function odd(address: EngineAddress, cause: unknown): KithError {
  return new KithError(
    'engine_failed',
    `The engine at ${address.shown} answered what cannot be used: ${wordsOf(cause, address)}.`,
    { status: 502, cause: hidden(cause, address) },
  );
}

export const tooMuch = (what: string): InputError => new InputError('engine_bounds', what);

/** As a cause that may be logged. */
const hidden = (cause: unknown, address: EngineAddress): Error => new Error(wordsOf(cause, address));

/** Codes of sockets, of names and of TLS. */
const AWAY =
  /^(?:E[A-Z]{3,}|UND_ERR_[A-Z_]+|ERR_(?:TLS|SSL)_[A-Z_]+|CERT_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_[A-Z_]+)$/u;

/** Of what a call of sockets threw; null when it is something else. */
export function reachError(address: EngineAddress, error: unknown): KithError | null {
  if (isKithError(error)) return error;
  for (let cause = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth++) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code === 'string' && AWAY.test(code)) return unreachable(address, cause);
    // Of several addresses of one name none answered.
    if (cause instanceof AggregateError && cause.errors.length > 0)
      return reachError(address, cause.errors[0]) ?? unreachable(address, cause.errors[0]);
  }
  return null;
}

export function abortedOf(signal: AbortSignal | undefined): AbortedError | null {
  return signal?.aborted === true ? new AbortedError(undefined, { cause: signal.reason }) : null;
}
