/**
 * A scheduler on the toy model, and what the toy model says without a scheduler. For tests.
 *
 * @module engine/scheduler/testing/harness
 */
import assert from 'node:assert/strict';
import { createSampler } from '../../sampler/index.ts';
import { createTextStream } from '../../tokenizer/index.ts';
import type { SamplerOptions } from '../../types.ts';
import { slideBy } from '../accept.ts';
import { createScheduler, type SchedulerInit, type SchedulerJob } from '../index.ts';
import type { Recording } from './recording.ts';
import {
  createToyRunner,
  TOY_CONTROL,
  TOY_EOG,
  TOY_VOCAB,
  type ToyOptions,
  toyLogits,
  toyTokenizer,
} from './toy-model.ts';

export const NEVER = Number.NEGATIVE_INFINITY;
const OPTIONS: SchedulerInit['options'] = {
  context: null,
  maxActive: 4,
  maxQueue: 100,
  maxWaitMs: 1e9,
  maxRunMs: 1e9,
  maxTokens: 1000,
  prefillChunk: 32,
};

export function open(
  toy: ToyOptions,
  options: Partial<SchedulerInit['options']> = {},
  rest: Partial<SchedulerInit> = {},
) {
  const runner = createToyRunner(toy);
  const clock = { time: 0, monotonic: () => clock.time };
  const scheduler = createScheduler({
    runner,
    tokenizer: toyTokenizer,
    options: { ...OPTIONS, ...options },
    clock,
    ...rest,
  });
  return { runner, clock, scheduler };
}

let ids = 0;
export interface Wish extends Partial<Omit<SchedulerJob, 'sampler' | 'tokens'>> {
  readonly tokens: ArrayLike<number>;
  readonly sampling?: Partial<SamplerOptions>;
}
export function job({ tokens, sampling = { temperature: 0 }, ...rest }: Wish): SchedulerJob {
  return {
    id: `job-${ids++}`,
    maxTokens: 12,
    stop: [],
    ...rest,
    tokens: Int32Array.from(tokens),
    sampler: createSampler(sampling, TOY_VOCAB),
  };
}

/** A prompt of `length` ordinary tokens; equal seeds give prefixes of each other. */
export function prompt(length: number, seed = 1): Int32Array {
  return Int32Array.from({ length }, (_, i) => (seed * 7919 + i * i * 31 + i * seed) % TOY_CONTROL);
}

/** The same generation without scheduler, cells or batches. */
export function alone(
  wish: Wish,
  { context, eog = -2, maxTokens: cap = 1000 }: { context: number; eog?: number; maxTokens?: number },
) {
  let tokens = [...Array.from(wish.tokens)];
  const sampler = createSampler(wish.sampling ?? { temperature: 0 }, TOY_VOCAB);
  sampler.accept(tokens);
  const stream = createTextStream(toyTokenizer, wish.stop ?? []);
  const max = Math.min(wish.maxTokens ?? (wish.maxTokens === null ? cap : 12), cap);
  const keep = Math.min(wish.keepTokens ?? 0, tokens.length);
  let text = '';
  let generated = 0;
  let slid = 0;
  let reason: 'stop' | 'length' = 'length';
  const slide = () => {
    const drop = slideBy(tokens.length, keep, context);
    tokens = [...tokens.slice(0, keep), ...tokens.slice(keep + drop)];
    slid += drop;
  };
  if (wish.overflow === 'slide') slide();
  while (generated < max) {
    const { token } = sampler.sample(toyLogits(tokens, eog));
    if (token === TOY_EOG) {
      reason = 'stop';
      break;
    }
    generated++;
    const chunk = stream.push(token);
    text += chunk.text;
    if (chunk.stop !== null) {
      reason = 'stop';
      break;
    }
    tokens.push(token);
    if (tokens.length >= context && generated < max) {
      if (wish.overflow !== 'slide') break;
      slide();
    }
  }
  const rest = stream.finish();
  return {
    text: text + rest.text,
    generated,
    reason: stream.stop === null ? reason : 'stop',
    stop: stream.stop,
    slid,
  };
}

export function assertAlone(recording: Recording, expected: ReturnType<typeof alone>): void {
  const { reason, stop, slidTokens, usage } = recording.finish();
  assert.deepEqual(
    { text: recording.text(), generated: usage.completionTokens, reason, stop, slid: slidTokens },
    expected,
  );
}

/** Waits for all and compares each with what it would say alone. */
export async function assertAllAlone(
  recordings: readonly Recording[],
  wishes: readonly Wish[],
  setting: Parameters<typeof alone>[1],
): Promise<void> {
  await Promise.all(recordings.map(({ ended }) => ended));
  for (const [i, recording] of recordings.entries()) assertAlone(recording, alone(wishes[i]!, setting));
}
