import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { Observed } from './observed.ts';

const OURS = '/ip4/45.83.0.101/tcp/51234';
const tell = (
  observed: Observed,
  from: string,
  seen: string | undefined,
  direction: Connection['direction'] = 'outbound',
) =>
  observed.onIdentify({
    connection: { direction, remoteAddr: multiaddr(from) } as Connection,
    ...(seen !== undefined && { observedAddr: multiaddr(seen) }),
  });
const peer = (number: number) => `/ip4/45.83.1.${number}/tcp/4001`;

test('what three peers at different addresses say, and most of all, is the address of this node', () => {
  const observed = new Observed();
  assert.equal(observed.agreed(), null);
  tell(observed, peer(1), OURS);
  tell(observed, peer(2), OURS);
  tell(observed, '/ip4/45.83.1.2/tcp/9999', OURS);
  assert.equal(observed.agreed(), null, 'two peers at one address are one observer');
  tell(observed, peer(3), '/ip4/45.83.0.101/tcp/7');
  assert.equal(observed.agreed(), '45.83.0.101', 'the port does not count');
  for (const number of [4, 5, 6]) tell(observed, peer(number), '/ip4/6.6.6.6/tcp/1');
  assert.equal(observed.agreed(), null, 'half of them are not most');
});

test('who dials this node, is near it, relays, or tells a private address, is no observer', () => {
  const observed = new Observed();
  for (const number of [1, 2, 3]) {
    tell(observed, peer(number), OURS, 'inbound');
    tell(observed, `/ip4/192.168.1.${number}/tcp/4001`, OURS);
    tell(observed, `${peer(number)}/p2p-circuit`, OURS);
    tell(observed, peer(number), '/ip4/10.0.0.7/tcp/1');
    tell(observed, peer(number), undefined);
  }
  assert.equal(observed.agreed(), null);
});

test('the newest sixty-four observers count', () => {
  const observed = new Observed();
  for (let i = 0; i < 200; i++) tell(observed, `/ip4/45.84.${i}.1/tcp/1`, '/ip4/6.6.6.6/tcp/1');
  for (let i = 0; i < 33; i++) tell(observed, `/ip4/45.85.${i}.1/tcp/1`, OURS);
  assert.equal(observed.agreed(), '45.83.0.101');
});
