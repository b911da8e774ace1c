/**
 * What a gateway is made of.
 *
 * @module gateway/options
 */
import type { Clock, Logger, Random } from '../base/index.ts';
import type { Meeting, PeerRequirements } from '../trust/index.ts';
import type { Ledger } from './accounting/index.ts';
import type { AnswerCache } from './cache/index.ts';
import type { Ladder } from './ladder/index.ts';
import type { Balancing, Provider, Weights } from './policy/index.ts';
import type { Destination, Detector, PeerTier, PrivacyLevel } from './privacy/index.ts';
import type { AttemptRecord, BackoffOptions, BreakerOptions, BreakerState } from './resilience/index.ts';
import type { Router } from './router/index.ts';
import type { CacheWish, Degradation, RouteWish } from './terms.ts';

/** A backend in its place: what the policy knows of it and where it stands. */
export interface GatewayProvider extends Provider {
  /** Where a request goes that goes there. */
  readonly destination: Destination;
  /** The ladder's name for it. */
  readonly step: 'local' | 'swarm' | 'peer' | 'remote';
  /** Where it is another node: which, and whether it meets what a request asks of peers now. @default it is none */
  readonly peer?: {
    /** PeerId; empty where several nodes answer together. */
    readonly id: string;
    meets(requirements: PeerRequirements): Meeting;
  };
  /** Its models stand in the configuration: listing them asks nobody. @default false */
  readonly modelsConfigured?: boolean;
  /** It may be another node, and is told how many a request has passed. @default true unless it is a provider */
  readonly counts?: boolean;
}

/** What the owner wants unless a request says otherwise. */
export interface OwnerPolicy {
  /** Requests may ask for stricter, never for weaker. @default 'minimum' */
  readonly privacy?: PrivacyLevel;
  /** Lowest tier of peers at `maximum`. @default 'trusted' */
  readonly requiredTier?: PeerTier;
  /** @default 'round-robin' */
  readonly balancing?: Balancing;
  /** Seed of the draws that balancing makes, an unsigned 32-bit integer. @default null, the gateway's own randomness */
  readonly balancingSeed?: number | null;
  readonly weights?: Partial<Weights>;
  /** @default 'auto' */
  readonly route?: RouteWish;
  /** @default 'off' */
  readonly cache?: CacheWish;
  /** Asks side by side, 1 to 3. @default 1 */
  readonly redundancy?: number;
  /** @default 'first' */
  readonly decide?: 'first' | 'agreement';
  /** ms without a first token after which one more backend is asked. @default null, never */
  readonly hedgeMs?: number | 'auto' | null;
  /** Regions in which requests may be answered. @default null, any */
  readonly regions?: readonly string[] | null;
  /** @default 'none' */
  readonly degrade?: Degradation;
}

/** What the owner wants for the requests of one agent. */
export interface AgentPolicy {
  /** Model id or alias for requests that name none. */
  readonly model?: string;
  readonly privacy?: PrivacyLevel;
  readonly route?: RouteWish;
}

export interface GatewayOptions {
  /** In the owner's order. */
  readonly providers: readonly GatewayProvider[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy?: OwnerPolicy;
  /** Id of the reranker for requests that name none. @default none */
  readonly reranker?: string | null;
  readonly agents?: Readonly<Record<string, AgentPolicy>>;
  readonly breaker?: Omit<BreakerOptions, 'now' | 'onChange'>;
  /** Times that a request may be sent again to a backend that had it. @default 3 */
  readonly retries?: number;
  readonly backoff?: BackoffOptions;
  /** ms between two looks at a backend that nobody asks; 0: none. @default 30_000 */
  readonly probeMs?: number;
  /** Told of each change of a breaker. */
  readonly onBreaker?: (backend: string, state: BreakerState) => void;
  /** Told of the attempts of each answer when it is over, also of one that failed. Must not throw. */
  readonly onAttempts?: (attempts: readonly AttemptRecord[]) => void;
  /** Why backends may still be found that are not there yet; null when none are looked for. @default none */
  readonly looking?: () => string | null;
  /** What is personal data, besides what the built-in detectors find. @default none */
  readonly detectors?: readonly Detector[];
  /** @default none */
  readonly cache?: AnswerCache | null;
  /** Decides between the local and the frontier model. @default none */
  readonly router?: Router | null;
  /** @default none */
  readonly ladder?: Ladder | null;
  /** @default none */
  readonly ledger?: Ledger | null;
}
