/** A path that goes on at another shard: with the KV rows of the one that leaves, and without them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../swarm/members.ts';
import { type Lab, type LabPeer, loadHalves, newEngine, openLab } from './lab.ts';

let lab: Lab;
let first: LabPeer;
let last: LabPeer;

before(async () => {
  lab = await openLab(90);
  [first, last] = [await lab.startPeer(0, 3), await lab.startPeer(3, 6)];
});
after(() => lab[Symbol.asyncDispose]());

const sampled = { sampler: { temperature: 0.9, seed: 3, topLogprobs: 0 } };

for (const [place, which] of ['first', 'last'].entries()) {
  test(`the ${which} shard leaves in mid-answer: another takes its KV rows, and no token changes`, async () => {
    const leaving = place === 0 ? await lab.startPeer(0, 3) : await lab.startPeer(3, 6);
    const other = place === 0 ? first : last;
    const through = place === 0 ? [leaving, last] : [first, leaving];
    const { path, events } = await lab.overPath(`leaves ${which}`, through, [other]);
    await using _ = path;
    const tokens = await lab.answer(`leaves ${which}`, {}, (count) => {
      if (count === 8) leaving.service.announceLeave(10_000);
    });
    assert.deepEqual(tokens, await lab.answer('whole'));
    await until('the path has moved', () => events.at(-1)?.type === 'moved');
    assert.deepEqual(
      events.map(({ type }) => type),
      ['leaving', 'joined', 'moved'],
    );
    const moved = events.at(-1)!;
    assert.ok(moved.type === 'moved' && moved.cells !== null && moved.cells > 8);
    assert.equal(path.shards()[place]!.peer, other.offer.peer);
    await until('the session is over', () => leaving.service.sessions().length === 0);
    await lab.stopPeer(leaving);
    assert.deepEqual(await lab.answer(`leaves ${which}`, sampled), await lab.answer('whole', sampled));
    assert.equal(events.length, 3);
  });
}

test('after a move the next shard is lost, too: the rows that came along stand in for what the old one sent', async () => {
  const [leaving, dying] = [await lab.startPeer(0, 3), await lab.startPeer(3, 6)];
  const { path, events } = await lab.overPath('then lost', [leaving, dying], [first, last]);
  await using _ = path;
  const tokens = await lab.answer('then lost', {}, async (count) => {
    if (count === 6) {
      assert.equal(await path.move(0, first.offer), true);
      await lab.stopPeer(leaving);
    }
    if (count === 12) await lab.stopPeer(dying);
  });
  assert.deepEqual(tokens, await lab.answer('whole'));
  assert.deepEqual(
    events.map(({ type }) => type),
    ['joined', 'moved', 'lost', 'joined', 'recovered'],
  );
});

test('KV rows of another type are refused, and computed again', async () => {
  await using other = newEngine({ kvType: 'f32' });
  await loadHalves(other);
  const unlike = await lab.startPeer(0, 3, other);
  const { path, events } = await lab.overPath('unlike', [first, last], []);
  await using _ = path;
  await lab.answer('unlike', { maxTokens: 6 }, async (count) => {
    if (count === 4) assert.equal(await path.move(0, unlike.offer), true);
  });
  const moved = events.find(({ type }) => type === 'moved')!;
  assert.ok(moved.type === 'moved' && moved.cells === null);
  assert.equal(path.shards()[0]!.peer, unlike.offer.peer);
  // And back again, to rows of the same type as at first.
  assert.equal(await path.move(0, first.offer), true);
  assert.deepEqual(await lab.answer('unlike'), await lab.answer('whole'));
});

test('the one that is to take over dies, or the one that leaves does: the answer is the same', async () => {
  const doomed = await lab.startPeer(0, 3);
  const { path } = await lab.overPath('dies on the way', [first, last], [first]);
  await using _ = path;
  const tokens = await lab.answer('dies on the way', {}, async (count) => {
    if (count === 5) {
      const moving = path.move(0, doomed.offer).catch(() => false);
      await lab.stopPeer(doomed);
      await moving;
    }
  });
  assert.deepEqual(tokens, await lab.answer('whole'));
  const leaving = await lab.startPeer(3, 6);
  const second = await lab.overPath('dies as it leaves', [first, leaving], [last]);
  await using __ = second.path;
  const others = await lab.answer('dies as it leaves', {}, async (count) => {
    if (count === 7) {
      leaving.service.announceLeave(10);
      await lab.stopPeer(leaving);
    }
  });
  assert.deepEqual(others, await lab.answer('whole'));
});
