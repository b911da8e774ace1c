import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { isKithError } from '../base/index.ts';
import { BarePeer, swarmOnLoopback, until } from './testing/nodes.ts';

// A name without a slash, as Hivemind has them.
const PROTOCOL = 'Echo.rpc_say';

const one = await swarmOnLoopback(81);
const other = await swarmOnLoopback(82);
after(async () => {
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const says = (text: RegExp) => (error: unknown) => isKithError(error) && text.test(error.message);

test('a peer is asked once and answers once, in a protocol that is not ours', async () => {
  const asked: [string, number][] = [];
  await using _handler = await other.handleForeign(PROTOCOL, {
    maxRequestBytes: 300_000,
    answer(peer, data) {
      asked.push([peer, data.length]);
      return data.length === 3 ? null : data.map((byte) => byte ^ 1);
    },
  });
  await assert.rejects(one.askForeign(other.peer, PROTOCOL, Uint8Array.of(1)), says(/No address of it/));
  const addresses = [other.addresses[0]!.replace(/\/p2p\/.*/, '')];
  assert.deepEqual(
    await one.askForeign(other.peer, PROTOCOL, Uint8Array.of(0, 1), { addresses }),
    Uint8Array.of(1, 0),
  );
  // A link stands now. Both the least and more than a packet pass.
  assert.deepEqual(await one.askForeign(other.peer, PROTOCOL, new Uint8Array(0)), new Uint8Array(0));
  const large = new Uint8Array(300_000).fill(2);
  assert.deepEqual(await one.askForeign(other.peer, PROTOCOL, large), large.fill(3));
  await assert.rejects(one.askForeign(other.peer, PROTOCOL, new Uint8Array(3)), says(/reset|ended|abort/i));
  await assert.rejects(
    one.askForeign(other.peer, PROTOCOL, large, { maxReplyBytes: 299_999 }),
    says(/300000 bytes passes the limit of 299999/),
  );
  await assert.rejects(one.askForeign(other.peer, 'Echo.rpc_none', large), says(/rpc_none/));
  assert.deepEqual(
    asked,
    [2, 0, 300_000, 3, 300_000].map((length) => [one.peer, length]),
  );
  await assert.rejects(other.handleForeign(PROTOCOL, { answer: () => null }), says(/has a handler already/));
});

test('who tells a length over the bound is cut before any of it is kept, and loses standing', async () => {
  const handled: number[] = [];
  await using _handler = await other.handleForeign(PROTOCOL, {
    maxRequestBytes: 1000,
    answer(_peer, data) {
      handled.push(data.length);
      return data;
    },
  });
  await using hostile = await BarePeer.start(83);
  const connection = await hostile.node.dial(multiaddr(other.addresses[0]!));
  const before = other.counters().misbehaviours;
  for (const head of [
    [0xe9, 0x07],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  ]) {
    const stream = await connection.newStream(PROTOCOL);
    let closed = false;
    stream.addEventListener('close', () => {
      closed = true;
    });
    stream.send(Uint8Array.from(head));
    await until('the stream is cut', () => closed);
  }
  await until('both were counted', () => other.counters().misbehaviours === before + 2);
  assert.deepEqual(handled, []);
  assert.equal(other.counters().bytesInFlight, 0);
});
