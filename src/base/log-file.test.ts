/** What a log file must outlive: processes that are killed, several writers, a full disk. With real processes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createManualClock } from './clock.ts';
import { createLogFile } from './log-file.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-logfile-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, String(folders++));

const module = new URL('./log-file.ts', import.meta.url).href;
const clock = new URL('./clock.ts', import.meta.url).href;

/** Every whole line in the folder; a rotated file and its .gz count once. */
function linesIn(dir: string): string[] {
  const files = readdirSync(dir).sort();
  return files
    .filter(
      (file) => file.endsWith('.log') || (file.endsWith('.log.gz') && !files.includes(file.slice(0, -3))),
    )
    .flatMap((file) => {
      const bytes = readFileSync(join(dir, file));
      return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n');
    })
    .filter((line) => line !== '');
}

/** A process that writes `<name> <n>` lines as fast as it can and says each number once it is written. */
function writer(dir: string, name: string, count: number): ChildProcess {
  const program = `
    import { writeSync } from 'node:fs';
    import { createLogFile } from ${JSON.stringify(module)};
    import { systemClock } from ${JSON.stringify(clock)};
    const file = createLogFile({ dir: process.argv[1], maxBytes: 4000, keep: 1000, clock: systemClock,
      onTrouble: (message) => { throw new Error(message); } });
    for (let n = 0; n < ${count}; n++) {
      file.write('${name} ' + n + ' ' + 'x'.repeat(60) + '\\n');
      writeSync(1, n + '\\n');
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await file.close();`;
  return spawn(process.execPath, ['--input-type=module', '-e', program, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Resolves with the last number that the writer said, when it has ended. */
async function lastWritten(child: ChildProcess, killAfter: number): Promise<number> {
  let text = '';
  let last = -1;
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop()!;
    if (lines.length > 0) last = Number(lines.at(-1));
    if (last >= killAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return last;
}

test('writers that are killed at any moment, two at a time, lose no line they wrote', async () => {
  const dir = folder();
  mkdirSync(dir);
  const written = new Map<string, number>();
  for (const round of [0, 1, 2]) {
    await Promise.all(
      ['a', 'b'].map(async (who, index) => {
        const name = `${who}${round}`;
        const killAfter = 37 + round * 91 + index * 53;
        written.set(name, await lastWritten(writer(dir, name, 5000), killAfter));
      }),
    );
  }
  // The next process compresses what they left.
  written.set('c', await lastWritten(writer(dir, 'c', 50), Number.POSITIVE_INFINITY));
  assert.equal(written.get('c'), 49);
  const seen = new Map<string, number>();
  for (const line of linesIn(dir)) {
    assert.match(line, /^[abc]\d? \d+ x{60}$/);
    const key = line.slice(0, line.lastIndexOf(' '));
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  for (const [name, last] of written)
    for (let n = 0; n <= last; n++) assert.equal(seen.get(`${name} ${n}`), 1, `${name} ${n}`);
  const rotated = readdirSync(dir).filter((file) => file !== 'kith.log');
  assert.deepEqual(
    rotated.filter((file) => !file.endsWith('.log.gz')),
    [],
  );
});

test('what a dead process left at each step of a rotation is put right by the next one', async () => {
  const dir = folder();
  mkdirSync(dir);
  const stem = (n: number) => join(dir, `kith.2025013${n}T000000000-0001.log`);
  // Died before compressing; with half of the compressed file; and between the rename and the delete.
  writeFileSync(stem(0), 'one\n');
  writeFileSync(stem(1), 'two\n');
  writeFileSync(`${stem(1)}.gz.999999999.tmp`, gzipSync('two\n').subarray(0, 9));
  writeFileSync(stem(2), 'three\n');
  writeFileSync(`${stem(2)}.gz`, gzipSync('three\n'));
  // Died in the middle of a line.
  writeFileSync(join(dir, 'kith.log'), 'whole\ntorn');
  const troubles: string[] = [];
  const file = createLogFile({
    dir,
    maxBytes: 1000,
    keep: 10,
    clock: createManualClock(),
    onTrouble: (message) => troubles.push(message),
  });
  file.write('next\n');
  await file.close();
  assert.deepEqual(troubles, []);
  assert.deepEqual(readdirSync(dir).sort(), [
    ...[0, 1, 2].map((n) => `kith.2025013${n}T000000000-0001.log.gz`),
    'kith.log',
  ]);
  assert.deepEqual(linesIn(dir), ['one', 'two', 'three', 'whole', 'torn', 'next']);
});

test('a writer follows the file when another one rotates it or somebody moves it away', async () => {
  const dir = folder();
  const options = { dir, maxBytes: 50, keep: 100, clock: createManualClock(), onTrouble: assert.fail };
  const first = createLogFile(options);
  const second = createLogFile(options);
  for (let n = 0; n < 12; n++) (n % 2 === 0 ? first : second).write(`line ${n} ${'.'.repeat(20)}\n`);
  rmSync(first.path);
  first.write('after\n');
  appendFileSync(first.path, 'torn by a third');
  second.write('last\n');
  await Promise.all([first.close(), second.close()]);
  assert.deepEqual(readFileSync(first.path, 'utf8'), 'after\ntorn by a third\nlast\n');
  const numbers = linesIn(dir).flatMap((line) => /^line (\d+)/.exec(line)?.[1] ?? []);
  // Those of the deleted file are gone; of the rotated ones none.
  assert.deepEqual(numbers.map(Number), [...Array(numbers.length).keys()]);
  assert.equal(numbers.length, 11);
});

test('a disk that fills up loses lines, not the process, and says so once', {
  skip: process.platform === 'win32' && 'no file size limit',
}, () => {
  const dir = folder();
  mkdirSync(dir);
  const program = `
    import { createLogger } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)};
    const log = createLogger({ env: {}, file: { dir: process.argv[1], maxBytes: 1000000, keep: 2 } });
    for (let n = 0; n < 100; n++) log.info('line ' + n, { pad: 'x'.repeat(200) });
    await log.close();
    console.log('alive');`;
  // A limit on the size of files: writes over it fail half way, as on a full disk.
  const run = spawnSync(
    'sh',
    ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1" "$2"', process.execPath, program, dir],
    { encoding: 'utf8' },
  );
  assert.equal(run.stdout, 'alive\n', run.stderr);
  const warnings = run.stderr.split('\n').filter((line) => line.includes('cannot be written'));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /EFBIG/);
  assert.equal(run.stderr.split('\n').filter((line) => line.includes('"line ')).length, 100);
  const text = readFileSync(join(dir, 'kith.log'), 'utf8');
  assert.ok(text.includes('"line 0"') && text.length <= 8 * 1024);
});
