/**
 * What a path is made of, and what it offers.
 *
 * @module shards/path/types
 */
import type { Clock, Logger, Random } from '../../base/index.ts';
import type { CarriedPart, Carry } from '../../engine/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import type { Shown, Written } from '../wire/audit.ts';
import type { WorkBook } from '../work/book.ts';
import type { ShardOffer } from './hop.ts';
import type { TypeWish } from './link-types.ts';

export interface PathOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  /** Content hash of the model. */
  readonly model: string;
  /** Shards in order, without gaps or overlaps. */
  readonly shards: readonly ShardOffer[];
  /** KV cells of each session. */
  readonly cells: number;
  /**
   * Only `f32` gives the tokens of the whole model: rounding turns near ties. `auto` rounds on links that are far away, and
   * prompts sooner than single tokens. @default 'f32'
   */
  readonly type?: TypeWish;
  /** Shards that together have these blocks, in order and without gaps, by none of the peers in `lost`; null when there are none. */
  readonly substitute: (span: BlockSpan, lost: ReadonlySet<string>) => Promise<readonly ShardOffer[] | null>;
  /** Counts what shards compute, and signs their receipts. @default nothing is counted */
  readonly work?: Pick<WorkBook, 'used'>;
  /** Told of each loss and of what takes the place. */
  readonly onEvent?: (event: PathEvent) => void;
  /** A shard says how long the way to the next one is, ms there and back. */
  readonly onLink?: (from: string, to: string, ms: number) => void;
  readonly limits?: Partial<PathLimits>;
  /** Sees every step and its rows. */
  readonly observer?: PathObserver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface PathObserver {
  /** Once for each step, before it goes out. `hidden` is rows × width and must not be kept. */
  sent(step: {
    readonly n: number;
    readonly parts: readonly CarriedPart[];
    readonly hidden: Float32Array;
  }): void;
  /** The rows that were wanted of a step. They must not be kept. */
  came(n: number, rows: Float32Array): void;
}

export interface PathLimits {
  /** ms without rows after which the shards are asked whether they live. @default 3000 */
  readonly stallMs: number;
  /** ms in which a shard must say so. @default 2000 */
  readonly probeMs: number;
  /** ms that shards which answer may take for a step without coming further. @default 30000 */
  readonly stuckMs: number;
  /** ms between two looks at shards while no step is under way. @default 15000 */
  readonly beatMs: number;
  /** ms that a step may take in all, with shards replaced meanwhile; then the path ends. @default 180000 */
  readonly stepMs: number;
  /** ms in which KV rows must have moved to another shard, and before in which steps under way must end. @default 30000 */
  readonly moveMs: number;
  /** ms in which a session must stand. @default 15000 */
  readonly openMs: number;
  /** Tries in a row to fill one place. @default 8 */
  readonly substitutes: number;
}

export type PathEvent =
  | { readonly type: 'lost'; readonly peer: string; readonly span: BlockSpan; readonly reason: string }
  | { readonly type: 'joined'; readonly peer: string; readonly span: BlockSpan }
  /** `ms`: from the last rows to the next where some were waited for; else from the loss until the path could go on. */
  | { readonly type: 'recovered'; readonly ms: number }
  | { readonly type: 'leaving'; readonly peer: string; readonly ms: number }
  | {
      readonly type: 'moved';
      readonly from: string;
      readonly to: string;
      /** KV cells that were taken over; null when they were computed again. */
      readonly cells: number | null;
      /** For which steps waited. */
      readonly ms: number;
    }
  | { readonly type: 'failed'; readonly reason: string };

export interface Path extends AsyncDisposable {
  readonly span: BlockSpan;
  readonly cells: number;
  /** Values of a row. */
  readonly width: number;
  /** Rows of a step that its shards take. Longer passes go through in several. */
  readonly maxRows: number;
  /** Who computes now, in order. */
  shards(): readonly ShardOffer[];
  /**
   * Goes on at another shard of the same blocks in place of the `place`th, with its KV rows where it can give them.
   *
   * @returns false when the shard was lost or replaced meanwhile
   * @throws KithError why no session could be had there; the path goes on as it was
   */
  move(place: number, offer: ShardOffer): Promise<boolean>;
  /** Goes on without the peer, as if it were lost: for one that answers, but not as it should. False when it has no place. */
  drop(peer: string, reason: string): boolean;
  /**
   * Gives a shard up whose rows are wrong. Another takes its place, and the shards after it compute again what they have of it.
   * @returns false when it is not on the path any more
   */
  refuse(peer: string, reason: string): boolean;
  /**
   * What came to a shard and went on from it.
   * @throws KithError `path_lost` when it says nothing; InputError `shard_malformed` when not as the protocol says
   */
  show(peer: string, written: Written, rows: boolean): Promise<Shown>;
  readonly carry: Carry;
  /** True when it can take no more steps. */
  readonly closed: boolean;
}
