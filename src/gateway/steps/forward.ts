/**
 * What another node is told of a request that goes on to it, as headers.
 *
 * Its level holds there too, or a machine of the owner would pass on to a provider what may not go to one. Providers are
 * told nothing of it. How many nodes a request has passed is told to whoever may be a node, so that backends that name each
 * other in a ring do not pass one request round for ever.
 *
 * @module gateway/steps/forward
 */
import type { PeerRequirements } from '../../trust/index.ts';
import type { GatewayProvider } from '../options.ts';
import type { Backend } from '../types.ts';
import type { Wishes } from './wishes.ts';

type Headers = Readonly<Record<string, string>>;

/** By the wishes of those who ask for nothing special, which are one object: their headers need not be made again. */
const known = new WeakMap<Wishes, Map<GatewayProvider, Headers>>();

export function forwardHeaders(wishes: Wishes, provider: GatewayProvider): Headers {
  let ofWishes = known.get(wishes);
  const before = ofWishes?.get(provider);
  if (before !== undefined) return before;
  const headers = headersFor(wishes, provider);
  if (ofWishes === undefined) {
    ofWishes = new Map();
    known.set(wishes, ofWishes);
  }
  ofWishes.set(provider, headers);
  return headers;
}

function headersFor(
  wishes: Wishes,
  { destination, step, counts = destination.kind !== 'provider' }: GatewayProvider,
): Headers {
  if (step === 'local') return {};
  const hops = counts ? { 'x-kith-hops': String(wishes.hops + 1) } : {};
  if (destination.kind === 'provider') return hops;
  const { privacy, regions, route } = wishes;
  return {
    ...hops,
    ...(privacy === 'minimum' ? {} : { 'x-kith-privacy': privacy }),
    ...(regions === null ? {} : { 'x-kith-regions': regions.join(',') }),
    ...(route === 'local' ? { 'x-kith-route': route } : {}),
  };
}

/** The peer, with what the request asks of peers on whatever is asked of it: it is looked at again before a byte leaves. */
export function holding(backend: Backend, peers: PeerRequirements | null): Backend {
  if (peers === null) return backend;
  return {
    ...backend,
    chat: (request) => backend.chat({ ...request, peers }),
    complete: (request) => backend.complete({ ...request, peers }),
    countTokens: (request) => backend.countTokens({ ...request, peers }),
    embed: (request) => backend.embed({ ...request, peers }),
  };
}

/** The backend, with headers on whatever is asked of it. */
export function telling(backend: Backend, headers: Headers): Backend {
  if (Object.keys(headers).length === 0) return backend;
  return {
    ...backend,
    // A getter or method of a class would be lost by the spread: backends here are plain objects.
    chat: (request) => backend.chat({ ...request, headers }),
    complete: (request) => backend.complete({ ...request, headers }),
    countTokens: (request) => backend.countTokens({ ...request, headers }),
    embed: (request) => backend.embed({ ...request, headers }),
  };
}
