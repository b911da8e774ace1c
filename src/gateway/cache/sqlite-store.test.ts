import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createLogger, createManualClock, silentLogger } from '../../base/index.ts';
import { encodeAnswer } from './codec.ts';
import { createSqliteStore } from './sqlite-store.ts';
import { keyNamed, stored } from './testing/examples.ts';

const folder = await mkdtemp(join(tmpdir(), 'kith-cache-'));
after(() => rm(folder, { recursive: true, force: true }));
const clock = createManualClock();
const open = (name: string, maxBytes = 1 << 20) =>
  createSqliteStore({ path: join(folder, name), maxBytes, clock, log: silentLogger });

test('an answer is found again, also by the next start', async () => {
  {
    await using store = open('again.db');
    assert.equal(await store.get(keyNamed('a')), null);
    assert.ok((await store.put(keyNamed('a'), stored('one'))) > 0);
    await store.put(keyNamed('a'), stored('two'));
    assert.deepEqual(await store.get(keyNamed('a')), stored('two'));
    assert.equal((await store.size()).entries, 1);
  }
  await using store = open('again.db');
  assert.deepEqual(await store.get(keyNamed('a')), stored('two'));
  await store.remove(keyNamed('a'));
  assert.deepEqual([await store.get(keyNamed('a')), await store.size()], [null, { bytes: 0, entries: 0 }]);
});

test('the bound on bytes holds whatever is put and read, and the least recently used go first', async () => {
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ put: fc.nat(7), length: fc.nat(500) }) },
    { weight: 3, arbitrary: fc.record({ get: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.constant({ reopen: true } as const) },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 30, maxLength: 60 }), async (operations) => {
      const name = `bound-${run++}.db`;
      const maxBytes = 4000;
      const sizeOf = (length: number) => encodeAnswer(stored('x'.repeat(length))).byteLength + 256;
      // The model of the store: keys from the least to the most recently used.
      const model = new Map<number, number>();
      let store = open(name, maxBytes);
      try {
        for (const step of operations) {
          if ('reopen' in step) {
            await store.close();
            store = open(name, maxBytes);
          } else if ('get' in step) {
            const found = await store.get(keyNamed(String(step.get)));
            const length = model.get(step.get);
            assert.equal(
              found === null ? undefined : (found.answer.choices[0]!.parts[0] as string).length,
              length,
            );
            if (length !== undefined) {
              model.delete(step.get);
              model.set(step.get, length);
            }
          } else {
            const bytes = sizeOf(step.length);
            const kept = await store.put(keyNamed(String(step.put)), stored('x'.repeat(step.length)));
            assert.equal(kept, bytes <= maxBytes / 4 ? bytes : 0);
            if (kept === 0) continue;
            model.delete(step.put);
            const total = () => [...model.values()].reduce((sum, length) => sum + sizeOf(length), 0);
            while (total() + bytes > maxBytes) model.delete(model.keys().next().value!);
            model.set(step.put, step.length);
          }
          const { bytes, entries } = await store.size();
          assert.ok(bytes! <= maxBytes);
          assert.equal(entries, model.size);
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: 20 },
  );
});

test('answers are cleared all together, by model, by age, or by both', async () => {
  await using store = open('clear.db');
  const now = clock.now();
  const fill = async () => {
    for (const model of ['small', 'large']) {
      await store.put(keyNamed(`${model} old`, model), stored('x', now - 5000));
      await store.put(keyNamed(`${model} new`, model), stored('x', now - 1000));
    }
  };
  await fill();
  assert.equal(await store.clear({ model: 'small', olderThanMs: 2000 }), 1);
  assert.equal(await store.get(keyNamed('small old')), null);
  assert.equal(await store.clear({ model: 'small' }), 1);
  assert.equal(await store.clear({ olderThanMs: 2000 }), 1);
  assert.equal(await store.clear({}), 1);
  assert.deepEqual(await store.size(), { bytes: 0, entries: 0 });
});

test('what was cleared is gone from the files', async () => {
  await using store = open('gone.db');
  await store.put(keyNamed('a'), stored('a very private sentence'));
  await store.clear({});
  for (const suffix of ['', '-wal']) {
    assert.ok(!(await readFile(join(folder, `gone.db${suffix}`))).includes('private'));
  }
});

test('while nothing can be written the log says so once, and again after it could', async () => {
  const lines: string[] = [];
  const path = join(folder, 'full.db');
  const log = createLogger({ env: {}, clock, stderr: { write: (line) => lines.push(line) } });
  await using store = createSqliteStore({ path, maxBytes: 1 << 20, clock, log });
  const other = new DatabaseSync(path);
  const refuse = () =>
    other.exec(
      "CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'no space left'); END",
    );
  refuse();
  for (const name of ['a', 'b', 'c']) {
    assert.equal(await store.put(keyNamed(name), stored('x')), 0);
    assert.equal(await store.get(keyNamed(name)), null);
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /could not keep an answer/);
  other.exec('DROP TRIGGER full');
  assert.ok((await store.put(keyNamed('d'), stored('x'))) > 0);
  refuse();
  for (const name of ['e', 'f']) await store.put(keyNamed(name), stored('x'));
  assert.equal(lines.length, 2);
  other.close();
});

test('a damaged file, or one of a newer version, is replaced; damage within a row is a miss', async () => {
  await writeFile(
    join(folder, 'damaged.db'),
    'this is not a database, and long enough to be looked at'.repeat(50),
  );
  {
    await using store = open('damaged.db');
    assert.ok((await store.put(keyNamed('a'), stored('x'))) > 0);
  }
  const edit = (sql: string) => {
    const database = new DatabaseSync(join(folder, 'damaged.db'));
    database.exec(sql);
    database.close();
  };
  edit("UPDATE answers SET body = x'00'");
  {
    await using store = open('damaged.db');
    assert.equal(await store.get(keyNamed('a')), null);
    assert.equal((await store.size()).entries, 0);
  }
  edit('PRAGMA user_version = 99');
  await using store = open('damaged.db');
  assert.ok((await store.put(keyNamed('a'), stored('x'))) > 0);
});

test('a process killed at any moment leaves whole answers, true totals and a sound file', {
  timeout: 60_000,
}, async () => {
  const writer = new URL('./testing/writer.ts', import.meta.url);
  const path = join(folder, 'killed.db');
  for (const answers of [1, 7, 40]) {
    const child = spawn(process.execPath, [writer.pathname, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    let said = '';
    // Killed after so many answers, in the middle of whatever it does then; what it said before is read to the end.
    for await (const chunk of child.stdout) {
      said += chunk;
      if (said.split('\n').length > answers) child.kill('SIGKILL');
    }
    await exit;
    const last = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
    await using store = open('killed.db', 200_000);
    // What it said to be kept is there: a commit survives the process.
    assert.equal((await store.get(keyNamed(String(last))))?.answer.choices[0]?.reason, 'stop');
    const database = new DatabaseSync(path, { readOnly: true });
    assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
    const sums = {
      ...database.prepare('SELECT sum(bytes) AS bytes, count(*) AS entries FROM answers').get(),
    };
    database.close();
    assert.deepEqual(await store.size(), sums);
    assert.ok(Number(sums.bytes) <= 200_000);
  }
});
