/**
 * Vectors of the questions, from the local engine with all-MiniLM-L6-v2 (F16). They are kept in
 * `node_modules/.cache/kith`, under a name made from the texts and the model, since making them takes minutes.
 *
 * @module bench/router/embeddings
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { testModel } from '../../test/models/index.ts';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/kith/router');
const BATCH = 64;

export interface Vectors {
  readonly dimension: number;
  /** Row-major, texts x dimension, each row of length 1. */
  readonly rows: Float32Array;
}

/** @param threads Compute threads of the engine, if the vectors have to be made. */
export async function embedTexts(name: string, texts: readonly string[], threads: number): Promise<Vectors> {
  const dimension = 384;
  const hash = createHash('sha256').update('minilm-f16\0');
  for (const text of texts) hash.update(text).update('\0');
  const path = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}.f32`);
  if (existsSync(path)) {
    const bytes = readFileSync(path);
    if (bytes.length === texts.length * dimension * 4)
      return { dimension, rows: new Float32Array(new Uint8Array(bytes).buffer) };
  }
  await using engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    threads,
    device: 'cpu',
  });
  await engine.load({ id: 'minilm', path: await testModel('minilm-f16') });
  const rows = new Float32Array(texts.length * dimension);
  const from = performance.now();
  for (let at = 0; at < texts.length; at += BATCH) {
    const inputs = texts.slice(at, at + BATCH);
    const { vectors } = await engine.embed({ model: 'minilm', inputs, truncate: true });
    rows.set(vectors, at * dimension);
    if ((at / BATCH) % 32 === 31)
      console.error(
        `Embedding ${name}: ${at + BATCH} of ${texts.length} texts, ${((performance.now() - from) / 1000).toFixed(0)} s ...`,
      );
  }
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${path}.partial`, new Uint8Array(rows.buffer));
  renameSync(`${path}.partial`, path);
  return { dimension, rows };
}
