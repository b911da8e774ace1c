import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { acquireLock, readLockHolder, withLock } from './lock.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-lock-'));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});
let locks = 0;
const lockPath = () => join(root, String(locks++), 'a.lock');
const module = JSON.stringify(new URL('./lock.ts', import.meta.url).href);

function run(code: string): ChildProcess {
  const source = `import { acquireLock } from ${module};\n${code}`;
  const args = ['--input-type=module-typescript', '-e', source];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** A process that takes the lock and keeps it until it is killed. */
async function holder(path: string): Promise<ChildProcess> {
  const child = run(
    `await acquireLock(${JSON.stringify(path)}, { purpose: 'the test' }); console.log('held'); setInterval(() => {}, 1000);`,
  );
  const [line] = await once(createInterface(child.stdout!), 'line');
  assert.equal(line, 'held');
  return child;
}

test('a second process is refused and told who holds the lock', async () => {
  const path = lockPath();
  const child = await holder(path);
  await assert.rejects(
    acquireLock(path, { purpose: 'me' }),
    (error: Error & { code: string; details: object }) => {
      assert.equal(error.code, 'locked');
      assert.match(error.message, new RegExp(`process ${child.pid} \\(the test\\)`));
      return true;
    },
  );
  const seen = await readLockHolder(path);
  assert.deepEqual([seen?.pid, seen?.purpose], [child.pid, 'the test']);
});

test('the lock of a killed process is free at once, though its note is still there', async () => {
  const path = lockPath();
  const child = await holder(path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(`${path}.holder`));
  assert.equal(await readLockHolder(path), null);
  await using lock = await acquireLock(path, { purpose: 'next' });
  assert.equal(lock.holder.pid, process.pid);
  assert.equal((await readLockHolder(path))?.purpose, 'next');
});

test('inside one process the lock excludes too, and is passed on when released', async () => {
  const path = lockPath();
  const first = await acquireLock(path, { purpose: 'first' });
  await assert.rejects(acquireLock(path, { purpose: 'second' }), { code: 'locked' });
  const waiting = acquireLock(path, { purpose: 'third', waitMs: 60_000 });
  await first.release();
  await first.release();
  const third = await waiting;
  await third.release();
  assert.equal(await readLockHolder(path), null);
});

test('waiting ends when the signal fires', async () => {
  const path = lockPath();
  await using _held = await acquireLock(path, { purpose: 'first' });
  const controller = new AbortController();
  const waiting = acquireLock(path, { purpose: 'second', waitMs: 60_000, signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { code: 'aborted' });
});

test('the lock is released when the work under it throws', async () => {
  const path = lockPath();
  const work = withLock(path, { purpose: 'x' }, async () => {
    throw new Error('work failed');
  });
  await assert.rejects(work, /work failed/);
  await withLock(path, { purpose: 'y' }, async () => undefined);
});

test('a lock that cannot be opened says so', async () => {
  const file = join(root, 'plain');
  writeFileSync(file, 'not a folder');
  await assert.rejects(acquireLock(join(file, 'a.lock'), { purpose: 'x' }), { code: 'lock_unavailable' });
  writeFileSync(
    join(root, 'text.lock'),
    'this is not a database file, but text that someone left here'.repeat(20),
  );
  await assert.rejects(acquireLock(join(root, 'text.lock'), { purpose: 'x' }), { code: 'lock_unavailable' });
});

test('several processes, some of them killed while they hold it: never two holders', async () => {
  const path = lockPath();
  const log = join(root, 'trace');
  appendFileSync(log, '');
  // "in" and "out" are written while the lock is held: two "in" in a row by living processes would be two holders.
  const code = (die: boolean) => `
    import { appendFileSync } from 'node:fs';
    const log = ${JSON.stringify(log)};
    for (let turn = 0; turn < 4; turn++) {
      const lock = await acquireLock(${JSON.stringify(path)}, { purpose: 'x', waitMs: 60000 });
      appendFileSync(log, 'in ' + process.pid + '\\n');
      if (${die} && turn === 2) process.kill(process.pid, 'SIGKILL');
      await new Promise((resolve) => setImmediate(resolve));
      appendFileSync(log, 'out ' + process.pid + '\\n');
      await lock.release();
    }`;
  const all = [false, true, false].map((die) => run(code(die)));
  const codes = await Promise.all(
    all.map(async (child) => (await once(child, 'exit')) as [number | null, string | null]),
  );
  assert.deepEqual(codes, [
    [0, null],
    [null, 'SIGKILL'],
    [0, null],
  ]);
  const killed = String(all[1]!.pid);
  let inside: string | null = null;
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 8 + 5 + 8);
  for (const line of lines) {
    const [what, pid] = line.split(' ') as [string, string];
    if (what === 'in') {
      assert.ok(inside === null || inside === killed, `${pid} entered while ${inside} was inside`);
      inside = pid;
    } else {
      assert.equal(inside, pid);
      inside = null;
    }
  }
});
