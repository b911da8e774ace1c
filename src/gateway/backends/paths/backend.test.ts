import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../../base/index.ts';
import type { CircuitRequest, Circuits } from '../../../shards/index.ts';
import type { ChatRequest, CompletionRequest, GenerationOptions } from '../../types.ts';
import { createPathBackend } from './index.ts';

const CONTEXT = 2048;
const taken: CircuitRequest[] = [];
const circuits = {
  list: () => [],
  take: async (request: CircuitRequest) => {
    taken.push(request);
    throw new Error('Nobody is there.');
  },
} as unknown as Circuits;
const model = {
  ...{ id: 'm', sha256: '', blocks: 4, template: null },
  context: CONTEXT,
  ends: async () => '',
};
const backend = createPathBackend({
  circuits: () => circuits,
  offered: () => [{ row: { id: 'm', task: 'chat', context: CONTEXT }, covered: true } as never],
  model: async () => model as never,
  engine: {} as never,
  cells: 512,
  ownBlocks: 0,
  random: systemRandom,
});

/** Cells of the circuit that a request asks for. */
async function cellsOf(request: object): Promise<number> {
  const common = { model: 'm@peers', n: 1, maxTokens: null, signal: new AbortController().signal };
  const given = { ...common, ...request } as unknown as GenerationOptions & ChatRequest & CompletionRequest;
  const answer = 'prompts' in request ? backend.complete!(given) : backend.chat!(given);
  await assert.rejects(async () => {
    for await (const _ of answer);
  }, /Nobody is there/);
  return taken.pop()!.cells;
}

const messages = [{ role: 'user', content: 'Hello' }];

test('a circuit is ordered for what a request can need, and a context holds no more than it has', async () => {
  assert.equal(await cellsOf({ messages, maxTokens: 100 }), 512);
  assert.equal(await cellsOf({ messages }), 1024);
  assert.equal(await cellsOf({ messages, maxTokens: 100_000 }), CONTEXT);
  assert.equal(await cellsOf({ messages, n: 2, maxTokens: 100_000 }), 2 * CONTEXT);
  assert.equal(await cellsOf({ prompts: ['One', 'Two'], maxTokens: 100_000 }), 2 * CONTEXT);
});
