/** Every hostile model there is: about nineteen hundred files, each loaded and asked to write. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, KithError, silentLogger, systemClock } from '../../src/base/index.ts';
import { createEngine, type Engine, type Prompt } from '../../src/engine/index.ts';
import { hostileModels, writeHostileModel } from '../hostile-models.ts';

let folder: string;
let engine: Engine;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-hostile-'));
  engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: createSeededRandom(1),
    threads: 1,
    device: 'cpu',
    supervision: { deaths: 1_000_000, backoffMs: [0] },
  });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const prompts: readonly Prompt[] = [
  { kind: 'text', text: 'Hello there, how are you? The cat sat on the mat and ate.' },
  { kind: 'messages', messages: [{ role: 'user', content: 'Hi' }] },
  { kind: 'tokens', tokens: Int32Array.of(1, 2, 3) },
];

/** `ok` or the code of the error. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof KithError, String(error));
    return error.code;
  }
}

async function use(path: string): Promise<string[]> {
  let task: string | null = null;
  const loading = await outcome(async () => {
    ({ task } = await engine.load({ id: 'hostile', path }));
  });
  if (task === null) return [loading];
  if (task === 'embedding') {
    const embedding = outcome(async () => {
      const { vectors } = await engine.embed({ model: 'hostile', inputs: ['Hello there', 'a b c d'] });
      assert.ok(vectors.every(Number.isFinite));
    });
    return [loading, await embedding];
  }
  const written: string[] = [loading];
  for (const prompt of prompts) {
    const request = {
      model: 'hostile',
      prompt,
      sampler: { seed: 1 },
      maxTokens: 6,
      stop: [],
    };
    const writing = outcome(async () => {
      for await (const _ of engine.generate(request));
    });
    written.push(await writing);
  }
  return written;
}

for (const arch of ['llama', 'qwen2', 'qwen3', 'gemma3', 'phi3', 'bert', 'other'] as const) {
  const models = hostileModels.filter(({ name }) => name.startsWith(`${arch}:`));
  test(`${models.length} hostile files (${arch}) get a typed error or an answer, and the engine process stays`, async (t) => {
    const counts = new Map<string, number>();
    const deaths: string[] = [];
    for (const hostile of models) {
      const path = join(folder, 'hostile.gguf');
      await writeHostileModel(hostile, folder, path);
      const before = engine.state().restarts;
      const outcomes = await use(path);
      await engine.unload('hostile');
      await engine.start();
      if (engine.state().restarts !== before || outcomes.includes('engine_lost'))
        deaths.push(`${hostile.name}: ${engine.state().lastCause}`);
      const key = outcomes.join(' ');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of [...counts].sort((a, b) => b[1] - a[1])) t.diagnostic(`${count} × ${key}`);
    assert.deepEqual(deaths, []);
  });
}
