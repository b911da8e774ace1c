/** Faults of processes and disks that take a while to arrange: hangs, kill -9 at the worst moment, full and read-only homes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import { testModel } from '../models/index.ts';
import { createHome, startNode } from '../node-support.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const running = new Set<ChildProcess>();
const folders: string[] = [];
const mounts: string[] = [];

after(async () => {
  for (const child of running) child.kill('SIGKILL');
  for (const path of mounts) spawnSync('umount', ['-l', path]);
  for (const path of folders) await rm(path, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kith-faults-'));
  folders.push(path);
  return path;
}

function begin(...args: string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('KITH_')));
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    out += chunk;
  });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, out };
  });
  let over = false;
  ended.then(() => {
    over = true;
  });
  const said = (text: string) =>
    until(() => over || out.includes(text)).then(() => assert.ok(out.includes(text), out));
  return { child, ended, said };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const ask = (url: string, body: object) =>
  fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'Once upon a time', ...body }),
  });
const endless = { stream: true, max_tokens: 3000, temperature: 1.5, logit_bias: { 2: -100 } };

async function health(url: string): Promise<string> {
  const response = await fetch(`${url}/health`);
  return ((await response.json()) as { llm: { status: string } }).llm.status;
}

test('an engine process that is stopped for a while goes on where it was', {
  skip: process.platform === 'win32',
}, async () => {
  await using home = await createHome();
  await using node = await startNode(home);
  const { engine } = await node.status();
  const response = await ask(node.url, { ...endless, max_tokens: 600 });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = (await reader.read()).value ?? '';
  process.kill(engine.pid!, 'SIGSTOP');
  // It has missed at least one probe.
  await until(async () => (await health(node.url)) === 'degraded');
  process.kill(engine.pid!, 'SIGCONT');
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) seen += piece.value;
  assert.match(seen, /data: \[DONE\]\n\n$/);
  await until(async () => (await health(node.url)) === 'ok');
  const { pid, restarts } = (await node.status()).engine;
  assert.deepEqual([pid, restarts], [engine.pid, 0]);
});

test('an engine process that hangs is replaced; its requests are told and the next is answered', {
  skip: process.platform === 'win32',
}, async () => {
  await using home = await createHome();
  await using node = await startNode(home);
  const { engine } = await node.status();
  const stream = await ask(node.url, endless);
  await stream.body!.getReader().read();
  const [first, second] = [
    await ask(node.url, endless),
    ask(node.url, { max_tokens: 2000, logit_bias: { 2: -100 } }),
  ];
  await until(async () => (await node.engineStatus()).models.some(({ active }) => active === 3));
  process.kill(engine.pid!, 'SIGSTOP');
  const told = await first.text();
  assert.match(told, /data: \{"error":\{[^\n]*"code":"engine_lost"\}\}\n\n$/);
  assert.ok(!told.includes('[DONE]'));
  const whole = await second;
  assert.equal(whole.status, 503);
  assert.match(await whole.text(), /did not answer for/);
  assert.equal((await ask(node.url, { max_tokens: 2 })).status, 200);
  assert.equal((await node.status()).engine.restarts, 1);
});

test('a node that is killed while it places its first model places it at the next start', async () => {
  const home = join(await newFolder(), 'home');
  const part = join(home, 'models', '.partial', 'tinyllama-1.1b-chat.part');
  const bytes = () =>
    stat(part).then(
      ({ size }) => size,
      () => 0,
    );
  for (const share of [0, 0.2, 0.7]) {
    const node = begin('start', '--home', home, '--port', '0', '--json');
    await until(async () => (await bytes()) > share * 322_591_712);
    node.child.kill('SIGKILL');
    await node.ended;
  }
  const node = begin('start', '--home', home, '--port', '0', '--json');
  await node.said('"event":"ready"');
  const { url } = JSON.parse(await readFile(join(home, 'run', 'node.json'), 'utf8')) as { url: string };
  assert.equal((await ask(url, { max_tokens: 2 })).status, 200);
  assert.equal((await begin('models', 'verify', 'tinyllama-1.1b-chat', '--home', home).ended).code, 0);
  assert.equal((await begin('stop', '--home', home).ended).code, 0);
  assert.equal((await node.ended).code, 0);
});

/** A small file system of its own, or null where that is not allowed. */
async function mountSmall(): Promise<string | null> {
  const path = await newFolder();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', path]);
  if (status !== 0) return null;
  mounts.push(path);
  return path;
}

async function fillDisk(path: string): Promise<void> {
  await using file = await open(join(path, 'filler'), 'w');
  const piece = Buffer.alloc(4096);
  for (;;) {
    try {
      await file.write(piece);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      return;
    }
  }
}

async function smallHome(path: string): Promise<void> {
  await using store = createModelStore({ home: path });
  await store.add(await testModel('stories15m-q4_0'), { id: 'tiny', link: true, task: 'completion' });
  for (const [key, value] of Object.entries({
    'models.default': 'tiny',
    'server.port': '0',
    'engine.device': 'cpu',
  }))
    await setInFile(path, key, value);
}

test('a disk too small for the model leaves a node that says so', async (t) => {
  const path = await mountSmall();
  if (path === null) return t.skip('mounting needs root');
  const node = begin('start', '--home', path, '--port', '0', '--json');
  await node.said('"event":"degraded"');
  const { url } = JSON.parse(await readFile(join(path, 'run', 'node.json'), 'utf8')) as { url: string };
  const response = await ask(url, {});
  assert.equal(response.status, 507);
  assert.match(await response.text(), /"disk_full"/);
  node.child.kill('SIGTERM');
  assert.equal((await node.ended).code, 0);
});

test('a disk that fills up under a node keeps it answering, and a start on a full one says what is wrong', async (t) => {
  const path = await mountSmall();
  if (path === null) return t.skip('mounting needs root');
  await smallHome(path);
  const node = begin('start', '--home', path, '--json');
  await node.said('"event":"ready"');
  const { url } = JSON.parse(await readFile(join(path, 'run', 'node.json'), 'utf8')) as { url: string };
  await fillDisk(path);
  for (let round = 0; round < 50; round++) {
    const response = await ask(url, { max_tokens: 2 });
    assert.equal(response.status, 200);
    await response.text();
  }
  const config = await readFile(join(path, 'config.yaml'));
  const set = await begin('config', 'set', 'log.keep', '7', '--home', path).ended;
  assert.equal(set.code, 1);
  assert.deepEqual(await readFile(join(path, 'config.yaml')), config);
  node.child.kill('SIGTERM');
  assert.equal((await node.ended).code, 0);
  // The run file's place is free again; fill that too.
  await rm(join(path, 'filler'));
  await fillDisk(path);
  const again = await begin('start', '--home', path, '--json').ended;
  assert.equal(again.code, 1);
  assert.match(again.out, /full/);
  await rm(join(path, 'filler'));
  const free = begin('start', '--home', path, '--json');
  await free.said('"event":"ready"');
  free.child.kill('SIGTERM');
  assert.equal((await free.ended).code, 0);
});

test('a read-only home cannot be started on, and says so; its models still answer without a node', async (t) => {
  const path = await mountSmall();
  if (path === null) return t.skip('mounting needs root');
  await smallHome(path);
  await writeFile(join(path, 'marker'), '');
  const node = begin('start', '--home', path, '--json');
  await node.said('"event":"ready"');
  node.child.kill('SIGTERM');
  await node.ended;
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', path]).status, 0);
  const { code, out } = await begin('start', '--home', path, '--json').ended;
  assert.equal(code, 1);
  assert.match(out, /The home folder .* cannot be written/);
  const run = await begin('run', 'Once', '--max-tokens', '3', '--json', '--home', path).ended;
  assert.equal(run.code, 0, run.out);
});
