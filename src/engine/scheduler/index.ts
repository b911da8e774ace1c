/**
 * Continuous batching: many generations share one runner. Prompts and decodes go through the same forward passes;
 * prefixes are shared, cells are lent, waiting and running are bounded.
 *
 * In: token ids with a sampler. Out: `GenerateEvent`s, in order, to one sink per job. Never parses text and never
 * waits on a timer: everything happens between forward passes.
 *
 * @module engine/scheduler
 */
export { createScheduler } from './scheduler.ts';
export type {
  Scheduler,
  SchedulerInit,
  SchedulerJob,
  SchedulerSink,
  SchedulerStats,
  SchedulerTotals,
} from './types.ts';
