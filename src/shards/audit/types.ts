/**
 * What audits are made of, and what they find.
 *
 * @module shards/audit/types
 */
import type { Logger, Random } from '../../base/index.ts';
import type { CellLease } from '../../engine/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import type { PathObserver } from '../path/types.ts';
import type { BlockSpan } from '../types.ts';
import type { Shown, Written } from '../wire/audit.ts';
import type { AuditFigures } from './budget.ts';
import type { Comparison, Measured } from './compare.ts';

/**
 * | kind | about | means |
 * |---|---|---|
 * | `passed` | the shard | its rows follow from what it received |
 * | `altered` | the shard | they do not, as this node itself or two others found; or it says that it received what this node did not send |
 * | `link` | two shards | one shows other rows than the next says that it received: one of them lies |
 * | `contested` | the shard and who computed again | they disagree and nobody could settle it |
 * | `withheld` | the shard | it did not show rows that it must have |
 */
export type VerdictKind = 'passed' | 'altered' | 'link' | 'contested' | 'withheld';

export interface Verdict {
  readonly kind: VerdictKind;
  /** PeerIds. */
  readonly peers: readonly string[];
  /** Who computed again; null is this node. */
  readonly by: readonly (string | null)[];
  readonly span: BlockSpan;
  /** Rows that were compared. */
  readonly rows: number;
  readonly measured: Measured | null;
  readonly tolerance: Comparison['tolerance'] | null;
  readonly why: string | null;
  /** SHA-256, hex, of the model, the span, and the rows that came, went and should have gone. */
  readonly evidence: string;
  /** Rows that came of the path since these peers are on it: what was answered from them may be wrong. */
  readonly affected: number;
}

/** What an audit asks of a path. */
export interface AuditedPath {
  readonly span: BlockSpan;
  readonly cells: number;
  readonly closed: boolean;
  shards(): readonly ShardOffer[];
  /** @throws KithError when the shard does not answer, or not as the protocol says */
  show(peer: string, written: Written, rows: boolean): Promise<Shown>;
  /** Gives a shard up and has what came after it computed again. */
  refuse(peer: string, reason: string): boolean;
}

export interface AuditorOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  /** Content hash of the model. */
  readonly model: string;
  /** Of the rows × blocks that the path computes, how much is computed again. 0 to 1. */
  readonly share: number;
  /** KV cells of the path. */
  readonly cells: number;
  /** Rows of a sequence that are looked at, from its beginning. @default 1024 */
  readonly mostRows?: number;
  /** Another peer that serves exactly these blocks; null when there is none. */
  readonly second: (span: BlockSpan, without: ReadonlySet<string>) => Promise<ShardOffer | null>;
  /** This machine's own copy of the blocks; null when it has none. @default none */
  readonly own?: (span: BlockSpan, cells: number) => Promise<CellLease | null>;
  /** What computes here, as `ShardServiceOptions.build`. @default it is not said */
  readonly build?: () => Promise<string>;
  readonly onVerdict: (verdict: Verdict) => void;
  readonly random: Random;
  readonly log: Logger;
}

export interface Auditor extends AsyncDisposable {
  /** For `PathOptions.observer`. */
  readonly observer: PathObserver;
  /** Begins. Without it nothing is audited. */
  watch(path: AuditedPath): void;
  readonly figures: AuditFigures;
  /**
   * Audits the shards of the path one after the other, over the sequence up to the row in `cell`, whatever that costs; ends with
   * the first that is found wrong. Shards of which it says nothing were not judged: nobody could in a minute.
   */
  examine(cell: number): Promise<readonly Verdict[]>;
  /** All shards of the path are sent rows anew: what came of them before may have followed from others. */
  resent(): void;
  /** Resolves when no audit is under way. */
  idle(): Promise<void>;
}
