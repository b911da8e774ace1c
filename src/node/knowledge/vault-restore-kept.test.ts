import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFetched, sweepFetched } from './vault-restore-kept.ts';

test('what a restore fetched is kept for a day, or for as long as its job goes on', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kith-fetched-'));
  try {
    const id = 'ab'.repeat(32);
    const now = Date.now();
    for (const name of ['new', 'old', 'going']) {
      const fetched = await openFetched(home, name);
      assert.equal(await fetched.get(id), null);
      await fetched.put(id, Uint8Array.of(1, 2, 3));
      assert.deepEqual([...(await fetched.get(id))!], [1, 2, 3]);
      if (name !== 'new') await utimes(fetched.folder, (now - 90_000_000) / 1000, (now - 90_000_000) / 1000);
    }
    await sweepFetched(home, new Set(['going']), now);
    assert.deepEqual((await readdir(join(home, 'vault', 'fetched'))).sort(), ['going', 'new']);
    await sweepFetched(join(home, 'nowhere'), new Set(), now);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
