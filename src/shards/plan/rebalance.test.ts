import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockSpan } from '../types.ts';
import { considerMove, NO_MEMORY, REBALANCE_LIMITS, type RebalanceRequest } from './rebalance.ts';
import { rateOf, type ServedBlocks } from './strength.ts';

const model = { blockBytes: new Array<number>(12).fill(1), kvBytesPerCell: 0 };
const served = (peer: string, from: number, to: number, tokensPerSecond: number | null = 100) => ({
  peer,
  ranges: [{ from, to }] as const,
  tokensPerSecond,
});
const request = (
  { from, to }: BlockSpan,
  others: readonly ServedBlocks[],
  memoryBytes = 4,
): RebalanceRequest => ({
  name: 'm',
  model,
  node: { self: 'me', memoryBytes, cells: 1, msPerBlock: 2 },
  serving: { peer: 'me', ranges: [{ from, to }], tokensPerSecond: rateOf(to - from, 2) },
  others,
});
const decide = (asked: RebalanceRequest, now = 1e9, memory = NO_MEMORY) => considerMove(asked, memory, now);
const span = (from: number, to: number) => ({ from, to });

test('a gap that a move closes without opening another is closed, in its turn', () => {
  const others = [served('a', 0, 4), served('b', 0, 8)];
  const asked = request(span(4, 8), others);
  let { decision, memory } = decide(asked);
  // Two others could do it as well: who comes first is drawn.
  if (decision.kind === 'wait') {
    assert.ok(decision.at <= 1e9 + 2 * REBALANCE_LIMITS.turnMs);
    ({ decision, memory } = decide(asked, decision.at, memory));
  }
  assert.equal(decision.kind, 'move');
  assert.deepEqual(decision.kind === 'move' && decision.to, span(8, 12));
  // Somebody announced meanwhile that he closes it.
  const closed = decide(request(span(4, 8), [...others, served('c', 8, 12)]));
  assert.equal(closed.decision.kind, 'stay');
});

test('the only one who has a block does not leave it for a gap as large', () => {
  const { decision } = decide(request(span(0, 4), [served('a', 4, 8)]));
  assert.equal(decision.kind, 'stay');
  assert.match(decision.kind === 'stay' ? decision.reason : '', /Nobody serves blocks 8 to 11, and no move/);
});

test('a smaller gap is opened only when the larger one has lasted', () => {
  const asked = request(span(6, 10), [served('a', 0, 4), served('b', 3, 7)]);
  const { decision, memory } = decide(asked);
  assert.equal(decision.kind, 'wait');
  // First what closes some without opening any: blocks 7 to 10 are this node's alone.
  assert.deepEqual(decision.kind === 'wait' && decision.to, span(7, 11));
  const tight = request(span(7, 11), [served('a', 0, 4), served('b', 4, 8), served('c', 7, 8)], 4);
  const next = decide(tight);
  assert.equal(next.decision.kind, 'wait');
  assert.deepEqual(next.decision.kind === 'wait' && next.decision.to, span(8, 12));
  assert.ok(memory.wish !== null);
});

test('a stronger weakest block has to be stronger by the threshold', () => {
  const others = (rate: number) => [served('a', 0, 6, 500), served('b', 6, 12, rate), served('c', 0, 6, 500)];
  assert.equal(decide(request(span(0, 4), others(900))).decision.kind, 'stay');
  const weak = decide(request(span(0, 6), others(10), 6)).decision;
  assert.notEqual(weak.kind, 'stay');
  assert.deepEqual(weak.kind !== 'stay' && weak.to, span(6, 12));
});

test('a node that moved rests, and twice as long after every further move', () => {
  const asked = request(span(0, 4), [served('a', 0, 12, 10), served('b', 0, 8, 5000)]);
  const at = (moves: number[], now: number) => decide(asked, now, { moves, wish: null }).decision;
  const { restMs } = REBALANCE_LIMITS;
  const once = at([1e9], 1e9 + 1);
  const twice = at([1e9 - 5, 1e9], 1e9 + 1);
  assert.deepEqual(
    [once, twice].map((one) => one.kind === 'wait' && one.at - 1e9),
    [restMs, 2 * restMs],
  );
});

test('of nodes that want the same, at most one has each turn', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const all = names.map((peer) => served(peer, 0, 4));
  const turns = names.map((self) => {
    const asked = {
      ...request(span(0, 4), [...all.filter(({ peer }) => peer !== self), served('far', 4, 8)]),
      node: { self, memoryBytes: 4, cells: 1, msPerBlock: 2 },
    };
    const { decision } = decide({ ...asked, serving: { ...asked.serving, peer: self } });
    return decision.kind === 'wait' ? (decision.at - 1e9) / REBALANCE_LIMITS.turnMs : 0;
  });
  assert.deepEqual(turns.toSorted(), [0, 1, 2, 3, 4]);
});
