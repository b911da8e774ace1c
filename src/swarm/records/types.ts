/**
 * What a node says of itself to the swarm, and why such a statement may be refused.
 *
 * @module swarm/records/types
 */
import type { Identity } from '../../identity/index.ts';

/** Blocks [start, end) of a model. */
export type BlockRange = readonly [start: number, end: number];

/** A model as peers name it: by its content, not by what its owner calls it. */
export interface ModelName {
  /** SHA-256 of the GGUF as in its manifest, 64 lower-case hex digits. */
  readonly hash: string;
  /** File type as in its manifest: `F16`, `Q8_0`, `Q4_K_M`, ... */
  readonly quant: string;
}

/** What a peer does for others. `chat` and `embeddings` are whole models; newer nodes may say other words too. */
export const SERVES = ['blocks', 'chat', 'embeddings', 'storage'] as const;
export type Serves = (typeof SERVES)[number];

/** `joining`: not ready yet; `draining`: finishes what it has; `offline`: gone, its earlier records are void. */
export const PEER_STATES = ['joining', 'online', 'draining', 'offline'] as const;
export type PeerState = (typeof PEER_STATES)[number];

/**
 * One statement of one peer about one model, or about itself (`model` null). All figures are claims. A statement with
 * state `offline` and no model speaks for all of the peer's models.
 */
export interface Announcement {
  /** PeerId, base58btc: `12D3KooW...`. */
  readonly peer: string;
  /** Clock of the peer when it signed, ms since 1970; grows with every statement of the peer. */
  readonly seq: number;
  /** Void from then on, ms since 1970; at most ten minutes after `seq`. */
  readonly exp: number;
  readonly model: ModelName | null;
  /** Ascending, without overlap, none touching the next. */
  readonly blocks: readonly BlockRange[];
  /** Decode rate it expects to give one session, tokens per second, in steps of 0.001; null when unknown. */
  readonly tokensPerSecond: number | null;
  /** Round trip to a neighbour it expects, queue included, ms; null when unknown. */
  readonly latencyMs: number | null;
  /** Tokens of KV cache that are free. */
  readonly freeCacheTokens: number;
  /** Sequences it computes together. */
  readonly maxBatch: number;
  /** Protocols it speaks: `/kith/...`. */
  readonly protocols: readonly string[];
  /** True when others reach it over a relay only. */
  readonly relayed: boolean;
  /** Multiaddrs in their text form. */
  readonly addrs: readonly string[];
  /** Region tags its operator gives it: `eu`, `de-by`. */
  readonly regions: readonly string[];
  /** Words of `SERVES`, and words that newer nodes know. */
  readonly serves: readonly string[];
  /** SHA-256 of credentials it can show, 64 lower-case hex digits each. */
  readonly trust: readonly string[];
  readonly state: PeerState;
}

/** Why a record is refused. */
export const REFUSALS = [
  'oversized',
  'malformed',
  'wrong_peer',
  'expired',
  'too_far_ahead',
  'replayed',
  'bad_signature',
  'rate',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Who signs for this node: its `Identity`. */
export type Signer = Pick<Identity, 'peerId' | 'sign'>;
