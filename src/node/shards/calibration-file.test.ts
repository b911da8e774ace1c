import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CalibrationView } from '../../server/index.ts';
import { identityOf } from '../../swarm/records/testing/samples.ts';
import { keepCalibrations, readCalibrations } from './calibration-file.ts';
import { msPerBlockOf } from './machine.ts';

const of = (model: string, at: number, msPerBlock: number): CalibrationView => ({
  ...{ model: model.repeat(64), modelId: `m-${model}`, at, device: 'CPU', threads: 1, blocks: [0, 4] },
  ...{ blockBytes: 1000, msPerBlock, promptRowsPerSecond: 900, loadMsPerBlock: 3, fitting: 6, cells: 256 },
  together: [{ rows: 1, ms: msPerBlock }],
});
const shape = { blockBytes: [2000, 4000], kvBytesPerCell: 1 };

test('the newest measurement of each model and way is kept, and a block that was not measured goes by its bytes', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kith-calibration-'));
  try {
    assert.deepEqual(await readCalibrations(home), { models: [], ways: [] });
    const { peerId: peer } = identityOf(1);
    await keepCalibrations(home, {
      models: [of('a', 1, 5)],
      ways: [{ peer, at: 1, rttMs: 3, bytesPerSecond: null }],
    });
    await keepCalibrations(home, { models: [of('b', 2, 7)] });
    await keepCalibrations(home, { models: [of('a', 3, 6)] });
    const kept = await readCalibrations(home);
    assert.deepEqual(
      kept.models.map(({ modelId, at, msPerBlock }) => [modelId, at, msPerBlock]),
      [
        ['m-a', 3, 6],
        ['m-b', 2, 7],
      ],
    );
    assert.deepEqual(kept.ways, [{ peer, at: 1, rttMs: 3, bytesPerSecond: null }]);
    assert.equal(msPerBlockOf(kept, 'b'.repeat(64), shape, 9), 7);
    assert.equal(msPerBlockOf(kept, 'c'.repeat(64), shape, 9), 9);
    // Three times the bytes of a block of the newest.
    assert.equal(msPerBlockOf(kept, 'c'.repeat(64), shape, null), 18);
    assert.equal(msPerBlockOf({ models: [], ways: [] }, 'c'.repeat(64), shape, null), 20);
  } finally {
    await rm(home, { recursive: true });
  }
});

test('a file that is damaged, or of another version, counts as none', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kith-calibration-'));
  try {
    await mkdir(join(home, 'shards'));
    for (const text of ['{', '[]', '{"version":2,"models":[],"ways":[]}', 'x'.repeat(300_000)]) {
      await writeFile(join(home, 'shards', 'calibration.json'), text);
      assert.deepEqual(await readCalibrations(home), { models: [], ways: [] });
    }
    await keepCalibrations(home, { models: [of('a', 1, 5)] });
    assert.equal((await readCalibrations(home)).models.length, 1);
  } finally {
    await rm(home, { recursive: true });
  }
});
