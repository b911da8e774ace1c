/**
 * Rerankers as llama.cpp's converter writes them, made of an encoder that is at hand: its tensors as they are, a classification
 * head with random but fixed weights, and the metadata that says so.
 *
 * @module test/models/reranker
 */

import { createSeededRandom } from '../../src/base/index.ts';
import {
  fileSource,
  type GgufTensorInput,
  quantise,
  readGguf,
  writeGguf,
} from '../../src/models/gguf/index.ts';
import { GGML } from '../../src/models/import/plan.ts';
import {
  bool,
  float32s,
  int32s,
  type MetadataEntry,
  string,
  strings,
  uint32,
} from '../../src/models/import/values.ts';

export interface RerankerHead {
  /** Whether there is a dense layer with tanh before the output. @default true */
  readonly dense?: boolean;
  /** @default 1 */
  readonly outputs?: number;
  /** How the matrices are stored. @default 'F32' */
  readonly type?: keyof typeof GGML;
  /** Size of the logits, about. @default 4 */
  readonly gain?: number;
  readonly seed?: number;
  /** XLM-RoBERTa: a unigram vocabulary of so many tokens in the place of the encoder's, and no segments. */
  readonly unigram?: number;
}

export async function makeReranker(encoder: string, path: string, head: RerankerHead = {}): Promise<string> {
  const { dense = true, outputs = 1, type = 'F32', gain = 4, seed = 1, unigram } = head;
  await using source = await fileSource(encoder);
  const gguf = await readGguf(source);
  const e = Number(gguf.metadata.get('bert.embedding_length')!.value);
  const random = createSeededRandom(seed);
  const values = (count: number, spread: number) =>
    Float32Array.from({ length: count }, () => (2 * random.float() - 1) * spread);
  const tensor = (name: string, dims: readonly number[], spread: number): GgufTensorInput => {
    const codec = name.endsWith('.bias') ? 'F32' : type;
    return {
      name,
      dims,
      type: GGML[codec],
      data: quantise(
        codec,
        values(
          dims.reduce((a, b) => a * b),
          spread,
        ),
      ),
    };
  };
  const metadata = [...gguf.metadata].filter(
    ([key]) => key !== 'bert.pooling_type' && (unigram === undefined || !key.startsWith('tokenizer.')),
  );
  const kept = [...gguf.tensors.values()].filter(
    ({ name }) => unigram === undefined || name !== 'token_types.weight',
  );
  await writeGguf(path, {
    metadata: [
      ...metadata,
      ['bert.pooling_type', uint32(4)],
      ...(outputs === 1
        ? []
        : [
            [
              'bert.classifier.output_labels',
              strings(Array.from({ length: outputs }, (_, i) => `l${i}`)),
            ] as const,
          ]),
      ...(unigram === undefined ? [] : unigramVocabulary(unigram)),
    ],
    tensors: [
      ...kept.map(({ name, dims, type: stored, offset, bytes }) => ({
        ...{ name, dims, type: stored },
        data: () => source.read(offset, bytes),
      })),
      ...(dense ? [tensor('cls.weight', [e, e], 2 / Math.sqrt(e)), tensor('cls.bias', [e], 0.1)] : []),
      tensor('cls.output.weight', [e, outputs], gain / Math.sqrt(e)),
      tensor('cls.output.bias', [outputs], 0.5),
    ],
  });
  return path;
}

/** A SentencePiece unigram vocabulary as XLM-RoBERTa's files have it: four specials, characters, pairs of them. */
function unigramVocabulary(size: number): MetadataEntry[] {
  const letters = ['\u2581', ...'etaoinshrdlcumwfgypbvkjxqz.,?'];
  const pairs = letters.flatMap((left) => letters.slice(1).map((right) => left + right));
  const tokens = ['<s>', '<pad>', '</s>', '<unk>', ...letters, ...pairs].slice(0, size - 1);
  tokens.push('<mask>');
  const control = (id: number) => id < 3 || id === tokens.length - 1;
  return [
    ['tokenizer.ggml.model', string('t5')],
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.scores', float32s(Float32Array.from(tokens, (_, id) => (id < 4 ? 0 : -1 - id / 100)))],
    [
      'tokenizer.ggml.token_type',
      int32s(Int32Array.from(tokens, (_, id) => (control(id) ? 3 : id === 3 ? 2 : 1))),
    ],
    ['tokenizer.ggml.add_space_prefix', bool(true)],
    ['tokenizer.ggml.remove_extra_whitespaces', bool(true)],
    ['tokenizer.ggml.token_type_count', uint32(1)],
    ['tokenizer.ggml.bos_token_id', uint32(0)],
    ['tokenizer.ggml.eos_token_id', uint32(2)],
    ['tokenizer.ggml.unknown_token_id', uint32(3)],
    ['tokenizer.ggml.seperator_token_id', uint32(2)],
    ['tokenizer.ggml.padding_token_id', uint32(1)],
    ['tokenizer.ggml.cls_token_id', uint32(0)],
    ['tokenizer.ggml.mask_token_id', uint32(tokens.length - 1)],
    ['tokenizer.ggml.add_bos_token', bool(true)],
    ['tokenizer.ggml.add_eos_token', bool(true)],
  ];
}
