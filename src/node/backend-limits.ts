/**
 * How long a backend's answers and connections may take, by its entry, the setting for all, and the model's size.
 *
 * @module node/backend-limits
 */
import type { BackendConfig } from '../base/index.ts';
import { limitsFor, type RemoteOptions, type TimeLimits, UPSTREAM_LIMITS } from '../gateway/index.ts';

/** Null: as usual for the model's size. */
export function answerLimits(
  { limits = {} }: BackendConfig,
  timeoutMs: number | null,
  parameters: number | null,
  ownMachine: boolean,
): TimeLimits | null {
  const { firstTokenMs, interTokenMs, totalMs } = limits;
  if (timeoutMs === null && (firstTokenMs ?? interTokenMs ?? totalMs) === undefined) return null;
  const usual = limitsFor({ parameters, ownMachine });
  return {
    firstTokenMs: firstTokenMs ?? timeoutMs ?? usual.firstTokenMs,
    interTokenMs: interTokenMs ?? Math.min(timeoutMs ?? usual.interTokenMs, usual.interTokenMs),
    totalMs: totalMs ?? timeoutMs ?? usual.totalMs,
  };
}

/** A longer time for answers than usual must not be cut short by the connection's own limits. */
export function connectionLimits(
  { limits = {} }: BackendConfig,
  timeoutMs: number | null,
): NonNullable<RemoteOptions['limits']> {
  const atLeast = (usual: number | null) => (usual === null ? null : Math.max(usual, timeoutMs ?? 0));
  const { headersMs, firstTokenMs, totalMs } = UPSTREAM_LIMITS;
  return {
    headersMs: atLeast(headersMs),
    firstTokenMs: atLeast(firstTokenMs),
    totalMs: atLeast(totalMs),
    ...withoutUndefined(limits),
  };
}

/** The same without fields that are undefined, which exact optional properties tell from missing ones. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
