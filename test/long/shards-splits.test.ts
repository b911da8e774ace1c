/**
 * Every way to split stories15M and MiniMind2 over two and three peers, and five of TinyLlama, over peers in processes of their
 * own: the tokens are those of the whole model, greedy and sampled. Three processes hold all blocks each; a session
 * names its part. Prints what was compared.
 *
 * @module test/long/shards-splits
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type Engine, type Prompt } from '../../src/engine/index.ts';
import { openPath } from '../../src/shards/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { type TestModelName, testModel } from '../models/index.ts';
import { forkShardPeer, type ShardPeer } from '../shards/peers.ts';

const MODEL = '5a'.repeat(32);
const CELLS = 256;

async function tokensOf(
  engine: Engine,
  model: string,
  prompt: Prompt,
  temperature: number,
  maxTokens: number,
): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    model,
    prompt,
    sampler: { temperature, seed: 11, topLogprobs: 0 },
    maxTokens,
    stop: [],
    cachePrompt: false,
  }))
    if (event.type === 'text') tokens.push(...event.logprobs!.map(({ token }) => token));
  return tokens;
}

/** Bounds of all splits into `parts` parts. */
function splits(blocks: number, parts: number, from = 0): number[][] {
  if (parts === 1) return [[blocks]];
  const all: number[][] = [];
  for (let cut = from + 1; cut <= blocks - parts + 1; cut++)
    for (const rest of splits(blocks, parts - 1, cut)) all.push([cut, ...rest]);
  return all;
}

async function check(
  name: TestModelName,
  number: number,
  maxTokens: number,
  chosen: (blocks: number) => number[][],
): Promise<void> {
  const file = await testModel(name);
  const content = 'Once upon a time there was a robot who wanted to know why the sky is blue.';
  // Without its template this one has nothing to say.
  const prompt: Prompt =
    name === 'minimind2-q8_0'
      ? { kind: 'messages', messages: [{ role: 'user', content }] }
      : { kind: 'text', text: content };
  const engine = createEngine({
    ...{ threads: 1, device: 'cpu', context: CELLS },
    ...{ log: silentLogger, clock: systemClock, random: systemRandom },
  });
  const owner = await swarmOnLoopback(number, { gate: { tierOf: () => 'trusted' } });
  const peers: ShardPeer[] = [];
  try {
    const { blocks } = await engine.load({ id: 'whole', path: file });
    for (let i = 1; i <= 3; i++)
      peers.push(
        await forkShardPeer({
          number: number + i,
          path: file,
          model: MODEL,
          from: 0,
          to: blocks,
          context: CELLS,
        }),
      );
    const expected = [
      await tokensOf(engine, 'whole', prompt, 0, maxTokens),
      await tokensOf(engine, 'whole', prompt, 0.9, maxTokens),
    ];
    for (const tokens of expected) assert.ok(tokens.length >= 20, 'there is something to compare');
    const ways = chosen(blocks);
    for (const bounds of ways) {
      const shards = bounds.map((to, i) => ({ ...peers[i]!.offer, from: bounds[i - 1] ?? 0, to }));
      await using path = await openPath({
        ...{ swarm: owner, model: MODEL, shards, cells: CELLS, substitute: async () => null },
        ...{ clock: systemClock, random: systemRandom, log: silentLogger },
      });
      const id = bounds.join('-');
      await engine.load(
        { id, path: file, elsewhere: { from: 0, to: blocks, kvCells: CELLS } },
        { carry: path.carry },
      );
      const actual: number[][] = [
        await tokensOf(engine, id, prompt, 0, maxTokens),
        await tokensOf(engine, id, prompt, 0.9, maxTokens),
      ];
      await engine.unload(id);
      assert.deepEqual(actual, expected, `blocks up to ${id}`);
    }
    const counts = [2, 3].map((parts) => ways.filter(({ length }) => length === parts).length);
    const made = expected.map(({ length }) => length).join(' and ');
    console.log(
      `${name}, ${blocks} blocks: ${counts[0]} splits in two, ${counts[1]} in three; ${made} tokens greedy and sampled, all equal`,
    );
  } finally {
    await owner[Symbol.asyncDispose]();
    for (const peer of peers) await peer.kill();
    await engine[Symbol.asyncDispose]();
  }
}

const all = (blocks: number) => [...splits(blocks, 2), ...splits(blocks, 3)];

test('all splits of stories15M over two and three peers give the tokens of the whole', () =>
  check('stories15m-f16', 150, 48, all));

test('all splits of MiniMind2 over two and three peers give the tokens of the whole', () =>
  check('minimind2-q8_0', 160, 48, all));

test('five splits of TinyLlama over two and three peers give the tokens of the whole', () =>
  check('tinyllama', 170, 24, (blocks) => [
    [11, blocks],
    [1, blocks],
    [21, blocks],
    [7, 15, blocks],
    [5, 6, blocks],
  ]));
