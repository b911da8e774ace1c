/**
 * Turns model files that llama.cpp does not read into GGUF: Hugging Face folders with safetensors (Llama, Mistral,
 * Qwen2, Qwen3, BERT), Llama-layout ONNX exports, llama2.c checkpoints. The output depends on the input's bytes
 * and the options alone, so a manifest can carry the sha256 of a converted model.
 *
 * @example
 * const { sha256 } = await importModel({ input: 'all-MiniLM-L6-v2', output: 'minilm.gguf', quantisation: 'F16' });
 *
 * @module models/import
 */

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { InputError, throwIfAborted } from '../../base/index.ts';
import { fileSource } from '../gguf/index.ts';
import type { Gguf, Progress } from '../types.ts';
import type { ConversionPlan, Quantisation } from './plan.ts';

export type { Quantisation } from './plan.ts';
export { CONVERTER_VERSION } from './version.ts';

/** What an input was recognised as; the same names as in a manifest's `convert.from`. */
export type ImportKind = 'safetensors' | 'onnx' | 'llama2c';

export interface ImportOptions {
  /** A model folder, or one file in it (weights). */
  readonly input: string;
  /** Path of the GGUF to write. It appears when it is complete. */
  readonly output: string;
  /** Format of the weight matrices; norms, biases and position tables stay F32. */
  readonly quantisation: Quantisation;
  /** `general.name`. @default the name of the input folder or file */
  readonly name?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface ImportResult {
  readonly path: string;
  readonly kind: ImportKind;
  readonly bytes: number;
  /** Lower-case hex sha256 of the file. */
  readonly sha256: string;
  /** Header of the file that was written. */
  readonly gguf: Gguf;
}

/** What to import from where: the result of looking at a path. */
export interface ImportTarget {
  readonly kind: ImportKind;
  readonly folder: string;
  /** The weights file; undefined for a safetensors folder, whose index says. */
  readonly file?: string;
}

/**
 * Converts a model to GGUF.
 * @throws InputError `import_missing` or `import_unknown` when the input is no complete model; the codes
 *   `safetensors_*`, `onnx_*`, `llama2c_*`, `tokenizer_*`, `import_*` for what is wrong inside it
 * @throws AbortedError when the signal fires; nothing is left behind
 */
export async function importModel(options: ImportOptions): Promise<ImportResult> {
  throwIfAborted(options.signal);
  const target = await detectImport(options.input);
  const plan = await planFor(target, {
    quantisation: options.quantisation,
    name: options.name ?? basename(resolve(options.input)),
    signal: options.signal,
  });
  try {
    const { writePlan } = await import('./write-plan.ts');
    const written = await writePlan(plan, options.output, options);
    return { path: resolve(options.output), kind: target.kind, ...written };
  } finally {
    await plan.close();
  }
}

type PlanOptions = { quantisation: Quantisation; name: string; signal: AbortSignal | undefined };

async function planFor(target: ImportTarget, options: PlanOptions): Promise<ConversionPlan> {
  // The readers are loaded when one is needed: the processes of the engine read this room's door, and import nothing.
  const { planHuggingFace, readTokenizerFiles, requireConfig } = await import('./huggingface.ts');
  if (target.kind === 'safetensors')
    return planHuggingFace(target.folder, { ...options, weightsFile: target.file });
  const source = await fileSource(target.file as string);
  let tokenizer: Awaited<ReturnType<typeof fileSource>> | null = null;
  const close = async () => {
    await tokenizer?.close();
    await source.close();
  };
  try {
    if (target.kind === 'onnx') {
      const { planOnnxLlama } = await import('./onnx-llama.ts');
      const config = await requireConfig(target.folder);
      const plan = await planOnnxLlama(
        source,
        config,
        await readTokenizerFiles(target.folder, config),
        options,
      );
      return { ...plan, close };
    }
    const { planLlama2c, readLlama2cHeader } = await import('./llama2c.ts');
    const { bytes } = await readLlama2cHeader(source, options.signal);
    // Nothing behind the checkpoint: the tokenizer is a file of its own.
    if (source.size === bytes) tokenizer = await llama2cTokenizer(target.folder);
    return { ...(await planLlama2c(source, tokenizer, options)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function llama2cTokenizer(folder: string): ReturnType<typeof fileSource> {
  const path = join(folder, 'tokenizer.bin');
  if (await isFile(path)) return fileSource(path);
  throw new InputError(
    'import_missing',
    `${basename(folder)} has no tokenizer.bin beside the llama2.c checkpoint.`,
    {
      details: { file: 'tokenizer.bin' },
    },
  );
}

/** ONNX exports come in several precisions; the first of these that is there is taken. */
const ONNX_NAMES = ['model_quantized.onnx', 'model_int8.onnx', 'model_uint8.onnx', 'model.onnx'];

/**
 * Says what a path holds, by names and magic numbers alone.
 * @throws InputError `import_missing` when there is nothing, `import_unknown` when it is no model that can be imported
 */
export async function detectImport(input: string): Promise<ImportTarget> {
  const path = resolve(input);
  const info = await stat(path).catch(() => null);
  if (info === null)
    throw new InputError('import_missing', `${basename(path)} does not exist.`, { param: 'input' });
  if (info.isDirectory()) return detectFolder(path);
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') return { kind: 'safetensors', folder: dirname(path), file: path };
  if (path.endsWith('.safetensors.index.json')) return { kind: 'safetensors', folder: dirname(path) };
  if (extension === '.onnx') return { kind: 'onnx', folder: await folderOfOnnx(path), file: path };
  await refuseOtherFormats(path);
  return { kind: 'llama2c', folder: dirname(path), file: path };
}

async function detectFolder(folder: string): Promise<ImportTarget> {
  const names = await readdir(folder);
  if (names.some((name) => name.endsWith('.safetensors'))) return { kind: 'safetensors', folder };
  for (const inside of [folder, join(folder, 'onnx')]) {
    for (const name of ONNX_NAMES) {
      if (await isFile(join(inside, name))) return { kind: 'onnx', folder, file: join(inside, name) };
    }
  }
  for (const name of ['model.bin', 'llama2.data']) {
    if (names.includes(name) && !names.includes('config.json'))
      return { kind: 'llama2c', folder, file: join(folder, name) };
  }
  const gguf = names.find((name) => name.endsWith('.gguf'));
  if (gguf !== undefined) throw alreadyGguf(gguf);
  throw new InputError(
    'import_unknown',
    `${basename(folder)} holds no weights that can be imported: *.safetensors, onnx/model_quantized.onnx or a llama2.c model.bin are looked for.${
      names.some((name) => /\.(bin|pt|pth|ckpt)$/.test(name))
        ? ' PyTorch pickles run code when they are opened and are not read: get the safetensors of this model.'
        : ''
    }`,
    { param: 'input' },
  );
}

/** Exports keep the .onnx in a folder `onnx` below config.json. */
async function folderOfOnnx(path: string): Promise<string> {
  const folder = dirname(path);
  if (await isFile(join(folder, 'config.json'))) return folder;
  return (await isFile(join(folder, '..', 'config.json'))) ? dirname(folder) : folder;
}

async function refuseOtherFormats(path: string): Promise<void> {
  const source = await fileSource(path);
  try {
    const head = Buffer.from(await source.read(0, Math.min(4, source.size)));
    if (head.toString('latin1') === 'GGUF') throw alreadyGguf(basename(path));
    if (head.toString('latin1') === 'PK\u0003\u0004') {
      throw new InputError(
        'import_unknown',
        `${basename(path)} is a PyTorch or zip archive. Those run code when they are opened and are not read: get the safetensors of this model.`,
      );
    }
  } finally {
    await source.close();
  }
}

function alreadyGguf(name: string): InputError {
  return new InputError('import_unknown', `${name} is a GGUF already: add it with \`kith models add\`.`, {
    param: 'input',
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
