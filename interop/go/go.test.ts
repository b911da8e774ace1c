import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PAYLOADS, pattern, sha256, startKith } from '../kith.ts';
import { interop } from '../suite.ts';

interop('go', (lab) => {
  test('the peer calls and opens sessions over lanes', async () => {
    const { kith, peer } = lab();
    const to = { peer: kith.swarm.peer, lane: true };
    const { answers } = await peer.ask<{ answers: { bytes: number; sha256: string }[] }>('call', {
      ...to,
      method: 'interop/reverse',
      sizes: PAYLOADS,
    });
    for (const [at, size] of PAYLOADS.entries())
      assert.equal(answers[at]!.sha256, sha256(pattern(size).reverse()));
    const { messages, same } = await peer.ask('session', {
      ...to,
      method: 'interop/mirror',
      sizes: [256 * 1024],
      count: 24,
    });
    assert.deepEqual([messages, same], [24, true]);
  });

  test('they meet in a private network, and only with its key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kith-interop-'));
    try {
      const psk = Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${'5a'.repeat(32)}\n`);
      await writeFile(join(folder, 'network.key'), psk);
      await using member = await startKith({ psk: new Uint8Array(psk) });
      await using one = await lab().start('-psk', join(folder, 'network.key'));
      await member.swarm.dial(one.address);
      assert.equal((await member.swarm.call(one.peer, 'interop/reverse', {}, pattern(3))).metadata.bytes, 3);
      await assert.rejects(lab().peer.ask('dial', { address: member.address }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
