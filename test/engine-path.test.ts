/** A model whose middle blocks are in another engine process answers with the tokens of the whole. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { KithError, silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import type { Carry, CellLease, Engine, GenerateRequest } from '../src/engine/index.ts';
import { createEngine } from '../src/engine/index.ts';
import { testModel } from './models/index.ts';

const start = (): Engine =>
  createEngine({
    threads: 1,
    device: 'cpu',
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    context: 512,
  });
const [owner, peer] = [start(), start()];
after(async () => {
  await owner[Symbol.asyncDispose]();
  await peer[Symbol.asyncDispose]();
});

const through =
  (...leases: readonly CellLease[]): Carry =>
  async (parts, hidden, signal) => {
    let rows = hidden;
    // All rows go on to the next blocks; only the last ones leave some out.
    for (const [index, lease] of leases.entries()) {
      const last = index === leases.length - 1;
      rows = await lease.step(
        last ? parts : parts.map((part) => ({ ...part, outputs: 'all' })),
        rows,
        signal,
      );
    }
    return rows;
  };

async function answer(model: string, request: Partial<GenerateRequest>): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of owner.generate({
    model,
    prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who' },
    sampler: { temperature: 0, topLogprobs: 0 },
    maxTokens: 20,
    stop: [],
    ...request,
  }))
    if (event.type === 'text') tokens.push(...event.logprobs!.map(({ token }) => token));
  return tokens;
}

const sampled = { sampler: { temperature: 0.8, seed: 7, topLogprobs: 0 } };
const long = 'The little robot walked to the big house. '.repeat(18);

const cuts = {
  'stories15m-f16': [
    [0, 3, 6],
    [2, 4],
    [0, 1, 5, 6],
  ],
  'minimind2-q8_0': [[0, 5, 8]],
} as const;

for (const [name, splits] of Object.entries(cuts)) {
  test(`${name} over its blocks elsewhere gives the tokens of the whole`, async () => {
    const path = await testModel(name as keyof typeof cuts);
    await owner.load({ id: name, path });
    const asks: readonly Partial<GenerateRequest>[] = [
      {},
      sampled,
      { prompt: { kind: 'text', text: long } },
      { grammar: { kind: 'json_object' }, maxTokens: 8 },
    ];
    const expected = [];
    for (const ask of asks) expected.push(await answer(name, ask));
    for (const bounds of splits) {
      const [from, to] = [bounds[0], bounds.at(-1)!];
      await using stack = new AsyncDisposableStack();
      const leases: CellLease[] = [];
      for (let i = 0; i + 1 < bounds.length; i++) {
        const id = `${name}:${bounds[i]}-${bounds[i + 1]}`;
        const range = { from: bounds[i]!, to: bounds[i + 1]!, embed: false, head: false };
        await peer.load({ id, path, range });
        leases.push(stack.use(await peer.lease(id, 512)));
      }
      const id = `${name} without ${from}-${to}`;
      const elsewhere = { from, to, kvCells: 512 };
      const loaded = await owner.load({ id, path, elsewhere }, { carry: through(...leases) });
      assert.equal(loaded.kvCells, 512);
      for (const [index, ask] of asks.entries())
        assert.deepEqual(await answer(id, ask), expected[index], `${bounds.join(', ')}: request ${index}`);
      // Several at once share the cells, and the prompt's own.
      const together = await Promise.all([answer(id, {}), answer(id, sampled), answer(id, {})]);
      assert.deepEqual(together[0], together[2]);
      await owner.unload(id);
    }
  });
}

test('what goes wrong on the way ends the answer with its own error, and the next one works', async () => {
  const path = await testModel('stories15m-f16');
  const range = { from: 0, to: 6, embed: false, head: false };
  await peer.load({ id: 'all', path, range });
  await using lease = await peer.lease('all', 512);
  let fails: Error | null = null;
  let short = false;
  const carry: Carry = async (...hop) => {
    if (fails !== null) throw fails;
    const rows = await lease.step(...hop);
    return short ? rows.subarray(1) : rows;
  };
  const elsewhere = { from: 0, to: 6, kvCells: 512 };
  await owner.load({ id: 'ends', path, elsewhere }, { carry });
  const expected = await answer('ends', {});
  fails = new KithError('peer_gone', 'The peer is gone.', { status: 502 });
  await assert.rejects(answer('ends', { cachePrompt: false }), { code: 'peer_gone', status: 502 });
  fails = null;
  short = true;
  await assert.rejects(answer('ends', { cachePrompt: false }), { code: 'hop_invalid' });
  short = false;
  assert.deepEqual(await answer('ends', {}), expected);
});

test('a caller who leaves takes the hop under way back', async () => {
  const path = await testModel('stories15m-f16');
  const taken = Promise.withResolvers<void>();
  const recalled = Promise.withResolvers<void>();
  const carry: Carry = (_parts, _hidden, signal) =>
    new Promise((_, reject) => {
      taken.resolve();
      signal.addEventListener('abort', () => {
        recalled.resolve();
        reject(signal.reason);
      });
    });
  const elsewhere = { from: 0, to: 6, kvCells: 256 };
  await owner.load({ id: 'waits', path, elsewhere }, { carry });
  const abort = new AbortController();
  const events = owner.generate(
    { model: 'waits', prompt: { kind: 'text', text: 'Once' }, sampler: {}, maxTokens: 5, stop: [] },
    abort.signal,
  );
  const ended = (async () => {
    const types: string[] = [];
    for await (const event of events)
      types.push(event.type === 'finish' ? `finish ${event.reason}` : event.type);
    return types;
  })();
  await taken.promise;
  abort.abort();
  await recalled.promise;
  assert.deepEqual((await ended).at(-1), 'finish aborted');
});

test('holders of cells of one range neither read nor disturb each other, and bad steps are refused by name', async () => {
  const path = await testModel('stories15m-f16');
  const id = 'shared';
  await peer.load({ id, path, range: { from: 1, to: 3, embed: false, head: false } });
  const width = 288;
  const signal = new AbortController().signal;
  const row = (seed: number) => Float32Array.from({ length: width }, (_, i) => Math.sin(seed + i));
  const step = (lease: CellLease, start: number, after: number, cell: number, seed: number) =>
    lease.step([{ start, count: 1, after, cells: Int32Array.of(cell), outputs: 'all' }], row(seed), signal);
  await using a = await peer.lease(id, 64);
  await using b = await peer.lease(id, 64);
  const first = await step(a, 0, -1, 0, 1);
  const alone = await step(a, 1, 0, 1, 2);
  assert.deepEqual(await step(b, 0, -1, 0, 1), first);
  // The other's cell 0 holds position 0 as well, and is another cell.
  await step(b, 0, -1, 5, 3);
  assert.deepEqual(await step(a, 1, 0, 2, 2), alone);
  const [together] = await Promise.all([step(a, 1, 0, 3, 2), step(b, 1, 5, 6, 9)]);
  assert.equal(together.length, width);

  await assert.rejects(step(a, 5, 1, 7, 1), { code: 'cells_invalid' });
  await assert.rejects(step(a, 1, 40, 7, 1), { code: 'cells_invalid' });
  await assert.rejects(step(a, 1, 0, 64, 1), { code: 'cells_invalid' });
  await assert.rejects(step(a, 1, 0, 0, 1), { code: 'cells_invalid' });
  await assert.rejects(step(a, 1, -1, 4, 1), { code: 'cells_invalid' });
  await assert.rejects(step(a, 0, -1, 4, Number.NaN), { code: 'forward_invalid' });
  await assert.rejects(peer.lease(id, 100_000), { code: 'limit_reached' });
  await assert.rejects(peer.forward(id, []), { code: 'cells_lent' });
  const gone = await peer.lease(id, 8);
  await gone[Symbol.asyncDispose]();
  await assert.rejects(step(gone, 0, -1, 0, 1), { code: 'lease_unknown' });
  assert.deepEqual(await step(a, 1, 0, 1, 2), alone);
});

test('a lease of some of the blocks computes those', async () => {
  const path = await testModel('stories15m-f16');
  const range = (from: number, to: number) => ({ from, to, embed: false, head: false });
  await peer.load({ id: 'wide', path, range: range(1, 5) });
  await peer.load({ id: 'narrow', path, range: range(2, 4) });
  await using part = await peer.lease('wide', 32, { span: { from: 2, to: 4 } });
  await using all = await peer.lease('wide', 32);
  await using alone = await peer.lease('narrow', 32);
  const hidden = Float32Array.from({ length: 3 * 288 }, (_, i) => Math.cos(i));
  const parts = [{ start: 0, count: 3, after: -1, cells: Int32Array.of(0, 1, 2), outputs: 'all' as const }];
  const through = (lease: CellLease) => lease.step(parts, hidden, new AbortController().signal);
  const [some, wide, narrow] = await Promise.all([through(part), through(all), through(alone)]);
  assert.deepEqual(some, narrow);
  assert.notDeepEqual(some, wide);
  for (const span of [
    { from: 0, to: 3 },
    { from: 2, to: 2 },
    { from: 4, to: 6 },
  ])
    await assert.rejects(peer.lease('wide', 8, { span }), { code: 'range_invalid' });
});
