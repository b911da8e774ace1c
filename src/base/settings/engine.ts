/**
 * Settings of the engine.
 *
 * @module base/settings/engine
 */
import { availableParallelism } from 'node:os';
import { bytesOrAuto, choice, DAY_MS, GB, integer, integerOrAuto } from './setting.ts';

export const engineSettings = {
  'engine.threads': integer('Compute threads.', 1, 512, Math.max(1, availableParallelism() - 1), {
    flag: '--threads',
    defaultNote: 'cores - 1, at least 1',
  }),
  'engine.device': choice(
    'Device to compute on; auto tries CUDA, Vulkan, Metal, then CPU.',
    ['auto', 'cpu', 'cuda', 'vulkan', 'metal'],
    'auto',
    { flag: '--device' },
  ),
  'engine.kvType': choice('Element type of the KV cache.', ['f32', 'f16', 'q8_0', 'q4_0'], 'f16'),
  'engine.context': integerOrAuto(
    "Context per sequence, tokens; auto is the model's own, bounded by memory.",
    16,
    16_777_216,
  ),
  'engine.kvCells': integerOrAuto(
    'KV cells (one token each) shared by all sequences; auto fits context, active limit and memory.',
    16,
    268_435_456,
  ),
  'engine.maxActive': integer('Sequences decoded together.', 1, 1024, 16),
  'engine.maxQueue': integer('Requests that may wait.', 0, 100_000, 64),
  'engine.maxWaitMs': integer('Time a request may wait for its turn, ms.', 0, DAY_MS, 30_000),
  'engine.maxRunMs': integer('Time one request may run, ms.', 1, DAY_MS, 600_000),
  'engine.maxTokens': integer('Tokens one request may generate.', 1, 16_777_216, 4096),
  'engine.prefillChunk': integer('Prompt rows in one forward pass.', 1, 8192, 256),
  'engine.speculation': choice(
    'Guess tokens from the text so far and check several at once where that is faster (auto); answers are the same.',
    ['auto', 'off'],
    'auto',
  ),
  'engine.memoryBytes': bytesOrAuto(
    'Memory for weights and KV cache; auto is 80 % of what is free at load.',
    1_000_000,
    1_000_000 * GB,
  ),
  'engine.overflow': choice(
    'When a conversation outgrows the context: refuse it, or slide (drop the oldest tokens).',
    ['error', 'slide'],
    'error',
  ),
} as const;
