import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitCodeOf } from './commands/status.ts';

test('kith status exits as the table of docs/health.md says', () => {
  const doc = readFileSync(join(import.meta.dirname, '../../docs/health.md'), 'utf8');
  const said = [...doc.matchAll(/^\| `(ok|starting|degraded|stopping)` \|.*\| (\d) \|$/gm)];
  assert.equal(said.length, 4);
  for (const [, status, code] of said) {
    const state = status === 'ok' ? 'ready' : (status as 'starting' | 'degraded' | 'stopping');
    assert.equal(exitCodeOf(state), Number(code), status);
  }
});
