import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock } from '../../base/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import { identityOf } from '../../swarm/records/testing/samples.ts';
import { swarmOnLoopback } from '../../swarm/testing/nodes.ts';
import { answerWays, measureWays, WAY_METHOD } from './ways.ts';

const gate = { tierOf: () => 'trusted' as const };
let here: Swarm;
/** Answers those who measure; the other one does not. */
let peer: Swarm;
let other: Swarm;

before(async () => {
  [here, peer, other] = await Promise.all([
    swarmOnLoopback(41, { gate }),
    swarmOnLoopback(42, { gate }),
    swarmOnLoopback(43, { gate }),
  ]);
  answerWays(peer);
  for (const { peer: id, addresses } of [peer, other]) await here.learn(id, addresses);
});
after(() => Promise.all([here, peer, other].map((swarm) => swarm[Symbol.asyncDispose]())));

test('the ways to peers have a round trip and a rate; who answers no such calls has no rate, and who is gone is left out', async () => {
  const gone = identityOf(9).peerId;
  await here.learn(gone, ['/ip4/127.0.0.1/tcp/9']);
  const { signal } = new AbortController();
  const measured = await measureWays(here, [gone, peer.peer, other.peer], systemClock, silentLogger, signal);
  assert.deepEqual(
    measured.map(({ peer: id }) => id),
    [peer.peer, other.peer],
  );
  const [way, without] = measured as [(typeof measured)[0], (typeof measured)[0]];
  assert.ok(way.rttMs > 0 && way.rttMs < 60_000, `${way.rttMs} ms`);
  assert.ok(way.bytesPerSecond !== null && way.bytesPerSecond > 0 && Number.isFinite(way.bytesPerSecond));
  assert.ok(without.rttMs > 0);
  assert.equal(without.bytesPerSecond, null);
});

test('who is measured gives back as many bytes as came, and takes no more than the measure', async () => {
  const ask = (bytes: number) =>
    here.call(peer.peer, WAY_METHOD, {}, new Uint8Array(bytes), { maxReplyBytes: 1 << 20 });
  assert.equal((await ask(1000)).payload.length, 1000);
  await assert.rejects(ask(256 * 1024 + 1), { code: 'swarm_too_large' });
});

test('measuring ends when whoever asked has left', async () => {
  const leave = new AbortController();
  leave.abort();
  await assert.rejects(measureWays(here, [peer.peer], systemClock, silentLogger, leave.signal));
});
