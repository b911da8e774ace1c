/**
 * The scheduler's side of the KV cells: who fits, who shares with whom, and what happens to cells afterwards.
 *
 * @module engine/scheduler/memory
 */
import {
  createKvCells,
  createPrefixCache,
  createSequence,
  type KvCells,
  type PrefixCache,
  type PrefixMatch,
  type Sequence,
} from '../kv/index.ts';
import type { Job } from './job.ts';

export interface Memory {
  readonly cells: KvCells;
  readonly cache: PrefixCache;
  /**
   * Gives a waiting job its sequence, sharing the longest prefix there is, if what it needs fits beside what the
   * active jobs still need. False, with nothing changed, if not.
   */
  place(job: Job, active: readonly Job[]): boolean;
  /** True when the job need not wait for its leader any more; then it shares what the leader has computed. */
  caughtUp(job: Job, active: readonly Job[]): boolean;
  /** Takes the job's cells away. What is computed stays cached if the job shares. */
  release(job: Job): void;
}

/** Generated tokens kept room for, per active job, when another is admitted: fewer preemptions right afterwards. */
const HEADROOM = 16;
/** A leader must save at least this many positions. */
const WORTH_WAITING = 32;

export function createMemory(init: {
  count: number;
  cachedSequences: number | undefined;
  cachedCells: number | undefined;
  embedding: number;
}): Memory {
  const cells = createKvCells(init.count);
  const cache = createPrefixCache(cells, {
    // Attention over p positions costs 4 p E operations per block, the rest about 24 E^2: equal at p = 6 E.
    attentionHalf: 6 * init.embedding,
    ...(init.cachedSequences === undefined ? {} : { maxEntries: init.cachedSequences }),
    ...(init.cachedCells === undefined ? {} : { maxCells: init.cachedCells }),
  });

  function* sharing(active: readonly Job[], except: Job): Generator<Sequence> {
    for (const job of active) {
      if (job !== except && job.shares && job.sequence !== null) yield job.sequence;
    }
  }

  /** The last token is always computed, since the choice of the next needs its logits. */
  function lookup(job: Job, active: readonly Job[]): PrefixMatch | null {
    return job.shares ? cache.match(job.tokens, job.count - 1, sharing(active, job)) : null;
  }

  function findLeader(job: Job, active: readonly Job[], have: number): void {
    job.leader = null;
    job.leaderLength = have + WORTH_WAITING - 1;
    if (!job.shares) return;
    for (const other of active) {
      if (other === job || !other.shares || other.pending <= 1) continue;
      const common = commonPrefix(job, other);
      if (common <= job.leaderLength) continue;
      job.leader = other;
      job.leaderLength = common;
    }
  }

  /** Cells of the match that only resting sequences hold so far. Running holders share from the front. */
  function restingPart({ sequence, length }: PrefixMatch): number {
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cells.pins(sequence.cells[middle]!) > 0) low = middle + 1;
      else high = middle;
    }
    return length - low;
  }

  return {
    cells,
    cache,
    place(job, active) {
      const match = lookup(job, active);
      const have = match?.length ?? 0;
      findLeader(job, active, have);
      let needed = (match === null ? 0 : restingPart(match)) + job.count;
      needed -= job.leader === null ? have : job.leaderLength;
      if (active.length > 0) {
        needed += headroom(job);
        for (const other of active) needed += ownPending(other) + headroom(other);
      }
      if (needed > cells.count - cells.pinned) {
        job.leader = null;
        return false;
      }
      job.sequence = match === null ? createSequence(cells, job.count + 64) : cache.use(match);
      job.written = have;
      if (!job.started) job.cachedTokens = have;
      return true;
    },
    caughtUp(job, active) {
      const { leader } = job;
      if (leader === null) return true;
      const leading = leader.state === 'active' && leader.pending > 1;
      if (leading && leader.written < job.leaderLength) return false;
      job.leader = null;
      const match = lookup(job, active);
      if (match === null || match.length <= job.written) return true;
      job.sequence!.dispose();
      job.sequence = cache.use(match);
      job.written = match.length;
      if (!job.started) job.cachedTokens = match.length;
      return true;
    },
    release(job) {
      const { sequence } = job;
      if (sequence === null) return;
      job.sequence = null;
      job.leader = null;
      sequence.truncate(job.written);
      job.written = 0;
      if (job.shares) cache.insert(sequence);
      else sequence.dispose();
    },
  };
}

/** Positions it will take cells for; what a leader computes for it is the leader's. */
function ownPending(job: Job): number {
  return job.leader === null ? job.pending : job.count - job.leaderLength;
}

function headroom(job: Job): number {
  return Math.min(HEADROOM, job.maxTokens - job.generated);
}

function commonPrefix(a: Job, b: Job): number {
  const end = Math.min(a.count - 1, b.count);
  let at = 0;
  while (at < end && a.tokens[at] === b.tokens[at]) at++;
  return at;
}
