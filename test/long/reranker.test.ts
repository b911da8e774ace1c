/** Rerankers on pairs that fill the window: the weights of all-MiniLM with a head, against double precision. Takes half a minute. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testModel } from '../models/index.ts';
import { makeReranker } from '../models/reranker.ts';
import { worstOf } from '../reranker-support.ts';

const QUERY = 'how long should green tea steep';
const TEXT = 'Steep green tea at 70 degrees for two minutes, and black tea at 95 degrees for four. ';
const PASSAGES = [
  TEXT,
  TEXT.repeat(60),
  'The invoice must be paid within thirty days of its date. '.repeat(12),
];

for (const [name, share] of [
  ['minilm-f16', 1 / 25],
  ['minilm-q8_0', 1 / 10],
] as const) {
  test(`${name}: long pairs get the logits of double precision`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'kith-reranker-'));
    try {
      const path = await makeReranker(await testModel(name), join(folder, 'reranker.gguf'), { gain: 40 });
      const { worst, spread, longest } = await worstOf(path, QUERY, PASSAGES);
      t.diagnostic(`off by ${worst.toFixed(4)} of a spread of ${spread.toFixed(2)}`);
      assert.equal(longest, 512);
      assert.ok(worst < spread * share, `${worst} of ${spread}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
