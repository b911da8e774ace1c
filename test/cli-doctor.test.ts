/** `kith doctor` on backends: a real node as a server, a server that is not there, exit codes for each. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { BackendFindings } from '../src/cli/checks/backends.ts';
import { type Report, runChecks, type Wanted } from '../src/cli/checks/run.ts';
import { statusOf } from '../src/cli/commands/doctor.ts';
import type { Node } from '../src/node/index.ts';
import { kith, kithProcess, stopAll } from './cli-support.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let other: TestHome;
let node: Node;
let home: TestHome;
let closed: number;

before(async () => {
  other = await createHome();
  node = await startNode(other);
  home = await createHome();
  const server = createServer();
  closed = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  await new Promise((resolve) => server.close(resolve));
});
after(async () => {
  stopAll();
  await node.close();
  await Promise.all([other.remove(), home.remove()]);
});

const wanted = { full: false, backend: null, model: null };

/** Writes a configuration with these backends. */
async function configure(backends: string): Promise<void> {
  await writeFile(
    `${home.path}/config.yaml`,
    `models: { default: tiny, embedding: tiny-embed }
server: { port: 0 }
engine: { threads: 1, device: cpu }
gateway: { localEngine: false }
backends:\n${backends}`,
  );
}

/** Looks as the command does, in this process. */
async function look(backends: string, more: Partial<Wanted> = {}): Promise<Report & { status: string }> {
  await configure(backends);
  return await lookAt(home, more);
}

async function lookAt({ path }: TestHome, more: Partial<Wanted>): Promise<Report & { status: string }> {
  const { signal } = new AbortController();
  const report = await runChecks({ home: path }, { ...wanted, ...more }, signal);
  return { ...report, status: statusOf(report, (more.backend ?? null) !== null) };
}

const good = () =>
  `  - { name: good, url: "${node.url}/v1", models: [tiny, tiny-embed], defaults: { chat: tiny, embedding: tiny-embed } }\n`;
const dead = () => `  - { name: dead, url: "http://127.0.0.1:${closed}/v1" }\n`;

test('a backend that is as it should be passes, with its figures and what they cost', async () => {
  const { backends, findings, status } = await look(good(), { backend: 'good' });
  const [backend] = backends;
  assert.deepEqual(
    findings.map(({ name }) => name),
    ['config', 'backends'],
  );
  assert.equal(backend!.answers, true);
  // A busy machine may take more than 50 ms to leave.
  for (const { name, state, message } of backend!.checks)
    assert.ok(state === 'ok' || (name === 'abort' && state === 'warn'), `${name}: ${message}`);
  assert.notEqual(status, 'fail');
  assert.ok(backend!.requests >= 10 && backend!.tokens > 50, JSON.stringify(backend));
});

test('one that fails while another answers is degraded; by itself it is a failure', async () => {
  await configure(dead() + good());
  const both = await kithProcess(['doctor', '--json', '--home', home.path]);
  const said = JSON.parse(both.out) as { status: string; checks: unknown[]; backends: BackendFindings[] };
  assert.deepEqual(
    said.backends.map(({ name, answers, status }) => [name, answers, status === 'fail']),
    [
      ['dead', false, true],
      ['good', true, false],
    ],
  );
  assert.ok(said.checks.length > 8, 'this machine is looked at too');
  assert.deepEqual([both.code, said.status], [3, 'warn']);
  const one = await kith(['doctor', '--home', home.path, '--backend', 'dead']);
  assert.equal(one.code, 1);
  // Each check has a line, what is wrong a remedy, and what one fault skips is said once.
  assert.match(one.out, /^backend dead: 1 request, 0 tokens/m);
  assert.match(one.out, /^fail {2}connection +Nothing listens at .*\n +→ Start the server there/m);
  assert.equal(one.out.match(/^skip /gm)!.length, 1);
});

test('a wrong name, a model that is not there, and a broken configuration are told apart', async () => {
  const unknown = await kith(['doctor', '--home', home.path, '--backend', 'goood']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /There is no backend named 'goood'; there are: dead, good\./);
  const missing = await look(good(), { backend: 'good', model: 'nothing' });
  const completion = missing.backends[0]!.checks.find(({ name }) => name === 'completion')!;
  assert.deepEqual([missing.status, completion.state, completion.code], ['fail', 'fail', 'model_not_found']);
  const keyless = await look(`  - { name: good, url: "${node.url}/v1", key: "env:NOT_SET_ANYWHERE" }\n`, {
    backend: 'good',
  });
  assert.equal(keyless.status, 'fail');
  assert.match(keyless.findings.at(-1)!.message, /NOT_SET_ANYWHERE/);
});

test('the engine of this machine is asked through the node that runs, or by itself, or not at all', async () => {
  const running = await lookAt(other, { backend: 'local' });
  assert.equal(running.backends[0]!.answers, true);
  assert.match(running.backends[0]!.checks[0]!.message, /Connected to 127\.0\.0\.1/);
  await using alone = await createHome();
  const [engine] = (await lookAt(alone, { backend: 'local' })).backends;
  assert.equal(engine!.answers, true);
  assert.ok(
    engine!.checks.every(({ state }) => state !== 'fail'),
    JSON.stringify(engine),
  );
  const [absent] = (await lookAt(alone, { backend: 'local', model: 'stories15m' })).backends;
  assert.deepEqual([absent!.status, absent!.answers], ['skipped', null]);
});

test('the whole is as bad as its worst part, but for a backend that others stand in for', () => {
  const finding = (status: 'ok' | 'warn' | 'fail') => ({ name: 'x', status, message: '', remedy: null });
  const backend = (status: BackendFindings['status'], answers: boolean | null): BackendFindings => ({
    ...{ name: 'b', status, answers, message: null, requests: 0, tokens: 0, ms: 0, checks: [] },
  });
  const of = (findings: Parameters<typeof finding>[0], ...backends: BackendFindings[]) =>
    statusOf({ findings: [finding(findings)], backends }, false);
  assert.equal(of('ok'), 'ok');
  assert.equal(of('warn'), 'warn');
  assert.equal(of('fail', backend('ok', true)), 'fail');
  assert.equal(of('ok', backend('skipped', null)), 'ok');
  assert.equal(of('ok', backend('fail', false), backend('skipped', null)), 'fail');
  assert.equal(of('ok', backend('fail', false), backend('ok', true)), 'warn');
  assert.equal(of('ok', backend('fail', true)), 'warn');
  assert.equal(statusOf({ findings: [], backends: [backend('fail', true)] }, true), 'fail');
});

test('nothing is sent over a way in the clear, neither the key nor a prompt', async () => {
  // Every name below `localhost` leads here, and none of them is taken for this machine.
  const { server, connections } = await counted();
  try {
    const { port } = server.address() as { port: number };
    const entry = `  - { name: bare, url: "http://bare.localhost:${port}/v1", key: sk-secret`;
    const bare = await look(`${entry} }\n`, { backend: 'bare' });
    assert.deepEqual(
      bare.backends.map(({ name, status, answers, requests, checks }) => [
        ...[name, status, answers, requests],
        checks.map((check) => [check.name, check.state, check.remedy]),
      ]),
      [
        [
          ...['bare', 'fail', null, 0],
          [['link', 'fail', 'Use https, or say `network: owned` under backends if the network is yours.']],
        ],
      ],
    );
    assert.deepEqual([bare.status, connections()], ['fail', 0]);
    const owned = await look(`${entry}, network: owned }\n`, { backend: 'bare' });
    assert.equal(owned.backends[0]!.checks[0]!.name, 'connection');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('at privacy maximum no provider is asked, and the way to ask it all the same is said', async () => {
  const { server, connections } = await counted();
  try {
    const { port } = server.address() as { port: number };
    await configure(`  - { name: vendor, url: "http://127.0.0.1:${port}/v1", owned: false }\n`);
    const maximum = ['doctor', '--backend', 'vendor', '--home', home.path, '--gateway-privacy', 'maximum'];
    const { out } = await kith(maximum);
    assert.match(
      out,
      /^backend vendor: gateway\.privacy is maximum .* kith doctor .*--backend vendor --gateway-privacy minimum$/m,
    );
    assert.equal(connections(), 0);
    await kith([...maximum.slice(0, -1), 'minimum']);
    assert.ok(connections() > 0);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a configuration that a start would warn of or refuse is so for doctor and for config show', async () => {
  await configure(dead());
  const { signal } = new AbortController();
  const { findings } = await runChecks(
    { home: home.path, gatewayRedisUrl: 'redis://10.0.0.7' },
    { ...wanted, backend: 'dead' },
    signal,
  );
  const { status, message } = findings.find(({ name }) => name === 'config')!;
  assert.equal(status, 'warn');
  assert.match(message, /^gateway\.redisUrl is redis:\/\/ on another machine \(10\.0\.0\.7\)/);
  const show = (...flags: string[]) => kith(['config', 'show', '--home', home.path, ...flags]);
  const [warned, refused] = await Promise.all([
    show('--gateway-redis-url', 'redis://10.0.0.7'),
    show('--gateway-order', 'nobody'),
  ]);
  assert.match(warned.err, /^warning: gateway\.redisUrl is redis:/);
  assert.match(warned.out, /^gateway\.redisUrl +redis:\/\/10\.0\.0\.7 /m);
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /gateway\.order names 'nobody', which is no backend here; there are: dead\./);
});

/** A server that hangs up, and counts who came. */
async function counted() {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, connections: () => count };
}
