/** `kith doctor` on backends: a real node as a server, a server that is not there, exit codes for each. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { BackendFindings } from '../src/cli/checks/backends.ts';
import { statusOf } from '../src/cli/commands/doctor.ts';
import type { Node } from '../src/node/index.ts';
import { kith, stopAll } from './cli-support.ts';
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

interface Said {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly message: string }[];
  readonly backends: readonly BackendFindings[];
}

/** Writes the backends and runs the doctor on them. */
async function doctor(
  backends: string,
  ...args: string[]
): Promise<{ code: number | null; said: Said; err: string }> {
  await writeFile(
    `${home.path}/config.yaml`,
    `models: { default: tiny, embedding: tiny-embed }
server: { port: 0 }
engine: { threads: 1, device: cpu }
gateway: { localEngine: false }
backends:\n${backends}`,
  );
  const { code, out, err } = await kith(['doctor', '--json', '--home', home.path, ...args]);
  return { code, err, said: out === '' ? (null as never) : JSON.parse(out) };
}

const good = () =>
  `  - { name: good, url: "${node.url}/v1", models: [tiny, tiny-embed], defaults: { chat: tiny, embedding: tiny-embed } }\n`;
const dead = () => `  - { name: dead, url: "http://127.0.0.1:${closed}/v1" }\n`;

test('a backend that is as it should be passes, with its figures and what they cost', async () => {
  const { code, said } = await doctor(good(), '--backend', 'good');
  const [backend] = said.backends;
  assert.deepEqual(
    said.checks.map(({ name }) => name),
    ['config', 'backends'],
  );
  assert.equal(backend!.answers, true);
  // A busy machine may take more than 50 ms to leave.
  for (const { name, state, message } of backend!.checks)
    assert.ok(state === 'ok' || (name === 'abort' && state === 'warn'), `${name}: ${message}`);
  assert.equal(code, said.status === 'ok' ? 0 : 3);
  assert.ok(backend!.requests >= 10 && backend!.tokens > 50, JSON.stringify(backend));
});

test('one that fails while another answers is degraded; by itself it is a failure', async () => {
  const both = await doctor(dead() + good());
  assert.deepEqual(
    both.said.backends.map(({ name, answers, status }) => [name, answers, status === 'fail']),
    [
      ['dead', false, true],
      ['good', true, false],
    ],
  );
  assert.ok(both.said.checks.length > 8, 'this machine is looked at too');
  assert.deepEqual([both.code, both.said.status], [3, 'warn']);
  const one = await doctor(dead() + good(), '--backend', 'dead');
  assert.deepEqual([one.code, one.said.status, one.said.backends.length], [1, 'fail', 1]);
  const connection = one.said.backends[0]!.checks[0]!;
  assert.match(connection.message, /Nothing listens at 127\.0\.0\.1:/);
  assert.ok(connection.remedy);
  assert.equal((await doctor(dead(), '--backend', 'dead')).code, 1);
});

test('a wrong name, a model that is not there, and a broken configuration are told apart', async () => {
  const unknown = await doctor(good(), '--backend', 'goood');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /There is no backend named 'goood'; there are: good\./);
  const missing = await doctor(good(), '--backend', 'good', '--model', 'nothing');
  assert.equal(missing.code, 1);
  const completion = missing.said.backends[0]!.checks.find(({ name }) => name === 'completion')!;
  assert.deepEqual([completion.state, completion.code], ['fail', 'model_not_found']);
  const keyless = await doctor(
    `  - { name: good, url: "${node.url}/v1", key: "env:NOT_SET_ANYWHERE" }\n`,
    '--backend',
    'good',
  );
  assert.equal(keyless.code, 1);
  assert.match(keyless.said.checks.at(-1)!.message, /NOT_SET_ANYWHERE/);
});

test('for people each check has a line, what is wrong a remedy, and what one fault skips is said once', async () => {
  await doctor(dead());
  const { out } = await kith(['doctor', '--home', home.path, '--backend', 'dead']);
  assert.match(out, /^backend dead: 1 request, 0 tokens/m);
  assert.match(out, /^fail {2}connection +Nothing listens at .*\n +→ Start the server there/m);
  assert.equal(out.match(/^skip /gm)!.length, 1);
});

test('the engine of this machine is asked through the node that runs, or by itself, or not at all', async () => {
  const local = async (path: string) => {
    const { out, code } = await kith(['doctor', '--json', '--home', path, '--backend', 'local']);
    return { code, backend: (JSON.parse(out) as Said).backends[0]! };
  };
  const running = await local(other.path);
  assert.equal(running.backend.answers, true);
  assert.match(running.backend.checks[0]!.message, /Connected to 127\.0\.0\.1/);
  await using alone = await createHome();
  const engine = await local(alone.path);
  assert.equal(engine.backend.answers, true);
  assert.ok(
    engine.backend.checks.every(({ state }) => state !== 'fail'),
    JSON.stringify(engine.backend),
  );
  const { out } = await kith([
    ...['doctor', '--json', '--home', alone.path, '--backend', 'local', '--model', 'stories15m'],
  ]);
  const [absent] = (JSON.parse(out) as Said).backends;
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
