import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fc } from '../../../test/property.ts';
import { type Analysis, LogAnalysis } from './analyse.ts';
import { logLines } from './read.ts';
import { showAnalysis } from './show.ts';
import { parseSince } from './since.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-analysis-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
function folder(): string {
  const dir = join(root, String(folders++));
  mkdirSync(dir);
  return dir;
}

const line = (fields: object) =>
  `${JSON.stringify({ level: 'info', time: '2026-01-02T03:00:00.000Z', ...fields })}\n`;
const request = (n: number, fields: object = {}) =>
  line({
    room: 'server:access',
    msg: 'request',
    request: `req-${n}`,
    method: 'POST',
    route: '/v1/chat/completions',
    status: 200,
    ms: 100 + n,
    ...fields,
  });
const answered = { model: 'tiny', backend: 'local', ttftMs: 20, tokensPerSecond: 50, completionTokens: 9 };

async function analyse(
  dir: string,
  since: number | null = null,
): Promise<Analysis & { unreadable: string[] }> {
  const analysis = new LogAnalysis(since);
  const unreadable: string[] = [];
  for await (const each of logLines(dir, { since, onUnreadable: (file) => unreadable.push(file) }))
    analysis.add(each);
  return { ...analysis.result(), unreadable };
}

test('rotated files, compressed or not, count once and in order; broken lines are counted', async () => {
  const dir = folder();
  const old = 'kith.20260101T000000000-0001.log';
  writeFileSync(join(dir, `${old}.gz`), gzipSync(request(1, { time: '2026-01-01T00:00:00.000Z' })));
  // Killed between compressing and deleting: both are there.
  const both = request(2, { ...answered, agent: 'a' });
  writeFileSync(join(dir, 'kith.20260102T000000000-0001.log'), both);
  writeFileSync(join(dir, 'kith.20260102T000000000-0001.log.gz'), gzipSync(both));
  writeFileSync(join(dir, 'kith.20260103T000000000-0001.log.gz.77.tmp'), 'half');
  writeFileSync(join(dir, 'other.log'), request(9));
  writeFileSync(
    join(dir, 'kith.log'),
    `${request(3, { status: 404, code: 'model_not_found' })}{"torn\n[]\n${'x'.repeat(1_100_000)}\n\n${request(4, { time: '2026-01-05T00:00:00.000Z', status: 429, code: 'rate_limit_exceeded', limit: 'engine.maxQueue' })}{"level":"in`,
  );
  const found = await analyse(dir);
  assert.equal(found.requests, 4);
  assert.equal(found.broken, 5);
  assert.equal(found.lines, 9);
  assert.equal(found.from, '2026-01-01T00:00:00.000Z');
  assert.equal(found.to, '2026-01-05T00:00:00.000Z');
  assert.equal(found.refused, 1);
  assert.deepEqual(found.limits, [{ limit: 'engine.maxQueue', count: 1 }]);
  assert.deepEqual(found.errors.map(({ code }) => code).sort(), ['model_not_found', 'rate_limit_exceeded']);
  assert.deepEqual(found.routes[0], { route: '/v1/chat/completions', status: 200, count: 2 });
  assert.deepEqual(
    found.slowest.map((slow) => slow.request),
    ['req-4', 'req-3', 'req-2', 'req-1'],
  );
  assert.deepEqual(found.unreadable, []);
  assert.match(found.suggestions.join('\n'), /1 request met engine\.maxQueue: raise it/);
});

test('quantiles by model, agent and backend come from whole answers', async () => {
  const dir = folder();
  let text = '';
  for (let n = 1; n <= 100; n++)
    text += request(n, { ...answered, ms: n * 10, ttftMs: n, agent: n % 2 ? 'odd' : 'even' });
  text += request(101, { ...answered, status: 499, ms: 90_000 });
  writeFileSync(join(dir, 'kith.log'), text);
  const { models, agents, backends, slowest } = await analyse(dir);
  assert.equal(models[0]!.requests, 100);
  assert.ok(Math.abs(models[0]!.durationMs!.p95 - 950) < 60);
  assert.ok(Math.abs(models[0]!.timeToFirstTokenMs!.p50 - 50) < 4);
  assert.equal(models[0]!.tokensPerSecond!.p99, 50);
  assert.deepEqual(
    agents.map(({ name, requests }) => `${name} ${requests}`),
    ['even 50', 'odd 50'],
  );
  assert.equal(backends[0]!.name, 'local');
  assert.equal(slowest.length, 10);
  assert.equal(slowest[0]!.request, 'req-101');
});

test('restarts, alerts and refused connections are told, with what to do', async () => {
  const dir = folder();
  const alert = {
    level: 'warn',
    room: 'server:alerts',
    alert: 'alert-1',
    rule: 'ttft_p95',
    severity: 'warning',
  };
  writeFileSync(
    join(dir, 'kith.log'),
    [
      line({ level: 'error', room: 'engine', msg: 'engine process ended', cause: 'signal SIGKILL' }),
      line({ ...alert, state: 'firing', msg: 'slow' }),
      line({ ...alert, state: 'firing', msg: 'slow', again: true }),
      line({ ...alert, state: 'resolved', msg: 'over: slow' }),
      line({ level: 'warn', room: 'server', msg: 'connection refused', limit: 'server.maxConnections' }),
    ].join(''),
  );
  const found = await analyse(dir);
  assert.equal(found.engine.deaths, 1);
  assert.deepEqual(found.alerts, [
    { rule: 'ttft_p95', severity: 'warning', count: 1, newest: '2026-01-02T03:00:00.000Z' },
  ]);
  const text = showAnalysis(found).join('\n');
  assert.match(text, /engine process died 1 time/);
  assert.match(text, /raise server\.maxConnections/);
  assert.match(text, /ttft_p95/);
});

test('--since leaves out older lines, and files that end before it', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'kith.20260101T000000000-0001.log'), 'never read\n');
  writeFileSync(
    join(dir, 'kith.log'),
    request(1, { time: '2026-01-02T00:00:00.000Z' }) + request(2, { time: '2026-01-02T02:00:00.000Z' }),
  );
  const found = await analyse(dir, Date.parse('2026-01-02T01:00:00.000Z'));
  assert.equal(found.requests, 1);
  assert.equal(found.broken, 0);
  const now = Date.parse('2026-01-10T00:00:00.000Z');
  assert.equal(parseSince('2h', now), now - 7_200_000);
  assert.equal(parseSince('2026-01-09', now), now - 86_400_000);
  assert.throws(() => parseSince('yesterday', now), { code: 'invalid_since' });
  assert.throws(() => parseSince('2026-99-99', now), { code: 'invalid_since' });
});

test('a damaged compressed file is named, and the rest is read', async () => {
  const dir = folder();
  const whole = gzipSync(Array.from({ length: 5000 }, (_, n) => request(n, { x: Math.sin(n) })).join(''));
  writeFileSync(join(dir, 'kith.20260101T000000000-0001.log.gz'), whole.subarray(0, whole.length / 2));
  writeFileSync(join(dir, 'kith.log'), request(1));
  const found = await analyse(dir);
  assert.deepEqual(found.unreadable, ['kith.20260101T000000000-0001.log.gz']);
  assert.ok(found.requests > 100);
});

test('any bytes are read: lines are whole whatever the blocks are, tables stay within their bounds', async () => {
  const dir = folder();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 300 }),
      async (texts) => {
        const lines = texts.map((text) =>
          JSON.stringify({ time: '2026-01-02T03:00:00.000Z', level: text, msg: text }),
        );
        writeFileSync(join(dir, 'kith.log'), lines.map((each) => `${each}\n`).join(''));
        const read: (string | null)[] = [];
        for await (const each of logLines(dir, { since: null, onUnreadable: assert.fail })) read.push(each);
        assert.deepEqual(read, lines);
      },
    ),
    { numRuns: 30 },
  );
  const analysis = new LogAnalysis(null);
  for (let n = 0; n < 5000; n++) {
    analysis.add(request(n, { ...answered, route: `/r${n}`, code: `c${n}`, limit: `l${n}`, model: `m${n}` }));
    analysis.add(line({ level: `level${n}`, alert: 'a', state: 'firing', rule: `rule${n}` }));
  }
  const found = analysis.result();
  assert.ok(found.routes.length <= 501 && found.errors.length <= 501 && found.models.length <= 101);
  assert.ok(found.alerts.length <= 101 && Object.keys(found.levels).length <= 21);
  assert.equal(
    found.routes.reduce((sum, { count }) => sum + count, 0),
    5000,
  );
});

test('requests at debug level are those of probes and the page, and no client made them', () => {
  const analysis = new LogAnalysis(null);
  analysis.add(request(1, answered));
  analysis.add(request(2, { level: 'debug', route: '/health' }));
  analysis.add(request(3, { level: 'debug', route: '/assets/*path', status: 503 }));
  const { requests, refused, lines, routes, slowest } = analysis.result();
  assert.deepEqual([requests, refused, lines], [1, 0, 3]);
  assert.deepEqual(
    routes.map(({ route }) => route),
    ['/v1/chat/completions'],
  );
  assert.equal(slowest.length, 1);
});

test('control characters in a log never reach the terminal', () => {
  const analysis = new LogAnalysis(null);
  analysis.add(request(1, { ...answered, model: '\u001b[2Jm', route: '\u001b]0;x\u0007', code: '\u009bc' }));
  assert.doesNotMatch(
    showAnalysis(analysis.result()).join('\n'),
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/,
  );
});
