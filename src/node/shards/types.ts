/**
 * What the parts of sharded inference in a node are made of. Each part has a file here; `shards.ts` opens them while the swarm
 * runs and closes them with it.
 *
 * @module node/shards/types
 */
import type { Clock, Config, Logger, Random } from '../../base/index.ts';
import type { Engine } from '../../engine/index.ts';
import type { GatewayProvider } from '../../gateway/index.ts';
import type { Identity } from '../../identity/index.ts';
import type { ModelStore } from '../../models/index.ts';
import type { Discoverer, Offer, Registry, Swarm, Views } from '../../swarm/index.ts';
import type { Trust } from '../../trust/index.ts';

export interface ShardParts {
  readonly config: Config;
  readonly identity: Identity;
  readonly engine: Engine;
  readonly models: ModelStore;
  readonly swarm: Swarm;
  readonly registry: Registry;
  readonly discovery: Discoverer;
  readonly trust: Trust;
  /** What this node thinks of peers, and how far they are. */
  readonly views: Views;
  /** Tells the gateway which backends there are over paths, in the place of those of the last call. */
  readonly found: (providers: readonly GatewayProvider[]) => void;
  /** Has what is announced said anew at once. */
  readonly announce: () => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What the node announces of blocks: merged with what it announces of the same models otherwise. */
export type BlockOffer = Pick<
  Offer,
  'model' | 'blocks' | 'tokensPerSecond' | 'freeCacheTokens' | 'maxBatch' | 'state'
>;
