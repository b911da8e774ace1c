/** Peers whose connections break: who is gone, who is not, and when they are back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, KithError } from '../../base/index.ts';
import { identityOf, recordOf } from '../../swarm/records/testing/samples.ts';
import { registryFor } from '../../swarm/registry/testing/registries.ts';
import { absenceOf, watchPresence } from './presence.ts';

const peer = identityOf(1).peerId;

/** `lives`: whether the peer answers. */
function swarmOf() {
  const { registry, clock } = registryFor();
  const state = { lives: true, pings: 0 };
  let tell: (peer: string, connected: boolean) => void = () => {};
  const presence = watchPresence({
    ...{ registry, clock, random: createSeededRandom(3) },
    swarm: {
      peer: registry.self,
      learn: async () => {},
      onPeer(listener) {
        tell = listener;
        return { [Symbol.dispose]: () => {} };
      },
      async ping() {
        state.pings++;
        if (!state.lives) throw new KithError('swarm_unreachable', 'Nobody there.', { status: 502 });
        return 1;
      },
    },
  });
  return { registry, clock, presence, state, tell: (connected: boolean) => tell(peer, connected) };
}

test('a peer whose connection broke and who does not answer several times is gone within seconds', async () => {
  const { registry, clock, presence, state, tell } = swarmOf();
  await using _presence = presence;
  assert.ok(registry.offer(recordOf(identityOf(1), { blocks: [[0, 4]] })).ok);
  state.lives = false;
  tell(false);
  await clock.advance(500);
  // One try that fails forgets nobody.
  assert.deepEqual([state.pings, presence.goneSince(peer)], [1, null]);
  const broke = clock.now() - 500;
  await clock.advance(1500);
  assert.equal(presence.goneSince(peer), broke);
  assert.match(absenceOf(presence, peer, clock.now())!, /broke 2 s ago/);
  // It is asked again, and back as soon as it answers.
  state.lives = true;
  await clock.advance(30_000);
  assert.equal(presence.goneSince(peer), null);
  const { pings } = state;
  await clock.advance(120_000);
  assert.equal(state.pings, pings, 'nobody is asked for nothing');
});

test('a peer that answers a new connection was never gone', async () => {
  const { registry, clock, presence, state, tell } = swarmOf();
  await using _presence = presence;
  assert.ok(registry.offer(recordOf(identityOf(1), { blocks: [[0, 4]] })).ok);
  tell(false);
  await clock.advance(10_000);
  assert.deepEqual([state.pings, presence.goneSince(peer)], [1, null]);
});

test('a new connection, or something new that it announces, brings it back at once', async () => {
  const { registry, clock, presence, state, tell } = swarmOf();
  await using _presence = presence;
  assert.ok(registry.offer(recordOf(identityOf(1), { blocks: [[0, 4]] })).ok);
  state.lives = false;
  presence.note(peer, false);
  await clock.advance(2000);
  assert.notEqual(presence.goneSince(peer), null);
  tell(true);
  assert.equal(presence.goneSince(peer), null);
  tell(false);
  await clock.advance(2000);
  assert.notEqual(presence.goneSince(peer), null);
  assert.ok(registry.offer(recordOf(identityOf(1), { blocks: [[0, 4]], seq: clock.now() })).ok);
  assert.equal(presence.goneSince(peer), null);
});

test('who announces no blocks, or not any more, is not asked', async () => {
  const { registry, clock, presence, state, tell } = swarmOf();
  await using _presence = presence;
  state.lives = false;
  tell(false);
  await clock.advance(60_000);
  assert.equal(state.pings, 0);
  assert.ok(registry.offer(recordOf(identityOf(1), { blocks: [[0, 4]], seq: clock.now() })).ok);
  tell(false);
  await clock.advance(700_000);
  const { pings } = state;
  assert.ok(pings > 3 && pings < 60, String(pings));
  assert.equal(presence.goneSince(peer), null, 'its announcement has expired');
  await clock.advance(100_000);
  assert.equal(state.pings, pings);
});
