/**
 * BERT encoders used for sentence embeddings. llama.cpp adds the pooling and gives the pooled vector; the
 * checkpoint's own pooler (for next-sentence prediction) and masked-word head are not part of that.
 *
 * @module models/import/hf-bert
 */

import { InputError } from '../../base/index.ts';
import { describe, integerField, type JsonObject, positiveField } from './json.ts';
import { generalMetadata, type PlannedTensor, type Quantisation } from './plan.ts';
import type { SafeTensor } from './safetensors.ts';
import { bool, float32, type MetadataEntry, uint32 } from './values.ts';
import { weights } from './weights.ts';

/** `<arch>.pooling_type` (llama.cpp's `llama_pooling_type`). */
export const POOLING = { mean: 1, cls: 2, last: 3 } as const;

export interface BertShape {
  readonly blocks: number;
  readonly embedding: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocab: number;
  /** Rows of the position table: the longest input in tokens. */
  readonly context: number;
  readonly types: number;
  readonly epsilon: number;
}

/** @throws InputError `import_unsupported`, `import_config` */
export function bertShape(config: JsonObject): BertShape {
  const act = config.hidden_act ?? 'gelu';
  if (act !== 'gelu') {
    throw new InputError(
      'import_unsupported',
      `config.json: hidden_act ${describe(act)} is not known for BERT (gelu is).`,
    );
  }
  const positions = config.position_embedding_type ?? 'absolute';
  if (positions !== 'absolute') {
    throw new InputError(
      'import_unsupported',
      `config.json: position_embedding_type ${describe(positions)} is not known (absolute is).`,
    );
  }
  const embedding = integerField(config, 'hidden_size', { max: 1 << 16 });
  const heads = integerField(config, 'num_attention_heads', { max: 4096 });
  if (embedding % heads !== 0) {
    throw new InputError(
      'import_config',
      `config.json: hidden_size ${embedding} is no multiple of ${heads} heads.`,
    );
  }
  return {
    blocks: integerField(config, 'num_hidden_layers', { max: 1024 }),
    embedding,
    heads,
    ffn: integerField(config, 'intermediate_size', { max: 1 << 20 }),
    vocab: integerField(config, 'vocab_size', { max: 2_000_000 }),
    context: integerField(config, 'max_position_embeddings', { max: 1 << 20 }),
    types: integerField(config, 'type_vocab_size', { max: 1024, fallback: 2 }),
    epsilon: positiveField(config, 'layer_norm_eps', 1e-12),
  };
}

/**
 * @param pooling contents of `1_Pooling/config.json`, or null: mean pooling, as sentence-transformers assumes
 * @throws InputError `import_unsupported` for a way of pooling llama.cpp does not have
 */
export function poolingType(pooling: JsonObject | null): number {
  if (pooling === null || pooling.pooling_mode_mean_tokens === true) return POOLING.mean;
  if (pooling.pooling_mode_cls_token === true) return POOLING.cls;
  if (pooling.pooling_mode_lasttoken === true) return POOLING.last;
  throw new InputError(
    'import_unsupported',
    '1_Pooling/config.json: only mean, cls and last-token pooling are known.',
  );
}

export function bertMetadata(
  shape: BertShape,
  pooling: number,
  quantisation: Quantisation,
  name: string,
): MetadataEntry[] {
  return [
    ...generalMetadata('bert', quantisation, name),
    ['bert.context_length', uint32(shape.context)],
    ['bert.embedding_length', uint32(shape.embedding)],
    ['bert.block_count', uint32(shape.blocks)],
    ['bert.feed_forward_length', uint32(shape.ffn)],
    ['bert.attention.head_count', uint32(shape.heads)],
    ['bert.attention.layer_norm_epsilon', float32(shape.epsilon)],
    ['bert.attention.causal', bool(false)],
    ['bert.pooling_type', uint32(pooling)],
    ['bert.vocab_size', uint32(shape.vocab)],
    ['tokenizer.ggml.token_type_count', uint32(shape.types)],
  ];
}

/** @throws InputError `import_missing_tensor`, `import_shape`, `import_unsupported` */
export function bertTensors(
  tensors: ReadonlyMap<string, SafeTensor>,
  shape: BertShape,
  quantisation: Quantisation,
): PlannedTensor[] {
  const w = weights(new Map([...tensors].map(([name, tensor]) => [plainName(name), tensor])), quantisation);
  const { embedding, ffn } = shape;
  const norm = (target: string, name: string): PlannedTensor[] => [
    w.plain(`${target}.weight`, `${name}.weight`, [embedding]),
    w.plain(`${target}.bias`, `${name}.bias`, [embedding]),
  ];
  const linear = (target: string, name: string, rows: number, columns: number): PlannedTensor[] => [
    w.matrix(`${target}.weight`, `${name}.weight`, rows, columns),
    w.plain(`${target}.bias`, `${name}.bias`, [rows]),
  ];
  const out: PlannedTensor[] = [
    w.matrix('token_embd.weight', 'embeddings.word_embeddings.weight', shape.vocab, embedding),
    w.plain('position_embd.weight', 'embeddings.position_embeddings.weight', [shape.context, embedding]),
    w.plain('token_types.weight', 'embeddings.token_type_embeddings.weight', [shape.types, embedding]),
    ...norm('token_embd_norm', 'embeddings.LayerNorm'),
  ];
  for (let i = 0; i < shape.blocks; i++) {
    const from = `encoder.layer.${i}`;
    const to = `blk.${i}`;
    out.push(
      ...linear(`${to}.attn_q`, `${from}.attention.self.query`, embedding, embedding),
      ...linear(`${to}.attn_k`, `${from}.attention.self.key`, embedding, embedding),
      ...linear(`${to}.attn_v`, `${from}.attention.self.value`, embedding, embedding),
      ...linear(`${to}.attn_output`, `${from}.attention.output.dense`, embedding, embedding),
      ...norm(`${to}.attn_output_norm`, `${from}.attention.output.LayerNorm`),
      ...linear(`${to}.ffn_up`, `${from}.intermediate.dense`, ffn, embedding),
      ...linear(`${to}.ffn_down`, `${from}.output.dense`, embedding, ffn),
      ...norm(`${to}.layer_output_norm`, `${from}.output.LayerNorm`),
    );
  }
  w.refuseUnused([/^embeddings\.position_ids$/, /^pooler\./, /^cls\./]);
  return out;
}

/** Task models prefix the encoder; checkpoints converted from TensorFlow say gamma and beta. */
function plainName(name: string): string {
  return name
    .replace(/^bert\./, '')
    .replace(/\.gamma$/, '.weight')
    .replace(/\.beta$/, '.bias');
}
