/**
 * The agent a request is made for, as the `x-kith-agent` header names it. It becomes a label of metrics, so its form
 * is bounded; a name outside it is taken as none.
 *
 * @module server/access/agent
 */
import type { IncomingHttpHeaders } from 'node:http';
import { keyPrefix } from './key-text.ts';

export function agentOf(headers: IncomingHttpHeaders): string | null {
  const value = headers['x-kith-agent'];
  if (typeof value !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(value)) return null;
  // A key in the wrong header must not become public.
  return value.startsWith(keyPrefix) ? null : value;
}
