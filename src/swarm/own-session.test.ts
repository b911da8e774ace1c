import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { KithError } from '../base/index.ts';
import { WINDOW_BYTES } from './frames/format.ts';
import { swarmOnLoopback } from './testing/nodes.ts';

const swarm = await swarmOnLoopback(71);
after(() => swarm[Symbol.asyncDispose]());

test('a node has sessions with itself, with messages in order and an end from both sides', async () => {
  using _echo = swarm.handle('test/echo', {
    caps: { minTier: 'trusted' },
    async session(session) {
      for await (const { metadata, payload } of session)
        await session.send(
          { ...metadata, from: session.peer },
          payload.map((byte) => byte + 1),
        );
    },
  });
  const session = await swarm.openSession(swarm.peer, 'test/echo', { why: 'test' });
  for (const n of [1, 2, 3]) await session.send({ n }, Uint8Array.of(n));
  for (const n of [1, 2, 3]) {
    const message = await session.receive();
    assert.deepEqual(message, { metadata: { n, from: swarm.peer }, payload: Uint8Array.of(n + 1) });
  }
  await session.end();
  assert.equal(await session.receive(), null);
  assert.ok(session.signal.aborted);
});

test('what fails in it and what is not there are typed errors as from anybody', async () => {
  using _fails = swarm.handle('test/fails', {
    async session(session) {
      await session.receive();
      throw new KithError('shard_busy', 'Later.', { status: 503, retryAfter: 7 });
    },
  });
  const session = await swarm.openSession(swarm.peer, 'test/fails');
  await session.send({});
  await assert.rejects(session.receive(), { code: 'shard_busy', status: 503, retryAfter: 7 });
  await assert.rejects(swarm.openSession(swarm.peer, 'test/none'), { code: 'swarm_unknown_method' });
});

test('a side that does not read stops the other within the window, and a cancel reaches it', async () => {
  const reading = Promise.withResolvers<void>();
  const over = Promise.withResolvers<unknown>();
  using _slow = swarm.handle('test/slow', {
    async session(session) {
      session.signal.addEventListener('abort', () => over.resolve(session.signal.reason));
      await reading.promise;
      for await (const _ of session);
    },
  });
  const session = await swarm.openSession(swarm.peer, 'test/slow');
  const piece = WINDOW_BYTES / 4;
  let sent = 0;
  const sending = (async () => {
    for (let i = 0; i < 8; i++) {
      await session.send({}, new Uint8Array(piece));
      sent++;
    }
  })();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(sent >= 3 && sent < 8, `${sent} pieces left`);
  reading.resolve();
  await sending;
  session.cancel();
  assert.match(String(await over.promise), /cancelled/);
});
