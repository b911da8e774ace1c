import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveConfig } from '../../base/index.ts';
import { checkKbNames } from './names.ts';
import { openRegistry } from './registry.ts';

test('a name that no knowledge base has is refused with those there are, while another process has the list open', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kith-names-'));
  try {
    const { knowledge } = resolveConfig({ env: { KITH_HOME: home } }).config;
    const config = { home, knowledge };
    await assert.rejects(checkKbNames(config, ['notes']), {
      code: 'kb_unknown',
      message: /none yet.*rag init/,
    });
    using registry = openRegistry(join(home, 'knowledge', 'registry.sqlite'));
    for (const name of ['notes', 'letters']) registry.add({ name, path: join(home, name), made: 1 });
    await checkKbNames(config, ['letters', 'notes']);
    await assert.rejects(checkKbNames(config, ['notes', 'nope']), {
      code: 'kb_unknown',
      message: /'nope'.*: letters, notes\./,
    });
  } finally {
    await rm(home, { recursive: true });
  }
});
