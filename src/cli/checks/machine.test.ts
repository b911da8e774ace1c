import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkKnowledge } from './machine.ts';

const root = await mkdtemp(join(tmpdir(), 'kith-doctor-'));
after(() => rm(root, { recursive: true, force: true }));

test('a folder of knowledge bases that others see is told, and left as its owner made it', {
  skip: process.platform === 'win32',
}, async () => {
  const wide = join(root, 'wide');
  const own = join(root, 'own');
  await mkdir(wide, { mode: 0o755 });
  await mkdir(own, { mode: 0o700 });
  const told = await checkKnowledge(wide);
  assert.equal(told.status, 'warn');
  assert.match(told.message, /open to other users \(mode 755\)/);
  assert.equal((await stat(wide)).mode & 0o777, 0o755);
  assert.equal((await checkKnowledge(own)).status, 'ok');
  assert.equal((await checkKnowledge(join(root, 'none'))).status, 'ok');
});
