/**
 * `/kith/v1/shards/coverage`: who serves which blocks of a model, what is missing, and what this node could do about it;
 * `/kith/v1/shards/calibration`: what was measured of this machine and of its ways to peers.
 *
 * @module server/shards/coverage
 */
import { z } from 'zod';
import type { PeerState } from '../../swarm/index.ts';
import type { Tier } from '../../trust/index.ts';
import { once } from '../gateway/cache.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ShardRouting } from './index.ts';

/** From the first block to the one after the last. */
export type Blocks = readonly [from: number, to: number];

/** What a peer says of its blocks, and what this node thinks of it. Times are ms, null = unknown. */
export interface ShardPeerView {
  readonly peer: string;
  readonly self: boolean;
  readonly blocks: readonly Blocks[];
  readonly tier: Tier;
  readonly friend: boolean;
  readonly rttMs: number | null;
  /** A claim is the peer's own. */
  readonly rttSource: 'measured' | 'claimed' | 'unknown';
  /** Through all its blocks, as it says. */
  readonly tokensPerSecond: number | null;
  readonly freeCells: number;
  readonly state: PeerState;
  /** Whether paths of this node may go through it. */
  readonly usable: boolean;
  /** Why not; null when it is usable. */
  readonly reason: string | null;
}

export interface StretchView {
  readonly blocks: Blocks;
  /** How many of those who count serve it: this node, and peers that it may use. */
  readonly times: number;
  readonly tokensPerSecond: number;
}

/** What this node could serve. */
export interface ProposalView {
  /** Null: nothing fits. */
  readonly blocks: Blocks | null;
  readonly tokensPerSecond: number;
  /** Weights and KV cells. */
  readonly bytes: number;
  /** Blocks that nobody would serve then. */
  readonly gapsLeft: readonly Blocks[];
  /** Tokens a second at the weakest block then. */
  readonly weakestAfter: number;
  readonly reasons: readonly string[];
  /** What to type; null when there is nothing to do. */
  readonly command: string | null;
}

export interface CoverageView {
  /** SHA-256 of the model's file. */
  readonly model: string;
  /** Its id on this node; null where it is not known. */
  readonly modelId: string | null;
  readonly quantisation: string | null;
  readonly blocks: number;
  /** `model`: its manifest says so. `announced`: the model is not known here, and no peer announces a later block. */
  readonly blocksFrom: 'model' | 'announced';
  /** By first block, then by PeerId. */
  readonly peers: readonly ShardPeerView[];
  readonly stretches: readonly StretchView[];
  readonly gaps: readonly Blocks[];
  /** Null with a gap, and for a model that nobody serves. */
  readonly weakest: StretchView | null;
  /** Null where the model is not known here, or was not asked for. */
  readonly proposal: ProposalView | null;
}

export interface CoverageListView {
  readonly models: readonly CoverageView[];
  /** More models are announced than are listed. */
  readonly more: boolean;
}

/** Of one model on this machine. Times are ms; rates are per second. */
export interface CalibrationView {
  readonly model: string;
  readonly modelId: string;
  /** ms since 1970. */
  readonly at: number;
  readonly device: string;
  readonly threads: number;
  /** Blocks that were measured. */
  readonly blocks: Blocks;
  /** Mean bytes of a block's weights. */
  readonly blockBytes: number;
  /** ms of one token through one block, alone. */
  readonly msPerBlock: number;
  /** Prompt rows a second through one block. */
  readonly promptRowsPerSecond: number;
  /** Rows of as many sessions computed together, and ms of a block for all of them. */
  readonly together: readonly { readonly rows: number; readonly ms: number }[];
  /** ms to load one block. */
  readonly loadMsPerBlock: number;
  /** Blocks that fit into memory with the KV cells. */
  readonly fitting: number;
  readonly cells: number;
}

/** What was measured of the way to a peer. */
export interface WayView {
  readonly peer: string;
  readonly at: number;
  readonly rttMs: number;
  /** There, and back. */
  readonly bytesPerSecond: number | null;
}

export interface CalibrationsView {
  readonly models: readonly CalibrationView[];
  readonly ways: readonly WayView[];
}

export interface CoverageDesk {
  /**
   * @param model id or SHA-256; without it, all that are announced with blocks
   * @throws KithError `model_not_found`
   */
  coverage(model: string | null, propose: boolean): Promise<CoverageListView>;
  calibration(): Promise<CalibrationsView>;
  /** Measures the ways to those who serve blocks of a model, or would be neighbours. */
  measureWays(model: string | null, signal: AbortSignal): Promise<readonly WayView[]>;
}

const model = z.string().min(1).max(200);
const query = z.strictObject({
  model: model.exactOptional(),
  propose: z.enum(['true', 'false']).default('false'),
});
export const waysSchema = z.strictObject({ model: model.exactOptional() });

export function coverageRoutes({ desk, control, monitor }: ShardRouting): Route[] {
  return [
    control('GET', '/coverage', ({ query: asked }) => {
      const { model: one, propose } = parseBody(query, once(asked));
      return desk().coverage.coverage(one ?? null, propose === 'true');
    }),
    monitor('/calibration', () => desk().coverage.calibration()),
    control('POST', '/calibration/ways', async (exchange) => {
      const { model: one } = parseBody(waysSchema, await exchange.json());
      return { ways: await desk().coverage.measureWays(one ?? null, exchange.signal) };
    }),
  ];
}
