/** What is found of a hop by what it and its neighbours show. The shards are witnesses as in a session; some of them lie. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { RowLog } from '../row-log.ts';
import type { Step } from '../wire/messages.ts';
import { claimOf } from './gather.ts';
import { Trail } from './trail.ts';
import type { AuditedPath } from './types.ts';
import { Witness } from './witness.ts';

const WIDTH = 8;
const CELLS = 32;

interface Lies {
  /** What the shard shows that it sent, in the place of what it sent. */
  readonly shows?: (rows: Float32Array) => Float32Array;
  /** What it says that it received. */
  readonly got?: (rows: Float32Array) => Float32Array;
  readonly hides?: boolean;
}

/** Three shards, each of which doubles its rows, after 3 steps of one sequence. */
function scene(lies: Readonly<Record<string, Lies>> = {}) {
  const trail = new Trail({ cells: CELLS, width: WIDTH, random: createSeededRandom(1) });
  const shards = ['a', 'b', 'c'].map((peer, k) => ({ peer, addresses: [], from: 2 * k, to: 2 * k + 2 }));
  const sides = new Map(
    shards.map(({ peer }) => [
      peer,
      {
        witness: new Witness({ cells: CELLS, width: WIDTH, build: 'x' }),
        log: new RowLog({ cells: CELLS, width: WIDTH }),
      },
    ]),
  );
  let start = 0;
  for (const [i, count] of [6, 1, 1].entries()) {
    const cells = Int32Array.from({ length: count }, (_, at) => start + at);
    const part = { start, count, after: start - 1, cells, outputs: 'all' as const };
    let hidden: Float32Array = Float32Array.from({ length: count * WIDTH }, (_, at) => Math.sin(start + at));
    const step: Step = { n: i + 1, replay: false, parts: [part], hidden };
    trail.sent(step);
    for (const [peer, { witness, log }] of sides) {
      const lie = lies[peer] ?? {};
      witness.came({ ...step, hidden: lie.got?.(hidden) ?? hidden });
      hidden = hidden.map((value) => value * 2);
      log.record({ ...step, hidden: lie.shows?.(hidden) ?? hidden });
    }
    trail.came(i + 1, hidden);
    start += count;
  }
  const path: AuditedPath = {
    span: { from: 0, to: 6 },
    cells: CELLS,
    closed: false,
    shards: () => shards,
    async show(peer, written, rows) {
      const { witness, log } = sides.get(peer)!;
      const shown = witness.show({ id: 1, ...written, rows }, log);
      return lies[peer]?.hides === true ? { ...shown, has: false } : shown;
    },
    refuse: () => true,
  };
  const find = (peer: string, joined: Readonly<Record<string, number>> = {}) =>
    claimOf(path, trail, trail.strand(start - 1, 64)!, peer, (one) => joined[one] ?? 0);
  return { find, trail };
}
const other = (rows: Float32Array) => rows.map((value) => value * 1.01);

test('of honest shards each claim is what came and what went, in the passes that there were', async () => {
  const { find } = scene();
  for (const [k, peer] of ['a', 'b', 'c'].entries()) {
    const found = await find(peer);
    assert.ok(found.kind === 'claim');
    assert.deepEqual(found.links, []);
    assert.deepEqual(
      found.claim.pieces.map(({ count }) => count),
      [6, 1, 1],
    );
    assert.equal(found.claim.input[1], Math.fround(Math.sin(1)) * 2 ** k);
    assert.deepEqual(
      found.claim.output,
      found.claim.input.map((value) => value * 2),
    );
  }
});

test('a shard that shows other rows than it sent puts the link in dispute, and not the next one in its place', async () => {
  const { find } = scene({ a: { shows: other } });
  const [own, next] = [await find('a'), await find('b')];
  assert.deepEqual(own.links, [['a', 'b']]);
  assert.deepEqual([next.kind, next.links], ['nothing', [['a', 'b']]]);
});

test('a shard that says it received something else does the same, and is found out where this node sent it', async () => {
  const middle = await scene({ b: { got: other } }).find('b');
  assert.deepEqual([middle.kind, middle.links], ['nothing', [['a', 'b']]]);
  assert.equal((await scene({ a: { got: other } }).find('a')).kind, 'denied');
});

test('a shard that shows nothing withholds; that its neighbour does is not its fault', async () => {
  assert.equal((await scene({ b: { hides: true } }).find('b')).kind, 'withheld');
  assert.equal((await scene({ a: { hides: true } }).find('b')).kind, 'nothing');
  const last = await scene({ c: { hides: true } }).find('b');
  assert.deepEqual([last.kind, last.links], ['claim', []]);
});

test('a shard answers for no rows that came of its place before it stood there', async () => {
  const last = await scene().find('c', { c: 1 });
  assert.ok(last.kind === 'claim');
  assert.deepEqual([last.claim.at, last.claim.build], [[6, 7], '']);
  assert.equal((await scene().find('c', { c: 3 })).kind, 'nothing');
});

test('rows of one that took a place may differ from those that its neighbours had of the one before', async () => {
  const lies = { a: { shows: other } };
  const next = await scene(lies).find('b', { a: 3 });
  assert.deepEqual([next.kind, next.links], ['nothing', []]);
  assert.deepEqual((await scene(lies).find('a', { a: 3 })).links, []);
});

test('when the cells were written again nobody is asked to answer for them', () => {
  const { trail } = scene();
  const strand = trail.strand(7, 64)!;
  const cells = Int32Array.of(3);
  trail.sent({
    n: 9,
    parts: [{ start: 0, count: 1, after: -1, cells, outputs: 'all' }],
    hidden: new Float32Array(WIDTH),
  });
  assert.equal(trail.isLive(strand), false);
  assert.equal(trail.strand(7, 64), null);
});
