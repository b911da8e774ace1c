/**
 * Which rows are computed next: one of every sequence that decodes, then prompts in turn.
 *
 * @module engine/scheduler/turns
 */
import type { Job } from './job.ts';
import type { Memory } from './memory.ts';
import type { Pace } from './pace.ts';
import type { Rows } from './passes.ts';

export interface Turns {
  /** Rows for the next turn, their cells taken. Empty only when no job is active or all were preempted. */
  choose(): Rows[];
}

export function createTurns(init: {
  /** In order of service; `preempt` takes jobs out of it. */
  readonly active: readonly Job[];
  readonly memory: Memory;
  readonly pace: Pace;
  readonly preempt: (job: Job) => void;
}): Turns {
  const { active, memory, pace, preempt } = init;
  /** Order number of the job whose prompt rows were served last; the next round starts behind it. */
  let lastServed = -1;

  function chooseOnce(): Rows[] {
    const rows: Rows[] = [];
    const chosen = new Set<Job>();
    const take = (job: Job, count: number) => {
      const start = job.sequence!.length;
      if (!job.sequence!.append(count, job.tokens, start)) throw new Error('cells that were free are not');
      rows.push({ job, start, count, output: start + count === job.count });
      chosen.add(job);
    };
    // Before any cells are taken: what is shared must be computed, and from here on sequences hold cells that are not.
    const ready = active.filter((job) => memory.caughtUp(job, active));
    for (const job of ready.filter(({ pending }) => pending === 1)) {
      if (job.state !== 'active') continue;
      if (room(job, 1, chosen) === 1) take(job, 1);
      else preempt(job);
    }
    let budget = pace.chunk(rows.length > 0);
    for (const job of inTurn(ready.filter((job) => job.state === 'active' && job.pending > 1))) {
      if (budget === 0) break;
      if (job.state !== 'active') continue;
      const count = room(job, Math.min(budget, job.pending), chosen);
      if (count === 0) continue;
      take(job, count);
      budget -= count;
      lastServed = job.order;
    }
    return rows;
  }

  /** Prompts under way, starting behind the one that was served last. */
  function inTurn(prompts: Job[]): Job[] {
    const first = prompts.findIndex((job) => job.order > lastServed);
    return first <= 0 ? prompts : [...prompts.slice(first), ...prompts.slice(0, first)];
  }

  /** Free cells for up to `wanted` rows of `job`: evicts what rests, then takes from those served after it. */
  function room(job: Job, wanted: number, chosen: ReadonlySet<Job>): number {
    const { cells, cache } = memory;
    while (!cache.evict(wanted)) {
      if (cells.free > 0) break;
      const victim = active.findLast((other) => !chosen.has(other));
      if (victim === undefined || active.indexOf(victim) <= active.indexOf(job)) break;
      preempt(victim);
    }
    return Math.min(wanted, cells.free);
  }

  return {
    choose() {
      const rows = chooseOnce();
      if (rows.length > 0) return rows;
      // Everyone waits for a leader that cannot move.
      for (const job of active) job.leader = null;
      return chooseOnce();
    },
  };
}
