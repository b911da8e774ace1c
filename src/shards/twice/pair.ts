/**
 * Two paths through different peers that compute the same: each step goes to both, and its rows are given when both have come and
 * do not differ by more than honest machines do. Where they do, the shards of both are audited over the sequence in question;
 * who is wrong leaves its path, and the rows of the other one are given.
 *
 * When one of the paths is lost the other goes on alone, and says so.
 *
 * @module shards/twice/pair
 */
import type { Logger } from '../../base/index.ts';
import { type CarriedPart, type Carry, wantedRows } from '../../engine/index.ts';
import type { AuditedPath, Auditor, Verdict } from '../audit/types.ts';
import type { ShardOffer } from '../path/hop.ts';
import type { Path } from '../path/types.ts';
import { Differences } from './differences.ts';

export interface Side {
  readonly path: Path;
  /** That sees the path's steps. */
  readonly auditor: Auditor;
}

export interface PairFigures {
  /** Steps whose rows were compared. */
  readonly compared: number;
  /** Steps that were computed once, since there was no second path any more. */
  readonly alone: number;
  /** Steps whose rows differed in a way that nobody could settle: the first path's were given. */
  readonly unsettled: number;
}

export class Pair implements AsyncDisposable {
  readonly #log: Logger;
  readonly #differences = new Differences();
  #first: Side;
  #second: Side | null;
  /** One step is looked into at a time. */
  #tail: Promise<unknown> = Promise.resolve();
  #compared = 0;
  #alone = 0;
  #unsettled = 0;

  constructor(first: Side, second: Side, log: Logger) {
    this.#first = first;
    this.#second = second;
    this.#log = log;
    first.auditor.watch(both(first, second));
    second.auditor.watch(both(second, first));
  }

  /** True when it can take no more steps. */
  get closed(): boolean {
    return this.#first.path.closed && (this.#second?.path.closed ?? true);
  }

  /** Whose rows are given. */
  shards(): readonly ShardOffer[] {
    return this.#first.path.shards();
  }

  /** Who computes the same; empty when there is no second path any more. */
  others(): readonly ShardOffer[] {
    return this.#second?.path.shards() ?? [];
  }

  get figures(): PairFigures {
    return { compared: this.#compared, alone: this.#alone, unsettled: this.#unsettled };
  }

  readonly carry: Carry = async (parts, hidden, signal) => {
    const [first, second] = [this.#first, this.#second];
    if (second === null || second.path.closed) {
      this.#leave(second);
      this.#alone++;
      return first.path.carry(parts, hidden, signal);
    }
    const [its, others] = await Promise.allSettled([
      first.path.carry(parts, hidden, signal),
      second.path.carry(parts, hidden, signal),
    ]);
    if (its.status === 'fulfilled' && others.status === 'fulfilled') {
      this.#compared++;
      return this.#settle(first, second, { parts, hidden, signal }, its.value, others.value);
    }
    if (its.status === 'rejected' && (others.status === 'rejected' || !first.path.closed)) throw its.reason;
    // One of the two is lost.
    this.#leave(its.status === 'rejected' ? first : second);
    this.#alone++;
    return its.status === 'fulfilled' ? its.value : (others as PromiseFulfilledResult<Float32Array>).value;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([closeSide(this.#first), this.#second === null ? null : closeSide(this.#second)]);
  }

  /** Goes on without a side. */
  #leave(side: Side | null): void {
    if (side === null || this.#second === null || (side !== this.#first && side !== this.#second)) return;
    this.#log.warn('an answer is computed once only from here on: one of its two paths was lost', {
      peers: side.path.shards().map(({ peer }) => peer),
    });
    if (side === this.#first) this.#first = this.#second;
    this.#second = null;
    void closeSide(side);
  }

  /** The rows that are given of a step. */
  #settle(first: Side, second: Side, step: Step, its: Float32Array, others: Float32Array) {
    const turn = this.#tail.then(async () => {
      const row = this.#differences.take(its, others, first.path.width);
      if (row === null) return its;
      const cell = cellOf(step.parts, row);
      const [peers, otherPeers] = [peersOf(first), peersOf(second)];
      const verdicts = [...(await first.auditor.examine(cell))];
      if (!verdicts.some(isWrong)) verdicts.push(...(await second.auditor.examine(cell)));
      const wrong = verdicts.filter(isWrong).flatMap((verdict) => verdict.peers);
      if (wrong.length === 0) {
        const all = peers.size + otherPeers.size;
        const right = verdicts.length === all && verdicts.every(({ kind }) => kind === 'passed');
        this.#differences.judged(right);
        if (!right) this.#unsettled++;
        return its;
      }
      this.#differences.found();
      if (!wrong.some((peer) => peers.has(peer))) return its;
      if (!wrong.some((peer) => otherPeers.has(peer))) return others;
      // Neither can be trusted: the first path, mended, computes it once more.
      return first.path.carry(step.parts, step.hidden, step.signal);
    });
    this.#tail = turn.catch(() => {});
    return turn;
  }
}

interface Step {
  readonly parts: readonly CarriedPart[];
  readonly hidden: Float32Array;
  readonly signal: AbortSignal;
}

const isWrong = ({ kind }: Verdict): boolean => kind === 'altered' || kind === 'link';

const peersOf = ({ path }: Side): Set<string> => new Set(path.shards().map(({ peer }) => peer));

/** Who is found wrong by the audit of one path leaves the other as well. */
function both({ path }: Side, other: Side): AuditedPath {
  return {
    span: path.span,
    cells: path.cells,
    get closed() {
      return path.closed;
    },
    shards: () => path.shards(),
    show: (...asked) => path.show(...asked),
    refuse(peer, reason) {
      if (path.refuse(peer, reason)) return true;
      const left = other.path.refuse(peer, reason);
      if (left) other.auditor.resent();
      return left;
    },
  };
}

async function closeSide({ path, auditor }: Side): Promise<void> {
  await auditor[Symbol.asyncDispose]();
  await path[Symbol.asyncDispose]();
}

/** Where the `row`th of the rows that come back of a step was written. */
function cellOf(parts: readonly CarriedPart[], row: number): number {
  let left = row;
  for (const part of parts) {
    const wanted = wantedRows(part);
    if (left < wanted) return part.cells[part.count - wanted + left]!;
    left -= wanted;
  }
  throw new RangeError(`a step has no row ${row}`);
}
