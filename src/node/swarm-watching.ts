/**
 * What a node that runs sees of the peers that it asks, and what it tells those who ask it, so that they can see too.
 *
 * @module node/swarm-watching
 */
import { type Clock, type Config, fromHex, type Logger, messageOf, type Random } from '../base/index.ts';
import type { PeerServiceOptions, ServingPolicy } from '../gateway/index.ts';
import type { ModelStore } from '../models/index.ts';
import type { Registry, Swarm } from '../swarm/index.ts';
import type { Trust } from '../trust/index.ts';
import { askModelHashes, tellModelHashes } from './swarm-model-hash.ts';
import { createAudits } from './swarm-trust-audits.ts';
import { createSeen } from './swarm-trust-seen.ts';
import type { PeerWatch } from './swarm-trust-watch.ts';

export interface WatchingOptions {
  readonly config: Config;
  readonly swarm: Swarm;
  readonly registry: Pick<Registry, 'of'>;
  readonly trust: Trust;
  /** This machine's engine. */
  readonly engine: Pick<PeerServiceOptions['engine'], 'models' | 'chat'>;
  readonly models: Pick<ModelStore, 'list'>;
  /** Null: nobody is served. */
  readonly policy: ServingPolicy | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface Watching extends AsyncDisposable {
  readonly watch: PeerWatch;
}

const LISTED_MS = 30_000;

/** It ends what goes on when it is disposed, before the stores are closed. */
export function watchPeers(options: WatchingOptions): Watching {
  const { config, swarm, registry, trust, engine, models, policy, clock, random, log } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const running = new Set<Promise<void>>();
  const behind = (what: string, work: () => Promise<void>): void => {
    if (signal.aborted) return;
    const task: Promise<void> = work()
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn(what, { err: messageOf(error) });
      })
      .finally(() => running.delete(task));
    running.add(task);
  };
  let listed: { readonly at: number; readonly entries: ReturnType<ModelStore['list']> } | null = null;
  /** However often strangers ask, the disk is looked at twice a minute. */
  const entries = (): ReturnType<ModelStore['list']> => {
    if (listed === null || clock.monotonic() - listed.at >= LISTED_MS) {
      listed = { at: clock.monotonic(), entries: models.list() };
      listed.entries.catch(() => {
        listed = null;
      });
    }
    return listed.entries;
  };
  const telling = tellModelHashes(swarm, async (id) => {
    if (policy?.models?.includes(id) !== true) return null;
    const hash = (await entries()).find(({ manifest }) => manifest.id === id)?.manifest.sha256;
    return hash === undefined ? null : fromHex(hash);
  });
  const hashOf = askModelHashes(swarm, clock, signal);
  const shared = { trust, hashOf, clock, log, signal, behind };
  const audits = createAudits({ ...shared, share: config.trust.auditShare, engine, random });
  return {
    watch: createSeen({ ...shared, registry, swarm, audits }),
    async [Symbol.asyncDispose]() {
      ending.abort();
      telling[Symbol.dispose]();
      await Promise.all(running);
    },
  };
}
