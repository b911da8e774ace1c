/**
 * The reference for exactness tests: llama.cpp itself, through the libllama that node-llama-cpp ships, called with
 * koffi. Only tests use it.
 *
 * Struct sizes and offsets are those of llama.cpp v0.4.0 (node-llama-cpp 3.21.1) on 64-bit platforms; `checkLayout`
 * refuses any other by looking at known defaults.
 *
 * @module test/reference/libllama
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { findLibraries } from '../../src/engine/ggml/platform.ts';

export interface Reference {
  /** Logits after each of `tokens`, fed one by one from position 0 of a fresh context. */
  logits(tokens: readonly number[]): Float32Array[];
  /** Logits after the last of `tokens`, fed as one batch: other kernels, other rounding than one by one. */
  lastLogits(tokens: readonly number[]): Float32Array;
  /** Greedy continuation after `prompt` (one batch), lowest id on ties. */
  greedy(prompt: readonly number[], count: number): number[];
  close(): void;
}

const MODEL_PARAMS = 80;
const CONTEXT_PARAMS = 160;
const BATCH = 56;
const OFFSET = { nCtx: 0, nBatch: 4, nUbatch: 8, nThreads: 28, nThreadsBatch: 32, flashAttention: 48 };

let library: ReturnType<typeof load> | null = null;

function load() {
  const { dir, ggml, base } = findLibraries();
  koffi.load(base, { global: true });
  const registry = koffi.load(ggml, { global: true });
  registry.func('void ggml_backend_load_all_from_path(const char* dir)')(dir);
  const name = readdirSync(dir).find((file) =>
    /^(?:lib)?llama(?:\.[a-z]+)?\.(v|b)[\d.]+\.(so|dylib|dll)$/.test(file),
  );
  if (name === undefined) throw new Error(`no libllama in ${dir}`);
  const lib = koffi.load(join(dir, name));
  const words = (bytes: number) => koffi.array('uint32_t', bytes / 4, 'Array');
  koffi.struct('llama_model_params', { align: koffi.array('uint64_t', 1), rest: words(MODEL_PARAMS - 8) });
  koffi.struct('llama_context_params', {
    align: koffi.array('uint64_t', 1),
    rest: words(CONTEXT_PARAMS - 8),
  });
  koffi.struct('llama_batch', { align: koffi.array('uint64_t', 1), rest: words(BATCH - 8) });
  const quiet = koffi.register(
    () => {},
    koffi.pointer(koffi.proto('void llama_log(int level, const char* text, void* user)')),
  );
  lib.func('void llama_log_set(void* callback, void* user)')(quiet, null);
  return {
    modelDefaults: lib.func('llama_model_params llama_model_default_params()'),
    contextDefaults: lib.func('llama_context_params llama_context_default_params()'),
    loadModel: lib.func('void* llama_model_load_from_file(const char* path, llama_model_params params)'),
    newContext: lib.func('void* llama_init_from_model(void* model, llama_context_params params)'),
    getVocab: lib.func('void* llama_model_get_vocab(void* model)'),
    vocabSize: lib.func('int llama_vocab_n_tokens(void* vocab)'),
    batchOne: lib.func('llama_batch llama_batch_get_one(int32_t* tokens, int n)'),
    decode: lib.func('int llama_decode(void* ctx, llama_batch batch)'),
    logits: lib.func('void* llama_get_logits_ith(void* ctx, int i)'),
    freeContext: lib.func('void llama_free(void* ctx)'),
    freeModel: lib.func('void llama_model_free(void* model)'),
  };
}

interface Words {
  align: (number | bigint)[];
  rest: number[];
}

/** Reads or writes the 32-bit word at a byte offset of a struct mapped as { align: u64[1], rest: u32[] }. */
function word(struct: Words, offset: number, value?: number): number {
  if (offset < 8) {
    const low = Number(BigInt(struct.align[0]!) & 0xffffffffn);
    const high = Number(BigInt(struct.align[0]!) >> 32n);
    if (value === undefined) return offset === 0 ? low : high;
    const [a, b] = offset === 0 ? [value, high] : [low, value];
    struct.align[0] = (BigInt(b) << 32n) | BigInt(a);
    return value;
  }
  const at = (offset - 8) / 4;
  if (value !== undefined) struct.rest[at] = value;
  return struct.rest[at]!;
}

function checkLayout(defaults: Words): void {
  const found = [word(defaults, OFFSET.nCtx), word(defaults, OFFSET.nBatch), word(defaults, OFFSET.nUbatch)];
  if (found.join() !== '512,2048,512' || word(defaults, OFFSET.nThreads) !== 4) {
    throw new Error(`llama_context_params has another layout than expected: ${found.join()}`);
  }
}

export function openReference(path: string, options: { threads?: number; context?: number } = {}): Reference {
  library ??= load();
  const lib = library;
  const model = lib.loadModel(path, lib.modelDefaults()) as bigint | null;
  if (model === null) throw new Error(`llama.cpp could not load ${path}`);
  const vocab = lib.vocabSize(lib.getVocab(model)) as number;
  const open = () => {
    const params = lib.contextDefaults() as Words;
    checkLayout(params);
    word(params, OFFSET.nCtx, options.context ?? 2048);
    word(params, OFFSET.nThreads, options.threads ?? 1);
    word(params, OFFSET.nThreadsBatch, options.threads ?? 1);
    const context = lib.newContext(model, params) as bigint | null;
    if (context === null) throw new Error('llama.cpp could not open a context');
    return context;
  };
  const step = (context: bigint, tokens: readonly number[]): Float32Array => {
    const ids = Int32Array.from(tokens);
    const status = lib.decode(context, lib.batchOne(ids, ids.length)) as number;
    if (status !== 0) throw new Error(`llama_decode returned ${status}`);
    return Float32Array.from(koffi.decode(lib.logits(context, -1), 'float', vocab) as Float32Array);
  };
  return {
    logits(tokens) {
      const context = open();
      const rows = tokens.map((token) => step(context, [token]));
      lib.freeContext(context);
      return rows;
    },
    lastLogits(tokens) {
      const context = open();
      const row = step(context, tokens);
      lib.freeContext(context);
      return row;
    },
    greedy(prompt, count) {
      const context = open();
      const out: number[] = [];
      let next: readonly number[] = prompt;
      while (out.length < count) {
        const token = argmax(step(context, next));
        out.push(token);
        next = [token];
      }
      lib.freeContext(context);
      return out;
    },
    close: () => lib.freeModel(model),
  };
}

export function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
