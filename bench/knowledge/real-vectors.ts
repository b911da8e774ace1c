/**
 * Vectors of real text: the passages of judged sets and, for more rows than those, their sentences, by all-MiniLM-L6-v2; the
 * questions are those of the sets.
 *
 * @module bench/knowledge/real-vectors
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJudgedSet } from '../../src/knowledge/evaluate/index.ts';
import type { Embedder } from '../../src/knowledge/index.ts';
import { vectorsOf } from './embedder.ts';
import { SETS } from './quality.ts';
import type { VectorSet } from './vectors.ts';

const DIMENSION = 384;
const SHORTEST = 30;

const split = (flat: Float32Array): Float32Array[] =>
  Array.from({ length: flat.length / DIMENSION }, (_, i) => flat.slice(i * DIMENSION, (i + 1) * DIMENSION));

/**
 * `count` rows or fewer: all passages, then sentences in the order of the sets. Null when the folder has no judged set.
 * Sentences are embedded once, at some 60 to 200 a second, and kept.
 */
export async function realVectors(
  folder: string,
  count: number,
  open: () => Promise<Embedder>,
): Promise<VectorSet | null> {
  const rows: Float32Array[] = [];
  const queries: Float32Array[] = [];
  const sets: { readonly name: string; readonly sentences: readonly string[] }[] = [];
  for (const { name } of SETS) {
    const path = join(folder, name);
    if (!existsSync(join(path, 'corpus.jsonl'))) continue;
    const set = await readJudgedSet(path);
    const asked = set.questions.map(({ text }) => text);
    queries.push(...split(await vectorsOf(`${name}-queries`, 'query', asked, open)));
    const texts = set.documents.map(({ title, text }) => `${title} ${text}`.trim());
    rows.push(...split(await vectorsOf(`${name}-corpus`, 'passage', texts, open)));
    const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
    sets.push({
      name,
      sentences: set.documents.flatMap(({ text }) =>
        Array.from(sentences.segment(text), ({ segment }) => segment.trim()).filter(
          ({ length }) => length >= SHORTEST,
        ),
      ),
    });
  }
  for (const { name, sentences } of sets) {
    if (rows.length >= count) break;
    const texts = sentences.slice(0, count - rows.length);
    rows.push(...split(await vectorsOf(`${name}-sentences`, 'passage', texts, open)));
  }
  return rows.length === 0 ? null : { dimension: DIMENSION, rows: rows.slice(0, count), queries };
}
