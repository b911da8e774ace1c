/**
 * What another node is told of a request that goes on to it, as headers.
 *
 * Its level holds there too, or a machine of the owner would pass on to a provider what may not go to one. Providers are
 * told nothing of it. How many nodes a request has passed is told to whoever may be a node, so that backends that name each
 * other in a ring do not pass one request round for ever.
 *
 * @module gateway/steps/forward
 */
import type { GatewayProvider } from '../options.ts';
import type { Backend } from '../types.ts';
import type { Wishes } from './wishes.ts';

type Headers = Readonly<Record<string, string>>;

export function forwardHeaders(
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
