/**
 * The room's `Embedder` over the local engine with all-MiniLM-L6-v2 (F16), and vectors kept between runs in
 * `node_modules/.cache/kith`, under a name made from the texts and the model, since making them takes minutes.
 *
 * @module bench/knowledge/embedder
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import type { Embedder } from '../../src/knowledge/index.ts';
import { testModel } from '../../test/models/index.ts';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/kith/knowledge');
const BATCH = 64;
const PART = 256;
const DIMENSION = 384;
/** sentence-transformers cuts this model's texts at 256 tokens with [CLS] and [SEP], and so do the published figures. */
const WINDOW = 254;

export interface MiniLm extends Embedder, AsyncDisposable {}

export async function openMiniLm(threads = 1): Promise<MiniLm> {
  const engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    threads,
    device: 'cpu',
  });
  const model = 'minilm';
  await engine.load({ id: model, path: await testModel('minilm-f16') });
  const tokens = (texts: readonly string[], signal?: AbortSignal) =>
    Promise.all(texts.map((text) => engine.tokenize(model, text, {}, signal)));
  return {
    id: 'all-MiniLM-L6-v2',
    hash: 'minilm-f16-256',
    dimension: DIMENSION,
    window: WINDOW,
    async embed(texts, { signal }) {
      const inputs = (await tokens(texts, signal)).map((row) => {
        if (row.length <= WINDOW + 2) return row;
        const cut = row.slice(0, WINDOW + 2);
        cut[WINDOW + 1] = row.at(-1)!;
        return cut;
      });
      return (await engine.embed({ model, inputs }, signal)).vectors;
    },
    countTokens: async (texts, signal) => (await tokens(texts, signal)).map((row) => row.length - 2),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/**
 * Row-major vectors of the texts, kept or made. `open` is asked only when some have to be made. They are kept in parts, so that
 * a run that was stopped goes on where it was.
 */
export async function vectorsOf(
  name: string,
  kind: 'query' | 'passage',
  texts: readonly string[],
  open: () => Promise<Embedder>,
): Promise<Float32Array> {
  const rows = new Float32Array(texts.length * DIMENSION);
  const from = performance.now();
  let made = 0;
  for (let at = 0; at < texts.length; at += PART) {
    const part = texts.slice(at, at + PART);
    const hash = createHash('sha256').update('minilm-f16-256\0');
    for (const text of part) hash.update(text).update('\0');
    const path = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}.f32`);
    const kept = existsSync(path) ? readFileSync(path) : null;
    if (kept !== null && kept.length === part.length * DIMENSION * 4) {
      rows.set(new Float32Array(new Uint8Array(kept).buffer), at * DIMENSION);
      continue;
    }
    const embedder = await open();
    const vectors = new Float32Array(part.length * DIMENSION);
    for (let i = 0; i < part.length; i += BATCH) {
      vectors.set(await embedder.embed(part.slice(i, i + BATCH), { kind }), i * DIMENSION);
    }
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${path}.partial`, new Uint8Array(vectors.buffer));
    renameSync(`${path}.partial`, path);
    rows.set(vectors, at * DIMENSION);
    made += part.length;
    const seconds = (performance.now() - from) / 1000;
    console.error(
      `Embedded ${name}: ${at + part.length} of ${texts.length} texts, ${(made / seconds).toFixed(1)} a second ...`,
    );
  }
  return rows;
}
