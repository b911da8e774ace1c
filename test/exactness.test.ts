/** Real models: the same greedy tokens as llama.cpp, and the same logits however the blocks are split. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockRange } from '../src/engine/runner/index.ts';
import { createTokenizer } from '../src/engine/tokenizer/index.ts';
import { testModel } from './models/index.ts';
import { sameTokens } from './reference/same-tokens.ts';
import { chain, relativeDifference, straightCells, withGguf } from './runner-support.ts';

// TinyLlama says 200 in the long suite: two times 200 of its tokens take more than a minute.
const lengths = { 'stories15m-f16': 200, 'minimind2-q8_0': 200, tinyllama: 12 } as const;

for (const name of ['stories15m-f16', 'minimind2-q8_0', 'tinyllama'] as const) {
  test(`${lengths[name]} greedy tokens of ${name} are llama.cpp's`, () => sameTokens(name, lengths[name]));
}

for (const name of ['stories15m-f16', 'minimind2-q8_0'] as const) {
  test(`${name} split at every block boundary gives the logits of the whole`, async () => {
    await withGguf(await testModel(name), async (gguf, open) => {
      const tokens = [
        ...createTokenizer(gguf.metadata).encode('One day a girl saw a big red ball in the park.'),
      ];
      await using whole = await open();
      const { blocks } = whole.info;
      const expected = await chain([whole], tokens);
      const check = async (label: string, ranges: readonly BlockRange[]) => {
        await using stack = new AsyncDisposableStack();
        const runners = [];
        for (const range of ranges) runners.push(stack.use(await open(range)));
        const actual = await chain(runners, tokens);
        for (const [i, row] of actual.entries()) assert.deepEqual(row, expected[i], `${label}, pass ${i}`);
      };
      for (let cut = 0; cut <= blocks; cut++) {
        await check(`cut at ${cut}`, [
          { from: 0, to: cut, embed: true, head: false },
          { from: cut, to: blocks, embed: false, head: true },
        ]);
      }
      await check('embedding | blocks in three | head', [
        { from: 0, to: 0, embed: true, head: false },
        { from: 0, to: 2, embed: false, head: false },
        { from: 2, to: 3, embed: false, head: false },
        { from: 3, to: blocks, embed: false, head: false },
        { from: blocks, to: blocks, embed: false, head: true },
      ]);
    });
  });
}

test('sequences in one pass, scattered cells and shared prefixes give the logits of each alone', async () => {
  await withGguf(await testModel('stories15m-f16'), async (gguf, open) => {
    const tokenizer = createTokenizer(gguf.metadata);
    await using runner = await open();
    const texts = ['The cat sat on the mat', 'The cat sat on a tall tree', 'Once there was a fish'];
    const rows = texts.map((text) => tokenizer.encode(text));
    const alone: Float32Array[] = [];
    for (const tokens of rows) {
      const part = {
        cells: straightCells(512),
        start: 0,
        count: tokens.length,
        tokens,
        hidden: null,
        outputs: 'last',
      } as const;
      alone.push((await runner.forward([part])).rows);
    }
    // Odd cells for the first, descending cells for the third; the second continues the first's shared prefix.
    const first = Int32Array.from(rows[0]!, (_, i) => 2 * i + 1);
    const third = Int32Array.from(rows[2]!, (_, i) => 400 - i);
    let shared = 0;
    while (rows[0]![shared] === rows[1]![shared]) shared++;
    assert.ok(shared >= 4);
    await runner.forward([
      { cells: first, start: 0, count: first.length, tokens: rows[0]!, hidden: null, outputs: 'none' },
    ]);
    const second = Int32Array.from(rows[1]!, (_, i) => (i < shared ? first[i]! : 200 + i));
    const last = first.length - 1;
    const together = await runner.forward([
      { cells: first, start: last, count: 1, tokens: rows[0]!.subarray(last), hidden: null, outputs: 'last' },
      {
        cells: second,
        start: shared,
        count: second.length - shared,
        tokens: rows[1]!.subarray(shared),
        hidden: null,
        outputs: 'last',
      },
      { cells: third, start: 0, count: third.length, tokens: rows[2]!, hidden: null, outputs: 'last' },
    ]);
    assert.equal(together.count, 3);
    texts.forEach((text, i) => {
      const row = together.rows.subarray(i * together.width, (i + 1) * together.width);
      // Not bit-equal: batches of other sizes run other kernels.
      assert.ok(relativeDifference(row, alone[i]!) < 2e-3, text);
    });
  });
});

test('an f32, a q8_0 and a q4_0 KV cache stay close to f16', async (t) => {
  await withGguf(await testModel('tinyllama'), async (gguf, open) => {
    const tokens = createTokenizer(gguf.metadata).encode('The quick brown fox jumps over the lazy dog and');
    const cells = straightCells(512);
    const part = { cells, start: 0, count: tokens.length, tokens, hidden: null, outputs: 'last' } as const;
    const answerOf = async (kvType: 'f32' | 'f16' | 'q8_0' | 'q4_0') => {
      await using runner = await open(undefined, { kvType });
      return { row: (await runner.forward([part])).rows, bytes: runner.info.kvBytes };
    };
    const half = await answerOf('f16');
    for (const [kvType, limit] of [
      ['f32', 0.1],
      ['q8_0', 0.1],
      ['q4_0', 0.5],
    ] as const) {
      const { row, bytes } = await answerOf(kvType);
      const difference = relativeDifference(row, half.row);
      t.diagnostic(
        `${kvType}: largest relative difference ${difference.toExponential(1)}, ${(bytes / half.bytes).toFixed(2)} of the bytes`,
      );
      assert.ok(difference > 0 && difference < limit, `${kvType}: ${difference}`);
      assert.ok(kvType === 'f32' || bytes < half.bytes, kvType);
    }
  });
});
