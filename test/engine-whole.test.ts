import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, KithError, type Random, silentLogger, systemClock } from '../src/base/index.ts';
import { createEngine, type Engine, type GenerateEvent, type GenerateRequest } from '../src/engine/index.ts';
import {
  bool,
  float32,
  int32s,
  type MetadataEntry,
  string,
  strings,
  uint32,
} from '../src/models/import/values.ts';
import { quantise, writeGguf } from '../src/models/index.ts';
import { sentencePieceVocabulary, wordPieceVocabulary } from './models/synthetic-vocab.ts';

const EMBEDDING = 32;
const FFN = 64;
const BLOCKS = 2;
const VOCAB = 320;
const CONTEXT = 256;

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
}

const matrix = (name: string, columns: number, rows: number): Tensor => ({ name, dims: [columns, rows] });
const vector = (name: string): Tensor => ({ name, dims: [EMBEDDING] });

/** llama.cpp adds these as they are, and aborts when they are not F32. */
const single = (name: string, dims: readonly number[]) => dims.length === 1 || name === 'token_types.weight';

async function writeRandom(
  path: string,
  metadata: MetadataEntry[],
  tensors: readonly Tensor[],
): Promise<void> {
  const random = createSeededRandom(7);
  await writeGguf(path, {
    metadata,
    tensors: tensors.map(({ name, dims }) => ({
      name,
      dims,
      type: single(name, dims) ? 0 : 1,
      data: async () => {
        const count = dims.reduce((a, b) => a * b, 1);
        const values = Float32Array.from({ length: count }, () => value(random, dims.length === 1));
        return quantise(single(name, dims) ? 'F32' : 'F16', values);
      },
    })),
  });
}

const shape = (arch: string): MetadataEntry[] => [
  ['general.architecture', string(arch)],
  ['general.name', string('Random weights')],
  [`${arch}.context_length`, uint32(CONTEXT)],
  [`${arch}.embedding_length`, uint32(EMBEDDING)],
  [`${arch}.block_count`, uint32(BLOCKS)],
  [`${arch}.feed_forward_length`, uint32(FFN)],
  [`${arch}.attention.head_count`, uint32(4)],
  [`${arch}.attention.head_count_kv`, uint32(4)],
  [`${arch}.rope.freq_base`, float32(1e4)],
];

/** OLMo 2: norms after attention and feed-forward, a norm over whole queries and keys. There is no graph of ours for it. */
async function writeOlmo2(path: string, vocabulary: MetadataEntry[], vocab = VOCAB): Promise<void> {
  const tensors = [matrix('token_embd.weight', EMBEDDING, vocab)];
  for (let i = 0; i < BLOCKS; i++) {
    for (const name of ['q', 'k', 'v', 'output']) {
      tensors.push(matrix(`blk.${i}.attn_${name}.weight`, EMBEDDING, EMBEDDING));
    }
    for (const name of ['attn_q_norm', 'attn_k_norm', 'post_attention_norm', 'post_ffw_norm']) {
      tensors.push(vector(`blk.${i}.${name}.weight`));
    }
    tensors.push(
      matrix(`blk.${i}.ffn_gate.weight`, EMBEDDING, FFN),
      matrix(`blk.${i}.ffn_up.weight`, EMBEDDING, FFN),
    );
    tensors.push(matrix(`blk.${i}.ffn_down.weight`, FFN, EMBEDDING));
  }
  tensors.push(vector('output_norm.weight'), matrix('output.weight', EMBEDDING, vocab));
  await writeRandom(
    path,
    [...shape('olmo2'), ['olmo2.attention.layer_norm_rms_epsilon', float32(1e-6)], ...vocabulary],
    tensors,
  );
}

/** Nomic BERT: an encoder with rotary positions and a gated feed-forward. There is no graph of ours for it either. */
async function writeNomicBert(path: string): Promise<void> {
  const norm = (name: string): Tensor[] => [vector(`${name}.weight`), vector(`${name}.bias`)];
  const tensors = [
    matrix('token_embd.weight', EMBEDDING, VOCAB),
    matrix('token_types.weight', EMBEDDING, 2),
    ...norm('token_embd_norm'),
  ];
  for (let i = 0; i < BLOCKS; i++) {
    tensors.push(matrix(`blk.${i}.attn_qkv.weight`, EMBEDDING, 3 * EMBEDDING));
    tensors.push(
      matrix(`blk.${i}.attn_output.weight`, EMBEDDING, EMBEDDING),
      ...norm(`blk.${i}.attn_output_norm`),
    );
    tensors.push(
      matrix(`blk.${i}.ffn_gate.weight`, EMBEDDING, FFN),
      matrix(`blk.${i}.ffn_up.weight`, EMBEDDING, FFN),
    );
    tensors.push(matrix(`blk.${i}.ffn_down.weight`, FFN, EMBEDDING), ...norm(`blk.${i}.layer_output_norm`));
  }
  await writeRandom(
    path,
    [
      ...shape('nomic-bert'),
      ['nomic-bert.attention.layer_norm_epsilon', float32(1e-12)],
      ['nomic-bert.attention.causal', bool(false)],
      ['nomic-bert.pooling_type', uint32(1)],
      ...wordPieceVocabulary(VOCAB),
    ],
    tensors,
  );
}

const value = (random: Random, isNorm: boolean): number => (isNorm ? 1 : (random.float() - 0.5) * 0.6);

/** RWKV's vocabulary: a trie over escaped byte strings. There is no tokenizer of ours for it. */
function rwkvVocabulary(): MetadataEntry[] {
  const tokens = [
    '<s>',
    ...Array.from({ length: 256 }, (_, byte) => `\\x${byte.toString(16).padStart(2, '0')}`),
    'hello',
    ' world',
  ];
  return [
    ['tokenizer.ggml.model', string('rwkv')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.token_type', int32s(Int32Array.from(tokens, (_, id) => (id === 0 ? 3 : 1)))],
    ['tokenizer.ggml.bos_token_id', uint32(0)],
    ['tokenizer.ggml.eos_token_id', uint32(0)],
    [
      'tokenizer.chat_template',
      string("{% for m in messages %}{{ m.role + '=' + m.content + '\\n' }}{% endfor %}"),
    ],
  ];
}

let home: string;
let engine: Engine;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'kith-whole-'));
  await writeOlmo2(join(home, 'olmo2.gguf'), sentencePieceVocabulary(VOCAB));
  await writeOlmo2(join(home, 'rwkv.gguf'), rwkvVocabulary(), 259);
  await writeNomicBert(join(home, 'nomic.gguf'));
  engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: createSeededRandom(1),
    threads: 1,
    device: 'cpu',
    maxActive: 2,
    kvCells: 2 * CONTEXT,
  });
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

const text = (request: Partial<GenerateRequest>): GenerateRequest => ({
  model: 'olmo2',
  prompt: { kind: 'text', text: 'Once upon a time' },
  sampler: { temperature: 0 },
  maxTokens: 12,
  stop: [],
  ...request,
});

async function collect(request: GenerateRequest, signal?: AbortSignal) {
  const events: GenerateEvent[] = [];
  for await (const event of engine.generate(request, signal)) events.push(event);
  const finish = events.at(-1);
  assert.equal(events[0]?.type, 'start');
  assert.ok(finish?.type === 'finish');
  const said = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { events, finish, said };
}

const fails = (code: string) => (error: unknown) => {
  assert.ok(error instanceof KithError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

test('a model without a graph of ours runs whole through node-llama-cpp and says so', async () => {
  const loaded = await engine.load({ id: 'olmo2', path: join(home, 'olmo2.gguf') });
  assert.equal(loaded.runner, 'node-llama-cpp');
  assert.equal(loaded.architecture, 'olmo2');
  assert.deepEqual(
    [loaded.blocks, loaded.vocab, loaded.context, loaded.kvCells],
    [BLOCKS, VOCAB, CONTEXT, 2 * CONTEXT],
  );
  const first = await collect(text({}));
  assert.equal(first.finish.reason, 'length');
  assert.equal(first.finish.usage.completionTokens, 12);
  assert.equal(first.finish.usage.cachedTokens, 0);
  assert.ok(first.said.length > 0);
  const again = await collect(text({}));
  assert.equal(again.said, first.said);
  assert.ok(again.finish.usage.cachedTokens > 0, 'the prompt was kept');
});

test('the same seed gives the same tokens, another seed others', async () => {
  const run = async (seed: number) =>
    (await collect(text({ sampler: { temperature: 1.5, topK: 0, topP: 1, minP: 0, seed } }))).said;
  assert.equal(await run(3), await run(3));
  assert.notEqual(await run(3), await run(4));
});

test('a stop string ends the text before it', async () => {
  const { said } = await collect(text({}));
  const stop = said.slice(4, 7);
  const stopped = await collect(text({ stop: [stop] }));
  assert.equal(stopped.finish.reason, 'stop');
  assert.equal(stopped.finish.stop, stop);
  assert.equal(stopped.said, said.slice(0, said.indexOf(stop)));
});

test('a banned token is not written', async () => {
  const { said } = await collect(text({ maxTokens: 1 }));
  const tokens = await engine.tokenize('olmo2', said, { addSpecial: false });
  const bias = Array.from({ length: VOCAB }, (_, token) => token).map(
    (token) => [token, tokens.includes(token) ? -100 : 0] as const,
  );
  const other = await collect(
    text({ maxTokens: 1, sampler: { temperature: 0, logitBias: bias.filter(([, by]) => by !== 0) } }),
  );
  assert.notEqual(other.said, said);
});

test('what this runner cannot do is refused by name', async () => {
  await assert.rejects(collect(text({ sampler: { topLogprobs: 2 } })), (error: unknown) => {
    assert.ok(error instanceof KithError);
    assert.equal(error.param, 'logprobs');
    return true;
  });
  await assert.rejects(
    engine.load({
      id: 'part',
      path: join(home, 'olmo2.gguf'),
      range: { from: 0, to: 1, embed: true, head: false },
    }),
    fails('range_unsupported'),
  );
  await assert.rejects(engine.embed({ model: 'olmo2', inputs: ['a'] }), fails('wrong_model_task'));
});

test('a prompt that does not fit is refused, and slides when asked', async () => {
  const prompt = { kind: 'tokens', tokens: new Int32Array(CONTEXT + 40).fill(300) } as const;
  await assert.rejects(collect(text({ prompt })), fails('context_length_exceeded'));
  const slid = await collect(text({ prompt, overflow: 'slide', maxTokens: 4 }));
  assert.equal(slid.finish.slidTokens, CONTEXT / 2);
  const on = await collect(
    text({
      prompt: { kind: 'tokens', tokens: prompt.tokens.slice(0, CONTEXT - 4) },
      overflow: 'slide',
      maxTokens: 10,
    }),
  );
  assert.equal(on.finish.usage.completionTokens, 10);
  assert.ok(on.finish.slidTokens > 0);
});

test('more requests than sequences wait their turn, and aborted ones leave their place', async () => {
  const abort = new AbortController();
  const long = collect(
    text({ maxTokens: 200, sampler: { temperature: 0, logitBias: [[2, -100]] } }),
    abort.signal,
  );
  const others = Array.from({ length: 5 }, () => collect(text({})));
  const said = new Set((await Promise.all(others)).map((other) => other.said));
  assert.equal(said.size, 1);
  abort.abort();
  assert.match((await long).finish.reason, /aborted|length/);
  const { models } = await engine.status();
  assert.deepEqual([models[0]?.active, models[0]?.queued], [0, 0]);
});

test('a model whose tokenizer is not ours is tokenized where it runs', async () => {
  const loaded = await engine.load({ id: 'rwkv', path: join(home, 'rwkv.gguf') });
  assert.equal(loaded.runner, 'node-llama-cpp');
  const tokens = await engine.tokenize('rwkv', 'hello world!', { addSpecial: false });
  assert.deepEqual([...tokens], [257, 258, '!'.charCodeAt(0) + 1]);
  assert.equal(await engine.detokenize('rwkv', tokens), 'hello world!');
  const { said } = await collect(text({ model: 'rwkv', prompt: { kind: 'text', text: 'hello' } }));
  assert.ok(said.length > 0);
  const messages = [{ role: 'user', content: 'hello' }];
  assert.equal(await engine.countTokens('rwkv', { kind: 'messages', messages }), 'user='.length + 1 + 1);
  await assert.rejects(
    engine.countTokens('rwkv', { kind: 'messages', messages: [{ role: 'user', content: 'a<s>b' }] }),
    fails('control_token_in_message'),
  );
});

test('an encoder without a graph of ours makes unit vectors', async () => {
  const loaded = await engine.load({ id: 'nomic', path: join(home, 'nomic.gguf') });
  assert.deepEqual(
    [loaded.runner, loaded.task, loaded.embedding, loaded.context],
    ['node-llama-cpp', 'embedding', EMBEDDING, CONTEXT],
  );
  const inputs = ['a cat', 'the dog', 'a cat', 'x '.repeat(2 * CONTEXT)];
  await assert.rejects(engine.embed({ model: 'nomic', inputs }), fails('input_too_long'));
  const { vectors, tokens } = await engine.embed({ model: 'nomic', inputs, truncate: true });
  const row = (index: number) => vectors.subarray(index * EMBEDDING, (index + 1) * EMBEDDING);
  for (let index = 0; index < inputs.length; index++)
    assert.ok(Math.abs(Math.hypot(...row(index)) - 1) < 1e-5);
  assert.deepEqual(row(0), row(2));
  assert.notDeepEqual(row(0), row(1));
  assert.equal(tokens[3], CONTEXT);
  await assert.rejects(collect(text({ model: 'nomic' })), fails('wrong_model_task'));
});

test('a file that no runner can load is a typed error and the process stays', async () => {
  const path = join(home, 'broken.gguf');
  await writeOlmo2(path, [['tokenizer.ggml.model', string('rwkv')]]);
  const { pid } = await engine.status();
  await assert.rejects(engine.load({ id: 'broken', path }), fails('model_unsupported'));
  await assert.rejects(
    engine.load({ id: 'none', path: join(home, 'none.gguf') }),
    fails('source_unreadable'),
  );
  assert.equal((await engine.status()).pid, pid);
  assert.equal((await collect(text({}))).finish.reason, 'length');
});
