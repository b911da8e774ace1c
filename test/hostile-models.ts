/**
 * GGUF files that are well formed and wrong: hyperparameters, shapes, types and vocabularies that contradict each
 * other or ask for the absurd. Each is a small random model with one thing changed.
 *
 * @module test/hostile-models
 */

import { tensorBytes, tensorType } from '../src/models/gguf/types-table.ts';
import {
  fileSource,
  type Gguf,
  type GgufTensor,
  type GgufValue,
  readGguf,
  writeGguf,
} from '../src/models/index.ts';
import { makeRandomModel, type RandomArch } from './models/random-model.ts';

export interface HostileModel {
  readonly name: string;
  readonly arch: RandomArch;
  change(parts: Parts): void;
}

interface Parts {
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: Map<string, Pick<GgufTensor, 'name' | 'dims' | 'type'>>;
  /** Fills every F32 tensor with this value. */
  fill: number | null;
}

const uint = (value: number): GgufValue => ({ type: 'uint32', value });
const float = (value: number): GgufValue => ({ type: 'float32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });
const none: GgufValue = { type: 'uint32', value: 0 };

const key =
  (name: string, value: GgufValue | null) =>
  ({ metadata }: Parts): void => {
    if (value === null) metadata.delete(name);
    else metadata.set(name, value);
  };
const shape =
  (name: string, dims: readonly number[], type?: number) =>
  ({ tensors }: Parts): void => {
    const tensor = tensors.get(name) ?? { name, type: 0 };
    tensors.set(name, { ...tensor, dims, ...(type === undefined ? {} : { type }) });
  };
const filled =
  (value: number) =>
  (parts: Parts): void => {
    parts.fill = value;
  };
const without =
  (name: string) =>
  ({ tensors }: Parts): void =>
    void tensors.delete(name);
/** Gives every matrix another type. */
const typed =
  (type: number, only?: string) =>
  ({ tensors }: Parts): void => {
    for (const tensor of tensors.values()) {
      if (tensor.dims.length > 1 && (only === undefined || tensor.name === only))
        tensors.set(tensor.name, { ...tensor, type });
    }
  };

function decoder(arch: RandomArch): HostileModel[] {
  const a = (name: string) => `${arch}.${name}`;
  const list: [string, (parts: Parts) => void][] = [];
  const add = (name: string, change: (parts: Parts) => void) => list.push([name, change]);
  for (const [name, values] of Object.entries({
    block_count: [0, 3, 1, 1e9, 0xffff_ffff],
    embedding_length: [0, 1, 63, 0xffff_ffff],
    'attention.head_count': [0, 1, 3, 1000, 0xffff_ffff],
    'attention.head_count_kv': [0, 1, 3, 0xffff_ffff],
    'attention.key_length': [0, 1, 7, 17, 0xffff_ffff],
    'attention.value_length': [0, 1, 7, 17, 0xffff_ffff],
    'rope.dimension_count': [0, 1, 7, 15, 0xffff_ffff],
    context_length: [0, 1, 2 ** 31, 0xffff_ffff, 1 << 26],
    feed_forward_length: [0, 1, 0xffff_ffff],
    'rope.scaling.original_context_length': [0, 1, 0xffff_ffff],
    'attention.sliding_window': [0, 1, 0xffff_ffff],
    'attention.sliding_window_pattern': [0, 1, 0xffff_ffff],
    expert_count: [1, 0xffff_ffff],
    vocab_size: [0, 1, 0xffff_ffff],
  })) {
    for (const value of values) add(`${name} ${value}`, key(a(name), uint(value)));
    add(`${name} text`, key(a(name), text('many')));
    add(`${name} -1`, key(a(name), { type: 'int32', value: -1 }));
    add(`${name} 1.5`, key(a(name), float(1.5)));
    add(`${name} NaN`, key(a(name), float(Number.NaN)));
    add(`${name} 2^64-1`, key(a(name), { type: 'uint64', value: 2n ** 64n - 1n }));
    add(
      `${name} empty list`,
      key(a(name), { type: 'array', value: { type: 'uint32', values: new Uint32Array() } }),
    );
    add(`${name} missing`, key(a(name), null));
  }
  for (const name of [
    'attention.layer_norm_rms_epsilon',
    'rope.freq_base',
    'rope.freq_base_swa',
    'rope.scaling.factor',
    'rope.scaling.attn_factor',
    'rope.scaling.yarn_ext_factor',
    'rope.scaling.yarn_beta_fast',
    'rope.scaling.yarn_beta_slow',
    'final_logit_softcapping',
  ]) {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, 1e-38, 1e38])
      add(`${name} ${value}`, key(a(name), float(value)));
  }
  for (const factor of [Number.NaN, 0, -1, 1e9, 1e-9]) {
    add(`yarn factor ${factor}`, ({ metadata }) => {
      metadata.set(a('rope.scaling.type'), text('yarn'));
      metadata.set(a('rope.scaling.factor'), float(factor));
    });
  }
  for (const beta of [Number.NaN, 0, -5, 1e38])
    add(`yarn betas ${beta}`, ({ metadata }) => {
      metadata.set(a('rope.scaling.type'), text('yarn'));
      metadata.set(a('rope.scaling.factor'), float(4));
      metadata.set(a('rope.scaling.yarn_beta_fast'), float(beta));
      metadata.set(a('rope.scaling.yarn_beta_slow'), float(beta));
      metadata.set(a('rope.scaling.original_context_length'), uint(0));
    });
  add('rope scaling of an unknown kind', key(a('rope.scaling.type'), text('sideways')));
  for (const type of [1, 2, 8, 9, 10, 14, 15, 16, 19, 20, 24, 25, 26, 27, 28, 29, 30, 34, 35, 39, 40, 41, 42])
    add(`matrices of type ${type}`, typed(type));
  for (const type of [9, 15, 24, 25, 26, 27, 28, 40, 41, 42]) {
    add(`lookup table of type ${type}`, typed(type, 'token_embd.weight'));
    add(`head of type ${type}`, typed(type, 'output.weight'));
  }
  add('a norm of type I32', shape('output_norm.weight', [256], 26));
  add('a norm too short', shape('output_norm.weight', [32]));
  add('a norm with two rows', shape('blk.0.attn_norm.weight', [256, 2]));
  add('a lookup table with fewer tokens', shape('token_embd.weight', [256, 4]));
  add('a head with fewer tokens', shape('output.weight', [256, 4]));
  add('a head with more tokens', shape('output.weight', [256, 4000]));
  add('lookup table and head with fewer tokens', (parts) => {
    shape('token_embd.weight', [256, 4])(parts);
    if (parts.tensors.has('output.weight')) shape('output.weight', [256, 4])(parts);
  });
  add('lookup table and head with more tokens', (parts) => {
    shape('token_embd.weight', [256, 4000])(parts);
    if (parts.tensors.has('output.weight')) shape('output.weight', [256, 4000])(parts);
  });
  add('a transposed matrix', shape('blk.0.ffn_down.weight', [256, 512]));
  add('a matrix of four dimensions', shape('blk.0.ffn_down.weight', [512, 128, 2, 1]));
  for (const name of [
    'token_embd.weight',
    'output.weight',
    'output_norm.weight',
    'blk.0.attn_norm.weight',
    'blk.1.ffn_down.weight',
  ])
    add(`no ${name}`, without(name));
  add('no tensors', ({ tensors }) => tensors.clear());
  add(
    'a tensor nobody asked for',
    ({ tensors }) => void tensors.set('blk.0.odd', { name: 'blk.0.odd', dims: [4], type: 0 }),
  );
  add(
    'rope factors too short',
    ({ tensors }) => void tensors.set('rope_freqs.weight', { name: 'rope_freqs.weight', dims: [1], type: 0 }),
  );
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0]) add(`every number ${value}`, filled(value));
  list.push(...vocabularies());
  return list.map(([name, change]) => ({ name: `${arch}: ${name}`, arch, change }));
}

function vocabularies(): [string, (parts: Parts) => void][] {
  const list: [string, (parts: Parts) => void][] = [];
  const t = (name: string) => `tokenizer.ggml.${name}`;
  for (const name of ['bos_token_id', 'eos_token_id', 'unknown_token_id', 'padding_token_id', 'eot_token_id'])
    for (const value of [
      uint(0xffff_ffff),
      uint(320),
      text('x'),
      { type: 'int32', value: -1 } as const,
      float(1.5),
    ])
      list.push([`${name} ${String(value.value)}`, key(t(name), value)]);
  const strings = (values: readonly string[]): GgufValue => ({
    type: 'array',
    value: { type: 'string', values },
  });
  list.push(
    ['one token', key(t('tokens'), strings(['<unk>']))],
    ['no tokens', key(t('tokens'), strings([]))],
    ['the same token always', key(t('tokens'), strings(Array.from({ length: 320 }, () => 'a')))],
    ['empty tokens', key(t('tokens'), strings(Array.from({ length: 320 }, () => '')))],
    ['tokens as numbers', key(t('tokens'), uint(3))],
    ['tokens missing', key(t('tokens'), null)],
    [
      'scores too few',
      key(t('scores'), { type: 'array', value: { type: 'float32', values: Float32Array.of(1) } }),
    ],
    [
      'scores NaN',
      key(t('scores'), {
        type: 'array',
        value: { type: 'float32', values: new Float32Array(320).fill(Number.NaN) },
      }),
    ],
    ['scores text', key(t('scores'), strings(Array.from({ length: 320 }, () => 'a')))],
    [
      'token types unknown',
      key(t('token_type'), { type: 'array', value: { type: 'int32', values: new Int32Array(320).fill(99) } }),
    ],
    [
      'token types too few',
      key(t('token_type'), { type: 'array', value: { type: 'int32', values: Int32Array.of(1) } }),
    ],
    [
      'every token control',
      key(t('token_type'), { type: 'array', value: { type: 'int32', values: new Int32Array(320).fill(3) } }),
    ],
    [
      'every token a byte',
      key(t('token_type'), { type: 'array', value: { type: 'int32', values: new Int32Array(320).fill(6) } }),
    ],
    ['tokenizer unknown', key(t('model'), text('runes'))],
    ['tokenizer of another kind', key(t('model'), text('gpt2'))],
    ['tokenizer missing', key(t('model'), null)],
    [
      'a template that never ends',
      key('tokenizer.chat_template', text('{% for i in range(1000000000) %}{{ i }}{% endfor %}')),
    ],
    ['a template that is broken', key('tokenizer.chat_template', text('{% for %}'))],
    ['a template that is a number', key('tokenizer.chat_template', none)],
  );
  return list;
}

function encoder(): HostileModel[] {
  const list: [string, (parts: Parts) => void][] = [];
  for (const [name, values] of Object.entries({
    block_count: [0, 1, 3, 0xffff_ffff],
    embedding_length: [0, 1, 63, 0xffff_ffff],
    'attention.head_count': [0, 1, 3, 256, 0xffff_ffff],
    context_length: [0, 1, 0xffff_ffff],
    pooling_type: [0, 3, 4, 0xffff_ffff],
    feed_forward_length: [0, 1],
  }))
    for (const value of values) list.push([`${name} ${value}`, key(`bert.${name}`, uint(value))]);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-38])
    list.push([`epsilon ${value}`, key('bert.attention.layer_norm_epsilon', float(value))]);
  for (const type of [1, 2, 8, 9, 10, 15, 24, 26, 27, 28, 30, 40, 41, 42]) {
    list.push([`matrices of type ${type}`, typed(type)]);
    list.push([`lookup table of type ${type}`, typed(type, 'token_embd.weight')]);
    list.push([`position table of type ${type}`, typed(type, 'position_embd.weight')]);
    list.push([`token types of type ${type}`, typed(type, 'token_types.weight')]);
  }
  list.push(
    ['token types of one row', shape('token_types.weight', [256])],
    ['token types of many rows', shape('token_types.weight', [256, 1000])],
    ['a token type count of 2^32-1', key('tokenizer.ggml.token_type_count', uint(0xffff_ffff))],
    ['a lookup table with fewer tokens', shape('token_embd.weight', [256, 4])],
    ['fewer positions', shape('position_embd.weight', [256, 4])],
    ['no positions', without('position_embd.weight')],
    ['no norm bias', without('token_embd_norm.bias')],
    ['no tensors', ({ tensors }) => tensors.clear()],
  );
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0])
    list.push([`every number ${value}`, filled(value)]);
  list.push(...vocabularies());
  return list.map(([name, change]) => ({ name: `bert: ${name}`, arch: 'bert' as const, change }));
}

export const hostileModels: readonly HostileModel[] = [
  ...(['llama', 'qwen2', 'qwen3', 'gemma3', 'phi3'] as const).flatMap(decoder),
  ...encoder(),
  ...others(),
];

const sizes = {
  blocks: 2,
  embedding: 256,
  heads: 4,
  ffn: 512,
  vocab: 320,
  type: 'F32',
  seed: 11,
  context: 128,
} as const;
const bases = new Map<string, Promise<Gguf>>();

/** Files for the compatibility path: llama's metadata under the name of an architecture that has no graph here. */
function others(): HostileModel[] {
  const rename =
    (to: string) =>
    ({ metadata }: Parts): void => {
      for (const [name, value] of [...metadata])
        if (name.startsWith('llama.')) metadata.set(name.replace('llama', to), value);
      metadata.set('general.architecture', text(to));
    };
  const list: [string, (parts: Parts) => void][] = [];
  for (const to of [
    'nothing',
    'mistral3',
    'falcon',
    'gpt2',
    'mamba',
    'mamba2',
    'rwkv6',
    't5',
    'deepseek2',
    'gemma2',
    'olmo2',
    'gpt-oss',
    'clip',
    'qwen3moe',
    'qwen2moe',
    'llama4',
    'granite',
    'jamba',
    'command-r',
    'starcoder2',
    'mpt',
    'bloom',
    'nomic-bert',
    'wavtokenizer-dec',
    'lfm2',
    'gemma3n',
    'smollm3',
  ])
    list.push([to, rename(to)]);
  for (const [name, values] of Object.entries({
    block_count: [0, 1, 513, 0xffff_ffff],
    embedding_length: [0, 1, 0xffff_ffff],
    'attention.head_count': [0, 1, 3, 0xffff_ffff],
    'attention.head_count_kv': [0, 3, 0xffff_ffff],
    'attention.key_length': [0, 1, 7, 0xffff_ffff],
    'rope.dimension_count': [0, 1, 7, 0xffff_ffff],
    context_length: [0, 1, 0xffff_ffff],
    expert_count: [1, 4, 0xffff_ffff],
    feed_forward_length: [0, 0xffff_ffff],
  }))
    for (const value of values)
      list.push([
        `smollm3 with ${name} ${value}`,
        (parts) => {
          rename('smollm3')(parts);
          parts.metadata.set(`smollm3.${name}`, uint(value));
        },
      ]);
  for (const type of [1, 8, 9, 15, 24, 26, 28, 30, 40, 41, 42])
    list.push([
      `smollm3 with matrices of type ${type}`,
      (parts) => {
        rename('smollm3')(parts);
        typed(type)(parts);
      },
    ]);
  list.push([
    'smollm3 with a norm of type F16',
    (parts) => {
      rename('smollm3')(parts);
      shape('output_norm.weight', [256], 1)(parts);
    },
  ]);
  for (const value of [Number.NaN, 0])
    list.push([
      `smollm3 with every number ${value}`,
      (parts) => {
        rename('smollm3')(parts);
        parts.fill = value;
      },
    ]);
  for (const [name, change] of vocabularies())
    list.push([
      `smollm3 with ${name}`,
      (parts) => {
        rename('smollm3')(parts);
        change(parts);
      },
    ]);
  return list.map(([name, change]) => ({ name: `other: ${name}`, arch: 'llama' as const, change }));
}

/** Writes one hostile model. `scratch` is a folder that outlives the calls. */
export async function writeHostileModel(hostile: HostileModel, scratch: string, path: string): Promise<void> {
  const { arch } = hostile;
  const basePath = `${scratch}/${arch}-base.gguf`;
  const whole = arch === 'phi3' || arch === 'bert';
  let base = bases.get(basePath);
  if (base === undefined) {
    base = (async () => {
      await makeRandomModel(
        { ...sizes, arch, kvHeads: arch === 'bert' ? 4 : 2, ...(whole ? {} : { headDim: 64 }) },
        basePath,
      );
      await using source = await fileSource(basePath);
      return readGguf(source);
    })();
    bases.set(basePath, base);
  }
  const gguf = await base;
  const parts: Parts = { metadata: new Map(gguf.metadata), tensors: new Map(gguf.tensors), fill: null };
  hostile.change(parts);
  await using source = await fileSource(basePath);
  await writeGguf(path, {
    metadata: parts.metadata,
    tensors: [...parts.tensors.values()].map(({ name, dims, type }) => {
      const own = gguf.tensors.get(name);
      return {
        name,
        dims,
        type,
        data: async () => {
          const bytes = tensorBytes(tensorType(type)!, dims)!;
          if (parts.fill !== null && type === 0)
            return new Uint8Array(new Float32Array(bytes / 4).fill(parts.fill).buffer);
          if (own !== undefined && own.bytes === bytes && own.type === type)
            return source.read(own.offset, bytes);
          return new Uint8Array(bytes).fill(0x3c);
        },
      };
    }),
  });
}
