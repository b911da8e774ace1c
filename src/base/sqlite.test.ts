import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { KithError } from './errors.ts';
import { type Database, type Migration, openDatabase } from './sqlite.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-sqlite-'));
after(() => rmSync(root, { recursive: true, force: true }));
let files = 0;
const dbPath = () => join(root, String(files++), 'a.db');

const people: Migration = {
  name: 'people',
  up: 'CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT',
};
const pets: Migration = {
  name: 'pets',
  up: 'CREATE TABLE pet (name TEXT, owner INTEGER NOT NULL REFERENCES person (id)) STRICT',
};

const names = (database: Database) =>
  database
    .prepare<{ name: string }>('SELECT name FROM person ORDER BY name')
    .all()
    .map(({ name }) => name);
const add = (database: Database, name: string) =>
  database.prepare<never, [string]>('INSERT INTO person (name) VALUES (?)').run(name);

test('a database is made with WAL, full durability and foreign keys, and keeps what was written', () => {
  const path = dbPath();
  {
    using database = openDatabase(path, { migrations: [people, pets] });
    assert.equal(database.version, 2);
    assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
    assert.deepEqual({ ...database.prepare('PRAGMA synchronous').get() }, { synchronous: 2 });
    assert.deepEqual(add(database, 'Ada'), { changes: 1, lastInsertRowid: 1 });
    assert.throws(() => database.exec("INSERT INTO pet VALUES ('Rex', 99)"), { code: 'database_constraint' });
  }
  using again = openDatabase(path, { migrations: [people, pets], synchronous: 'NORMAL' });
  assert.deepEqual({ ...again.prepare('PRAGMA synchronous').get() }, { synchronous: 1 });
  assert.deepEqual(names(again), ['Ada']);
});

test('statements bind by position or by name, and iterate row by row', () => {
  using database = openDatabase(':memory:', { migrations: [people] });
  for (const name of ['a', 'b', 'c']) add(database, name);
  const byName = database.prepare<{ id: number }, { name: string }>(
    'SELECT id FROM person WHERE name = :name',
  );
  assert.equal(byName.get({ name: 'b' })?.id, 2);
  assert.equal(byName.get({ name: 'z' }), undefined);
  const all = database.prepare<{ name: string }>('SELECT name FROM person ORDER BY id');
  for (const { name } of all.iterate()) {
    assert.equal(name, 'a');
    break;
  }
  // The broken-off read above no longer holds the table.
  database.exec('DROP TABLE person');
});

test('migrations run once each, in order, and a new one is applied to an old database', () => {
  const path = dbPath();
  const ran: string[] = [];
  const counting = (migration: Migration): Migration => ({
    name: migration.name,
    up: (database) => {
      ran.push(migration.name);
      database.exec(migration.up as string);
    },
  });
  openDatabase(path, { migrations: [counting(people)] }).close();
  openDatabase(path, { migrations: [counting(people), counting(pets)] }).close();
  openDatabase(path, { migrations: [counting(people), counting(pets)] }).close();
  assert.deepEqual(ran, ['people', 'pets']);
});

test('a migration that fails is undone and the version stays', () => {
  const path = dbPath();
  const bad: Migration = {
    name: 'half',
    up: (database) => {
      add(database, 'half');
      database.exec('CREATE TABLE half (x)');
      database.exec('CREATE TABLE person (x)');
    },
  };
  assert.throws(
    () => openDatabase(path, { migrations: [people, bad] }),
    (error: KithError) => error.code === 'migration_failed' && /Migration 2 \(half\)/.test(error.message),
  );
  using database = openDatabase(path, { migrations: [people] });
  assert.equal(database.version, 1);
  assert.deepEqual(names(database), []);
  assert.equal(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get(), undefined);
});

test('a database of a newer version is refused by name and left alone', () => {
  const path = dbPath();
  openDatabase(path, { migrations: [people, pets] }).close();
  assert.throws(
    () => openDatabase(path, { migrations: [people] }),
    (error: KithError) =>
      error.code === 'database_newer' && error.message.includes(path) && /2.*1/.test(error.message),
  );
  using database = openDatabase(path, { migrations: [people, pets], readOnly: true });
  assert.equal(database.version, 2);
  assert.throws(() => add(database, 'x'), { code: 'database_read_only' });
});

test('a transaction stores all or nothing, and a nested one undoes only itself', () => {
  using database = openDatabase(':memory:', { migrations: [people] });
  assert.throws(() =>
    database.transaction(() => {
      add(database, 'lost');
      throw new Error('no');
    }),
  );
  assert.deepEqual(names(database), []);
  const result = database.transaction(() => {
    add(database, 'outer');
    assert.throws(() =>
      database.transaction(() => {
        add(database, 'inner');
        add(database, 'outer');
      }),
    );
    database.transaction(() => {
      database.transaction(() => add(database, 'deep'));
    });
    return 7;
  });
  assert.equal(result, 7);
  assert.deepEqual(names(database), ['deep', 'outer']);
});

test('asynchronous work in a transaction is refused and undone', async () => {
  using database = openDatabase(':memory:', { migrations: [people] });
  assert.throws(
    () =>
      database.transaction(async () => {
        add(database, 'x');
        await Promise.reject(new Error('later'));
      }),
    { code: 'sqlite_failed' },
  );
  assert.deepEqual(names(database), []);
  add(database, 'still usable');
});

test('errors have codes: unique, syntax, damaged file, busy, closed', () => {
  const path = dbPath();
  using database = openDatabase(path, { migrations: [people] });
  add(database, 'x');
  assert.throws(() => add(database, 'x'), { code: 'database_constraint', status: 409 });
  assert.throws(() => database.prepare('SELEC'), { code: 'sqlite_failed' });

  using other = openDatabase(path, { migrations: [people], busyTimeoutMs: 0 });
  database.transaction(() => {
    assert.throws(() => add(other, 'y'), { code: 'database_busy', status: 503 });
  });
  const text = join(root, 'text.db');
  writeFileSync(text, 'this is text, not a database; it is long enough to be looked at as one. '.repeat(20));
  assert.throws(() => openDatabase(text, { migrations: [] }), { code: 'database_corrupt' });
  assert.throws(() => openDatabase(join(root, 'none.db'), { migrations: [], readOnly: true }), {
    code: 'database_unavailable',
  });
  other.close();
  other.close();
  assert.throws(() => names(other), KithError);
});

test('a backup is a whole copy while the database is in use', async () => {
  await using database = openDatabase(dbPath(), { migrations: [people] });
  add(database, 'kept');
  const target = join(root, 'backup.db');
  await database.backup(target);
  add(database, 'later');
  using copy = openDatabase(target, { migrations: [people] });
  assert.deepEqual(names(copy), ['kept']);
});

test('kill -9 in the middle of a transaction leaves nothing of it and all of the one before', async () => {
  const path = dbPath();
  const code = `
    import { openDatabase } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)};
    const database = openDatabase(${JSON.stringify(path)}, { migrations: [${JSON.stringify(people)}] });
    const insert = database.prepare('INSERT INTO person (name) VALUES (?)');
    database.transaction(() => { for (let i = 0; i < 100; i++) insert.run('whole ' + i); });
    database.transaction(() => {
      // More than the page cache holds, so that pages of the open transaction reach the WAL file.
      database.exec('PRAGMA cache_size = 10');
      for (let i = 0; i < 5000; i++) insert.run('half ' + i + 'x'.repeat(200));
      console.log('in the middle');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface(child.stdout), 'line');
  child.kill('SIGKILL');
  await once(child, 'exit');
  using database = openDatabase(path, { migrations: [people] });
  const found = names(database);
  assert.equal(found.length, 100);
  assert.ok(found.every((name) => name.startsWith('whole ')));
  assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
});

test('its files are for the owner only, whatever the umask is', {
  skip: process.platform === 'win32',
}, async () => {
  const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
  const before = process.umask(0o022);
  try {
    const path = dbPath();
    const files = [path, `${path}-wal`, `${path}-shm`];
    using database = openDatabase(path, { migrations: [people] });
    add(database, 'Ada');
    assert.deepEqual(files.map(mode), ['600', '600', '600']);
    assert.equal(mode(dirname(path)), '700');
    await database.backup(`${path}.copy`);
    assert.equal(mode(`${path}.copy`), '600');

    // As an earlier Kith left them, in a folder that may be anybody's.
    for (const file of files) chmodSync(file, 0o644);
    chmodSync(dirname(path), 0o755);
    using again = openDatabase(path, { migrations: [people] });
    add(again, 'Bert');
    assert.deepEqual(names(database), ['Ada', 'Bert']);
    assert.deepEqual(files.map(mode), ['600', '600', '600']);
    assert.equal(mode(dirname(path)), '755');
  } finally {
    process.umask(before);
  }
});
