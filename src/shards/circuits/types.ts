/**
 * Circuits: what they are made of, and what is said of them.
 *
 * @module shards/circuits/types
 */
import type { Clock, Logger, PeerRequirements, Random } from '../../base/index.ts';
import type { CellLease, Engine, LoadedModel } from '../../engine/index.ts';
import type { LeftOut, Swarm } from '../../swarm/index.ts';
import type { AuditorOptions } from '../audit/types.ts';
import type { ShardOffer } from '../path/hop.ts';
import type { TypeWish } from '../path/link-types.ts';
import type { PathOptions } from '../path/types.ts';
import type { NoPath, PathPlan } from '../plan/plan.ts';
import type { PairFigures } from '../twice/pair.ts';
import type { BlockSpan } from '../types.ts';
import type { WorkBook } from '../work/book.ts';

/** A model, as far as paths are made for it. */
export interface CircuitModel {
  readonly id: string;
  /** Of the GGUF, hex. */
  readonly sha256: string;
  /** Blocks that it has. */
  readonly blocks: number;
  /** Tokens. */
  readonly context: number;
  /** Jinja, where it is not in the file. */
  readonly template: string | null;
  /** A file that has the embedding and the head, and `own` blocks at each end. Fetches what is missing. */
  ends(own: number, signal: AbortSignal): Promise<string>;
}

/** A peer that a path has to go through. */
export interface Via {
  /** PeerId. */
  readonly peer: string;
  /** Null: as many blocks as it has. */
  readonly span: BlockSpan | null;
}

/** What is asked of a path. */
export interface PathQuery {
  /** SHA-256 of the GGUF, hex. */
  readonly model: string;
  /** Blocks that peers compute. */
  readonly span: BlockSpan;
  /** KV cells that each of them lends. */
  readonly cells: number;
  /** Of each of them. */
  readonly requirements: PeerRequirements;
  /** Null: through whoever is best. */
  readonly via: readonly Via[] | null;
  /** Peers not to be asked. */
  readonly exclude: ReadonlySet<string>;
  /** For want of others, peers too that were lost a moment ago: they may be back, and a new answer loses little by trying. @default false */
  readonly alsoLost?: boolean;
}

/** A path, or why there is none. */
export interface PathChoice {
  readonly plan: PathPlan | NoPath;
  /** Every other peer that is known, with one reason each. */
  readonly leftOut: readonly LeftOut[];
}

export interface CircuitWish {
  readonly model: CircuitModel;
  readonly requirements: PeerRequirements;
  /** Blocks at each end that this node computes itself. */
  readonly own: number;
  /** KV cells at least, as far as peers have them. */
  readonly cells: number;
  readonly via?: readonly Via[] | null;
}

/** What the owner orders by name. */
export interface CircuitOrder extends CircuitWish {
  /** @default one that is free */
  readonly name?: string | null;
  /** ms that it stays. */
  readonly ttlMs: number;
}

/** What a request asks for. */
export interface CircuitRequest extends CircuitWish {
  /** The circuit that it has to be. */
  readonly name: string | null;
  /** Requests of one conversation keep their circuit. */
  readonly conversation: string | null;
}

export interface CircuitLoss {
  readonly peer: string;
  readonly span: BlockSpan;
  /** As the peer or the network said. */
  readonly reason: string;
  /** ms since epoch. */
  readonly at: number;
}

/** What was carried through a circuit, since it was opened or during a use of it. */
export interface CircuitFigures {
  /** Steps that came back. */
  readonly steps: number;
  /** Rows that went in. */
  readonly rows: number;
  /** ms of all steps, from hidden states in to hidden states back. Steps of a long prompt run side by side. */
  readonly ms: number;
  /** Bytes of hidden states that went out and came back, before they are encoded. */
  readonly bytes: number;
  /** ms in which the circuit stood still because a shard was replaced. */
  readonly pausedMs: number;
  readonly lost: readonly CircuitLoss[];
  readonly joined: readonly Omit<CircuitLoss, 'reason'>[];
  /** Where steps are computed twice (`CircuitsOptions.redundancy`): which were. */
  readonly twice?: PairFigures;
}

export interface CircuitView {
  readonly name: string;
  readonly model: string;
  /** Blocks of the model. */
  readonly blocks: number;
  /** Blocks that peers compute; the embedding, the head and the others are computed here. */
  readonly span: BlockSpan;
  /** Who computes now, in order. */
  readonly shards: readonly ShardOffer[];
  /** Who computes the same, for comparison; empty when nobody else can. Absent: it is not asked for. */
  readonly others?: readonly ShardOffer[];
  readonly cells: number;
  /** How hidden states travel. */
  readonly type: TypeWish;
  readonly requirements: PeerRequirements;
  /** True: ordered by the owner; it stays until its time is over. */
  readonly ordered: boolean;
  /** Answers that use it now. */
  readonly inUse: number;
  /** ms since epoch. */
  readonly openedAt: number;
  readonly usedAt: number;
  /** Null: as long as it is used. */
  readonly endsAt: number | null;
  /** Predicted ms between two tokens. */
  readonly msPerToken: number;
  readonly figures: CircuitFigures;
}

/** A circuit while an answer uses it. */
export interface CircuitUse extends Disposable {
  readonly name: string;
  readonly loaded: LoadedModel;
  view(): CircuitView;
  /** Since the use began: of all answers that used it meanwhile. */
  since(): CircuitFigures;
}

export interface Circuits extends AsyncDisposable {
  /**
   * A circuit for a request: one that is open and fits, else a new one.
   *
   * @throws KithError `circuit_unknown` (404), `path_gap`, `path_none`, `circuits_full`, `path_busy` (503)
   */
  take(request: CircuitRequest, signal: AbortSignal): Promise<CircuitUse>;
  /** @throws KithError as `take` does, and `circuit_exists` (409) */
  create(order: CircuitOrder, signal: AbortSignal): Promise<CircuitView>;
  list(): readonly CircuitView[];
  /** What uses it ends with `path_closed`. False when there is none of that name. */
  close(name: string): Promise<boolean>;
}

export interface CircuitsOptions {
  readonly engine: Pick<Engine, 'load' | 'unload'>;
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  readonly choose: (query: PathQuery) => PathChoice;
  /** Who computes the blocks in the place of a shard that is lost: one, or several in order. */
  readonly substitute: (
    query: PathQuery,
    span: BlockSpan,
    lost: ReadonlySet<string>,
  ) => readonly ShardOffer[] | null;
  /** Who has all of the blocks and computes them a second time, for audits. @default nobody */
  readonly second?: (query: PathQuery, span: BlockSpan, without: ReadonlySet<string>) => ShardOffer | null;
  /** Has somebody serve blocks that nobody does, when there is no substitute. @default nobody */
  readonly help?: (
    query: PathQuery,
    span: BlockSpan,
    lost: ReadonlySet<string>,
  ) => Promise<ShardOffer | null>;
  /** Why a peer that computes on a circuit may not see a request; null when it may. */
  readonly unmet: (peer: string, requirements: PeerRequirements) => string | null;
  /** How hidden states travel. @default 'f32' */
  readonly type?: TypeWish;
  /** Signs for what peers compute. @default nobody */
  readonly work?: Pick<WorkBook, 'used'>;
  /** Has a share of what circuits compute computed again, by those that may stand in. @default none */
  readonly audit?: Pick<AuditorOptions, 'share' | 'onVerdict' | 'build'> & {
    /** This machine's own copy of the blocks, as `AuditorOptions.own`. */
    readonly own?: (model: string, span: BlockSpan, cells: number) => Promise<CellLease | null>;
  };
  /**
   * 2: what peers compute is computed by others, too, and compared before it is given. Where there are no others it is computed
   * once, and the figures say so. @default 1
   */
  readonly redundancy?: 1 | 2;
  /** A peer was lost in the middle, or refused a session and may say after how many ms to come again. */
  readonly onTrouble?: (peer: string, trouble: 'lost' | 'refused', waitMs: number | null) => void;
  /** A peer says how long the way to another one is, ms there and back. */
  readonly onLink?: NonNullable<PathOptions['onLink']>;
  /** What the engine's models of circuits are called, before a number. They are no names of models. */
  readonly prefix?: string;
  readonly limits?: Partial<CircuitLimits>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface CircuitLimits {
  /** Circuits at once. @default 8 */
  readonly most: number;
  /** ms without a use after which one that nobody ordered is closed. @default 5 minutes */
  readonly idleMs: number;
  /** Paths tried for one circuit, each without the peers that refused before. @default 5 */
  readonly tries: number;
  /** ms between two looks whether there is a clearly better path. @default 15 s */
  readonly lookMs: number;
  /** A better path takes at most this share of the present one's time per token. @default 0.7 */
  readonly better: number;
  /** Conversations whose circuit is remembered. @default 1024 */
  readonly conversations: number;
}
