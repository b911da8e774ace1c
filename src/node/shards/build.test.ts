/** How a node names what computes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { createEngine } from '../../engine/index.ts';
import { buildOf } from './build.ts';

test('what computes is named alike by engines that are, and otherwise where anything that rounds differs', async () => {
  const parts = { threads: 1, device: 'cpu', log: silentLogger, clock: systemClock } as const;
  await using one = createEngine({ ...parts, random: systemRandom });
  await using other = createEngine({ ...parts, random: systemRandom });
  const [here, there] = await Promise.all([one.devices(), other.devices()]);
  const build = buildOf(here, 'f16');
  assert.match(build, /^v\S+ \w+-\w+ .+ [0-9a-f]{12} kv f16 threads 1$/);
  assert.equal(build, buildOf(there, 'f16'));
  const others = [
    buildOf(here, 'q8_0'),
    buildOf({ ...here, threads: 2 }, 'f16'),
    buildOf({ ...here, release: 'v0.0.1' }, 'f16'),
    buildOf({ ...here, cpuFeatures: here.cpuFeatures.slice(1) }, 'f16'),
    buildOf({ ...here, repack: !here.repack }, 'f16'),
  ];
  assert.equal(new Set([build, ...others]).size, 6);
});

test('of what another device computes no bits are promised', () => {
  const gpu = { name: 'CUDA0', kind: 'gpu', description: 'a card', backend: 'CUDA' } as const;
  const devices = [{ ...gpu, memoryFree: 0, memoryTotal: 0 }];
  const named = {
    active: 'CUDA0 (a card)',
    threads: 1,
    devices,
    release: 'v1.0.0',
    cpuFeatures: [],
    repack: true,
  };
  assert.equal(buildOf(named, 'f16'), '');
});
