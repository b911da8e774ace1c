/**
 * `config.json` of Hugging Face decoder models (Llama, Mistral, Qwen2, Qwen3), parsed once and given as the
 * metadata llama.cpp expects.
 *
 * @module models/import/hf-config
 */

import { InputError } from '../../base/index.ts';
import { describe, integerField, isObject, type JsonObject, positiveField } from './json.ts';
import { generalMetadata, type Quantisation } from './plan.ts';
import { float32, type MetadataEntry, string, uint32 } from './values.ts';

export interface DecoderShape {
  /** GGUF architecture. */
  readonly architecture: 'llama' | 'qwen2' | 'qwen3';
  readonly blocks: number;
  readonly embedding: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly ffn: number;
  readonly vocab: number;
  readonly context: number;
  readonly epsilon: number;
  readonly theta: number;
  readonly scaling: RopeScaling | null;
  /** The head is the embedding. */
  readonly tied: boolean;
}

export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'yarn'; readonly factor: number; readonly context: number; readonly extra: YarnExtra }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly low: number;
      readonly high: number;
      readonly context: number;
    };

/** YaRN's optional numbers, by the last part of their GGUF key. */
type YarnExtra = readonly (readonly [
  key: 'yarn_attn_factor' | 'yarn_beta_fast' | 'yarn_beta_slow',
  value: number,
])[];

const ARCHITECTURES: ReadonlyMap<unknown, DecoderShape['architecture']> = new Map<
  unknown,
  DecoderShape['architecture']
>([
  ['llama', 'llama'],
  ['mistral', 'llama'],
  ['qwen2', 'qwen2'],
  ['qwen3', 'qwen3'],
]);

/** `model_type` values that `decoderShape` takes. */
export const DECODER_TYPES: readonly string[] = [...ARCHITECTURES.keys()].map(String);

/** @throws InputError `import_unsupported`, `import_config` naming the field at fault */
export function decoderShape(config: JsonObject): DecoderShape {
  const architecture = ARCHITECTURES.get(config.model_type);
  if (architecture === undefined) {
    throw new InputError(
      'import_unsupported',
      `config.json: model_type ${describe(config.model_type)} cannot be imported; ${DECODER_TYPES.join(', ')} and bert can. Use a ready-made GGUF of this model.`,
      { param: 'model_type' },
    );
  }
  refuseUnsupported(config);
  const embedding = integerField(config, 'hidden_size', { max: 1 << 17 });
  const heads = integerField(config, 'num_attention_heads', { max: 4096 });
  const kvHeads = integerField(config, 'num_key_value_heads', { max: heads, fallback: heads });
  const headSize = integerField(config, 'head_dim', {
    min: 2,
    max: 4096,
    fallback: embedding % heads === 0 ? embedding / heads : 0,
  });
  if (headSize % 2 !== 0 || heads % kvHeads !== 0) {
    throw new InputError(
      'import_config',
      `config.json: ${heads} heads of size ${headSize} over ${kvHeads} key-value heads are no valid attention.`,
    );
  }
  const rope = isObject(config.rope_parameters) ? config.rope_parameters : {};
  const context = integerField(config, 'max_position_embeddings', { max: 1 << 26 });
  return {
    architecture,
    blocks: integerField(config, 'num_hidden_layers', { max: 1024 }),
    embedding,
    heads,
    kvHeads,
    headSize,
    ffn: integerField(config, 'intermediate_size', { max: 1 << 20 }),
    vocab: integerField(config, 'vocab_size', { max: 2_000_000 }),
    context,
    epsilon: positiveField(config, 'rms_norm_eps', 1e-6),
    theta: positiveField({ rope_theta: rope.rope_theta ?? config.rope_theta }, 'rope_theta', 10000),
    scaling: ropeScaling(config, context),
    tied: config.tie_word_embeddings === true,
  };
}

function refuseUnsupported(config: JsonObject): void {
  if (isObject(config.quantization_config)) {
    throw new InputError(
      'import_unsupported',
      `config.json: the weights are quantised already (${describe(config.quantization_config.quant_method)}); import an unquantised copy of the model.`,
      { param: 'quantization_config' },
    );
  }
  const act = config.hidden_act ?? 'silu';
  if (act !== 'silu') {
    throw new InputError(
      'import_unsupported',
      `config.json: hidden_act ${describe(act)} is not known (silu is).`,
      {
        param: 'hidden_act',
      },
    );
  }
  if (config.use_sliding_window === true) {
    throw new InputError(
      'import_unsupported',
      'config.json: use_sliding_window is not supported for this family.',
      {
        param: 'use_sliding_window',
      },
    );
  }
}

function ropeScaling(config: JsonObject, context: number): RopeScaling | null {
  const scaling = config.rope_parameters ?? config.rope_scaling;
  if (scaling === undefined || scaling === null) return null;
  const kind = isObject(scaling) ? (scaling.rope_type ?? scaling.type ?? 'default') : scaling;
  if (!isObject(scaling) || typeof kind !== 'string') {
    throw new InputError('import_config', `config.json: rope_scaling is ${describe(scaling)}.`, {
      param: 'rope_scaling',
    });
  }
  if (kind === 'default') return null;
  const original = integerField(scaling, 'original_max_position_embeddings', {
    max: 1 << 26,
    fallback: context,
  });
  if (kind === 'linear') return { kind, factor: positiveField(scaling, 'factor') };
  if (kind === 'yarn') {
    const extra = (
      [
        ['yarn_attn_factor', 'attention_factor'],
        ['yarn_beta_fast', 'beta_fast'],
        ['yarn_beta_slow', 'beta_slow'],
      ] as const
    )
      .filter(([, field]) => scaling[field] !== undefined && scaling[field] !== null)
      .map(([key, field]) => [key, positiveField(scaling, field)] as const);
    return { kind, factor: positiveField(scaling, 'factor'), context: original, extra };
  }
  if (kind === 'llama3') {
    const low = positiveField(scaling, 'low_freq_factor', 1);
    const high = positiveField(scaling, 'high_freq_factor', 4);
    if (high <= low) {
      throw new InputError(
        'import_config',
        `config.json: high_freq_factor ${high} must be above low_freq_factor ${low}.`,
      );
    }
    return { kind, factor: positiveField(scaling, 'factor', 8), low, high, context: original };
  }
  throw new InputError('import_unsupported', `config.json: rope scaling ${describe(kind)} is not known.`, {
    param: 'rope_scaling',
  });
}

/**
 * Divisors of the rotation frequencies for Llama 3.1 and later: frequencies whose wave is longer than the original
 * context over `low` are slowed by `factor`, those shorter than context over `high` stay, between them it is
 * interpolated linearly in context / wavelength (Llama 3.1 model card; `rope_type: llama3`).
 * @returns Float32Array, length headSize / 2
 */
export function llama3Divisors(
  shape: DecoderShape,
  scaling: Extract<RopeScaling, { kind: 'llama3' }>,
): Float32Array {
  const { factor, low, high, context } = scaling;
  return Float32Array.from({ length: shape.headSize / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * shape.theta ** ((2 * i) / shape.headSize);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const smooth = (context / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/** `general.*` and `<arch>.*` metadata, in a fixed order. */
export function decoderMetadata(
  shape: DecoderShape,
  quantisation: Quantisation,
  name: string,
): MetadataEntry[] {
  const arch = shape.architecture;
  return [
    ...generalMetadata(arch, quantisation, name),
    [`${arch}.context_length`, uint32(shape.context)],
    [`${arch}.embedding_length`, uint32(shape.embedding)],
    [`${arch}.block_count`, uint32(shape.blocks)],
    [`${arch}.feed_forward_length`, uint32(shape.ffn)],
    [`${arch}.attention.head_count`, uint32(shape.heads)],
    [`${arch}.attention.head_count_kv`, uint32(shape.kvHeads)],
    [`${arch}.attention.layer_norm_rms_epsilon`, float32(shape.epsilon)],
    ...headSizeMetadata(shape),
    [`${arch}.rope.dimension_count`, uint32(shape.headSize)],
    [`${arch}.rope.freq_base`, float32(shape.theta)],
    ...scalingMetadata(shape),
    [`${arch}.vocab_size`, uint32(shape.vocab)],
  ];
}

function headSizeMetadata(shape: DecoderShape): MetadataEntry[] {
  if (shape.headSize * shape.heads === shape.embedding) return [];
  return [
    [`${shape.architecture}.attention.key_length`, uint32(shape.headSize)],
    [`${shape.architecture}.attention.value_length`, uint32(shape.headSize)],
  ];
}

function scalingMetadata(shape: DecoderShape): MetadataEntry[] {
  const { architecture: arch, scaling } = shape;
  // llama3 scaling travels as the tensor rope_freqs.weight.
  if (scaling === null || scaling.kind === 'llama3') return [];
  const entries: MetadataEntry[] = [
    [`${arch}.rope.scaling.type`, string(scaling.kind)],
    [`${arch}.rope.scaling.factor`, float32(scaling.factor)],
  ];
  if (scaling.kind === 'yarn') {
    entries.push([`${arch}.rope.scaling.original_context_length`, uint32(scaling.context)]);
    for (const [key, value] of scaling.extra) entries.push([`${arch}.rope.scaling.${key}`, float32(value)]);
  }
  return entries;
}
