/**
 * Where a backend stands, as far as its address and its owner's word tell: what the privacy levels go by.
 *
 * @module node/place
 */
import { type BackendConfig, isLoopback } from '../base/index.ts';
import type { GatewayProvider } from '../gateway/index.ts';

export type Destination = GatewayProvider['destination'];

/**
 * What is not known is taken for the worse. That a server listens on this machine's loopback says nothing about where a
 * request ends: it may be a tunnel, or pass requests on. It is a provider over a link that nobody else sees unless the owner
 * says that it is theirs.
 */
export function placeOf(url: string, backend: Pick<BackendConfig, 'owned' | 'network'>): Destination {
  const { protocol, hostname } = new URL(url);
  // Where other names under `localhost` lead depends on who is asked for them.
  const isHere = isLoopback(hostname.replace(/^\[|\]$/g, '')) && !hostname.endsWith('.localhost');
  if (isHere)
    return backend.owned === true ? { kind: 'this_machine' } : { kind: 'provider', link: 'owned_network' };
  const link = protocol === 'https:' ? 'encrypted' : backend.network === 'owned' ? 'owned_network' : 'open';
  return { kind: backend.owned === true ? 'owned' : 'provider', link };
}
