import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundleName, entryBeside } from './entry.ts';

const room = (file: string) => new URL(`../engine/process/${file}`, import.meta.url);

test('an entry is the file beside who starts it, in the sources and in the build', (t) => {
  t.mock.property(process, 'env', {});
  assert.equal(entryBeside('./child', room('spawn.ts').href).href, room('child.ts').href);
  assert.equal(entryBeside('./child', room('spawn.js').href).href, room('child.js').href);
});

test('bundles are taken where there are any', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-entries-'));
  t.after(() => rmSync(folder, { recursive: true }));
  t.mock.property(process, 'env', { KITH_DEV_ENTRIES: folder });
  const bundle = join(folder, `${bundleName(join('engine', 'process', 'child.ts'))}.mjs`);
  assert.equal(entryBeside('./child', room('spawn.ts').href).href, room('child.ts').href);
  writeFileSync(bundle, '');
  assert.equal(entryBeside('./child', room('spawn.ts').href).href, pathToFileURL(bundle).href);
});
