/**
 * What the health routes answer. The page imports these types; they stand alone.
 *
 * Sizes are bytes, times are ms unless the name ends in `_s`, null = unknown.
 *
 * @module server/health/types
 */

/**
 * - `ok`: everything that is configured answers.
 * - `starting`: the default model is being placed or loaded; requests wait for it.
 * - `degraded`: something is wrong, `message` says what. Other requests may still be answered.
 * - `stopping`: the node takes no new requests.
 */
export type HealthState = 'ok' | 'starting' | 'degraded' | 'stopping';

/** `open`: failed too often lately, requests are refused at once; `half_open`: the next request tries again. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** `GET /health` and `GET /api/health`. */
export interface Health {
  readonly status: HealthState;
  /** What is going on or wrong, for people; null when nothing is. */
  readonly message: string | null;
  readonly version: string;
  readonly uptime_s: number;
  /** The backends together: the worst of them. */
  readonly llm: {
    readonly status: 'ok' | 'starting' | 'degraded';
    /** ms that the first backend took to answer this probe; null when it was not asked or did not answer. */
    readonly latency_ms: number | null;
    readonly models_available: number;
    readonly models_loaded: number;
    /** That of the backend which is best off: `open` only where no backend would answer. */
    readonly circuit_breaker_state: BreakerState;
    /** Failures that count towards opening the breakers, of all backends together. */
    readonly circuit_breaker_failures: number;
    readonly default_model: string | null;
  };
  readonly requests: HealthRequests;
}

/** Requests of clients since the start; health probes, the page's files and the command line's own are not counted. */
export interface HealthRequests {
  /** Being answered now. */
  readonly active: number;
  readonly total: number;
  /** Answered with 429, 503 or 529: a limit of the node or of a key was reached, or nothing could answer. */
  readonly refused: number;
}

/** `GET /health/detailed`, and the data of each `status` event of `GET /kith/v1/events`. */
export interface DetailedHealth {
  readonly status: HealthState;
  readonly message: string | null;
  readonly version: string;
  readonly pid: number;
  /** Where the node listens. */
  readonly url: string;
  /** ISO 8601, UTC. */
  readonly started_at: string;
  readonly uptime_s: number;
  /** Models that answer requests which name none; null when none is set. */
  readonly default_models: { readonly chat: string | null; readonly embedding: string | null };
  readonly backends: readonly BackendStatus[];
  readonly policy: HealthPolicy;
  readonly engine: EngineHealth;
  /** In memory now, chat and embedding models alike. */
  readonly models: readonly LoadedModelHealth[];
  /** What the start of the default model is doing; null when it is done. */
  readonly progress: StartProgress | null;
  readonly requests: HealthRequests;
  readonly memory: {
    /** Resident bytes of the node's process. */
    readonly node_bytes: number;
    /** Resident bytes of the engine's process: weights and KV cache in main memory are in it. */
    readonly engine_bytes: number | null;
    /** Of the machine. */
    readonly total_bytes: number;
    /** Of the machine, available to programs. */
    readonly free_bytes: number;
  };
  /** The disk that holds the node's home. */
  readonly disk: { readonly free_bytes: number | null };
  readonly swarm: SwarmHealth;
  readonly log_level: string;
  /** Compute threads. */
  readonly threads: number;
  readonly limits: HealthLimits;
  /** The last minutes; null in events, and where the node takes no figures. */
  readonly recent: HealthFigures | null;
}

/** The network of peers. */
export interface SwarmHealth {
  /** `off`: not switched on; `failed`: it could not start, or its thread died again and again. */
  readonly state: 'off' | 'starting' | 'running' | 'restarting' | 'failed';
  readonly message: string | null;
  /** PeerId of this node. */
  readonly peer: string;
  readonly reach: 'public' | 'relay' | 'local' | 'none';
  readonly connections: number;
  /** Peers that announce something. */
  readonly peers: number;
  /** Messages for the owner that were not read. */
  readonly unread: number;
}

/** A message for the owner has come: the data of each `swarm_message` event of `GET /kith/v1/events`. */
export interface SwarmMessageEvent {
  readonly id: string;
  /** PeerId of the sender. */
  readonly from: string;
  /** ISO 8601, UTC. */
  readonly received_at: string;
}

/** Answers and attempts of the last minutes, the busiest first. */
export interface HealthFigures {
  /** Length of the sliding window, s. */
  readonly window_s: number;
  /** At most 20 of each; `none` without one, `other` for what came after the limit of names. */
  readonly models: readonly HealthRow[];
  readonly agents: readonly HealthRow[];
  readonly backends: readonly HealthRow[];
  /** Times a backend was asked, or passed over (`skipped`), by what became of it; at most 100. */
  readonly attempts: readonly {
    readonly backend: string;
    readonly outcome: string;
    /** Class of the error; `none` without one. */
    readonly error: string;
    readonly count: number;
  }[];
}

/** Answers of one model, agent or backend. Quantiles are null when nothing was measured. */
export interface HealthRow {
  readonly name: string;
  /** Answers that came to their end. */
  readonly answers: number;
  readonly duration_ms: HealthQuantiles | null;
  readonly time_to_first_token_ms: HealthQuantiles | null;
  /** The 95th percentile is a fast answer, not a slow one. */
  readonly tokens_per_second: HealthQuantiles | null;
  /** Answers that ended in an error, by its code; at most 10. */
  readonly errors: readonly { readonly code: string; readonly count: number }[];
}

export interface HealthQuantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Where a request goes that goes to a backend. */
export interface BackendPlace {
  /** `owned`: another machine of the owner; `provider`: somebody else's, as far as is known. */
  readonly where: 'this_machine' | 'owned' | 'peer' | 'provider';
  /** `owned_network`: in the clear on a network of the owner; `open`: in the clear. Null on this machine. */
  readonly link: 'encrypted' | 'owned_network' | 'open' | null;
}

/** What the owner configured for requests that say nothing else; a request may ask for more privacy, never for less. */
export interface HealthPolicy {
  readonly privacy: 'minimum' | 'medium' | 'maximum';
  readonly route: 'auto' | 'local' | 'frontier';
  readonly cache: 'off' | 'auto' | 'keep' | 'similar';
  readonly degrade: 'none' | 'search' | 'stale' | 'explain';
}

export interface BackendStatus extends BackendPlace {
  readonly name: string;
  readonly status: 'ok' | 'starting' | 'degraded';
  /** ms it took to answer this probe; null when it was not asked or did not answer. */
  readonly latency_ms: number | null;
  readonly models_available: number;
  readonly models_loaded: number;
  readonly breaker: { readonly state: BreakerState; readonly failures: number };
  readonly message: string | null;
}

export interface EngineHealth {
  /** Of its process. `waiting`: it died and starts again after a pause; `broken`: its breaker is open. */
  readonly state: 'idle' | 'starting' | 'running' | 'waiting' | 'broken' | 'closed';
  readonly pid: number | null;
  /** Times the process was started again after it died. */
  readonly restarts: number;
  /** Why the last process ended; null when none has. */
  readonly last_cause: string | null;
}

export interface LoadedModelHealth {
  readonly id: string;
  readonly task: 'text' | 'embedding' | 'rerank';
  /** GGUF architecture: llama, qwen2, bert, ... */
  readonly architecture: string;
  /** `kith`: the engine's own graphs; `node-llama-cpp`: the compatibility path. */
  readonly runner: 'kith' | 'node-llama-cpp';
  /** `CPU (its name)`, or the name of the GPU. */
  readonly device: string;
  readonly blocks: number;
  /** Tokens that one sequence may use. */
  readonly context: number;
  readonly weight_bytes: number;
  readonly kv_bytes: number;
  /**
   * One KV cell holds one token of one sequence. `used` by sequences in the batch, `cached` by finished ones (given up
   * when needed). Null for models without a KV cache of their own, and while the engine does not answer.
   */
  readonly kv_cells: { readonly total: number; readonly used: number; readonly cached: number } | null;
  /** Sequences in the batch; for embedding models, requests being computed. */
  readonly active: number | null;
  /** Requests that wait for a place. */
  readonly waiting: number | null;
  /**
   * Generated tokens per second of decoding, all sequences together, over the last minute. Null when nothing was decoded
   * in it, for embedding models, and where the runner does not measure it.
   */
  readonly tokens_per_second: number | null;
}

export interface StartProgress {
  readonly phase: string;
  readonly done_bytes: number;
  readonly total_bytes: number | null;
}

/** Settings that bound what the node does at once. */
export interface HealthLimits {
  /** Sequences decoded together. */
  readonly max_active: number;
  /** Requests that may wait. */
  readonly max_queue: number;
  readonly max_wait_ms: number;
  readonly max_run_ms: number;
  /** Tokens one request may generate. */
  readonly max_tokens: number;
  readonly body_bytes: number;
  readonly connections: number;
}
