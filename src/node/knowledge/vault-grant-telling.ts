/**
 * Tells Eves which grants are revoked: at once, and those that were away as soon as they answer, while this node runs. What they have
 * yet to be told stands on the disk.
 *
 * @module node/knowledge/vault-grant-telling
 */
import { type Clock, isKithError, type Logger, messageOf } from '../../base/index.ts';
import type { OwnTenant } from '../../vault/index.ts';
import type { VaultGrantStore } from './vault-grant-store.ts';

/** ms between tries. */
const EVERY_MS = 60_000;

export interface GrantTelling extends Disposable {
  /** Tries all that are to be told once. Never throws but when it is given up. */
  tellAll(signal: AbortSignal): Promise<void>;
  /** Tries again and again until all are told; harmless when it goes on already. */
  goOn(): void;
}

export interface GrantTellingParts {
  readonly store: () => Promise<VaultGrantStore>;
  readonly tenantOf: (collection: string, peer: string) => Pick<OwnTenant, 'revoke'>;
  /** Whether the collection is to lie there: without a tenant now, that Eve gets one. */
  readonly isPlace: (collection: string, peer: string) => Promise<boolean>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly log: Logger;
}

export function createGrantTelling(parts: GrantTellingParts): GrantTelling {
  const { store, tenantOf, isPlace, clock, log } = parts;
  const stop = new AbortController();
  let goes = false;

  async function tellAll(signal: AbortSignal): Promise<void> {
    const grants = await store();
    const byPeer = Map.groupBy(grants.untold(clock.now()), ({ peer }) => peer);
    await Promise.all(
      byPeer.entries().map(async ([peer, untold]) => {
        for (const { given, collection } of untold)
          try {
            await tenantOf(collection, peer).revoke(given, signal);
            grants.told(given, peer);
          } catch (error) {
            signal.throwIfAborted();
            const isNone = isKithError(error) && error.code === 'storage_no_tenant';
            if (isNone && !(await isPlace(collection, peer))) {
              grants.gone(collection, peer);
              continue;
            }
            log.warn('An Eve was not told that a grant is revoked; she is asked again.', {
              peer,
              cause: messageOf(error),
            });
            // Who is away is away for the others of hers, too.
            if (!isNone) return;
          }
      }),
    );
  }

  async function loop(): Promise<void> {
    const grants = await store();
    while (grants.untold(clock.now()).length > 0) {
      await clock.sleep(EVERY_MS, stop.signal);
      await tellAll(stop.signal);
    }
  }

  return {
    tellAll,
    goOn() {
      if (goes || stop.signal.aborted) return;
      goes = true;
      loop()
        .catch((error: unknown) => {
          if (!stop.signal.aborted)
            log.warn('Eves are told no more that grants are revoked, until the node starts again.', {
              cause: messageOf(error),
            });
        })
        .finally(() => {
          goes = false;
        });
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}
