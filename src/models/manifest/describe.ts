/**
 * What a GGUF's header says about the model: the facts people ask for, and a manifest for a file that came without
 * one.
 *
 * @module models/manifest/describe
 */

import { InputError } from '../../base/index.ts';
import { getInteger, getString, hasKey, tensorType } from '../gguf/index.ts';
import type { Gguf, ModelManifest, ModelSource, ModelTask } from '../types.ts';
import { matryoshkaOf } from './matryoshka.ts';

export interface ModelFacts {
  readonly architecture: string;
  /** `general.name`, or null. */
  readonly name: string | null;
  readonly task: ModelTask;
  readonly blocks: number;
  readonly heads: number | null;
  readonly kvHeads: number | null;
  readonly embedding: number;
  readonly context: number;
  readonly vocab: number | null;
  /** `general.file_type` as people name it, else the type most weight bytes have. */
  readonly quantisation: string;
  /** Bytes per tensor type, largest first. */
  readonly mix: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  /** `tokenizer.ggml.model`: llama, gpt2, bert, ...; null without a tokenizer. */
  readonly tokenizer: string | null;
  readonly hasTemplate: boolean;
  /** Elements of all tensors. */
  readonly parameters: number;
  readonly licence: string | null;
}

/** `general.file_type` (llama.cpp `llama_ftype`). */
const FILE_TYPES: ReadonlyMap<number, string> = new Map(
  Object.entries({
    F32: 0,
    F16: 1,
    Q4_0: 2,
    Q4_1: 3,
    Q8_0: 7,
    Q5_0: 8,
    Q5_1: 9,
    Q2_K: 10,
    Q3_K_S: 11,
    Q3_K_M: 12,
    Q3_K_L: 13,
    Q4_K_S: 14,
    Q4_K_M: 15,
    Q5_K_S: 16,
    Q5_K_M: 17,
    Q6_K: 18,
    IQ2_XXS: 19,
    IQ2_XS: 20,
    Q2_K_S: 21,
    IQ3_XS: 22,
    IQ3_XXS: 23,
    IQ1_S: 24,
    IQ4_NL: 25,
    IQ3_S: 26,
    IQ3_M: 27,
    IQ2_S: 28,
    IQ2_M: 29,
    IQ4_XS: 30,
    IQ1_M: 31,
    BF16: 32,
    TQ1_0: 36,
    TQ2_0: 37,
    MXFP4: 38,
  }).map(([name, number]) => [number, name]),
);

/** Architectures whose output is an embedding, whatever else the header says. */
const EMBEDDERS = new Set([
  'bert',
  'nomic-bert',
  'nomic-bert-moe',
  'jina-bert-v2',
  'jina-bert-v3',
  'modern-bert',
  't5encoder',
]);

/**
 * Facts from a header.
 *
 * @throws InputError `gguf_key_missing`, `gguf_key_type` when the header lacks what every model has;
 * `model_split` for one file of several.
 */
export function describeModel(gguf: Gguf): ModelFacts {
  const architecture = getString(gguf, 'general.architecture');
  const files = getInteger(gguf, 'split.count', { fallback: 1 });
  if (files > 1) {
    throw new InputError(
      'model_split',
      `The file is one of ${files} that make up the model. Split files are not read: get the model as one file, or join them with llama-gguf-split --merge.`,
    );
  }
  const blocks = getInteger(gguf, `${architecture}.block_count`);
  const number = (key: string): number | null => {
    const entry = gguf.metadata.get(`${architecture}.${key}`);
    // Models whose blocks differ give an array; the first block stands for them here.
    if (entry?.type === 'array') return Number((entry.value.values as ArrayLike<number | bigint>)[0] ?? 0);
    return entry === undefined ? null : getInteger(gguf, `${architecture}.${key}`);
  };
  const tokens = gguf.metadata.get('tokenizer.ggml.tokens');
  const mix = mixOf(gguf);
  const fileType = gguf.metadata.get('general.file_type');
  const heads = number('attention.head_count');
  const hasTemplate = hasKey(gguf, 'tokenizer.chat_template');
  return {
    architecture,
    name: textOf(gguf, 'general.name'),
    task: taskOf(gguf, architecture, hasTemplate),
    blocks,
    heads,
    kvHeads: number('attention.head_count_kv') ?? heads,
    embedding: getInteger(gguf, `${architecture}.embedding_length`),
    context: getInteger(gguf, `${architecture}.context_length`),
    vocab: tokens?.type === 'array' ? tokens.value.values.length : number('vocab_size'),
    quantisation:
      (typeof fileType?.value === 'number' ? FILE_TYPES.get(fileType.value) : undefined) ??
      mix[0]?.type ??
      'unknown',
    mix,
    tokenizer: textOf(gguf, 'tokenizer.ggml.model'),
    hasTemplate,
    parameters: [...gguf.tensors.values()].reduce(
      (sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1),
      0,
    ),
    licence: textOf(gguf, 'general.license'),
  };
}

export interface ManifestFacts {
  readonly id: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly sources: readonly ModelSource[];
  readonly name?: string | undefined;
  readonly licence?: string | undefined;
  readonly task?: ModelTask | undefined;
  readonly converted?: ModelManifest['converted'] | undefined;
}

/** A manifest for a file whose header gave `facts`. */
export function manifestOf(facts: ModelFacts, known: ManifestFacts): ModelManifest {
  const task = known.task ?? facts.task;
  const matryoshka = task === 'embedding' ? matryoshkaOf(facts.name) : null;
  return {
    schema: 1,
    id: known.id,
    name: known.name ?? facts.name?.slice(0, 512) ?? known.id,
    family: facts.architecture,
    task,
    format: 'gguf',
    quantisation: facts.quantisation,
    bytes: known.bytes,
    sha256: known.sha256,
    licence: known.licence ?? facts.licence?.slice(0, 256) ?? null,
    context: facts.context,
    blocks: facts.blocks,
    embedding: facts.embedding,
    ...(matryoshka === null ? {} : { matryoshka }),
    template: facts.hasTemplate ? 'gguf' : null,
    sources: known.sources,
    ...(known.converted === undefined ? {} : { converted: known.converted }),
  };
}

/** `<arch>.pooling_type` of a model that gives the relevance of a passage to a query. */
const RANK = 4;

function taskOf(gguf: Gguf, architecture: string, hasTemplate: boolean): ModelTask {
  if (getInteger(gguf, `${architecture}.pooling_type`, { fallback: 0 }) === RANK) return 'rerank';
  if (EMBEDDERS.has(architecture) || hasKey(gguf, `${architecture}.pooling_type`)) return 'embedding';
  return hasTemplate ? 'chat' : 'completion';
}

function textOf(gguf: Gguf, key: string): string | null {
  const value = gguf.metadata.get(key)?.value;
  return typeof value === 'string' && value !== '' ? value : null;
}

function mixOf(gguf: Gguf): ModelFacts['mix'] {
  const rows = new Map<number, { tensors: number; bytes: number }>();
  for (const { type, bytes } of gguf.tensors.values()) {
    const row = rows.get(type) ?? { tensors: 0, bytes: 0 };
    rows.set(type, { tensors: row.tensors + 1, bytes: row.bytes + bytes });
  }
  return [...rows]
    .map(([type, row]) => ({ type: tensorType(type)?.name ?? `type ${type}`, ...row }))
    .sort((a, b) => b.bytes - a.bytes);
}
