/**
 * Runs jobs through a scheduler and keeps what came out, checking the order of events as they come. For tests.
 *
 * @module engine/scheduler/testing/recording
 */
import assert from 'node:assert/strict';
import { isKithError, type KithError } from '../../../base/index.ts';
import type { GenerateEvent, TokenLogprobs } from '../../types.ts';
import type { Scheduler, SchedulerJob } from '../types.ts';

type Finish = Extract<GenerateEvent, { type: 'finish' }>;
type Start = Extract<GenerateEvent, { type: 'start' }>;

export interface Recording {
  readonly id: string;
  readonly events: (GenerateEvent | KithError)[];
  /** Resolves at the last event. */
  readonly ended: Promise<void>;
  text(): string;
  logprobs(): TokenLogprobs[];
  start(): Start;
  finish(): Finish;
  error(): KithError;
}

/** Submits and records. `onEvent` runs inside the sink. */
export function record(
  scheduler: Scheduler,
  job: SchedulerJob,
  onEvent?: (event: GenerateEvent | KithError) => void,
): Recording {
  const events: (GenerateEvent | KithError)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let state: 'new' | 'started' | 'ended' = 'new';
  let inside = true;
  scheduler.submit(job, (event) => {
    assert.equal(inside, false, 'an event came from within submit');
    assert.notEqual(state, 'ended', `an event after the last one of ${job.id}`);
    events.push(event);
    if (isKithError(event) || event.type === 'finish') {
      if (!isKithError(event)) assert.equal(state, 'started', 'finish before start');
      state = 'ended';
      resolve();
    } else if (event.type === 'start') {
      assert.equal(state, 'new', 'two starts');
      state = 'started';
    } else assert.equal(state, 'started', 'text before start');
    onEvent?.(event);
  });
  inside = false;
  const plain = () => events.filter((event): event is GenerateEvent => !isKithError(event));
  return {
    id: job.id,
    events,
    ended: promise,
    text: () => plain().reduce((all, event) => (event.type === 'text' ? all + event.text : all), ''),
    logprobs: () => plain().flatMap((event) => (event.type === 'text' ? (event.logprobs ?? []) : [])),
    start: () => plain().find((event): event is Start => event.type === 'start')!,
    finish() {
      const last = events.at(-1);
      if (last === undefined || isKithError(last))
        assert.fail(`${job.id} ended with ${last?.message ?? 'nothing'}`);
      assert.equal(last.type, 'finish');
      return last as Finish;
    },
    error() {
      const last = events.at(-1);
      assert.ok(isKithError(last), `${job.id} did not fail`);
      return last;
    },
  };
}
