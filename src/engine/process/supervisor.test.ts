import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createManualClock, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { spawnEngine } from './spawn.ts';
import { DEFAULT_SUPERVISOR_LIMITS, type SupervisorLimits } from './supervision.ts';
import { Supervisor } from './supervisor.ts';

const home = mkdtempSync(join(tmpdir(), 'kith-supervisor-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** A child of our own making: answers `hello`, then does what `body` says with each frame. */
function childScript(name: string, body: string, hello = true): string {
  const frames = new URL('./frames.ts', import.meta.url).href;
  const path = join(home, `${name}.mjs`);
  writeFileSync(
    path,
    `import { Socket } from 'node:net';
import { encodeFrame, FrameDecoder } from ${JSON.stringify(frames)};
const pipe = new Socket({ fd: 3 });
const send = (frame) => { for (const chunk of encodeFrame(frame)) pipe.write(chunk); };
const decoder = new FrameDecoder('requests');
pipe.on('close', () => process.exit(0));
pipe.on('data', (chunk) => {
  for (const frame of decoder.push(chunk)) {
    if (${hello} && frame.type === 'hello') send({ type: 'reply', id: frame.id, end: true, meta: { hi: true } });
    else if (frame.type === 'shutdown') process.exit(0);
    else { ${body} }
  }
});`,
  );
  return path;
}

function supervise(entry: string, limits: Partial<SupervisorLimits> = {}, clock = systemClock): Supervisor {
  return new Supervisor({
    log: silentLogger,
    clock,
    limits: { ...DEFAULT_SUPERVISOR_LIMITS, ...limits },
    hello: {},
    spawn: () => spawnEngine(entry),
  });
}

const hasCode =
  (code: string, text = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof KithError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  };

test('a process that dies fails its request with the cause and is started again', async () => {
  const entry = childScript(
    'dies',
    `if (frame.type === 'load') { console.error('GGML_ASSERT(n > 0) failed'); process.exit(7); }
    else if (frame.type === 'status') send({ type: 'reply', id: frame.id, end: true, meta: { fine: true } });`,
  );
  await using supervisor = supervise(entry);
  const first = await supervisor.session();
  await assert.rejects(
    first.connection.call('load'),
    hasCode('engine_lost', /exit code 7: GGML_ASSERT\(n > 0\) failed/),
  );
  const second = await supervisor.session();
  assert.equal(second.generation, 2);
  assert.notEqual(second.pid, first.pid);
  assert.deepEqual((await second.connection.call('status')).meta, { fine: true });
  assert.equal(supervisor.status().restarts, 1);
  await assert.rejects(first.connection.call('status'), hasCode('engine_lost'));
});

test('an abort of native code is reported with its last line, without the path of its builder', async () => {
  const entry = childScript(
    'aborts',
    `console.error('warming up');
    console.error('/home/builder/ggml/src/ops.cpp:12: unsupported types');
    process.kill(process.pid, 'SIGABRT');`,
  );
  await using supervisor = supervise(entry);
  const { connection } = await supervisor.session();
  await assert.rejects(
    connection.call('load'),
    hasCode('engine_lost', /\(signal SIGABRT: ops\.cpp:12: unsupported types\)/),
  );
});

test('a process that keeps dying opens the breaker, which closes again after its time', async () => {
  const clock = createManualClock();
  await using supervisor = supervise(
    childScript('loop', 'process.exit(3);'),
    { deaths: 3, backoffMs: [0] },
    clock,
  );
  for (let death = 0; death < 3; death++) {
    const session = await supervisor.session();
    await assert.rejects(session.connection.call('status'), hasCode('engine_lost', /exit code 3/));
  }
  await assert.rejects(
    supervisor.session(),
    hasCode('engine_unavailable', /3 times within 60 s.*exit code 3/),
  );
  assert.equal(supervisor.status().state, 'broken');
  await clock.advance(30_000);
  const session = await supervisor.session();
  await assert.rejects(session.connection.call('status'), hasCode('engine_lost'));
  await assert.rejects(supervisor.session(), hasCode('engine_unavailable'));
});

test('a process that dies before it says hello is reported, not waited for', async () => {
  const entry = childScript('stillborn', `console.error('Error: no library'); process.exit(9);`, false);
  await using supervisor = supervise(entry, { deaths: 2, backoffMs: [0] });
  await assert.rejects(supervisor.session(), hasCode('engine_unavailable', /exit code 9: Error: no library/));
});

test('a process that stops answering while it has work is killed', async () => {
  const entry = childScript('hangs', `if (frame.type === 'status') for (;;);`);
  await using supervisor = supervise(entry, { heartbeatMs: 20, silentBeats: 3 });
  const session = await supervisor.session();
  await assert.rejects(session.connection.call('status'), hasCode('engine_lost', /did not answer for/));
});

test('a process whose forward pass never ends is killed although it answers', async () => {
  const entry = childScript(
    'stuck',
    `if (frame.type === 'ping') send({ type: 'pong', id: 0, end: true, meta: { passMs: 99 } });`,
  );
  await using supervisor = supervise(entry, { heartbeatMs: 20, passMs: 50 });
  const session = await supervisor.session();
  await assert.rejects(
    session.connection.call('status'),
    hasCode('engine_lost', /forward pass took longer than 50 ms/),
  );
});

test('a process that sends nonsense is ended', async () => {
  const nonsense = [
    `pipe.write(Buffer.alloc(64, 0xff));`,
    `send({ type: 'reply', id: frame.id + 1, end: true });`,
    `send({ type: 'ping', id: 0, end: true });`,
    `pipe.end(Buffer.from([1, 2, 3]));`,
  ];
  for (const [index, body] of nonsense.entries()) {
    await using supervisor = supervise(childScript(`nonsense-${index}`, body));
    const session = await supervisor.session();
    await assert.rejects(session.connection.call('status'), hasCode('engine_lost', /connection failed/));
  }
});

test('requests that wait for a restart can be aborted', async () => {
  const clock = createManualClock();
  await using supervisor = supervise(childScript('waits', 'process.exit(1);'), { backoffMs: [1000] }, clock);
  const session = await supervisor.session();
  await assert.rejects(session.connection.call('status'), hasCode('engine_lost'));
  const abort = new AbortController();
  const waiting = supervisor.session(abort.signal);
  assert.equal(supervisor.status().state, 'waiting');
  abort.abort();
  await assert.rejects(waiting, hasCode('aborted'));
});

test('a closed supervisor starts nothing, and a process that ignores the end is killed', async () => {
  const entry = childScript('ignores', '', true);
  const supervisor = supervise(entry, { drainMs: 50 });
  const session = await supervisor.session();
  const call = assert.rejects(session.connection.call('status'), hasCode('engine_closed'));
  await supervisor[Symbol.asyncDispose]();
  await call;
  await assert.rejects(supervisor.session(), hasCode('engine_closed'));
  assert.throws(() => process.kill(session.pid, 0), { code: 'ESRCH' });
});

test('an aborted call sends a cancel and rejects at once', async () => {
  const entry = childScript(
    'cancels',
    `if (frame.type === 'cancel') send({ type: 'reply', id: frame.id, end: true });
    else if (frame.type === 'unload') send({ type: 'reply', id: frame.id, end: true });`,
  );
  await using supervisor = supervise(entry);
  const { connection } = await supervisor.session();
  const abort = new AbortController();
  const call = connection.call('status', { signal: abort.signal });
  abort.abort();
  await assert.rejects(call, hasCode('aborted'));
  assert.equal(connection.inFlight, 1);
  await connection.call('unload');
  assert.equal(connection.inFlight, 0);
});

test('a process that says it is set up wrongly is no crash: told as it is, not started again for a while', async () => {
  const clock = createManualClock();
  const entry = childScript(
    'refuses',
    `if (frame.type === 'hello') send({ type: 'failure', id: frame.id, end: true,
      meta: { kind: 'KithError', code: 'device_unavailable', message: 'No cuda device was found.', status: 503 } });`,
    false,
  );
  let spawned = 0;
  await using supervisor = new Supervisor({
    log: silentLogger,
    clock,
    limits: DEFAULT_SUPERVISOR_LIMITS,
    hello: {},
    spawn: () => {
      spawned++;
      return spawnEngine(entry);
    },
  });
  for (let time = 0; time < 3; time++)
    await assert.rejects(supervisor.session(), hasCode('device_unavailable', /^No cuda device was found\.$/));
  assert.equal(spawned, 1);
  const { restarts, state, lastCause } = supervisor.status();
  assert.deepEqual([restarts, lastCause], [0, null]);
  assert.notEqual(state, 'broken');
  await clock.advance(DEFAULT_SUPERVISOR_LIMITS.breakerMs);
  await assert.rejects(supervisor.session(), hasCode('device_unavailable'));
  assert.equal(spawned, 2);
});
