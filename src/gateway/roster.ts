/**
 * The backends that a gateway has now, and what is made of them: who answers for which name, and how a request is planned.
 * A request keeps the roster that it began with, so that a backend may come or go while it is under way.
 *
 * @module gateway/roster
 */
import { InputError } from '../base/index.ts';
import type { GatewayOptions, GatewayProvider } from './options.ts';
import { type Catalogue, createCatalogue, type Listings, type Policy } from './policy/index.ts';
import { createPlanner, type Planner } from './steps/plan.ts';
import type { Settle } from './steps/wishes.ts';
import type { BackendModel } from './types.ts';

export interface Roster {
  /** The owner's in his order, then those that were found. */
  readonly providers: readonly GatewayProvider[];
  readonly byName: ReadonlyMap<string, GatewayProvider>;
  readonly catalogue: Catalogue;
  readonly planner: Planner;
}

export interface RosterParts {
  readonly listings: Listings;
  readonly options: GatewayOptions;
  readonly settle: Settle;
  readonly policy: Policy;
  /** Names of all models that are listed now. */
  readonly names: () => Promise<readonly BackendModel[]>;
}

/** Throws InputError `backend_name_taken`. Asks nobody. */
export function createRoster(
  { options, settle, policy, names, listings }: RosterParts,
  found: readonly GatewayProvider[],
): Roster {
  const providers = [...options.providers, ...found];
  const byName = new Map(providers.map((provider) => [provider.backend.name, provider]));
  if (byName.size !== providers.length)
    throw new InputError('backend_name_taken', 'Two backends have the same name.', { param: 'backends' });
  for (const name of listings.rows.keys()) if (!byName.has(name)) listings.rows.delete(name);
  const catalogue = createCatalogue({ providers, own: options.providers.length, listings });
  const planner = createPlanner({
    options: { ...options, providers },
    settle,
    catalogue,
    policy,
    // As they are known: asking for them would be a packet that the request causes.
    names: async () => (await names()).map(({ id }) => id),
  });
  return { providers, byName, catalogue, planner };
}
