import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openKnowledgeStore } from '../../src/knowledge/index.ts';

const skip = process.platform === 'win32' ? 'files are limited by a shell of Unix' : false;

test('when no more can be written, what was put before is whole, and goes on once there is room', {
  skip,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-full-'));
  try {
    const path = join(folder, 'kb.sqlite');
    const script = join(import.meta.dirname, 'full-process.ts');
    const put = execFileSync(
      'sh',
      ['-c', `ulimit -f 1200 && exec "$0" "$1" "$2"`, process.execPath, script, path],
      {
        encoding: 'utf8',
      },
    );
    const lines = put.trim().split('\n');
    assert.match(lines.pop()!, /^failed (disk_full|disk_failed)$/);
    assert.ok(lines.length > 2, put);
    using store = openKnowledgeStore({ path });
    assert.deepEqual(
      store.documents({ limit: 1000 }).map((document) => document.path),
      lines.sort(),
    );
    assert.deepEqual(store.check(), []);
    assert.equal(store.remove(lines[0]!), true);
    assert.deepEqual(store.check(), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
