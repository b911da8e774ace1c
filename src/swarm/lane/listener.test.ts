import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { helloOf } from './agreement.ts';
import { createLaneIdentity } from './certificate.ts';
import { LaneListener } from './listener.ts';

test('who leaves in the middle of the handshake holds its place no longer', async () => {
  const identity = createLaneIdentity();
  const listener = new LaneListener({
    identity: () => identity,
    port: 0,
    random: createSeededRandom(7),
    now: () => performance.now(),
    refusedOne: () => {},
  });
  const sockets: Socket[] = [];
  const given = Promise.withResolvers<string>();
  /** One that brings its ticket and does not begin the handshake. */
  const come = async (peer: string, leaves: boolean) => {
    const { port, ticket } = await listener.expect('127.0.0.1', {
      ...{ peer, addresses: ['127.0.0.1'], fingerprint: identity.fingerprint },
      arrived: () => assert.fail(),
      missed: () => given.resolve(peer),
    });
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket.on('error', () => {}));
    socket.write(helloOf(ticket), () => {
      if (leaves) socket.end();
    });
  };
  try {
    await come('stays', false);
    await come('leaves', true);
    assert.equal(await given.promise, 'leaves');
    assert.equal(listener.expected('stays'), 1);
  } finally {
    listener.close();
    for (const socket of sockets) socket.destroy();
  }
});
