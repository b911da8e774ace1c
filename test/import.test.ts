/** Real packages through the importer, and the result through llama.cpp. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getLlama, type Llama, type LlamaModel, type Token } from 'node-llama-cpp';
import { dequantise, fileSource, getStrings, readGguf } from '../src/models/gguf/index.ts';
import { importModel } from '../src/models/import/index.ts';
import { rawData, readOnnx, scalar } from '../src/models/import/onnx.ts';
import { CATALOGUE } from '../src/models/manifest/catalogue.ts';
import { ensurePackage, PACKAGES, RECIPES, testModel } from './models/index.ts';
import { makeRandomModel, type RandomModel } from './models/random-model.ts';
import { type FloatTensor, writeSafetensors } from './models/write-safetensors.ts';

let folder = '';
let llama: Llama;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-import-'));
  llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' as never, maxThreads: 1 });
  await ensurePackage(PACKAGES.minimind2);
  await ensurePackage(PACKAGES.stories15m);
});
after(async () => {
  await llama.dispose();
  await rm(folder, { recursive: true });
});

/** When one of these changes on purpose, raise CONVERTER_VERSION and change it here and in the catalogue. */
const KNOWN = {
  'stories15m-f16': 'ff88c376dbbac832da5454547d4127244e49da51f8687d3e6ed80cbe23564fa2',
  'stories15m-q8_0': '325db496d9113c95db741d585ffc6b500ce58d6fafe1b5ad6ab7a3e173c61e42',
  'minilm-f16': '11e81cc82945b5ef3dc0b5ff3a0a766d1ba5adb4cc8717b1a004958b531a20ce',
  'minilm-q4_0': '0c06fe04fb9ddbe829cf7a940a4a2edaa83d482086f15ea0952002a2f4944fb5',
  'minimind2-q8_0': 'f7fef2adaf4b38c1aebc0bb1fe5bec3b9a29c911b553ae5cd99fd03c68e6cab9',
} as const;

for (const [name, sha256] of Object.entries(KNOWN) as [keyof typeof KNOWN, string][]) {
  test(`${name} converts to the bytes it always had`, async () => {
    const result = await importModel({ ...RECIPES[name], output: join(folder, `${name}.gguf`) });
    assert.equal(result.sha256, sha256);
    assert.equal((await readFile(result.path)).length, result.bytes);
  });
}

test('the catalogue pins the bytes that the converter makes', () => {
  const converted = CATALOGUE.filter(({ manifest }) => manifest.sources.some((source) => source.convert)).map(
    ({ manifest }) => [manifest.id, manifest.sha256],
  );
  assert.deepEqual(Object.fromEntries(converted), {
    'all-minilm-l6-v2': KNOWN['minilm-f16'],
    'minimind2-small': KNOWN['minimind2-q8_0'],
    stories15m: KNOWN['stories15m-f16'],
  });
});

async function withModel<T>(path: string, use: (model: LlamaModel) => Promise<T>): Promise<T> {
  const model = await llama.loadModel({ modelPath: path });
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

async function greedy(model: LlamaModel, prompt: readonly Token[], count: number): Promise<Token[]> {
  const context = await model.createContext({ contextSize: 256, threads: 1 });
  const out: Token[] = [];
  for await (const token of context.getSequence().evaluate([...prompt], { temperature: 0 })) {
    out.push(token);
    if (out.length === count) break;
  }
  await context.dispose();
  return out;
}

for (const name of ['stories15m-f16', 'stories15m-q8_0'] as const) {
  test(`${name} tells a story`, async () => {
    const text = await withModel(await testModel(name), async (model) => {
      const prompt = [model.tokens.bos as Token, ...model.tokenize('Once upon a time')];
      return model.detokenize(await greedy(model, prompt, 24));
    });
    assert.match(text, /^, there was a little girl named Lily\. She loved to play outside/);
  });
}

test('MiniMind2 knows the capital of France, asked through its chat format', async () => {
  const answer = await withModel(await testModel('minimind2-q8_0'), async (model) => {
    const question =
      '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n';
    assert.match(model.fileInfo.metadata.tokenizer.chat_template ?? '', /<\|im_start\|>/);
    return model.detokenize(await greedy(model, model.tokenize(question, true), 16));
  });
  assert.match(answer, /Paris/);
});

/** Cosine of the pair that sentence-transformers publishes as 0.7553 for this model. */
for (const [name, tolerance] of [
  ['minilm-f16', 0.0005],
  ['minilm-q8_0', 0.002],
  ['minilm-q4_0', 0.01],
] as const) {
  test(`${name} puts like sentences together as the original does`, async () => {
    await withModel(await testModel(name), async (model) => {
      const context = await model.createEmbeddingContext({ contextSize: 64, threads: 1 });
      const embed = (text: string) => context.getEmbeddingFor(text);
      const eating = await embed('A man is eating food.');
      const like = eating.calculateCosineSimilarity(await embed('A man is eating a piece of bread.'));
      const unlike = eating.calculateCosineSimilarity(await embed('The girl is carrying a baby.'));
      assert.ok(Math.abs(like - 0.7553) < tolerance, String(like));
      assert.ok(unlike < 0, String(unlike));
    });
  });
}

/** Ids from Hugging Face's tokenizers 0.23.3 over the packages' own tokenizer.json, without special tokens. */
const TEXTS = ["I'll pay 12345 €, okay?", 'naïve café — “quotes” 日本語 🚀'];
const REFERENCE = {
  'minimind2-q8_0': [
    [43, 3129, 5186, 4937, 21, 22, 23, 223, 161, 227, 108, 14, 287, 77, 406, 33],
    [
      80, 67, 130, 110, 319, 272, 1397, 4100, 223, 3181, 3934, 497, 356, 277, 1025, 223, 1395, 833, 5351, 255,
      223, 175, 256, 251, 225,
    ],
  ],
  'minilm-f16': [
    [1045, 1005, 2222, 3477, 13138, 19961, 1574, 1010, 3100, 1029],
    [15743, 7668, 1517, 1523, 16614, 1524, 1864, 1876, 1950, 100],
  ],
} satisfies Record<string, number[][]>;

for (const [name, expected] of Object.entries(REFERENCE) as [keyof typeof REFERENCE, readonly number[][]][]) {
  test(`${name} tokenizes as the original tokenizer does`, async () => {
    await withModel(await testModel(name), async (model) => {
      assert.deepEqual(
        TEXTS.map((text) => [...model.tokenize(text)]),
        expected,
      );
    });
  });
}

/** Hugging Face's name for a tensor of a GGUF decoder. */
function hubName(name: string): string {
  const inBlock: Record<string, string> = {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  };
  const [, block, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (part !== undefined) return `model.layers.${block}.${inBlock[part]}.${kind}`;
  const top: Record<string, string> = {
    token_embd: 'model.embed_tokens',
    output_norm: 'model.norm',
    output: 'lm_head',
  };
  return `${top[name.replace('.weight', '')]}.weight`;
}

/** Rows back from pairs of neighbours to the two halves that Hugging Face rotates. */
function toHalves(values: Float32Array, headSize: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < values.length / columns; row++) {
    const inHead = row % headSize;
    const target = row - inHead + (inHead % 2) * (headSize / 2) + Math.floor(inHead / 2);
    out.set(values.subarray(row * columns, (row + 1) * columns), target * columns);
  }
  return out;
}

async function tensorsOf(
  path: string,
): Promise<Map<string, { dims: readonly number[]; type: number; bytes: Uint8Array }>> {
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  const out = new Map<string, { dims: readonly number[]; type: number; bytes: Uint8Array }>();
  for (const tensor of gguf.tensors.values()) {
    out.set(tensor.name, {
      dims: tensor.dims,
      type: tensor.type,
      bytes: await source.read(tensor.offset, tensor.bytes),
    });
  }
  return out;
}

/** tokenizer.json with the vocabulary of a random model, which is SentencePiece with bytes. */
async function tokenizerOf(path: string): Promise<unknown> {
  await using source = await fileSource(path);
  const tokens = getStrings(await readGguf(source), 'tokenizer.ggml.tokens');
  return {
    added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, special: true })),
    normalizer: { type: 'Prepend', prepend: '\u2581' },
    model: {
      type: 'BPE',
      byte_fallback: true,
      unk_token: '<unk>',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [],
    },
  };
}

const small = { blocks: 2, embedding: 64, heads: 4, kvHeads: 2, ffn: 96, vocab: 300, seed: 3 } as const;
const families: readonly Omit<RandomModel, 'type'>[] = [
  { ...small, arch: 'llama' },
  { ...small, arch: 'llama', attentionBias: true, tied: true },
  { ...small, arch: 'qwen2' },
  { ...small, arch: 'qwen3', headDim: 32 },
];

for (const [index, model] of families.entries()) {
  test(`a ${model.arch} checkpoint in shards becomes the GGUF it came from (${index})`, async () => {
    const origin = join(folder, `origin-${index}.gguf`);
    const expected = join(folder, `expected-${index}.gguf`);
    await makeRandomModel({ ...model, type: 'F32' }, origin);
    await makeRandomModel({ ...model, type: 'Q8_0' }, expected);
    const input = join(folder, `hub-${index}`);
    await mkdir(input);
    const headSize = model.headDim ?? model.embedding / model.heads;
    const tensors: FloatTensor[] = [...(await tensorsOf(origin))].map(([name, { dims, bytes }]) => {
      const values = dequantise('F32', bytes);
      const rotated = model.arch === 'llama' && /attn_[qk]\.(weight|bias)$/.test(name);
      const columns = dims.length === 1 ? 1 : (dims[0] as number);
      return {
        name: hubName(name),
        shape: [...dims].reverse(),
        values: rotated ? toHalves(values, headSize, columns) : values,
      };
    });
    const half = Math.ceil(tensors.length / 2);
    const shards = [tensors.slice(0, half), tensors.slice(half)];
    const weightMap: Record<string, string> = {};
    for (const [n, shard] of shards.entries()) {
      const file = `model-0000${n + 1}-of-00002.safetensors`;
      await writeSafetensors(join(input, file), shard);
      for (const { name } of shard) weightMap[name] = file;
    }
    const json = (name: string, value: unknown) => writeFile(join(input, name), JSON.stringify(value));
    await json('model.safetensors.index.json', { weight_map: weightMap });
    await json('tokenizer.json', await tokenizerOf(origin));
    await json('tokenizer_config.json', { bos_token: '<s>', eos_token: '</s>', add_bos_token: true });
    await json('config.json', {
      model_type: model.arch,
      hidden_size: model.embedding,
      num_hidden_layers: model.blocks,
      num_attention_heads: model.heads,
      num_key_value_heads: model.kvHeads,
      head_dim: headSize,
      intermediate_size: model.ffn,
      vocab_size: model.vocab,
      max_position_embeddings: 512,
      rms_norm_eps: 1e-6,
      rope_theta: 10000,
      tie_word_embeddings: model.tied ?? false,
    });
    const output = join(folder, `converted-${index}.gguf`);
    await importModel({ input, output, quantisation: 'Q8_0' });
    const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(sorted(await tensorsOf(output)), sorted(await tensorsOf(expected)));
    const prompt = [1, 40, 90, 200] as Token[];
    const [from, to] = [expected, output].map((path) =>
      withModel(path, (loaded) => greedy(loaded, prompt, 8)),
    );
    assert.deepEqual(await to, await from);
  });
}

test('MiniMind2 from safetensors is MiniMind2 from ONNX', async () => {
  const blocks = 1;
  const onnxFolder = join(folder, 'onnx-one');
  const hubFolder = join(folder, 'hub-one');
  await mkdir(join(onnxFolder, 'onnx'), { recursive: true });
  await mkdir(hubFolder);
  const config = JSON.parse(await readFile(join(PACKAGES.minimind2, 'config.json'), 'utf8'));
  const onnx = join(onnxFolder, 'onnx', 'model_quantized.onnx');
  await copyFile(join(PACKAGES.minimind2, 'onnx', 'model_quantized.onnx'), onnx);
  for (const target of [onnxFolder, hubFolder]) {
    // Quantising gave the tied head weights of its own.
    const cut = { ...config, num_hidden_layers: blocks, tie_word_embeddings: false };
    await writeFile(join(target, 'config.json'), JSON.stringify(cut));
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
      await copyFile(join(PACKAGES.minimind2, file), join(target, file));
    }
  }
  await using source = await fileSource(onnx);
  const graph = await readOnnx(source);
  const tensors: FloatTensor[] = [];
  for (const node of graph.nodes) {
    const module = /^\/(.*)\/MatMul_quant$/.exec(node.name)?.[1];
    if (module === undefined || (module.includes('layers.') && !module.startsWith('model/layers.0/')))
      continue;
    const weight = graph.initializers.get(node.inputs[1] as string)!;
    const [columns, rows] = weight.dims as [number, number];
    const raw = new Int8Array((await rawData(graph, weight)).slice().buffer);
    const scale = await scalar(graph, weight.name.replace('_quantized', '_scale'));
    const zero = await scalar(graph, node.inputs[3] as string);
    const values = Float32Array.from({ length: raw.length }, (_, i) => {
      return ((raw[(i % columns) * rows + Math.floor(i / columns)] as number) - zero) * scale;
    });
    tensors.push({ name: `${module.replaceAll('/', '.')}.weight`, shape: [rows, columns], values });
  }
  const norms = ['model.norm', 'model.layers.0.input_layernorm', 'model.layers.0.post_attention_layernorm'];
  for (const name of norms.map((norm) => `${norm}.weight`)) {
    const tensor = graph.initializers.get(name)!;
    tensors.push({ name, shape: tensor.dims, values: dequantise('F32', await rawData(graph, tensor)) });
  }
  const embedding = graph.initializers.get('model.embed_tokens.weight_quantized')!;
  const scale = await scalar(graph, 'model.embed_tokens.weight_scale');
  const zero = await scalar(graph, 'model.embed_tokens.weight_zero_point');
  const values = Float32Array.from(await rawData(graph, embedding), (raw) => (raw - zero) * scale);
  tensors.push({ name: 'model.embed_tokens.weight', shape: embedding.dims, values });
  await writeSafetensors(join(hubFolder, 'model.safetensors'), tensors);

  const name = 'MiniMind2 (first block)';
  const fromOnnx = await importModel({
    input: onnxFolder,
    output: join(folder, 'a.gguf'),
    quantisation: 'F16',
    name,
  });
  const fromHub = await importModel({
    input: hubFolder,
    output: join(folder, 'b.gguf'),
    quantisation: 'F16',
    name,
  });
  assert.equal(fromOnnx.kind, 'onnx');
  assert.equal(fromHub.kind, 'safetensors');
  assert.deepEqual(await tensorsOf(fromHub.path), await tensorsOf(fromOnnx.path));
  assert.deepEqual(fromHub.gguf.metadata, fromOnnx.gguf.metadata);
});

/** A copy of the MiniLM folder with something wrong, without copying 45 MB. */
async function broken(name: string, change: Record<string, string | Uint8Array | null>): Promise<string> {
  const input = join(folder, name);
  await mkdir(input);
  for (const file of ['config.json', 'tokenizer.json'])
    await copyFile(join(PACKAGES.minilm, file), join(input, file));
  for (const [file, content] of Object.entries(change)) {
    if (content === null) await rm(join(input, file));
    else await writeFile(join(input, file), content);
  }
  return input;
}

const output = (): string => join(folder, 'never.gguf');
const refused = (input: string, code: string, message: RegExp) =>
  assert.rejects(importModel({ input, output: output(), quantisation: 'F16' }), { code, message });

test('broken folders are refused with what is wrong', async () => {
  const noWeights = await broken('no-weights', {});
  await refused(noWeights, 'import_unknown', /safetensors/);
  const pickle = await broken('pickle', { 'pytorch_model.bin': 'x' });
  await refused(pickle, 'import_unknown', /PyTorch/);
  const weights = await readFile(join(PACKAGES.minilm, 'model.fp16.safetensors'));
  const cut = weights.subarray(0, 100_000);
  await refused(await broken('cut', { 'm.safetensors': cut }), 'safetensors_bounds', /cut off/);
  const noConfig = { 'm.safetensors': weights, 'config.json': null };
  await refused(await broken('no-config', noConfig), 'import_missing', /config\.json/);
  const noTokenizer = { 'm.safetensors': weights, 'tokenizer.json': null };
  await refused(await broken('no-tokenizer', noTokenizer), 'import_missing', /tokenizer\.json/);
  const badJson = { 'm.safetensors': weights, 'config.json': '{' };
  await refused(await broken('bad-json', badJson), 'import_json', /config\.json/);
  const config = JSON.parse(await readFile(join(PACKAGES.minilm, 'config.json'), 'utf8'));
  const with_ = (change: object) => ({
    'm.safetensors': weights,
    'config.json': JSON.stringify({ ...config, ...change }),
  });
  await refused(await broken('family', with_({ model_type: 't5' })), 'import_unsupported', /"t5"/);
  await refused(await broken('shape', with_({ hidden_size: 768 })), 'import_shape', /768/);
  await refused(await broken('more', with_({ num_hidden_layers: 7 })), 'import_missing_tensor', /layer\.6/);
  await refused(
    await broken('fewer', with_({ num_hidden_layers: 5 })),
    'import_unsupported',
    /encoder\.layer\.5/,
  );
  await refused(join(folder, 'absent'), 'import_missing', /absent/);
  assert.equal(
    (await readdir(folder)).some((name) => name.startsWith('never')),
    false,
  );
});

test('a GGUF, and a file of another kind, are refused by name', async () => {
  await refused(await testModel('stories15m-q8_0'), 'import_unknown', /GGUF already/);
  const zip = join(folder, 'weights.pt');
  await writeFile(zip, 'PK\u0003\u0004 and more');
  await refused(zip, 'import_unknown', /PyTorch/);
  await writeFile(join(folder, 'noise.bin'), Buffer.alloc(1000, 7));
  await refused(join(folder, 'noise.bin'), 'llama2c_header', /llama2\.c checkpoint/);
});

test('progress runs up to the size of the file', async () => {
  const seen: { done: number; total: number | null }[] = [];
  const result = await importModel({
    ...RECIPES['stories15m-q8_0'],
    output: join(folder, 'progress.gguf'),
    onProgress: ({ doneBytes, totalBytes }) => seen.push({ done: doneBytes, total: totalBytes }),
  });
  assert.deepEqual(seen.at(-1), { done: result.bytes, total: result.bytes });
  assert.ok(seen.every((step, i) => i === 0 || step.done >= seen[i - 1]!.done));
});

test('an aborted import leaves nothing behind', async () => {
  const controller = new AbortController();
  const target = join(folder, 'aborted');
  await mkdir(target);
  const running = importModel({
    ...RECIPES['stories15m-f16'],
    output: join(target, 'model.gguf'),
    signal: controller.signal,
    onProgress: ({ doneBytes }) => {
      if (doneBytes > 1_000_000) controller.abort();
    },
  });
  await assert.rejects(running, { code: 'aborted' });
  assert.deepEqual(await readdir(target), []);
});
