/**
 * Models for benchmarks: the test models, and TinyLlama as Q4_0, the type that people are advised to run on CPUs. It
 * is made from the IQ2_XXS file with ggml's own decoder, so its answers are those of a 2-bit model; its speed is that
 * of any 1.1B Q4_0.
 *
 * @module bench/lib/models
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { findLibraries } from '../../src/engine/ggml/platform.ts';
import { fileSource, quantise, readGguf, tensorTypeNamed, writeGguf } from '../../src/models/index.ts';
import { type TestModelName, testModel } from '../../test/models/index.ts';

/** Offset of `to_float` in `ggml_type_traits` (name, block size, interleave, type size, is_quantized, to_float). */
const TO_FLOAT_OFFSET = 40;

export async function benchModel(name: string): Promise<string> {
  if (name !== 'tinyllama-q4_0') return testModel(name as TestModelName);
  const path = join(import.meta.dirname, '../../test/models/cache/tinyllama-q4_0.gguf');
  if (!existsSync(path)) await requantise(await testModel('tinyllama'), path);
  return path;
}

async function requantise(from: string, to: string): Promise<void> {
  const base = koffi.load(findLibraries().base);
  const traits = base.func('void* ggml_get_type_traits(int type)');
  const toFloat = koffi.proto('void bench_to_float(void* from, void* to, int64_t count)');
  const q4 = tensorTypeNamed('Q4_0')!.number;
  await using source = await fileSource(from);
  const gguf = await readGguf(source);
  await writeGguf(to, {
    metadata: [...gguf.metadata],
    tensors: [...gguf.tensors.values()].map((tensor) => {
      const plain = tensor.dims.length < 2;
      return {
        name: tensor.name,
        dims: tensor.dims,
        type: plain ? tensor.type : q4,
        data: async () => {
          const raw = await source.read(tensor.offset, tensor.bytes);
          if (plain) return raw;
          const count = tensor.dims.reduce((product, n) => product * n, 1);
          const values = new Float32Array(count);
          const pointer = koffi.decode(traits(tensor.type), TO_FLOAT_OFFSET, 'void*');
          koffi.decode(pointer, toFloat)(raw, values, count);
          return quantise('Q4_0', values);
        },
      };
    }),
  });
}
