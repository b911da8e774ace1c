/** Measuring blocks: with a real engine, and some blocks of a model on the disk. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { resolveConfig, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createModelStore, listOfFile } from '../../src/models/index.ts';
import { calibrate, openEngineRooms } from '../../src/node/index.ts';
import { testModel } from '../models/index.ts';

test('blocks that are on the disk are measured, though the rest of the model is not', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kith-calibrate-'));
  const file = await testModel('stories15m-f16');
  try {
    let sha256: string;
    {
      const whole = await mkdtemp(join(tmpdir(), 'kith-calibrate-'));
      await using source = createModelStore({ home: whole });
      const { manifest } = await source.add(file, { id: 'stories', link: true, task: 'chat' });
      sha256 = manifest.sha256;
      await using store = createModelStore({ home });
      const uri = pathToFileURL(file).href;
      await store.adopt({ ...manifest, sources: [{ parts: [uri] }] });
      const list = await listOfFile(file, sha256);
      await store.ensureBlocks('stories', { from: 3, to: 5 }, { list, download: true });
      await rm(whole, { recursive: true });
    }
    const flags = {
      'engine.threads': 1,
      'engine.device': 'cpu',
      'engine.context': 256,
      'engine.kvCells': 512,
    };
    const { config } = resolveConfig({ home, flags, env: {} });
    await using rooms = await openEngineRooms(config, silentLogger);
    const parts = {
      config,
      engine: rooms.engine,
      models: rooms.store,
      clock: systemClock,
      random: systemRandom,
    };
    const figures = await calibrate(parts, 'stories', new AbortController().signal);
    assert.deepEqual([figures.model, figures.blocks, figures.cells], [sha256, [3, 5], 512]);
    assert.deepEqual(
      figures.together.map(({ rows }) => rows),
      // 16 sessions have no room in 512 cells.
      [1, 4, 8],
    );
    assert.equal(figures.together[0]!.ms, figures.msPerBlock);
    assert.ok(figures.msPerBlock > 0 && figures.promptRowsPerSecond > 0);
    assert.equal(figures.fitting, 6);
    assert.deepEqual(rooms.engine.models(), []);
  } finally {
    await rm(home, { recursive: true });
  }
});
