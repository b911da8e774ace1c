import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortedError, KithError } from '../base/index.ts';
import type { PeerNetwork } from './swarm-asking.ts';
import { watchVault } from './vault-watch.ts';

test('calls of the vault are counted by what came of them, and no others; the network is the same', async () => {
  const answers: (Error | Uint8Array)[] = [
    ...[new Uint8Array(7), new Uint8Array(5), new Uint8Array(100)],
    ...[
      new KithError('storage_quota', 'Full.'),
      new AbortedError(),
      new KithError('swarm_timeout', 'Late.'),
      new Error('Other.'),
    ],
  ];
  const network = {
    self: 'me',
    looking: null as string | null,
    swarm: {
      state: 'running',
      async call() {
        const answer = answers.shift()!;
        if (answer instanceof Error) throw answer;
        return { metadata: {}, payload: answer };
      },
    },
  };
  const { peers, fault, figures } = watchVault(network as unknown as PeerNetwork);
  const ask = (op: string, bytes = 0, method = '/kith/vault/1') =>
    peers.swarm.call('eve', method, { op }, new Uint8Array(bytes)).catch(() => undefined);
  await ask('get');
  await ask('get', 3);
  await ask('list', 50, '/kith/other/1');
  for (const op of ['put', 'get', 'get', 'get']) await ask(op, 10);
  fault('missing');
  fault('missing');
  assert.deepEqual(figures(), {
    calls: [
      { op: 'get', outcome: 'answered', count: 2 },
      { op: 'put', outcome: 'refused', count: 1 },
      { op: 'get', outcome: 'ended', count: 1 },
      { op: 'get', outcome: 'failed', count: 2 },
    ],
    faults: { missing: 2 },
    ...{ bytesIn: 12, bytesOut: 43 },
  });
  network.looking = 'now';
  assert.deepEqual([peers.self, peers.looking, peers.swarm.state], ['me', 'now', 'running']);
});
