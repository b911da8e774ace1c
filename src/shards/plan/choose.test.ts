import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { BlockSpan } from '../types.ts';
import { bytesOf, type Choice, chooseRange, type NodeMeans } from './choose.ts';
import { blockRates, rateOf, type ServedBlocks, strengthOf } from './strength.ts';

const MiB = 2 ** 20;
/** 8 blocks of 10 MiB; a KV cell takes 1 KiB in each. */
const model = { blockBytes: new Array<number>(8).fill(10 * MiB), kvBytesPerCell: 1024 };
const node = (more: Partial<NodeMeans> = {}): NodeMeans => ({
  self: 'me',
  memoryBytes: 44 * MiB,
  cells: 1024,
  msPerBlock: 2,
  ...more,
});
const served = (peer: string, from: number, to: number, tokensPerSecond: number | null = 100) => ({
  peer,
  ranges: [{ from, to }],
  tokensPerSecond,
});
const chosen = (others: readonly ServedBlocks[], more: Partial<NodeMeans> = {}): Choice =>
  chooseRange({ model, node: node(more), others });

test('a gap is closed before anything else, with no block more than it needs', () => {
  const choice = chosen([served('a', 0, 2, 1000), served('b', 4, 8, 1000)]);
  assert.deepEqual(choice.span, { from: 2, to: 4 });
  assert.deepEqual(choice.before.gaps, [{ from: 2, to: 4 }]);
  assert.deepEqual(choice.after.gaps, []);
  assert.equal(choice.tokensPerSecond, 250);
  assert.match(choice.reasons.join(' '), /4 of 8 blocks fit.*Nobody serves blocks 2 to 3\. With this node/);
});

test('where all is served the weakest stretch is strengthened', () => {
  const choice = chosen([served('a', 0, 5, 50), served('b', 5, 8, 10)], { mostBlocks: 3 });
  assert.deepEqual(choice.span, { from: 5, to: 8 });
  assert.equal(choice.before.least, 10);
  assert.equal(choice.after.least, 50);
  assert.match(choice.reasons.join(' '), /weakest stretch is blocks 5 to 7 with 10 tokens a second/);
});

test('newcomers to an empty swarm who come at once take whole parts of the model, and not all the same', () => {
  const spans = Array.from({ length: 20 }, (_, i) => chosen([], { self: `node ${i}` }).span!);
  const starts = new Set(spans.map(({ from }) => from));
  assert.deepEqual([...starts].sort(), [0, 4]);
  assert.ok(spans.every(({ from, to }) => to === from + 4));
  assert.deepEqual(chosen([], { self: 'node 3' }).span, spans[3]);
});

test('blocks that are on the disk decide between ranges that are as good', () => {
  for (const from of [0, 4])
    for (const self of ['a', 'b', 'c', 'd'])
      assert.equal(chosen([], { self, onDisk: [{ from, to: from + 1 }] }).span!.from, from);
});

test('a node too small for a block serves none and says what a block takes', () => {
  const choice = chosen([], { memoryBytes: 5 * MiB });
  assert.equal(choice.span, null);
  assert.match(choice.reasons[0]!, /No block fits/);
});

test('peers that say no rate count as slow ones', () => {
  const choice = chosen([served('a', 0, 4, null), served('b', 4, 8, 100)]);
  assert.deepEqual(choice.span, { from: 0, to: 4 });
  assert.equal(choice.before.least, rateOf(4, 20));
});

test('no other range that fits leaves fewer gaps, or a stronger weakest block', () => {
  const spans = fc
    .tuple(fc.nat(9), fc.nat(9))
    .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) + 1 }));
  const input = fc.record({
    bytes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 }),
    memoryBytes: fc.integer({ min: 1, max: 60 }),
    msPerBlock: fc.integer({ min: 1, max: 9 }),
    others: fc.array(fc.record({ span: spans, rate: fc.option(fc.integer({ min: 1, max: 90 })) })),
    keep: fc.option(fc.nat(9), { nil: undefined }),
  });
  fc.assert(
    fc.property(input, ({ bytes, memoryBytes, msPerBlock, others, keep }) => {
      const shape = { blockBytes: bytes, kvBytesPerCell: 1 };
      const means = { self: 'me', memoryBytes, cells: 1, msPerBlock };
      const serving = others.map(({ span, rate }, i) => served(`${i}`, span.from, span.to, rate));
      const must = keep === undefined || keep >= bytes.length ? [] : [{ from: keep, to: keep + 1 }];
      const choice = chooseRange({ model: shape, node: means, others: serving, keep: must });
      const after = ({ from, to }: BlockSpan) => {
        const own = served('me', from, to, rateOf(to - from, msPerBlock));
        const strength = strengthOf(blockRates([...serving, own], bytes.length));
        return {
          least: strength.least,
          count: strength.gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0),
        };
      };
      let fits = 0;
      for (let from = 0; from < bytes.length; from++)
        for (let to = from + 1; to <= bytes.length; to++) {
          const span = { from, to };
          if (bytesOf(shape, means, span) > memoryBytes) continue;
          if (must.some((one) => one.from < from || one.to > to)) continue;
          fits++;
          const mine = after(choice.span!);
          const other = after(span);
          assert.ok(mine.count <= other.count);
          if (mine.count === other.count) assert.ok(mine.least >= other.least * (1 - 1e-9));
        }
      if (fits === 0) assert.equal(choice.span, null);
      else assert.ok(bytesOf(shape, means, choice.span!) <= memoryBytes);
    }),
    { numRuns: 200 },
  );
});
