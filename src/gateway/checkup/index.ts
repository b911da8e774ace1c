/**
 * The check-up of a backend: is its server there, are its credentials good, does it do what the gateway relies on.
 *
 * In: any `Backend`, and what is configured about it. Out: one result for each check, with figures, the cause of what is
 * wrong, and what to do. It asks the backend itself and never the gateway: no breaker, cache or policy is between.
 *
 * @module gateway/checkup
 * @example
 * for await (const { name, state, message } of checkBackend(backend, { clock, random })) print(name, state, message);
 */
export { checkBackend } from './checkup.ts';
export {
  CHECKS,
  type CheckName,
  type CheckResult,
  type CheckState,
  type CheckupOptions,
  type Measured,
  type ServerAddress,
} from './types.ts';
