import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decoderMetadata, decoderShape, llama3Divisors } from './hf-config.ts';
import type { JsonObject } from './json.ts';

const base: JsonObject = {
  model_type: 'llama',
  hidden_size: 128,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 3,
  intermediate_size: 256,
  vocab_size: 1000,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
};
const metadata = (change: JsonObject): Record<string, unknown> =>
  Object.fromEntries(
    decoderMetadata(decoderShape({ ...base, ...change }), 'F16', 'n').map(([k, v]) => [k, v.value]),
  );

test('sizes become the keys llama.cpp reads', () => {
  const keys = metadata({ rope_theta: 500000 });
  assert.deepEqual(keys, {
    'general.architecture': 'llama',
    'general.type': 'model',
    'general.name': 'n',
    'general.file_type': 1,
    'general.quantization_version': 2,
    'llama.context_length': 2048,
    'llama.embedding_length': 128,
    'llama.block_count': 3,
    'llama.feed_forward_length': 256,
    'llama.attention.head_count': 4,
    'llama.attention.head_count_kv': 2,
    'llama.attention.layer_norm_rms_epsilon': Math.fround(1e-5),
    'llama.rope.dimension_count': 32,
    'llama.rope.freq_base': 500000,
    'llama.vocab_size': 1000,
  });
});

test('a head size of its own is written, the usual one is not', () => {
  const qwen = metadata({ model_type: 'qwen3', head_dim: 64 });
  assert.deepEqual(
    [
      qwen['qwen3.attention.key_length'],
      qwen['qwen3.attention.value_length'],
      qwen['qwen3.rope.dimension_count'],
    ],
    [64, 64, 64],
  );
  assert.equal('qwen2.attention.key_length' in metadata({ model_type: 'qwen2', head_dim: 32 }), false);
});

test('mistral is the llama architecture', () => {
  assert.equal(metadata({ model_type: 'mistral', sliding_window: 4096 })['general.architecture'], 'llama');
});

test('linear and YaRN scaling become metadata, from either spelling of the configuration', () => {
  const linear = metadata({ rope_scaling: { type: 'linear', factor: 4 } });
  assert.deepEqual([linear['llama.rope.scaling.type'], linear['llama.rope.scaling.factor']], ['linear', 4]);
  const yarn = metadata({
    rope_parameters: {
      rope_type: 'yarn',
      factor: 8,
      original_max_position_embeddings: 1024,
      rope_theta: 7000,
      beta_fast: 16,
    },
  });
  assert.equal(yarn['llama.rope.scaling.type'], 'yarn');
  assert.equal(yarn['llama.rope.scaling.original_context_length'], 1024);
  assert.equal(yarn['llama.rope.scaling.yarn_beta_fast'], 16);
  assert.equal(yarn['llama.rope.freq_base'], 7000);
});

test('Llama 3.1 divisors keep short waves, slow long ones, and interpolate frequencies between', () => {
  // Values of Llama 3.1 8B, whose divisors are published with its GGUFs.
  const shape = decoderShape({
    ...base,
    hidden_size: 4096,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    rope_theta: 500000,
    max_position_embeddings: 131072,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  });
  assert.equal(shape.scaling?.kind, 'llama3');
  const divisors = llama3Divisors(shape, shape.scaling as Extract<typeof shape.scaling, { kind: 'llama3' }>);
  assert.equal(divisors.length, 64);
  for (let i = 0; i < 64; i++) {
    const frequency = 500000 ** (-i / 64);
    const turns = (8192 * frequency) / (2 * Math.PI);
    // In terms of frequencies: a blend between frequency / 8 and frequency, by the turns in the original context.
    const blend = Math.min(1, Math.max(0, (turns - 1) / 3));
    const scaled = (1 - blend) * (frequency / 8) + blend * frequency;
    assert.ok(Math.abs(divisors[i]! / (frequency / scaled) - 1) < 1e-6, `divisor ${i}`);
  }
  assert.equal(divisors[0], 1);
  assert.equal(divisors[63], 8);
});

const refused: [name: string, change: JsonObject, code: string, shown: RegExp][] = [
  ['another family', { model_type: 'mamba' }, 'import_unsupported', /"mamba"/],
  ['another activation', { hidden_act: 'gelu' }, 'import_unsupported', /hidden_act "gelu"/],
  [
    'weights that are quantised',
    { quantization_config: { quant_method: 'gptq' } },
    'import_unsupported',
    /"gptq"/,
  ],
  [
    'an unknown rope scaling',
    { rope_scaling: { type: 'dynamic', factor: 2 } },
    'import_unsupported',
    /"dynamic"/,
  ],
  ['sliding windows', { use_sliding_window: true }, 'import_unsupported', /use_sliding_window/],
  ['a missing size', { hidden_size: null }, 'import_config', /hidden_size is missing/],
  ['a fractional size', { num_hidden_layers: 1.5 }, 'import_config', /num_hidden_layers is 1.5/],
  ['an absurd size', { vocab_size: 1e12 }, 'import_config', /vocab_size/],
  ['an odd head size', { head_dim: 33 }, 'import_config', /size 33/],
  ['more key-value heads than heads', { num_key_value_heads: 8 }, 'import_config', /num_key_value_heads/],
  ['heads that do not divide', { num_key_value_heads: 3 }, 'import_config', /3 key-value heads/],
  ['an epsilon of zero', { rms_norm_eps: 0 }, 'import_config', /rms_norm_eps/],
  ['a scaling without factor', { rope_scaling: { type: 'linear' } }, 'import_config', /factor is missing/],
];
for (const [name, change, code, message] of refused) {
  test(`${name} in config.json is refused`, () => {
    assert.throws(() => decoderShape({ ...base, ...change }), { code, message });
  });
}
