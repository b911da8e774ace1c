/** A node among bad clients, bad luck and bad files. What takes longer is in test/long/. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, isKithError, KithError, silentLogger, systemClock } from '../src/base/index.ts';
import { createEngine } from '../src/engine/index.ts';
import { createModelStore } from '../src/models/index.ts';
import type { Node } from '../src/node/index.ts';
import { hostileModels, writeHostileModel } from './hostile-models.ts';
import { testModel } from './models/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let node: Node;
let folder: string;
const forked = new Set<ChildProcess>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-robust-'));
  home = await createHome();
  node = await startNode(home, {
    'engine.maxActive': 4,
    'engine.context': 1024,
    'server.headersTimeoutMs': 400,
    'server.requestTimeoutMs': 800,
  });
});
after(async () => {
  for (const child of forked) child.kill('SIGKILL');
  await node.close();
  await home.remove();
  await rm(folder, { recursive: true, force: true });
});

const headers = { 'content-type': 'application/json' };
const postRaw = (path: string, body: string | Uint8Array<ArrayBuffer>, to = node.url) =>
  fetch(to + path, { method: 'POST', headers, body });
const post = (path: string, body: unknown, to = node.url) => postRaw(path, JSON.stringify(body), to);
const say = (content: string, more: object = {}) => ({
  messages: [{ role: 'user', content }],
  max_tokens: 2,
  temperature: 0,
  ...more,
});
/** Goes on until it is stopped: the end token is banned. */
const endless = say('Go on.', { stream: true, max_tokens: 2000, temperature: 1.5, logit_bias: { 2: -100 } });

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } };
  return `${response.status} ${error.code}`;
}

async function answers(to = node.url): Promise<void> {
  const response = await post('/v1/chat/completions', say('Who are you?'), to);
  assert.equal(response.status, 200, await response.text());
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.trim().split(' ').filter(Boolean).map(Number);
}

/** A raw connection: `heard` resolves with all that came when the node closes it. */
async function dial(to = node.port): Promise<{ socket: Socket; heard: Promise<string> }> {
  const socket = connect(to, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {}); // A reset ends it as well.
  return { socket, heard: once(socket, 'close').then(() => text) };
}

test('fifty idle connections keep nobody from being answered', async () => {
  const idle = await Promise.all(Array.from({ length: 50 }, () => dial()));
  await answers();
  for (const { socket } of idle) socket.destroy();
});

test('a client that sends its headers drop by drop is told so and cut off', async () => {
  const { socket, heard } = await dial();
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n');
  const drip = setInterval(() => socket.write('x-drop: 1\r\n'), 50);
  await answers();
  assert.match(await heard, /^HTTP\/1\.1 408 .*"request_timeout"/s);
  clearInterval(drip);
});

test('a client that sends its body drop by drop is told so and cut off', async () => {
  const { socket, heard } = await dial();
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${node.port}\r\ncontent-type: application/json\r\ncontent-length: 10000\r\n\r\n`,
  );
  const drip = setInterval(() => socket.write(' '), 50);
  await answers();
  assert.match(await heard, /^HTTP\/1\.1 408 .*"request_timeout"/s);
  clearInterval(drip);
  await until(async () => (await node.status()).requests.active === 0);
});

test('headers over the limit are refused', async () => {
  const { socket, heard } = await dial();
  socket.write(`GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-large: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
  assert.match(await heard, /^HTTP\/1\.1 431 .*"headers_too_large"/s);
  await answers();
});

test('bytes that are no HTTP are refused', async () => {
  const random = createSeededRandom(3);
  for (let round = 0; round < 20; round++) {
    const { socket, heard } = await dial();
    socket.end(random.bytes(1 + (random.uint32() % 400)));
    await heard;
  }
  await answers();
});

test('a prompt of ten megabytes is refused, and others are answered meanwhile', async () => {
  const large = post('/v1/completions', { prompt: 'word '.repeat(1_990_000), max_tokens: 1 });
  const others = [answers(), answers(), answers()];
  assert.equal(await codeOf(await large), '400 context_length_exceeded');
  await Promise.all(others);
  assert.equal(
    await codeOf(await post('/v1/completions', { prompt: 'x'.repeat(10_000_001) })),
    '413 body_too_large',
  );
});

test('a word of a hundred thousand characters is tokenized or refused', async () => {
  for (const word of ['x', 'é', '😀', '\u0301', 'ab', '\n', ' ']) {
    const text = word.repeat(Math.floor(100_000 / word.length));
    assert.equal(await codeOf(await post('/v1/chat/completions', say(text))), '400 context_length_exceeded');
    assert.equal((await post('/v1/embeddings', { input: text })).status < 500, true, JSON.stringify(word));
  }
});

test('NUL bytes, lone surrogates and odd characters go through; bytes that are not UTF-8 are refused', async () => {
  for (const text of ['a\u0000b', '\u0000', '\ud800', 'a\udfffb', '\ufeff', '\u202e', '\uffff', '\u2028']) {
    const response = await post('/v1/chat/completions', say(text));
    assert.equal(response.status, 200, JSON.stringify(text));
    JSON.parse(await response.text());
    assert.equal((await post('/v1/embeddings', { input: `${text}a` })).status, 200, JSON.stringify(text));
    assert.ok((await post('/v1/completions', { prompt: text, stop: text, max_tokens: 1 })).status < 500);
  }
  const bytes = Buffer.from('{"messages":[{"role":"user","content":"\xff\xfe"}]}', 'latin1');
  assert.equal(
    await codeOf(await postRaw('/v1/chat/completions', Uint8Array.from(bytes))),
    '400 invalid_utf8',
  );
});

test('JSON that is nested deeply is refused, whatever it is nested in', async () => {
  const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000);
  for (const body of [deep('[', ']'), deep('{"a":', '}').replace(':}', ':1}'), '['.repeat(1_000_000)]) {
    assert.equal(await codeOf(await postRaw('/v1/chat/completions', body)), '400 json_too_deep');
  }
  const tools = [
    {
      type: 'function',
      function: { name: 'f', parameters: JSON.parse(deep('[', ']').slice(99_980, 100_020)) },
    },
  ];
  assert.ok((await post('/v1/chat/completions', say('Hi', { tools }))).status < 500);
});

test('names that mean something to JavaScript mean nothing here', async () => {
  const body =
    '{"__proto__":{"stream":true},"constructor":1,"messages":[{"role":"user","content":"Hi","__proto__":{"x":1}}],"max_tokens":1,"logit_bias":{"__proto__":1}}';
  assert.ok((await postRaw('/v1/chat/completions', body)).status < 500);
  assert.equal(({} as { stream?: boolean }).stream, undefined);
  for (const model of ['__proto__', 'constructor', '../tiny', 'tiny\u0000', 'a'.repeat(10_000)]) {
    const response = await post('/v1/chat/completions', say('Hi', { model }));
    assert.ok(response.status === 404 || response.status === 400, `${model}: ${response.status}`);
  }
  await answers();
});

const hasProc = process.platform === 'linux' ? false : 'reads /proc';

test('when the text process is killed, the next request works', { skip: hasProc }, async () => {
  const { engine } = await node.status();
  const own = (await childrenOf(process.pid)).filter((pid) => pid !== engine.pid);
  const texts: number[] = [];
  for (const pid of own) {
    // In the sources, or as a bundle.
    if (/text.child\./.test(await readFile(`/proc/${pid}/cmdline`, 'utf8'))) texts.push(pid);
  }
  assert.equal(texts.length, 1);
  // Its work on a large prompt takes long enough to be interrupted.
  const asked = post('/v1/embeddings', { input: 'a'.repeat(9_500_000) });
  const cpu = async () => Number((await readFile(`/proc/${texts[0]}/stat`, 'utf8')).split(' ')[13]);
  const idle = await cpu();
  await until(async () => (await cpu()) > idle + 2);
  process.kill(texts[0]!, 'SIGKILL');
  // Between two slices of the work nothing is lost: it begins anew in the next process.
  assert.ok(['503 text_thread_lost', '400 input_too_long'].includes(await codeOf(await asked)));
  assert.throws(() => process.kill(texts[0]!, 0));
  await answers();
  assert.equal((await node.status()).engine.restarts, 0);
});

async function forkNode(at: string, execArgv: string[] = [], flags: object = {}) {
  const child: ChildProcess = fork(
    new URL('./long/soak-node.ts', import.meta.url),
    [at, JSON.stringify(flags)],
    {
      execArgv,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    },
  );
  forked.add(child);
  let err = '';
  child.stderr!.on('data', (chunk) => {
    err += chunk;
  });
  const up = await Promise.race([
    once(child, 'message').then(([message]) => message as { url: string; port: number }),
    once(child, 'exit').then(() => null),
  ]);
  return { child, up, err: () => err };
}

test('when the node is killed, its engine and text processes end, and the home can be used again', {
  skip: hasProc,
}, async () => {
  await using other = await createHome();
  const first = await forkNode(other.path);
  await answers(first.up!.url);
  const response = await post('/v1/chat/completions', endless, first.up!.url);
  await response.body!.getReader().read();
  const pids = await childrenOf(first.child.pid!);
  assert.equal(pids.length, 2);
  first.child.kill('SIGKILL');
  await until(() => pids.every((pid) => !isAlive(pid)));
  const second = await forkNode(other.path);
  await answers(second.up!.url);
  second.child.send('close');
  const [code] = await once(second.child, 'exit');
  assert.equal(code, 0);
});

test('of two nodes that start on one home at the same time, one runs and the other says why not', async () => {
  await using other = await createHome();
  const both = await Promise.all([forkNode(other.path), forkNode(other.path)]);
  const winner = both.filter(({ up }) => up !== null);
  const loser = both.find(({ up }) => up === null);
  assert.equal(winner.length, 1);
  assert.match(loser!.err(), /A node already runs on/);
  await answers(winner[0]!.up!.url);
  winner[0]!.child.send('close');
  await once(winner[0]!.child, 'exit');
});

test('a clock that jumps back and forth by hours does no harm', async () => {
  await using other = await createHome();
  // Each reading is up to two days off, in either direction.
  const jumping =
    'const real = Date.now; let n = 1; Date.now = () => { n = (n * 48271) % 2147483647; return real() + ((n % 1000) - 500) * 345600; };';
  const { child, up } = await forkNode(other.path, [
    '--import',
    `data:text/javascript,${encodeURIComponent(jumping)}`,
  ]);
  assert.ok(up);
  for (let round = 0; round < 5; round++) {
    const response = await post('/v1/chat/completions', say('Who are you?', { max_tokens: 8 }), up.url);
    const answer = (await response.json()) as { choices: unknown[]; created: number };
    assert.equal(response.status, 200);
    assert.equal(answer.choices.length, 1);
    assert.equal((await fetch(`${up.url}/health`)).status, 200);
  }
  child.send('close');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('files that are no models are refused by the store and leave nothing behind', async () => {
  await using store = createModelStore({ home: home.path });
  const good = await readFile(await testModel('stories15m-q4_0'));
  const random = createSeededRandom(9);
  const files: Record<string, Uint8Array> = {
    empty: new Uint8Array(),
    random: random.bytes(100_000),
    'magic-and-random': Buffer.concat([Buffer.from('GGUF\x03\0\0\0', 'latin1'), random.bytes(100_000)]),
    'cut-in-the-header': good.subarray(0, 5000),
    'cut-in-the-data': good.subarray(0, good.length - 1),
    'a-page': Buffer.from('<!doctype html><title>Not found</title>'),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, `${name}.gguf`);
    await writeFile(path, bytes);
    await assert.rejects(store.add(path, { id: `bad-${name}` }), (error: unknown) => {
      assert.ok(isKithError(error), `${name}: ${String(error)}`);
      assert.ok(error.status < 500, `${name}: ${error.code} ${error.message}`);
      return true;
    });
  }
  const ids = (await store.list()).map(({ manifest }) => manifest.id);
  assert.deepEqual(
    ids.filter((id) => id.startsWith('bad-')),
    [],
  );
});

/** One of each way in which a file once ended the engine process, and some that never did. */
const QUICK = [
  'llama: rope.dimension_count 7',
  'llama: matrices of type 9',
  'llama: matrices of type 26',
  'llama: lookup table of type 15',
  'llama: head of type 24',
  'llama: attention.head_count 0',
  'llama: context_length 2147483648',
  'llama: attention.layer_norm_rms_epsilon NaN',
  'llama: lookup table and head with fewer tokens',
  'llama: no blk.1.ffn_down.weight',
  'llama: a transposed matrix',
  'llama: every number NaN',
  'llama: expert_count 1',
  'llama: rope scaling of an unknown kind',
  'bert: token types of type 1',
  'bert: position table of type 26',
  'bert: every number NaN',
  'gemma3: attention.sliding_window_pattern NaN',
  'qwen3: tokens missing',
  'phi3: rope.dimension_count 15',
];

test('a model that is hostile gets a typed error and the engine process stays', async () => {
  await using engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: createSeededRandom(1),
    threads: 1,
    device: 'cpu',
  });
  for (const name of QUICK) {
    const hostile = hostileModels.find((each) => each.name === name);
    assert.ok(hostile, name);
    const path = join(folder, 'hostile.gguf');
    await writeHostileModel(hostile, folder, path);
    const use = async () => {
      const { task } = await engine.load({ id: 'hostile', path });
      if (task === 'embedding') await engine.embed({ model: 'hostile', inputs: ['Hello there'] });
      else {
        const prompt = { kind: 'text', text: 'Hello there' } as const;
        for await (const _ of engine.generate({
          model: 'hostile',
          prompt,
          sampler: {},
          maxTokens: 3,
          stop: [],
        }));
      }
    };
    await assert.rejects(use, (error: unknown) => {
      assert.ok(error instanceof KithError, `${name}: ${String(error)}`);
      assert.notEqual(error.code, 'engine_lost', `${name}: ${error.message}`);
      return true;
    });
    await engine.unload('hostile');
    assert.equal(engine.state().restarts, 0, name);
  }
});
