/**
 * The agent a request is made for, as the `x-kith-agent` header names it. It becomes a label of metrics, so its form
 * is bounded. Names compare without case: an agent's privacy or budget is not left behind by a capital letter.
 *
 * @module server/access/agent
 */
import type { IncomingHttpHeaders } from 'node:http';
import { InputError } from '../../base/index.ts';
import { keyPrefix } from './key-text.ts';

/**
 * In lower case; null when the request names none.
 *
 * @throws InputError `invalid_header` for another form: taken as no agent, it would escape what holds for that agent
 */
export function agentOf(headers: IncomingHttpHeaders): string | null {
  const value = headers['x-kith-agent'];
  if (value === undefined) return null;
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  // A key in the wrong header must not become public, so neither is the value said.
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name) || name.startsWith(keyPrefix))
    throw new InputError(
      'invalid_header',
      'x-kith-agent is no name of an agent; allowed: 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit, and not a key.',
      { param: 'x-kith-agent' },
    );
  return name;
}
