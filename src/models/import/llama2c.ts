/**
 * llama2.c checkpoints (`model.bin`, format version 0) with their `tokenizer.bin`. The two may also stand one
 * behind the other in a single file, as web builds pack them: the header gives every size, so the seam is known.
 *
 * Checkpoint: seven int32 (dim, hidden, blocks, heads, kv heads, vocabulary, context), then float32: embedding,
 * attention norms, wq, wk, wv, wo, FFN norms, w1 (gate), w2 (down), w3 (up), final norm, two RoPE tables, and the
 * head when the vocabulary size is negative. Rotation pairs neighbours already: q and k need no reordering.
 *
 * @module models/import/llama2c
 */

import { InputError } from '../../base/index.ts';
import { dequantise } from '../gguf/quantise.ts';
import type { ByteSource } from '../types.ts';
import {
  type ConversionPlan,
  GGML,
  generalMetadata,
  type PlannedTensor,
  type Quantisation,
  weightType,
} from './plan.ts';
import { TOKEN_TYPE } from './token-types.ts';
import { bool, float32, float32s, int32s, type MetadataEntry, string, strings, uint32 } from './values.ts';

const HEADER_BYTES = 28;
const MAX_TOKEN_BYTES = 4096;

export interface Llama2cHeader {
  readonly dim: number;
  readonly hidden: number;
  readonly blocks: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocab: number;
  readonly context: number;
  /** The head is the embedding; otherwise it stands at the end of the file. */
  readonly tied: boolean;
  /** Size of the checkpoint in bytes; what follows it is the tokenizer. */
  readonly bytes: number;
}

/** @throws InputError `llama2c_header` when the seven numbers describe no model; `llama2c_short` when it is cut off */
export async function readLlama2cHeader(source: ByteSource, signal?: AbortSignal): Promise<Llama2cHeader> {
  if (source.size < HEADER_BYTES) {
    throw new InputError(
      'llama2c_short',
      `The file has ${source.size} bytes: too short for a llama2.c header.`,
    );
  }
  const bytes = await source.read(0, HEADER_BYTES, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [dim, hidden, blocks, heads, kvHeads, signedVocab, context] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(i * 4, true),
  ) as [number, number, number, number, number, number, number];
  const vocab = Math.abs(signedVocab);
  const plausible =
    within(dim, 65536) &&
    within(hidden, 1 << 20) &&
    within(blocks, 1024) &&
    within(heads, 1024) &&
    within(kvHeads, heads) &&
    within(vocab, 1 << 21) &&
    within(context, 1 << 22) &&
    dim % heads === 0 &&
    (dim / heads) % 2 === 0 &&
    heads % kvHeads === 0;
  if (!plausible) {
    throw new InputError(
      'llama2c_header',
      `No llama2.c checkpoint (version 0): the header reads dim ${dim}, hidden ${hidden}, blocks ${blocks}, heads ${heads}, kv heads ${kvHeads}, vocabulary ${signedVocab}, context ${context}.`,
    );
  }
  const header = { dim, hidden, blocks, heads, kvHeads, vocab, context, tied: signedVocab > 0 };
  const size = layout(header).end;
  if (size > source.size) {
    throw new InputError(
      'llama2c_short',
      `The file has ${source.size} bytes, but its header describes ${size}: it is cut off or no llama2.c checkpoint.`,
    );
  }
  return { ...header, bytes: size };
}

function within(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

interface Layout {
  /** Byte offset of each group of equal tensors, one after the other for all blocks. */
  readonly at: Readonly<Record<string, number>>;
  readonly end: number;
}

function layout(h: Omit<Llama2cHeader, 'bytes'>): Layout {
  const kvDim = (h.dim / h.heads) * h.kvHeads;
  const at: Record<string, number> = {};
  let offset = HEADER_BYTES;
  const group = (name: string, values: number): void => {
    at[name] = offset;
    offset += values * 4;
  };
  group('embedding', h.vocab * h.dim);
  group('attn_norm', h.blocks * h.dim);
  group('attn_q', h.blocks * h.dim * h.dim);
  group('attn_k', h.blocks * kvDim * h.dim);
  group('attn_v', h.blocks * kvDim * h.dim);
  group('attn_output', h.blocks * h.dim * h.dim);
  group('ffn_norm', h.blocks * h.dim);
  group('ffn_gate', h.blocks * h.hidden * h.dim);
  group('ffn_down', h.blocks * h.dim * h.hidden);
  group('ffn_up', h.blocks * h.hidden * h.dim);
  group('norm', h.dim);
  group('rope', 2 * h.context * (h.dim / h.heads / 2));
  if (!h.tied) group('head', h.vocab * h.dim);
  return { at, end: offset };
}

/**
 * Plans the conversion to a GGUF of architecture `llama`. The sources stay the caller's to close.
 *
 * @param tokenizer source of `tokenizer.bin`; null when it follows the checkpoint in the same file
 * @throws InputError `llama2c_header`, `llama2c_short`, `llama2c_tokenizer`
 */
export async function planLlama2c(
  source: ByteSource,
  tokenizer: ByteSource | null,
  options: { quantisation: Quantisation; name: string; signal?: AbortSignal | undefined },
): Promise<ConversionPlan> {
  const h = await readLlama2cHeader(source, options.signal);
  const vocabulary = tokenizer
    ? await readLlama2cTokenizer(tokenizer, 0, h.vocab, options.signal)
    : await readLlama2cTokenizer(source, h.bytes, h.vocab, options.signal);
  const { at } = layout(h);
  const matrix = (
    name: string,
    group: string,
    index: number,
    columns: number,
    rows: number,
  ): PlannedTensor => {
    const base = (at[group] as number) + index * columns * rows * 4;
    const vector = rows === 1;
    return {
      name,
      dims: vector ? [columns] : [columns, rows],
      type: vector ? GGML.F32 : weightType(options.quantisation, columns),
      rows: async (from, count, signal) =>
        dequantise('F32', await source.read(base + from * columns * 4, count * columns * 4, signal)),
    };
  };
  const kvDim = (h.dim / h.heads) * h.kvHeads;
  const tensors = [matrix('token_embd.weight', 'embedding', 0, h.dim, h.vocab)];
  for (let i = 0; i < h.blocks; i++) {
    tensors.push(
      matrix(`blk.${i}.attn_norm.weight`, 'attn_norm', i, h.dim, 1),
      matrix(`blk.${i}.attn_q.weight`, 'attn_q', i, h.dim, h.dim),
      matrix(`blk.${i}.attn_k.weight`, 'attn_k', i, h.dim, kvDim),
      matrix(`blk.${i}.attn_v.weight`, 'attn_v', i, h.dim, kvDim),
      matrix(`blk.${i}.attn_output.weight`, 'attn_output', i, h.dim, h.dim),
      matrix(`blk.${i}.ffn_norm.weight`, 'ffn_norm', i, h.dim, 1),
      matrix(`blk.${i}.ffn_gate.weight`, 'ffn_gate', i, h.dim, h.hidden),
      matrix(`blk.${i}.ffn_down.weight`, 'ffn_down', i, h.hidden, h.dim),
      matrix(`blk.${i}.ffn_up.weight`, 'ffn_up', i, h.dim, h.hidden),
    );
  }
  tensors.push(matrix('output_norm.weight', 'norm', 0, h.dim, 1));
  if (!h.tied) tensors.push(matrix('output.weight', 'head', 0, h.dim, h.vocab));
  return {
    architecture: 'llama',
    metadata: [
      ...generalMetadata('llama', options.quantisation, options.name),
      ['llama.context_length', uint32(h.context)],
      ['llama.embedding_length', uint32(h.dim)],
      ['llama.block_count', uint32(h.blocks)],
      ['llama.feed_forward_length', uint32(h.hidden)],
      ['llama.attention.head_count', uint32(h.heads)],
      ['llama.attention.head_count_kv', uint32(h.kvHeads)],
      ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
      ['llama.rope.dimension_count', uint32(h.dim / h.heads)],
      ['llama.rope.freq_base', float32(10000)],
      ['llama.vocab_size', uint32(h.vocab)],
      ...vocabulary,
    ],
    tensors,
    close: async () => {},
  };
}

/**
 * `tokenizer.bin`: int32 longest token, then per token float32 score, int32 length, bytes.
 * @throws InputError `llama2c_tokenizer` when it is missing, cut off or holds no SentencePiece vocabulary
 */
export async function readLlama2cTokenizer(
  source: ByteSource,
  start: number,
  count: number,
  signal?: AbortSignal,
): Promise<MetadataEntry[]> {
  const length = source.size - start;
  const most = 4 + count * (8 + MAX_TOKEN_BYTES);
  if (length < 4 || length > most) {
    throw new InputError(
      'llama2c_tokenizer',
      length <= 0
        ? 'No tokenizer.bin: give it beside the checkpoint, or behind it in the same file.'
        : `tokenizer.bin has ${length} bytes, which no vocabulary of ${count} tokens has.`,
    );
  }
  const bytes = await source.read(start, length, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const tokens: string[] = [];
  const scores = new Float32Array(count);
  const types = new Int32Array(count);
  let at = 4;
  for (let id = 0; id < count; id++) {
    const size = at + 8 <= length ? view.getInt32(at + 4, true) : -1;
    if (size < 0 || size > MAX_TOKEN_BYTES || at + 8 + size > length) {
      throw new InputError(
        'llama2c_tokenizer',
        `tokenizer.bin ends or is damaged at token ${id} of ${count}.`,
      );
    }
    scores[id] = view.getFloat32(at, true);
    tokens.push(tokenText(bytes.subarray(at + 8, at + 8 + size), id, utf8));
    types[id] = tokenType(id);
    at += 8 + size;
  }
  return [
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.scores', float32s(scores)],
    ['tokenizer.ggml.token_type', int32s(types)],
    ['tokenizer.ggml.bos_token_id', uint32(1)],
    ['tokenizer.ggml.eos_token_id', uint32(2)],
    ['tokenizer.ggml.unknown_token_id', uint32(0)],
    ['tokenizer.ggml.add_bos_token', bool(true)],
    ['tokenizer.ggml.add_eos_token', bool(false)],
  ];
}

/** llama2.c writes bos and eos as "\n<s>\n" and spaces instead of U+2581; ids 3 to 258 are the bytes 0 to 255. */
function tokenText(bytes: Uint8Array, id: number, utf8: InstanceType<typeof TextDecoder>): string {
  if (id < 3) return ['<unk>', '<s>', '</s>'][id] as string;
  if (id < 259) return `<0x${(id - 3).toString(16).toUpperCase().padStart(2, '0')}>`;
  try {
    return utf8.decode(bytes).replaceAll(' ', '\u2581');
  } catch (error) {
    throw new InputError('llama2c_tokenizer', `tokenizer.bin: token ${id} is no valid UTF-8.`, {
      cause: error,
    });
  }
}

function tokenType(id: number): number {
  if (id === 0) return TOKEN_TYPE.unknown;
  if (id < 3) return TOKEN_TYPE.control;
  return id < 259 ? TOKEN_TYPE.byte : TOKEN_TYPE.normal;
}
