import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createManualClock } from './clock.ts';
import { KithError } from './errors.ts';
import { createLogger, debugMatcher } from './log.ts';
import { createLogFile } from './log-file.ts';
import { prettyLine } from './log-pretty.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-log-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, String(folders++));

function capture() {
  const lines: string[] = [];
  return { lines, write: (text: string) => lines.push(text) };
}

test('a line is one JSON object with level, time, room, fields and message', () => {
  const stderr = capture();
  const log = createLogger({ stderr, env: {}, clock: createManualClock(0) });
  log.child('engine', { model: 'm' }).child('scheduler').info('100 %s done', { active: 2, level: 'x' });
  assert.equal(stderr.lines.length, 1);
  assert.deepEqual(JSON.parse(stderr.lines[0]!), {
    level: 'info',
    time: '1970-01-01T00:00:00.000Z',
    room: 'engine:scheduler',
    model: 'm',
    active: 2,
    field_level: 'x',
    msg: '100 %s done',
  });
});

test('lines under the level are dropped, and DEBUG widens the rooms it names', () => {
  const stderr = capture();
  const log = createLogger({
    stderr,
    level: 'warn',
    env: { DEBUG: 'kith:engine:*,kwaai:server,-kith:engine:text' },
  });
  for (const room of ['engine:kv', 'engine:text', 'server', 'models']) {
    const child = log.child(room);
    child.debug('d');
    child.trace('t');
    child.info('i');
    assert.equal(child.enabled('debug'), room === 'engine:kv' || room === 'server');
  }
  const seen = stderr.lines.map((line) => JSON.parse(line)).map(({ room, msg }) => `${room} ${msg}`);
  assert.deepEqual(seen, ['engine:kv d', 'engine:kv i', 'server d', 'server i']);
});

test('the pattern of DEBUG follows the debug package', () => {
  assert.ok(debugMatcher('kith:*')('engine') && debugMatcher('kith:*')(''));
  assert.ok(debugMatcher('*')('engine') && debugMatcher('kwaai:*')('engine'));
  assert.ok(
    !debugMatcher('')('engine') && !debugMatcher('other:*')('engine') && !debugMatcher('kith:eng')('engine'),
  );
  assert.ok(!debugMatcher('kith:(.+)+$')('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'));
});

test('a prompt and a secret in message, fields and error causes do not reach the output at info', () => {
  const stderr = capture();
  const log = createLogger({ stderr, env: {} });
  const cause = new KithError('x', 'api_key=SESAME9 was refused', { details: { token: 'SESAME9' } });
  log.child('a', { apiKey: 'SESAME9' }).info('prompt="open SESAME9"', { messages: [{ content: 'SESAME9' }] });
  log.error('failed', { err: Object.assign(new Error('Bearer SESAME9', { cause }), { body: 'SESAME9' }) });
  assert.equal(stderr.lines.length, 2);
  assert.ok(!stderr.lines.join('').includes('SESAME9'), stderr.lines.join(''));
  assert.match(stderr.lines[1]!, /"cause":\{"type":"KithError"/);
  assert.match(stderr.lines[1]!, /log\.test\.ts/);
});

test('debug lines keep prompts but never credentials', () => {
  const stderr = capture();
  createLogger({ stderr, env: {}, level: 'trace' }).debug('x', { prompt: 'hello', token: 'SESAME9' });
  assert.ok(stderr.lines[0]!.includes('hello') && !stderr.lines[0]!.includes('SESAME9'));
});

test('a broken stderr does not reach the caller', () => {
  const log = createLogger({
    env: {},
    stderr: {
      write: () => {
        throw new Error('EPIPE');
      },
    },
  });
  assert.doesNotThrow(() => log.info('x'));
});

test('a terminal gets text whose control characters are harmless', () => {
  const lines: string[] = [];
  const stderr = { isTTY: true, write: (text: string) => lines.push(text) };
  const log = createLogger({ stderr, env: { NO_COLOR: '1' }, clock: createManualClock(0) });
  log
    .child('models')
    .warn('bad \u001b[2J name', { name: 'x\u001b]0;owned\u0007', n: 3, '\u009bkey': '\u202e' });
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^00:00:00\.000 {2}WARN {3}models {2}bad \\u001b\[2J name {2}name=".*owned/);
  assert.doesNotMatch(lines[0]!.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.match(
    prettyLine('{"level":"info","time":"1970-01-01T00:00:00.000Z","msg":"m"}', true),
    /\u001b\[32mINFO/,
  );
});

test('the file is rotated at its size, compressed, and the oldest are deleted', async () => {
  const dir = folder();
  const stderr = capture();
  const log = createLogger({
    stderr,
    env: {},
    clock: createManualClock(),
    file: { dir, maxBytes: 2000, keep: 3 },
  });
  for (let index = 0; index < 100; index++) log.info(`line ${index}`, { pad: 'x'.repeat(150) });
  await log.close();
  const files = readdirSync(dir).sort();
  assert.equal(files.length, 4, files.join(' '));
  assert.deepEqual(
    files.map((file) => file.replace(/\.\d{8}T\d{9}-\d{4}/, '.*')),
    ['kith.*.log.gz', 'kith.*.log.gz', 'kith.*.log.gz', 'kith.log'],
  );
  const rotated = files.slice(0, 3).map((file) => gunzipSync(readFileSync(join(dir, file))).toString());
  const lines = [...rotated, readFileSync(log.file!, 'utf8')].join('').trimEnd().split('\n');
  const numbers = lines.map((line) => Number(JSON.parse(line).msg.slice(5)));
  // What is kept is an unbroken tail: nothing lost at the seams.
  assert.deepEqual(numbers, [...Array(100).keys()].slice(-numbers.length));
  assert.ok(numbers.length > 24);
  for (const text of rotated) assert.ok(text.length <= 2000);
  assert.equal(statSync(log.file!).mode & 0o077, 0);
});

test('a restart goes on in the same file', async () => {
  const dir = folder();
  for (const msg of ['one', 'two']) {
    await using log = createLogger({ stderr: null, env: {}, file: { dir, maxBytes: 10_000, keep: 1 } });
    log.info(msg);
  }
  assert.equal(readFileSync(join(dir, 'kith.log'), 'utf8').trimEnd().split('\n').length, 2);
});

test('a folder that cannot be written is one warning, and the file comes back when it can', async () => {
  const dir = folder();
  writeFileSync(dir, 'a file where the folder should be');
  const clock = createManualClock();
  const stderr = capture();
  const log = createLogger({ stderr, env: {}, clock, file: { dir, maxBytes: 10_000, keep: 1 } });
  for (let index = 0; index < 5; index++) log.info('lost');
  await clock.advance(60_000);
  log.info('lost too');
  const warnings = () => stderr.lines.map((line) => JSON.parse(line)).filter((line) => line.room === 'log');
  assert.equal(warnings().length, 1);
  assert.match(warnings()[0].msg, /cannot be written/);
  assert.equal(stderr.lines.length, 7);

  rmSync(dir);
  await clock.advance(60_000);
  log.info('back');
  assert.match(warnings()[1].msg, /written again; 6 lines were lost/);
  assert.equal(warnings().length, 2);
  await log.close();
  assert.match(readFileSync(join(dir, 'kith.log'), 'utf8'), /"msg":"back"/);
});

test('a full disk is one warning and never an exception', {
  skip: !existsSync('/dev/full') && 'no /dev/full',
}, async () => {
  const dir = folder();
  const { symlinkSync, mkdirSync } = await import('node:fs');
  mkdirSync(dir);
  symlinkSync('/dev/full', join(dir, 'kith.log'));
  const troubles: string[] = [];
  const onTrouble = (message: string) => troubles.push(message);
  const file = createLogFile({ dir, maxBytes: 1000, keep: 1, clock: createManualClock(), onTrouble });
  for (let index = 0; index < 10; index++) file.write('line\n');
  await file.close();
  assert.equal(troubles.length, 1);
  assert.match(troubles[0]!, /ENOSPC/);
});

test('a line that is JSON already is written as any other', () => {
  const stderr = capture();
  const clock = createManualClock();
  const log = createLogger({ stderr, env: {}, clock })
    .child('server', { node: 'a', time: 3 })
    .child('access');
  log.line('info', 'request "1"', '"status":200,"route":null');
  log.info('request "1"', { status: 200, route: null });
  log.line('debug', 'dropped', '');
  log.line('warn', 'bare', '');
  const [fast, usual, bare, ...rest] = stderr.lines.map((line) => JSON.parse(line));
  assert.deepEqual(fast, usual);
  assert.equal(bare.msg, 'bare');
  assert.deepEqual(rest, []);
  assert.deepEqual([log.written.info, log.written.warn, log.written.debug], [2, 1, 0]);
});
