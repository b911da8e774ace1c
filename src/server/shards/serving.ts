/**
 * Which blocks this node serves to peers, to whom, and who computes with them now: `/kith/v1/shards/serving`.
 *
 * @module server/shards/serving
 */
import { z } from 'zod';
import type { Tier } from '../../base/index.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ShardRouting } from './index.ts';

/** `fetching`: bytes on their way; `warming`: the first passes, measured; `draining`: sessions go on elsewhere. */
export const SERVED_STATES = [
  'waiting',
  'fetching',
  'loading',
  'warming',
  'ready',
  'draining',
  'failed',
] as const;
export type ServedState = (typeof SERVED_STATES)[number];

/** Blocks [from, to) of a model that this node serves, or is about to. */
export interface ServedView {
  readonly model: string;
  readonly sha256: string;
  readonly from: number;
  readonly to: number;
  /** Blocks of the whole model. */
  readonly blocks: number;
  /** The node chose the range, and may choose another. */
  readonly auto: boolean;
  /** Of so many blocks at most; null: as many as fit. */
  readonly most: number | null;
  readonly state: ServedState;
  readonly progress: {
    readonly phase: string;
    readonly doneBytes: number;
    readonly totalBytes: number | null;
  } | null;
  /** Why it failed; null: it did not. */
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** Null before it is loaded. */
  readonly memory: { readonly weightBytes: number; readonly kvBytes: number } | null;
  readonly device: string | null;
  readonly cells: number;
  readonly freeCells: number;
  /** ms of a token through the blocks, alone; null before it is measured. */
  readonly tokenMs: number | null;
  readonly sessions: number;
}

/** A session of a peer. */
export interface ShardSessionView {
  readonly peer: string;
  readonly friend: boolean;
  readonly tier: Tier;
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly cells: number;
  readonly ageMs: number;
  /** Since its last step, and until it ends when no other comes, ms. */
  readonly idleMs: number;
  readonly leftMs: number;
  /** Tokens computed for it, prompts included, and of late a second. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
}

export interface AnnouncedBlocks {
  readonly model: string;
  readonly blocks: readonly (readonly [number, number])[];
  readonly tokensPerSecond: number | null;
  readonly freeCacheTokens: number;
  readonly maxBatch: number;
  readonly state: string;
}

/** What was decided of a range that the node chose by itself. */
export interface LookView {
  readonly model: string;
  /** Blocks [from, to) that it had then. */
  readonly from: number;
  readonly to: number;
  readonly agoMs: number;
  /** `wait`: others are better, but it is not this node's turn yet, or it moved not long ago. `fetch`: their bytes come first. */
  readonly decision: 'stay' | 'wait' | 'fetch' | 'move';
  /** Blocks that it wants; null: those that it has. */
  readonly wanted: { readonly from: number; readonly to: number } | null;
  /** Until it may have them, ms; null: it does not wait. */
  readonly waitMs: number | null;
  /** For people. */
  readonly reasons: readonly string[];
}

export interface RebalancingView {
  /** Until the next look, ms; 0: now. */
  readonly nextLookMs: number;
  /** What the last look decided of each range that was chosen by itself. */
  readonly looks: readonly LookView[];
  /** The last move since the start. */
  readonly lastMove: LookView | null;
}

export interface ServingView {
  readonly peer: string;
  readonly addresses: readonly string[];
  /** Who may ask. */
  readonly access: {
    readonly friends: number;
    /** Null: nobody by tier. */
    readonly minTier: Tier | null;
    /** `22:00-07:30`; null: always. */
    readonly hours: string | null;
  };
  readonly limits: {
    readonly sessions: number;
    readonly sessionsPerPeer: number;
    readonly cells: number | null;
    readonly idleMs: number;
    readonly leaseMs: number;
  };
  readonly served: readonly ServedView[];
  readonly sessions: readonly ShardSessionView[];
  /** What others are told. */
  readonly announced: readonly AnnouncedBlocks[];
  /** Null: `shards.rebalance` is off. */
  readonly rebalancing: RebalancingView | null;
  /** For people. */
  readonly problems: readonly string[];
}

export interface ServeRequest {
  /** Id; null: the default model. */
  readonly model: string | null;
  /** First block and how many; null: the node chooses. */
  readonly from: number | null;
  readonly blocks: number | null;
  /** The node chooses, and goes on choosing as others come and go. */
  readonly auto: boolean;
  /** Of a range chosen by itself, blocks that a later choice may have. @default `blocks` */
  readonly most?: number | null;
}

export interface StopRequest {
  /** Null: all. */
  readonly model: string | null;
  /** First block of the range; null: all ranges of the model. */
  readonly from: number | null;
}

export interface ServingDesk {
  view(): Promise<ServingView>;
  /**
   * Begins to serve; the work goes on in the background, and the view tells how far it is. The same range again changes nothing.
   *
   * @throws InputError `model_not_found`, `shard_range_invalid`; KithError `shard_too_large`, `shard_served_already`
   */
  serve(request: ServeRequest): Promise<ServedView>;
  /** Begins to stop: sessions get `shards.drainMs` to go on elsewhere. Tells which ranges. */
  stop(request: StopRequest): Promise<readonly ServedView[]>;
}

const block = z.int().min(0).max(4096).nullable().default(null);
const model = z.string().min(1).max(96).nullable().default(null);

export const serveSchema = z
  .strictObject({
    model,
    from: block,
    blocks: z.int().min(1).max(4096).nullable().default(null),
    auto: z.boolean().default(false),
  })
  .refine(
    ({ auto, from }) => !auto || from === null,
    'with auto the node chooses where the blocks begin: leave out `from`',
  );
export const stopSchema = z.strictObject({ model, from: block });

export function servingRoutes({ desk, control }: ShardRouting): Route[] {
  return [
    control('GET', '/serving', () => desk().serving.view()),
    control('POST', '/serving', async (exchange) =>
      desk().serving.serve(parseBody(serveSchema, await exchange.json())),
    ),
    control('POST', '/serving/stop', async (exchange) => ({
      stopping: await desk().serving.stop(parseBody(stopSchema, await exchange.json())),
    })),
  ];
}
