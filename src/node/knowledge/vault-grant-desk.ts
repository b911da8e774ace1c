/**
 * The desk of grants: those that this node gave, and those that it was given.
 *
 * @module node/knowledge/vault-grant-desk
 */
import type { JobView, VaultGrantDesk } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import type { Granted, VaultGranted } from './vault-granted.ts';
import type { VaultGrants } from './vault-grants.ts';
import { meteredAsk, newMeter } from './vault-meter.ts';
import type { VaultReach } from './vault-reach.ts';
import { createPlacedSearcher, type PlacedSearcher } from './vault-search.ts';

/** Grants whose index is kept: some MB each. */
const KEPT = 2;

export interface GrantDeskParts {
  readonly parts: AreaParts;
  readonly reach: VaultReach;
  readonly grants: VaultGrants;
  readonly granted: VaultGranted;
  readonly rotate: (name: string) => Promise<JobView>;
}

export function createGrantDesk({ parts, reach, grants, granted, rotate }: GrantDeskParts): VaultGrantDesk {
  const { random, clock, config, log, opened } = parts;
  /** By the id of the grant: collections of several owners may have one id. */
  const searchers = new Map<string, { readonly searcher: PlacedSearcher; readonly collection: string }>();

  function searcherOf({ access: { grant, reading } }: Granted): PlacedSearcher {
    const known = searchers.get(grant.id);
    if (known !== undefined) return known.searcher;
    const searcher = createPlacedSearcher({
      ...{ random, clock, config },
      embedders: async () => (await opened()).embedders,
      reads: () => ({ ...reach.reads(), keepOnly: () => undefined }),
      onFault: (peer, why) => log.warn('An Eve did not search what she took.', { peer, cause: why }),
    });
    if (searchers.size >= KEPT) {
      const [oldest, { searcher: old, collection }] = searchers.entries().next().value!;
      searchers.delete(oldest);
      old.forget(collection);
    }
    searchers.set(grant.id, { searcher, collection: reading.collection });
    return searcher;
  }

  return {
    ...grants.desk,
    resolve: granted.resolve,
    async search(name, { grant, query, k, filter }, signal) {
      const meter = newMeter();
      const found = await granted.admitted(grant, name, signal, (peer, ask) => meteredAsk(peer, ask, meter));
      const { collection, eves } = found;
      return searcherOf(found).search({
        ...{ name, query, k, signal, meter, eves, collection },
        ...(filter === undefined ? {} : { filter }),
      });
    },
    async rotate(name) {
      await reach.rowOf(name);
      return rotate(name);
    },
  };
}
