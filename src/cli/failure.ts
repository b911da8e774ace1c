/**
 * Ends of a command: exit codes and error lines.
 *
 * @module cli/failure
 */
import { asTyped, paint, plain, say } from './output.ts';

export const exitCode = { ok: 0, failure: 1, usage: 2, degraded: 3 } as const;

/** A wrong command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Error codes that mean the command line or the configuration was wrong. */
const usageCodes = new Set([
  'config_invalid',
  'credential_invalid',
  'credential_request_invalid',
  'host_not_loopback',
  'identity_name_invalid',
  'key_name_invalid',
  'passphrase_invalid',
  'presentation_invalid',
  'private_key_invalid',
  'private_key_mismatch',
  'public_key_weak',
  'rotation_invalid',
  'tls_invalid',
  'trust_policy_invalid',
]);

/** Says what went wrong in a line or two, and returns the exit code. The stack is shown with DEBUG=kith:*. */
export function reportFailure(error: unknown): number {
  const message = asTyped(error instanceof Error ? error.message : String(error));
  const code = (error as { code?: unknown } | null)?.code;
  if (code !== 'aborted')
    say(`${paint('red', 'error:', process.stderr)} ${message.split('\n').map(plain).join('\n')}`);
  if (/(^|[\s,])kith:?\*?|kith:/.test(process.env.DEBUG ?? '') && error instanceof Error) {
    say(error.stack ?? '');
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
      say(`caused by: ${cause.stack}`);
  }
  if (error instanceof UsageError || (typeof code === 'string' && usageCodes.has(code)))
    return exitCode.usage;
  return exitCode.failure;
}
