/** The client library against real nodes: answers, a node killed in the middle, a restart, two nodes with one dead. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type AnswerEvent, createClient } from '../src/client/index.ts';
import type { Node } from '../src/node/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

const ROOT = join(import.meta.dirname, '..');

let home: TestHome;
let node: Node;
let otherHome: TestHome;
const processes = new Set<ChildProcess>();

before(async () => {
  home = await createHome();
  otherHome = await createHome();
  node = await startNode(home);
});
after(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await node.close();
  await home.remove();
  await otherHome.remove();
});

/** A node in a process of its own, on the given port, ready to answer. */
async function startProcess(port: number): Promise<ChildProcess> {
  const args = ['start', '--json', '--home', otherHome.path, '--port', String(port)];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(KITH_|npm_)/.test(key)));
  const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...env, NODE_TEST_CONTEXT: '' },
  });
  processes.add(child);
  child.once('exit', () => processes.delete(child));
  let said = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.includes('"event":"ready"')) break;
  }
  assert.match(said, /"event":"ready"/);
  child.stdout!.resume();
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

const ask = { messages: [{ role: 'user' as const, content: 'Who are you?' }], max_tokens: 8, temperature: 0 };
/** Goes on until it is stopped: the end token is banned. */
const endless = { ...ask, max_tokens: 2000, temperature: 1.5, logit_bias: { 2: -100 } };

test('a chat comes as typed events that agree with the whole of it', async () => {
  await using client = createClient({ nodes: [node.url] });
  const events: AnswerEvent[] = [];
  for await (const event of client.chat({ ...ask, kith: { receipt: true } })) events.push(event);
  const [start] = events;
  assert.ok(start?.type === 'start' && start.model === 'tiny' && start.node === node.url);
  assert.ok(start.requestId?.startsWith('req-'));
  const whole = await client.chat(ask).whole();
  assert.equal(whole.text, events.map((event) => (event.type === 'text' ? event.text : '')).join(''));
  assert.ok(whole.text.length > 0);
  assert.equal(whole.choices[0]!.finishReason, 'length');
  assert.deepEqual([whole.usage!.completionTokens, whole.usage!.promptTokens! > 0], [8, true]);
  const usage = events.findLast((event) => event.type === 'usage')!;
  assert.equal((usage.receipt as { backend: string }).backend, 'local');
  assert.deepEqual((await client.chat({ ...ask, n: 2 }).whole()).choices.length, 2);
});

test('completions, NS-LLM texts, vectors, models and health are there', async () => {
  await using client = createClient({ nodes: [`${node.url}/v1`] });
  const completed = await client
    .complete({ prompt: 'One two', max_tokens: 4, logit_bias: { 2: -100 } })
    .whole();
  assert.equal(completed.usage!.completionTokens, 4);
  const generated = await client.generate({ prompt: 'Who are you?', max_tokens: 8, temperature: 0 }).whole();
  assert.equal(generated.text, (await client.chat(ask).whole()).text);
  assert.deepEqual([generated.usage!.completionTokens, generated.choices[0]!.finishReason], [8, 'length']);
  const { vectors, model } = await client.embed({ input: ['hello', 'world'] });
  assert.deepEqual([model, vectors.length, vectors[0]!.length], ['tiny-embed', 2, 384]);
  assert.ok(Math.abs(Math.hypot(...vectors[0]!) - 1) < 1e-5);
  const ids = (await client.models()).map(({ id }) => id);
  assert.ok(ids.includes('tiny') && ids.includes('tiny-embed'));
  const [health] = await client.health();
  assert.deepEqual([health!.ok, health!.status, health!.version], [true, 'ok', '0.0.0-test']);
});

test('what the node refuses comes as its own error, at once', async () => {
  await using client = createClient({ nodes: [node.url] });
  await assert.rejects(client.chat({ ...ask, model: 'nobody' }).whole(), {
    name: 'ApiError',
    status: 404,
    code: 'model_not_found',
    attempts: [],
  });
  await assert.rejects(client.chat({ ...ask, temperature: -1 }).whole(), {
    status: 400,
    param: 'temperature',
  });
  await assert.rejects(client.generate({ prompt: '' }).whole(), { status: 400, param: 'prompt' });
});

test('leaving an answer stops the node', async () => {
  await using client = createClient({ nodes: [node.url] });
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      for await (const event of client.chat(endless, { signal: controller.signal })) {
        if (event.type === 'text') controller.abort();
      }
    },
    { name: 'AbortError' },
  );
  for await (const event of client.chat(endless)) if (event.type === 'text') break;
  for (;;) {
    const health = (await (await fetch(`${node.url}/health`)).json()) as { requests: { active: number } };
    if (health.requests.active === 0) break;
  }
});

test('a node killed in the middle is an error after what came; the next request goes elsewhere, and back after a restart', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child = await startProcess(port);
  await using client = createClient({
    nodes: [url, node.url],
    breaker: { failures: 1, restMs: 1 },
  });
  let text = '';
  const reading = (async () => {
    for await (const event of client.chat(endless)) {
      if (event.type !== 'text') continue;
      if (text === '') child.kill('SIGKILL');
      text += event.text;
    }
  })();
  await assert.rejects(reading, { name: 'StreamError', code: 'stream_cut', node: url });
  assert.ok(text.length > 0);
  await kill(child);

  // Two nodes, one dead.
  const elsewhere = await client.chat(ask).whole();
  assert.equal(elsewhere.node, node.url);
  const health = await client.health();
  assert.deepEqual(
    health.map(({ ok, status }) => [ok, status]),
    [
      [false, 'unreachable'],
      [true, 'ok'],
    ],
  );

  child = await startProcess(port);
  const back = await client.chat(ask).whole();
  assert.deepEqual([back.node, back.text], [url, elsewhere.text]);
  await kill(child);
  // Kept connections died with the node: that costs nobody an answer.
  assert.equal((await client.chat(ask).whole()).node, node.url);
});

test('a node that comes back while a request is being tried answers it', async () => {
  const port = await freePort();
  await using client = createClient({
    nodes: [`http://127.0.0.1:${port}`],
    retries: 1000,
    maxPauseMs: 600_000,
  });
  const waiting = client.chat(ask, { timeouts: { totalMs: 120_000 } }).whole();
  const child = await startProcess(port);
  const { text } = await waiting;
  assert.ok(text.length > 0);
  await kill(child);
});

test('the snippet of the page runs as it stands, from the built room alone', async () => {
  const page = await readFile(join(ROOT, 'docs', 'client-library.md'), 'utf8');
  const snippet = /```js\n([\s\S]*?)```/.exec(page)![1]!;
  const folder = await mkdtemp(join(tmpdir(), 'kith-client-'));
  try {
    // The room alone, as the package holds it: that it needs nothing else is part of what is tested.
    const out = join(folder, 'node_modules', 'kith-node');
    await mkdir(out, { recursive: true });
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const entry = join(ROOT, 'src', 'client', 'index.ts');
    const config = {
      extends: join(ROOT, 'tsconfig.build.json'),
      compilerOptions: {
        outDir: join(out, 'dist'),
        rootDir: join(ROOT, 'src'),
        typeRoots: [join(ROOT, 'node_modules/@types')],
      },
      include: [],
      files: [entry],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await run(process.execPath, [tsc, '-p', join(folder, 'tsconfig.json')], folder);
    await symlink(join(ROOT, 'package.json'), join(out, 'package.json'));
    await writeFile(join(folder, 'snippet.mjs'), snippet.replaceAll('http://127.0.0.1:11435', node.url));
    const printed = await run(process.execPath, ['snippet.mjs'], folder);
    assert.match(printed, /\n2 384\n/);
    assert.match(printed, new RegExp(`${node.url} ok\n$`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stdout}${stderr}`)) : resolve(stdout),
    );
  });
}
