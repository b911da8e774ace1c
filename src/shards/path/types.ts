/**
 * What a path is made of, and what it offers.
 *
 * @module shards/path/types
 */
import type { Clock, Logger, Random } from '../../base/index.ts';
import type { Carry } from '../../engine/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import type { ActivationType, BlockSpan } from '../types.ts';
import type { ShardOffer } from './hop.ts';

export interface PathOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  /** Content hash of the model. */
  readonly model: string;
  /** Shards in order, without gaps or overlaps. */
  readonly shards: readonly ShardOffer[];
  /** KV cells of each session. */
  readonly cells: number;
  /** Only `f32` gives the tokens of the whole model: rounding turns near ties. @default 'f32' */
  readonly type?: ActivationType;
  /** Another shard of the same blocks, by none of the peers in `lost`; null when there is none. */
  readonly substitute: (span: BlockSpan, lost: ReadonlySet<string>) => Promise<ShardOffer | null>;
  /** Told of each loss and of what takes the place. */
  readonly onEvent?: (event: PathEvent) => void;
  readonly limits?: Partial<PathLimits>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface PathLimits {
  /** ms without rows after which the shards are asked whether they live. @default 3000 */
  readonly stallMs: number;
  /** ms in which a shard must say so. @default 2000 */
  readonly probeMs: number;
  /** ms that shards which answer may take for a step without coming further. @default 30000 */
  readonly stuckMs: number;
  /** ms in which a session must stand. @default 15000 */
  readonly openMs: number;
  /** Substitutes tried for one place in a row. @default 8 */
  readonly substitutes: number;
}

export type PathEvent =
  | { readonly type: 'lost'; readonly peer: string; readonly span: BlockSpan; readonly reason: string }
  | { readonly type: 'joined'; readonly peer: string; readonly span: BlockSpan }
  | { readonly type: 'recovered'; readonly ms: number }
  | { readonly type: 'failed'; readonly reason: string };

export interface Path extends AsyncDisposable {
  readonly span: BlockSpan;
  readonly cells: number;
  /** Values of a row. */
  readonly width: number;
  /** Who computes now, in order. */
  shards(): readonly ShardOffer[];
  readonly carry: Carry;
  /** True when it can take no more steps. */
  readonly closed: boolean;
}
