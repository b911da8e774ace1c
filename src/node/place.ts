/**
 * Where a backend stands, as far as its address and its owner's word tell: what the privacy levels go by.
 *
 * @module node/place
 */
import type { BackendConfig } from '../base/index.ts';
import type { GatewayProvider } from '../gateway/index.ts';
import { isLoopback } from '../server/index.ts';

export type Destination = GatewayProvider['destination'];

/** Servers that pass requests on to others: that they run on this machine says nothing about where a request ends. */
const FORWARDERS: ReadonlySet<BackendConfig['kind']> = new Set(['litellm', 'openrouter']);

/**
 * What is not known is taken for the worse. A server on this machine's loopback is the owner's unless it is of a kind that
 * passes requests on, or the owner says it is not theirs (`owned: false`); then it is a provider over a link that nobody
 * else sees.
 */
export function placeOf(
  url: string,
  backend: Pick<BackendConfig, 'kind' | 'owned' | 'network'>,
): Destination {
  const { protocol, hostname } = new URL(url);
  // Where other names under `localhost` lead depends on who is asked for them.
  const isHere = isLoopback(hostname.replace(/^\[|\]$/g, '')) && !hostname.endsWith('.localhost');
  if (isHere) {
    const isOwned = backend.owned ?? !FORWARDERS.has(backend.kind);
    return isOwned ? { kind: 'this_machine' } : { kind: 'provider', link: 'owned_network' };
  }
  const link = protocol === 'https:' ? 'encrypted' : backend.network === 'owned' ? 'owned_network' : 'open';
  return { kind: backend.owned === true ? 'owned' : 'provider', link };
}
