import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { identityOf, MODEL, NOW, recordOf } from '../records/testing/samples.ts';
import { openRegistryStore } from './store.ts';
import { registryFor } from './testing/registries.ts';

const alice = identityOf(1);

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'kith-registry-'));
  return { file: join(path, 'registry.sqlite'), [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test('records and sequence numbers outlive the process, and older records stay refused', async () => {
  using home = folder();
  {
    using store = openRegistryStore({ path: home.file });
    const { registry } = registryFor({ store });
    registry.offer(recordOf(alice, { seq: NOW + 10 }));
    registry.offer(recordOf(identityOf(2), { seq: NOW + 20 }));
    registry.forget(identityOf(2).peerId);
  }
  using store = openRegistryStore({ path: home.file });
  const { registry, clock } = registryFor({ store });
  assert.equal(registry.get(alice.peerId, MODEL)?.seq, NOW + 10);
  assert.equal(registry.size, 1);
  for (const number of [1, 2]) {
    const older = registry.offer(recordOf(identityOf(number), { seq: NOW + 9 }));
    assert.ok(!older.ok && older.refusal === 'replayed');
  }
  await clock.advance(3_600_000);
  registry.sweep();
  store.flush();
  using later = openRegistryStore({ path: home.file });
  assert.deepEqual(later.stored, { records: [], sequences: [] });
});

test('a killed process leaves what it had accepted before', { timeout: 60_000 }, async () => {
  using home = folder();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'killed.ts'), home.file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let accepted = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    accepted = Number(line);
    if (accepted >= 20) break;
  }
  child.kill('SIGKILL');
  await ended;
  using store = openRegistryStore({ path: home.file });
  const { registry } = registryFor({ store });
  assert.ok(registry.lastSeq(alice.peerId, MODEL) >= NOW + accepted);
  const older = registry.offer(recordOf(alice, { seq: NOW + accepted }));
  assert.ok(!older.ok || older.known);
});

test('a damaged file is replaced', () => {
  using home = folder();
  writeFileSync(home.file, 'not a database '.repeat(1000));
  using store = openRegistryStore({ path: home.file });
  assert.deepEqual(store.stored, { records: [], sequences: [] });
  const { registry } = registryFor({ store });
  assert.ok(registry.offer(recordOf(alice)).ok);
});

test('only the owner can read the file', { skip: process.platform === 'win32' }, () => {
  using home = folder();
  using _store = openRegistryStore({ path: home.file });
  assert.equal(statSync(home.file).mode & 0o777, 0o600);
});

test('a registry goes on when its file cannot be written', () => {
  using home = folder();
  const errors: unknown[] = [];
  const store = openRegistryStore({ path: home.file, onError: (error) => errors.push(error) });
  const { registry } = registryFor({ store });
  registry.offer(recordOf(alice));
  store.close();
  registry.offer(recordOf(alice, { seq: NOW + 1 }));
  store.flush();
  assert.equal(errors.length, 1);
  assert.equal(registry.get(alice.peerId, MODEL)?.seq, NOW + 1);
});

test('what is stored follows what is held, whatever goes', () => {
  using home = folder();
  {
    using store = openRegistryStore({ path: home.file });
    const { registry } = registryFor({ store, limits: { records: 5, sequences: 8 } });
    for (let i = 1; i <= 30; i++) registry.offer(recordOf(identityOf(i)));
    assert.equal(registry.size, 5);
  }
  using store = openRegistryStore({ path: home.file });
  assert.equal(store.stored.records.length, 5);
  assert.equal(store.stored.sequences.length, 8);
});
