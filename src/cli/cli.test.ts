import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { recommended } from './commands/calibrate.ts';
import { logLine } from './commands/logs.ts';
import { parseDuration } from './duration.ts';
import { spreadOf } from './measure.ts';
import { asTyped, commandName, plain, rememberFlags, table } from './output.ts';
import { createProgress, progressLine } from './progress.ts';
import { eventData } from './sse.ts';

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

test('events are read alike wherever the stream is cut', async () => {
  const text =
    ': ping\n\ndata: {"a":"é😀"}\n\nid: 1\r\ndata: one\r\ndata:two\r\n\r\ndata: [DONE]\n\ndata: lost';
  const bytes = new TextEncoder().encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 40 }), async (sizes) => {
      const seen: string[] = [];
      for await (const data of eventData(cut(bytes, sizes))) seen.push(data);
      assert.deepEqual(seen, ['{"a":"é😀"}', 'one\ntwo', '[DONE]']);
    }),
  );
});

const step = {
  phase: 'download',
  doneBytes: 25_000_000,
  totalBytes: 100_000_000,
  rate: 5_000_000,
  eta: 15,
} as const;

test('a progress line has a bar, amounts, rate and time left, and fits the terminal', () => {
  assert.equal(
    progressLine('model', step, 200),
    'downloading model  ██████░░░░░░░░░░░░░░░░░░  25 %  25.0 MB of 100 MB  5.00 MB/s  15.0 s left',
  );
  assert.equal(progressLine('model', step, 40).length, 39);
  assert.equal(
    progressLine('m', { ...step, totalBytes: null, rate: null, eta: null }, 80),
    'downloading m  25.0 MB',
  );
});

test('without a terminal there is one line per quarter and no control code', () => {
  let out = '';
  const view = createProgress({ write: (text: string) => (out += text) });
  for (let done = 0; done <= 100; done++) view.update('m', { ...step, doneBytes: done, totalBytes: 100 });
  view.clear();
  assert.equal(out.split('\n').length - 1, 5);
  assert.ok(!out.includes('\u001b') && !out.includes('\r'));
});

test('on a terminal the line is redrawn in place, not too often, and cleared', () => {
  let out = '';
  let now = 0;
  const view = createProgress(
    { isTTY: true, columns: 80, write: (text: string) => (out += text) },
    () => now,
  );
  for (; now < 1000; now += 10) view.update('m', step);
  assert.equal(out.split('\r').length - 1, 13);
  view.clear();
  assert.ok(out.endsWith('\r\u001b[K'));
});

test('control characters of others never reach the terminal', () => {
  assert.equal(plain('a\u001b[2Jb\u009bc\nd'), 'a\\x1b[2Jb\\x9bc\nd');
  assert.equal(plain('owe \u202e05 ruoy'), 'owe \\u202e05 ruoy');
  assert.ok(!logLine(JSON.stringify({ level: 'info', msg: '\u001b[2J', x: '\u001b' })).includes('\u001b'));
  assert.equal(logLine('no json \u0007'), 'no json \\x07');
});

test('log lines show time, level, room, message and fields', () => {
  const line = JSON.stringify({
    level: 'info',
    time: '2026-01-02T03:04:05.678Z',
    room: 'server',
    msg: 'request',
    status: 200,
  });
  assert.equal(logLine(line), '03:04:05.678 info  server request status=200');
});

test('columns are aligned', () => {
  assert.equal(
    table(
      [
        ['a', 'bb', 'c'],
        ['aaa', 'b', 'c'],
      ],
      [1],
    ),
    'a    bb  c\naaa   b  c',
  );
});

test('the command is named as the user types it', () => {
  assert.equal(commandName({}), 'kith');
  assert.equal(commandName({ npm_lifecycle_event: 'start' }), 'npm run -s kith --');
});

test('hints name the home and port that were given, where the command takes them', () => {
  const text = 'Use `kith stop`, kith models pull x or kith start; see /usr/bin/kith stop, .kith and kith 1.';
  assert.equal(asTyped(text), text);
  rememberFlags({ home: 'a b', port: '99' });
  assert.equal(
    asTyped(text),
    "Use `kith stop --home 'a b'`, kith models pull --home 'a b' x or kith start --home 'a b' --port 99; see /usr/bin/kith stop, .kith and kith 1.",
  );
  rememberFlags({});
});

test('a spread is median, least and most', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  assert.equal(spreadOf([]), null);
});

test('the fewest threads near the fastest are recommended', () => {
  assert.equal(
    recommended([
      { threads: 1, decode: 50 },
      { threads: 3, decode: 97 },
      { threads: 4, decode: 100 },
    ]),
    3,
  );
  assert.equal(recommended([{ threads: 1, decode: null }]), null);
  assert.equal(recommended([]), null);
});

test('spans of time are a number and a unit, and bounded', () => {
  assert.equal(parseDuration('90s'), 90_000);
  assert.equal(parseDuration('30d'), 30 * 86_400_000);
  assert.equal(parseDuration(' 1y '), 365 * 86_400_000);
  for (const text of ['', '5', 'd', '0m', '-1h', '1.5h', '1 h', '101y', '9999999999s'])
    assert.equal(parseDuration(text), null, text);
});
