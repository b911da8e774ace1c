import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PeerId } from '@libp2p/interface';
import type { Tier } from '../../trust/index.ts';
import { swarmOnLoopback, until } from '../testing/nodes.ts';
import type { Swarm } from '../types.ts';
import type { Node } from './config.ts';
import { settleLimit } from './relay-limits.ts';

test('the limit of a reservation is lifted for who is trusted, and comes back with the trust gone', async () => {
  const limit = { data: 131_072n };
  const reservation: { limit?: object | undefined } = { limit };
  const holder = { toString: () => 'holder' } as PeerId;
  const node = { services: { relay: { reservations: new Map([[holder, reservation]]) } } } as never as Node;
  const settle = (trusted: boolean) => settleLimit(node, holder, async () => trusted);
  await settle(false);
  assert.equal(reservation.limit, limit);
  await settle(true);
  await settle(true);
  assert.equal(reservation.limit, undefined);
  await settle(false);
  assert.equal(reservation.limit, limit);
  // Who has no reservation, or a node that is no relay, changes nothing.
  await settleLimit(node, { toString: () => 'other' } as PeerId, async () => true);
  await settleLimit({ services: {} } as never as Node, holder, async () => true);
  assert.equal(reservation.limit, limit);
});

const tiers = new Map<string, Tier>();
let relay: Swarm;
let dialler: Swarm;
let holder: Swarm;

before(async () => {
  relay = await swarmOnLoopback(61, {
    relay: { serve: { minTier: 'known', unlimitedTier: 'trusted' } },
    gate: { tierOf: (peer) => tiers.get(peer) ?? 'unknown' },
    dht: 'off',
  });
  const use = { relay: { use: [relay.addresses[0]!] }, network: 'public', dht: 'off' } as const;
  [holder, dialler] = await Promise.all([swarmOnLoopback(62, use), swarmOnLoopback(63, { dht: 'off' })]);
});

after(async () => {
  await Promise.all([relay, dialler, holder].map((swarm) => swarm?.[Symbol.asyncDispose]()));
});

test('a relay takes in who has the tier, when it has it, and lifts its bounds by tier at each new link', async () => {
  const over = `${relay.addresses[0]}/p2p-circuit/p2p/${holder.peer}`;
  await until('the holder is linked to the relay', async () => (await holder.links()).length > 0);
  await assert.rejects(dialler.dial(over), 'a stranger has no place at this relay');
  assert.ok(!holder.addresses.includes(over));

  tiers.set(holder.peer, 'known');
  await until('it asks again, and has a place', () => holder.addresses.includes(over));
  // The link over which it was given a place may just have been replaced by another.
  const joined = async () => {
    let link = null as Awaited<ReturnType<Swarm['dial']>> | null;
    await until('the relay joins the two', async () => {
      link = await dialler.dial(over).catch(() => null);
      return link !== null;
    });
    return link!;
  };
  const bounded = await joined();
  assert.deepEqual([bounded.path, bounded.limited], ['relay', true]);
  await dialler.disconnect(holder.peer);

  tiers.set(holder.peer, 'trusted');
  const free = await joined();
  assert.deepEqual([free.path, free.limited], ['relay', false]);
});
