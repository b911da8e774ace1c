import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../base/index.ts';
import { isPath } from '../../shards/index.ts';
import { identityOf, MODEL, recordOf } from '../../swarm/records/testing/samples.ts';
import { registryFor } from '../../swarm/registry/testing/registries.ts';
import { pathChoice } from './path-choice.ts';

const [front, one, other] = [1, 2, 3].map((number) => identityOf(number).peerId) as [string, string, string];

/** Three friends: one with the first half, two with the second; `far` is how far each is from this node, ms. */
function choiceOf(far: readonly [number, number, number]) {
  const { registry, clock } = registryFor();
  for (const [index, blocks] of ([[[0, 4]], [[4, 8]], [[4, 8]]] as const).entries())
    assert.ok(registry.offer(recordOf(identityOf(index + 1), { blocks })).ok);
  const flags = { 'swarm.friends': [front, one, other].join(',') };
  const { config } = resolveConfig({ home: '/nowhere', env: {}, flags });
  const choice = pathChoice(
    {
      ...{ config, registry, clock },
      swarm: { addresses: [] } as never,
      trust: {} as never,
      views: { standing: () => ({ tier: 'known', score: 0, pledge: false }), latencyMs: () => null },
    },
    () => [],
  );
  for (const [index, peer] of [front, one, other].entries()) choice.measured(peer, far[index]!);
  const query = {
    ...{ model: MODEL, span: { from: 0, to: 8 }, cells: 64 },
    ...{ requirements: {}, via: null, exclude: new Set<string>() },
  };
  const planned = () => {
    const { plan } = choice.choose(query);
    assert.ok(isPath(plan));
    return plan.shards.map(({ peer, linkMs }) => [peer, linkMs] as const);
  };
  const inPlace = (lost: string) =>
    choice.substitute(query, { from: 4, to: 8 }, new Set([lost]))?.map(({ peer }) => peer);
  return { choice, query, planned, inPlace };
}

test('the path goes by the ways between peers that they said last', () => {
  const { choice, planned, inPlace } = choiceOf([40, 40, 50]);
  // By way of this node.
  assert.deepEqual(planned()[1], [one, 40.5]);
  choice.onLink(front, other, 12);
  assert.deepEqual(planned()[1], [other, 6.5]);
  // No nearer to each other than their ways to this node allow.
  choice.onLink(front, other, 0);
  assert.deepEqual(planned()[1], [other, 5.5]);
  choice.onLink(front, one, 2);
  assert.deepEqual(planned()[1], [one, 1.5]);
  assert.deepEqual(inPlace(one), [other]);
});

test('who was lost a moment ago is asked again for a new answer when nobody else is there, and never in the place of another', () => {
  const { choice, query, planned, inPlace } = choiceOf([40, 40, 50]);
  const peers = (alsoLost: boolean) => {
    const { plan } = choice.choose({ ...query, alsoLost });
    return isPath(plan) ? plan.shards.map(({ peer }) => peer) : null;
  };
  choice.onTrouble(one, 'lost', null);
  assert.equal(planned()[1]![0], other);
  choice.onTrouble(other, 'lost', null);
  assert.equal(peers(false), null);
  assert.deepEqual(peers(true), [front, one]);
  assert.ok(choice.covers(query));
  assert.equal(inPlace(one), undefined);
});
