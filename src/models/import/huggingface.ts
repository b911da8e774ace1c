/**
 * A Hugging Face model folder (config.json, safetensors, tokenizer files) as a conversion plan.
 *
 * @module models/import/huggingface
 */

import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../base/index.ts';
import { fileSource } from '../gguf/index.ts';
import { bertMetadata, bertShape, bertTensors, poolingType } from './hf-bert.ts';
import { decoderMetadata, decoderShape } from './hf-config.ts';
import { decoderTensors } from './hf-decoder.ts';
import { type JsonObject, readJsonFile, readTextFile } from './json.ts';
import type { ConversionPlan, PlannedTensor, Quantisation } from './plan.ts';
import { openSharded, readSafetensors, type Safetensors } from './safetensors.ts';
import type { TokenizerFiles } from './special-tokens.ts';
import { tokenizerMetadata } from './tokenizer-json.ts';
import { type MetadataEntry, uint32 } from './values.ts';

export interface HuggingFaceOptions {
  readonly quantisation: Quantisation;
  readonly name: string;
  /** One weights file to use instead of what the folder names. */
  readonly weightsFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws InputError `import_missing` naming the file that is not there, and every code of the parsers below it
 */
export async function planHuggingFace(folder: string, options: HuggingFaceOptions): Promise<ConversionPlan> {
  const config = await requireConfig(folder);
  const files = await readTokenizerFiles(folder, config);
  const weights = await openWeights(folder, options);
  try {
    const { architecture, metadata, tensors, rows } = await familyPlan(folder, config, weights, options);
    return {
      architecture,
      metadata: [...metadata, ...tokenizerMetadata(files, rows)],
      tensors,
      close: weights.close,
    };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

async function familyPlan(
  folder: string,
  config: JsonObject,
  weights: Safetensors,
  options: HuggingFaceOptions,
): Promise<{ architecture: string; metadata: MetadataEntry[]; tensors: PlannedTensor[]; rows: number }> {
  const { quantisation, name } = options;
  const pooling = await readJsonFile(join(folder, '1_Pooling', 'config.json'));
  if (config.model_type === 'bert') {
    const shape = bertShape(config);
    return {
      architecture: 'bert',
      metadata: bertMetadata(shape, poolingType(pooling), quantisation, name),
      tensors: bertTensors(weights.tensors, shape, quantisation),
      rows: shape.vocab,
    };
  }
  const shape = decoderShape(config);
  const metadata = decoderMetadata(shape, quantisation, name);
  // A decoder that was trained to embed says how it pools.
  if (pooling !== null) metadata.push([`${shape.architecture}.pooling_type`, uint32(poolingType(pooling))]);
  return {
    architecture: shape.architecture,
    metadata,
    tensors: decoderTensors(weights.tensors, shape, quantisation),
    rows: shape.vocab,
  };
}

/** @throws InputError `import_missing` */
export async function requireConfig(folder: string): Promise<JsonObject> {
  const config = await readJsonFile(join(folder, 'config.json'));
  if (config === null) throw missing(folder, 'config.json');
  return config;
}

/** @throws InputError `import_missing` when there is no tokenizer.json */
export async function readTokenizerFiles(folder: string, config: JsonObject): Promise<TokenizerFiles> {
  const tokenizer = await readJsonFile(join(folder, 'tokenizer.json'));
  if (tokenizer === null) throw missing(folder, 'tokenizer.json');
  return {
    tokenizer,
    config: await readJsonFile(join(folder, 'tokenizer_config.json')),
    special: await readJsonFile(join(folder, 'special_tokens_map.json')),
    model: config,
    template: await readTextFile(join(folder, 'chat_template.jinja')),
  };
}

function missing(folder: string, file: string): InputError {
  return new InputError(
    'import_missing',
    `${basename(folder)} has no ${file}. Put ${file} of the model into the folder and import it again.`,
    { details: { file } },
  );
}

/** Opens the index of shards, `model.safetensors`, or the only other safetensors file. */
async function openWeights(folder: string, options: HuggingFaceOptions): Promise<Safetensors> {
  const index = join(folder, 'model.safetensors.index.json');
  if (options.weightsFile === undefined && (await exists(index))) {
    return openSharded(index, fileSource, options.signal);
  }
  const path = options.weightsFile ?? (await onlyWeights(folder));
  const source = await fileSource(path);
  try {
    const tensors = await readSafetensors(source, { label: basename(path), signal: options.signal });
    return { tensors, close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function onlyWeights(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort();
  if (names.includes('model.safetensors')) return join(folder, 'model.safetensors');
  const [only] = names;
  if (only === undefined) throw missing(folder, 'model.safetensors');
  if (names.length > 1) {
    throw new InputError(
      'import_ambiguous',
      `${basename(folder)} has ${names.length} safetensors files and no index: name the one to import (${names.slice(0, 3).join(', ')}).`,
    );
  }
  return join(folder, only);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
