import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { createSeededRandom, KithError, LimitError, silentLogger, systemClock } from '../src/base/index.ts';
import {
  type CreateEngineOptions,
  createEngine,
  type Engine,
  type ForwardPart,
  type GenerateEvent,
  type GenerateRequest,
} from '../src/engine/index.ts';
import { Connection } from '../src/engine/process/connection.ts';
import { encodeForward } from '../src/engine/process/job.ts';
import { resolveOptions } from '../src/engine/process/options.ts';
import { spawnEngine } from '../src/engine/process/spawn.ts';
import { testModel } from './models/index.ts';

let path: string;
let engine: Engine;
/** Engine processes without a client, ended at the latest with the tests. */
const children = new Set<ChildProcess>();

const open = (options: Partial<CreateEngineOptions> = {}): Engine =>
  createEngine({
    log: silentLogger,
    clock: systemClock,
    random: createSeededRandom(1),
    threads: 1,
    device: 'cpu',
    maxActive: 4,
    ...options,
  });

before(async () => {
  path = await testModel('stories15m-f16');
  engine = open();
  await engine.load({ id: 'tiny', path });
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  for (const child of children) child.kill('SIGKILL');
});

/** Long enough to be interrupted: EOS never comes. */
const story = (changes: Partial<GenerateRequest> = {}): GenerateRequest => ({
  model: 'tiny',
  prompt: { kind: 'text', text: 'Once upon a time' },
  sampler: {
    temperature: 0,
    logitBias: [
      [2, -100],
      [1, -100],
    ],
  },
  maxTokens: 200,
  stop: [],
  ...changes,
});

interface Told {
  readonly text: string;
  readonly events: readonly GenerateEvent[];
  readonly error: KithError | null;
}

/** Reads to the end; `at` is called with the number of text events so far. */
async function tell(
  from: Engine,
  request: GenerateRequest,
  options: { signal?: AbortSignal; at?: (texts: number) => void } = {},
): Promise<Told> {
  const events: GenerateEvent[] = [];
  let text = '';
  let texts = 0;
  try {
    for await (const event of from.generate(request, options.signal)) {
      events.push(event);
      if (event.type !== 'text') continue;
      text += event.text;
      options.at?.(++texts);
    }
    return { text, events, error: null };
  } catch (error) {
    assert.ok(error instanceof KithError, String(error));
    return { text, events, error };
  }
}

const isCode = (code: string) => (error: unknown) => {
  assert.ok(error instanceof KithError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

/** Waits for a condition; the test runner's own limit ends it when it never comes. */
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

const idle = (from: Engine, id = 'tiny') =>
  until(async () => {
    const model = (await from.status()).models.find((each) => each.id === id);
    return model?.active === 0 && model.queued === 0;
  });

test('an answer comes as start, text and finish, the same each time', async () => {
  const first = await tell(engine, story({ maxTokens: 20 }));
  assert.equal(first.error, null);
  assert.equal(first.events[0]?.type, 'start');
  const finish = first.events.at(-1);
  assert.ok(finish?.type === 'finish' && finish.reason === 'length');
  assert.equal(finish.usage.completionTokens, 20);
  assert.match(first.text, /^, there was a little girl/);
  assert.equal((await tell(engine, story({ maxTokens: 20 }))).text, first.text);
});

test('killing the engine process ends the answer with engine_lost, and the next request is answered', async () => {
  await using own = open();
  await own.load({ id: 'tiny', path });
  const pid = own.state().pid as number;
  const told = await Promise.all(
    [0, 1, 2].map((index) =>
      tell(own, story(), {
        at: (texts) => void (index === 0 && texts === 3 && process.kill(pid, 'SIGKILL')),
      }),
    ),
  );
  for (const { error, text } of told) {
    assert.equal(error?.code, 'engine_lost');
    assert.deepEqual([error.status, error.retryAfter], [503, 1]);
    assert.match(error.message, /SIGKILL.*restarted/);
    assert.ok(text.length > 0, 'what had come is delivered first');
  }
  const next = await tell(own, story({ maxTokens: 5 }));
  assert.equal(next.error, null);
  assert.notEqual(own.state().pid, pid);
  assert.equal(own.state().restarts, 1);
  assert.equal(own.models().length, 1);
});

test('the engine process ends when its parent is killed', async () => {
  const script = `
    import { createEngine } from ${JSON.stringify(new URL('../src/engine/index.ts', import.meta.url).href)};
    import { silentLogger, systemClock, systemRandom } from ${JSON.stringify(new URL('../src/base/index.ts', import.meta.url).href)};
    const engine = createEngine({ log: silentLogger, clock: systemClock, random: systemRandom, threads: 1, device: 'cpu' });
    await engine.load({ id: 'tiny', path: ${JSON.stringify(path)} });
    for await (const event of engine.generate({ model: 'tiny', prompt: { kind: 'text', text: 'Once' }, sampler: { temperature: 0, logitBias: [[2, -100], [1, -100]] }, maxTokens: 4000, stop: [], overflow: 'slide' }))
      if (event.type === 'text') console.log(engine.state().pid);`;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: parent.stdout });
  const pid = Number((await lines[Symbol.asyncIterator]().next()).value);
  assert.ok(isAlive(pid));
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
});

test('signals of the terminal and the service manager leave the engine process to its parent', async () => {
  const pid = engine.state().pid as number;
  const told = await tell(engine, story({ maxTokens: 30 }), {
    at(texts) {
      if (texts === 2)
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    },
  });
  assert.equal(told.error, null);
  assert.equal(engine.state().pid, pid);
});

test('an abort ends the stream as aborted and frees its place', async () => {
  const abort = new AbortController();
  const { events, error } = await tell(engine, story(), { signal: abort.signal, at: () => abort.abort() });
  assert.equal(error, null);
  const finish = events.at(-1);
  assert.ok(finish?.type === 'finish' && finish.reason === 'aborted');
  assert.ok(finish.usage.completionTokens < 100);
  await idle(engine);
});

test('a reader that leaves stops the decoding', async () => {
  const before = (await engine.status()).models[0]?.counters.aborted as number;
  for await (const event of engine.generate(story())) if (event.type === 'text') break;
  await idle(engine);
  assert.equal((await engine.status()).models[0]?.counters.aborted, before + 1);
});

test('a request that was aborted before it began throws', async () => {
  const { error, events } = await tell(engine, story(), { signal: AbortSignal.abort() });
  assert.equal(error?.code, 'aborted');
  assert.equal(events.length, 0);
});

test('many requests with random aborts leave nothing behind', async () => {
  const random = createSeededRandom(5);
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const abort = new AbortController();
      const limit = Math.floor(random.float() * 12);
      if (limit === 0) abort.abort();
      const request = story({ maxTokens: 10, prompt: { kind: 'text', text: `Story ${index}` } });
      const { error, events } = await tell(engine, request, {
        signal: abort.signal,
        at: (texts) => texts === limit && abort.abort(),
      });
      if (error === null) assert.equal(events.at(-1)?.type, 'finish');
      else assert.equal(error.code, 'aborted');
    }),
  );
  await idle(engine);
  // Cells that a pass is using when its sequence is aborted come back after the pass.
  await until(async () => {
    const { counters } = (await engine.status()).models[0]!;
    return counters.freeCells! + counters.cachedCells! === counters.kvCells;
  });
});

test('a reader that lags gets everything in few events', async () => {
  const stream = engine.generate(story({ maxTokens: 200 }));
  const first = await stream.next();
  await idle(engine);
  const quick = await tell(engine, story({ maxTokens: 200 }));
  const events = [first.value as GenerateEvent];
  for await (const event of stream) events.push(event);
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  assert.equal(text, quick.text);
  assert.ok(events.length < 80, `${events.length} events for 200 tokens`);
});

test('calls that load the same model at the same time share the work; leaving callers do not stop the others', async () => {
  await using own = open();
  const abort = new AbortController();
  const seen: number[] = [];
  const gone = assert.rejects(own.load({ id: 'tiny', path }, { signal: abort.signal }), isCode('aborted'));
  const loads = [
    own.load({ id: 'tiny', path }, { onProgress: (done) => seen.push(done) }),
    own.load({ id: 'tiny', path }),
  ];
  abort.abort();
  await gone;
  const [one, two] = await Promise.all(loads);
  assert.equal(one, two);
  assert.equal(await own.load({ id: 'tiny', path }), one);
  assert.equal(seen.at(-1), one?.weightBytes);
});

test('unloading ends what runs on the model', async () => {
  await using own = open();
  await own.load({ id: 'tiny', path });
  const told = await tell(own, story(), { at: (texts) => void (texts === 2 && own.unload('tiny')) });
  assert.equal(told.error?.code, 'model_unloading');
  assert.deepEqual(own.models(), []);
  assert.equal((await tell(own, story())).error?.code, 'model_not_loaded');
  await own.unload('tiny');
});

test('a model that does not fit into the memory given is refused with numbers', async () => {
  await using own = open({ memoryBytes: 64 << 20 });
  await assert.rejects(own.load({ id: 'tiny', path }), (error: unknown) => {
    assert.ok(error instanceof LimitError);
    assert.equal(error.limit, 'engine.memoryBytes');
    assert.match(error.message, /47 MiB for weights.*64 MiB/);
    return true;
  });
  assert.deepEqual(own.models(), []);
});

test('when memory is short, the idle model that was used the longest ago makes room and comes back when asked', async () => {
  // Room for two of them: 47 MiB of weights, 64 MiB of work space and a small KV cache each.
  await using own = open({ memoryBytes: 250 << 20, context: 128, kvCells: 256 });
  const ids = () =>
    own
      .models()
      .map(({ id }) => id)
      .sort();
  for (const id of ['a', 'b']) await own.load({ id, path });
  assert.equal((await tell(own, story({ model: 'a', maxTokens: 2 }))).error, null);
  await own.load({ id: 'c', path });
  assert.deepEqual(ids(), ['a', 'c']);
  // `c` was used after `a` now, so `a` goes.
  assert.equal((await tell(own, story({ model: 'b', maxTokens: 2 }))).error, null);
  assert.deepEqual(ids(), ['b', 'c']);

  // What answers stays.
  const loads: Promise<unknown>[] = [];
  const busy = await tell(own, story({ model: 'b', maxTokens: 20 }), {
    at: (texts) => void (texts === 2 && loads.push(own.load({ id: 'd', path }))),
  });
  assert.equal(busy.error, null);
  await Promise.all(loads);
  assert.deepEqual(ids(), ['b', 'd']);
});

test('a device that is not there is told as such and not restarted for', {
  skip: process.platform === 'darwin',
}, async () => {
  await using own = open({ device: 'metal' });
  await assert.rejects(own.load({ id: 'tiny', path }), isCode('device_unavailable'));
  await assert.rejects(own.load({ id: 'tiny', path }), isCode('device_unavailable'));
  const { restarts, lastCause } = own.state();
  assert.deepEqual([restarts, lastCause], [0, null]);
});

test('a process that hangs is killed, its requests fail, and the next is answered', async () => {
  await using own = open({ supervision: { heartbeatMs: 50, silentBeats: 20 } });
  await own.load({ id: 'tiny', path });
  const pid = own.state().pid as number;
  const told = await tell(own, story(), {
    at: (texts) => void (texts === 2 && process.kill(pid, 'SIGSTOP')),
  });
  assert.equal(told.error?.code, 'engine_lost');
  assert.match(told.error.message, /did not answer for/);
  assert.equal((await tell(own, story({ maxTokens: 3 }))).error, null);
});

test('a process that keeps dying is left alone for a while, and the error says why', async () => {
  await using own = open({ supervision: { deaths: 3, backoffMs: [0] } });
  await own.load({ id: 'tiny', path });
  for (let death = 0; death < 3; death++) {
    const told = await tell(own, story(), {
      at: () => void process.kill(own.state().pid as number, 'SIGKILL'),
    });
    assert.equal(told.error?.code, 'engine_lost');
  }
  const { error } = await tell(own, story());
  assert.equal(error?.code, 'engine_unavailable');
  assert.match(error.message, /3 times.*SIGKILL/);
  assert.ok((error.retryAfter ?? 0) > 0);
  assert.equal(own.state().state, 'broken');
});

test('closing the engine lets an answer in flight come to its end', async () => {
  const own = open();
  await own.load({ id: 'tiny', path });
  const pid = own.state().pid as number;
  let closed: Promise<void> | undefined;
  const told = await tell(own, story({ maxTokens: 30 }), {
    at(texts) {
      if (texts === 1) closed = Promise.resolve(own[Symbol.asyncDispose]());
    },
  });
  assert.equal(told.error, null);
  const finish = told.events.at(-1);
  assert.ok(finish?.type === 'finish' && finish.reason === 'length');
  await closed;
  assert.ok(!isAlive(pid));
  assert.equal((await tell(own, story())).error?.code, 'engine_closed');
});

test('block ranges in a chain give the logits of the whole', async () => {
  await using own = open();
  const ranges = [
    { id: 'a', from: 0, to: 2, embed: true, head: false },
    { id: 'b', from: 2, to: 6, embed: false, head: false },
    { id: 'c', from: 6, to: 6, embed: false, head: true },
  ];
  for (const { id, ...range } of ranges) await own.load({ id, path, range });
  const tokens = await own.tokenize('a', 'Once upon a time');
  const count = tokens.length;
  const part = (given: Partial<ForwardPart>): ForwardPart => ({
    cells: Int32Array.from({ length: count }, (_, cell) => cell),
    start: 0,
    count,
    tokens: null,
    hidden: null,
    outputs: 'all',
    ...given,
  });
  const first = await own.forward('a', [part({ tokens })]);
  const second = await own.forward('b', [part({ hidden: first.rows })]);
  assert.deepEqual([second.count, second.width], [count, 288]);
  const last = await own.forward('c', [part({ hidden: second.rows, outputs: 'last' })]);
  assert.equal(last.width, 32_000);
  const best = last.rows.indexOf(Math.max(...last.rows));
  const { text } = await tell(engine, story({ maxTokens: 1 }));
  assert.equal(await own.detokenize('c', [best]), text);
  await assert.rejects(
    own.forward('b', [part({ hidden: new Float32Array(count * 288).fill(Number.NaN) })]),
    isCode('value_not_finite'),
  );
  await assert.rejects(
    own.forward('a', [part({ tokens: tokens.map(() => 32_000) })]),
    isCode('token_invalid'),
  );
  await assert.rejects(own.forward('b', [part({ hidden: new Float32Array(3) })]), isCode('forward_invalid'));
  assert.equal(own.state().restarts, 0);
});

/** A bare engine process with a connection of our own: what the client would never send can be sent. */
async function bare(hello = true) {
  const { child, pipe } = spawnEngine();
  children.add(child);
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const connection = new Connection({
    stream: pipe,
    onClose: () => connection.fail(new KithError('gone', 'gone')),
    onPong: () => {},
  });
  if (hello) {
    const options = resolveOptions({ threads: 1, device: 'cpu' });
    await connection.call('hello', { meta: { options: { ...options, libraryRoots: [] } } });
  }
  return { child, pipe, connection, exit };
}

test('requests with wrong shapes are refused and the process stays', async () => {
  const { child, connection, exit } = await bare();
  const refused = async (
    type: Parameters<Connection['call']>[0],
    meta: Record<string, unknown>,
    payload?: Uint8Array,
  ) => {
    const error = await connection.call(type, { meta, ...(payload ? { payload } : {}) }).then(
      () => assert.fail(`${type} ${JSON.stringify(meta)} was accepted`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof KithError, String(error));
    assert.notEqual(error.code, 'gone');
    assert.ok(error.status < 500, `${type} ${JSON.stringify(meta)}: ${error.code} ${error.message}`);
  };
  const load = await connection.call('load', { meta: { id: 'tiny', path } });
  assert.equal((load.meta.loaded as { vocab: number }).vocab, 32_000);
  const base = {
    model: 'tiny',
    sampler: {},
    maxTokens: 4,
    stop: [],
    overflow: 'error',
    keepTokens: 0,
    echo: false,
    cachePrompt: true,
    priority: 0,
    timeoutMs: null,
    promptParam: 'prompt',
  };
  const row = (...tokens: number[]) => new Uint8Array(Int32Array.from(tokens).buffer);
  await refused('generate', base, row(-1));
  await refused('generate', base, row(32_000));
  await refused('generate', base, new Uint8Array(0));
  await refused('generate', { ...base, stop: [1] }, row(1));
  await refused('generate', { ...base, sampler: { temperature: 'hot' } }, row(1));
  await refused('generate', { ...base, sampler: null }, row(1));
  await refused('generate', { ...base, maxTokens: -1 }, row(1));
  await refused('generate', { ...base, model: 'other' }, row(1));
  await refused('generate', base, new Uint8Array(Int32Array.from({ length: 300 }, () => 5).buffer));
  await refused('load', { id: 'x' });
  await refused('load', { id: 'x', path, range: { from: 3, to: 2, embed: true, head: true } });
  await refused('load', { id: 'x', path, range: { from: 0, to: 99, embed: true, head: true } });
  await refused('embed', { model: 'tiny', lengths: [1] }, row(1));
  await refused('embed', { model: 'tiny', lengths: [1, 5] }, row(1));
  await refused('forward', { model: 'tiny', parts: [] });
  const { meta, payload } = encodeForward('tiny', [
    { cells: Int32Array.of(0), start: 0, count: 1, tokens: Int32Array.of(1), hidden: null, outputs: 'last' },
  ]);
  await refused('forward', meta, payload);
  await refused('forward', { model: 'tiny', parts: [{ cells: 1e9 }] });
  await refused('tokenize', { model: 'tiny' });
  await refused('detokenize', { model: 'tiny' }, row(99_999));
  await refused('shutdown', { drainMs: 'now' });
  assert.equal(child.exitCode, null);
  await exit;
});

test('a process that is sent nonsense ends instead of guessing', async () => {
  for (const nonsense of [
    Buffer.alloc(64, 0xff),
    Buffer.from('0c000000014000000100000000000000', 'hex'),
    Buffer.from([1, 2, 3]),
  ]) {
    const { pipe, connection, exit } = await bare(false);
    pipe.end(nonsense);
    await exit;
    await assert.rejects(connection.call('status'), isCode('gone'));
  }
});

test('embeddings are unit vectors, and inputs over the window are named', async () => {
  await using own = open();
  await own.load({ id: 'mini', path: await testModel('minilm-f16') });
  const long = 'word '.repeat(600);
  const inputs = ['a cat', 'a kitten', long, Int32Array.of(101, 4937, 102)];
  await assert.rejects(own.embed({ model: 'mini', inputs }), (error: unknown) => {
    assert.ok(error instanceof KithError);
    assert.equal(error.code, 'input_too_long');
    // 602 tokens; nobody counts further than it takes to refuse them.
    assert.deepEqual([error.details.index, error.details.context], [2, 512]);
    assert.match(error.message, /^Input 2 has more than 512 tokens/);
    return true;
  });
  const { vectors, dimension, tokens } = await own.embed({ model: 'mini', inputs, truncate: true });
  assert.deepEqual([dimension, tokens], [384, [4, 4, 512, 3]]);
  const vector = (index: number) => vectors.subarray(index * 384, (index + 1) * 384);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (let index = 0; index < 4; index++) assert.ok(Math.abs(dot(vector(index), vector(index)) - 1) < 1e-5);
  assert.ok(dot(vector(0), vector(1)) > 0.6);
  const many = Array.from({ length: 700 }, (_, index) => (index === 650 ? 'a cat' : 'b'));
  const batch = await own.embed({ model: 'mini', inputs: many });
  assert.ok(dot(batch.vectors.subarray(650 * 384, 651 * 384), vector(0)) > 0.9999);
  await assert.rejects(own.embed({ model: 'mini', inputs: many }, AbortSignal.abort()), isCode('aborted'));
  assert.equal((await tell(own, story({ model: 'mini' }))).error?.code, 'wrong_model_task');
});

test('echo gives the prompt before the answer', async () => {
  const { text } = await tell(engine, story({ maxTokens: 3, echo: true }));
  assert.equal(text, 'Once upon a time, there was');
  // A space of the prompt's own stays.
  const spaced = story({ prompt: { kind: 'text', text: ' A' }, maxTokens: 1, echo: true });
  assert.match((await tell(engine, spaced)).text, /^ A(?! )/);
  const tokens = await engine.tokenize('tiny', 'A');
  const given = await tell(engine, story({ prompt: { kind: 'tokens', tokens }, maxTokens: 1, echo: true }));
  assert.match(given.text, /^A/);
});

test('log probabilities and their token bytes cross the process boundary', async () => {
  const { events } = await tell(engine, story({ maxTokens: 4, sampler: { temperature: 0, topLogprobs: 2 } }));
  const entries = events.flatMap((event) => (event.type === 'text' ? (event.logprobs ?? []) : []));
  assert.equal(entries.length, 4);
  for (const { bytes, logprob, top, token } of entries) {
    assert.ok(logprob <= 0 && Number.isFinite(logprob));
    assert.equal(top.length, 2);
    assert.equal(top[0]?.token, token);
    assert.ok(bytes instanceof Uint8Array && bytes.length > 0);
  }
});
