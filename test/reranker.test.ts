/**
 * Rerankers: logits against a double-precision implementation, on small models of every form a file may have and on the weights
 * of all-MiniLM with a head; and what is no usable reranker is refused by name.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createEngine, type Engine } from '../src/engine/index.ts';
import { describeModel, fileSource, readGguf } from '../src/models/index.ts';
import { testModel } from './models/index.ts';
import { makeRandomModel } from './models/random-model.ts';
import { makeReranker } from './models/reranker.ts';
import { referenceRanker } from './reference/bert-rank.ts';
import { worstOf } from './reranker-support.ts';

const QUERY = 'who ate the bread';
const PASSAGES = [
  'a man is eating a piece of bread.',
  'the girl is carrying a baby',
  '',
  'bread, '.repeat(40),
  'paris is the capital of france',
];
const CONTEXT = 64;

let folder: string;
let encoder: string;
let engine: Engine;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-reranker-'));
  encoder = join(folder, 'encoder.gguf');
  const shape = { blocks: 3, embedding: 64, heads: 4, kvHeads: 4, ffn: 128, vocab: 320 } as const;
  await makeRandomModel({ arch: 'bert', ...shape, type: 'F32', seed: 3, context: CONTEXT }, encoder);
  engine = createEngine({
    ...{ log: silentLogger, clock: systemClock, random: systemRandom },
    ...{ threads: 1, device: 'cpu' },
  });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, `${name}.gguf`);
const fails = (code: string, message = /./) => ({ code, message });

for (const [name, head] of [
  ['a dense layer and an output', {}],
  ['an output alone', { dense: false }],
  ['a head in F16', { type: 'F16' }],
  ['a head in Q8_0', { type: 'Q8_0' }],
] as const) {
  test(`logits of a model with ${name} are those of double precision`, async (t) => {
    const { worst, spread } = await worstOf(
      await makeReranker(encoder, file('small'), head),
      QUERY,
      PASSAGES,
    );
    t.diagnostic(`off by ${worst.toExponential(1)} of a spread of ${spread.toFixed(2)}`);
    assert.ok(worst < 5e-3, String(worst));
    assert.ok(spread > 0.3, String(spread));
  });
}

test('logits over the real weights of all-MiniLM are those of double precision', async (t) => {
  const path = await makeReranker(await testModel('minilm-f16'), file('minilm'), { gain: 40 });
  const { worst, spread } = await worstOf(path, QUERY, PASSAGES.slice(0, 3));
  t.diagnostic(`off by ${worst.toExponential(1)} of a spread of ${spread.toFixed(2)}`);
  // F16 weights are held as BF16 where the processor multiplies those faster.
  assert.ok(worst < spread / 25, `${worst} of ${spread}`);
});

test('segments, the order of query and passage, and every passage by itself count', async () => {
  const path = await makeReranker(encoder, file('order'));
  await engine.load({ id: 'order', path });
  const rank = async (query: string, ...passages: string[]) => [
    ...(await engine.rank({ model: 'order', query, passages })).scores,
  ];
  const [forth] = await rank('one two', 'three four');
  const [back] = await rank('three four', 'one two');
  assert.ok(Math.abs(forth! - back!) > 1e-3);
  const together = await rank(QUERY, ...PASSAGES);
  for (const [at, passage] of PASSAGES.entries())
    assert.ok(Math.abs((await rank(QUERY, passage))[0]! - together[at]!) < 5e-3);
  assert.deepEqual(await rank(QUERY), []);
});

test('long passages lose their ends, long queries are refused or cut to half of the window', async () => {
  const path = await makeReranker(encoder, file('long'));
  const loaded = await engine.load({ id: 'long', path });
  assert.deepEqual([loaded.task, loaded.runner, loaded.context], ['rerank', 'kith', CONTEXT]);
  const long = 'many words '.repeat(50_000);
  const { tokens, scores } = await engine.rank({ model: 'long', query: QUERY, passages: [long, 'a', long] });
  assert.deepEqual([tokens[0], tokens[2]], [CONTEXT, CONTEXT]);
  assert.ok(tokens[1]! < CONTEXT);
  assert.equal(scores[0], scores[2]);
  const asked = { model: 'long', query: long, passages: ['a'] };
  await assert.rejects(engine.rank(asked), fails('input_too_long', /half of the model's 64, which are 32/));
  assert.equal((await engine.rank({ ...asked, truncateQuery: true })).tokens[0], CONTEXT / 2 + 4);
  await assert.rejects(engine.rank({ ...asked, query: '' }), fails('input_empty'));
  await assert.rejects(engine.embed({ model: 'long', inputs: ['a'] }), fails('wrong_model_task', /reranker/));
  const generate = { model: 'long', prompt: { kind: 'text', text: 'a' }, sampler: {}, maxTokens: 1 } as const;
  await assert.rejects(
    engine.generate({ ...generate, stop: [] }).next(),
    fails('wrong_model_task', /reranker/),
  );
});

test('XLM-RoBERTa, whose tokenizer is not written here, is ranked through llama.cpp', async () => {
  const path = await makeReranker(encoder, file('unigram'), { unigram: 320 });
  const loaded = await engine.load({ id: 'unigram', path });
  assert.deepEqual([loaded.task, loaded.runner], ['rerank', 'node-llama-cpp']);
  const { scores, tokens } = await engine.rank({ model: 'unigram', query: QUERY, passages: PASSAGES });
  const reference = await referenceRanker(path);
  const read = (text: string) => engine.tokenize('unigram', text, { addSpecial: false });
  const query = await read(QUERY);
  for (const [at, passage] of PASSAGES.entries()) {
    const fitting = (await read(passage)).subarray(0, CONTEXT - query.length - 4);
    const row = [0, ...query, 2, 2, ...fitting, 2];
    assert.equal(tokens[at], row.length);
    assert.ok(Math.abs(scores[at]! - reference.logit(row, row.length)) < 5e-3, `passage ${at}`);
  }
});

test('files that are no usable rerankers are refused by name, and models of other tasks rank nothing', async () => {
  await using source = await fileSource(await makeReranker(encoder, file('task')));
  assert.equal(describeModel(await readGguf(source)).task, 'rerank');
  const two = await makeReranker(encoder, file('two'), { outputs: 2 });
  await assert.rejects(engine.load({ id: 'two', path: two }), fails('reranker_unsupported', /has 2 outputs/));
  await engine.load({ id: 'encoder', path: encoder });
  await assert.rejects(
    engine.rank({ model: 'encoder', query: 'a', passages: ['b'] }),
    fails('wrong_model_task', /makes embeddings and is no reranker/),
  );
});
