/**
 * Embeddings over OpenAI's API, in batches.
 *
 * @module gateway/backends/openai/embed
 */
import type { EmbeddingRequest } from '../../types.ts';
import { badResponse, type JsonAnswer, type Upstream } from '../../upstream/index.ts';
import { arrayIn, countIn, isObject } from '../json.ts';
import { notSupported } from '../not-supported.ts';
import { headersOf } from '../stream-answer.ts';
import type { ServerKind } from './servers/index.ts';

export interface Embedded {
  readonly vectors: Float32Array;
  readonly dimension: number;
  /**
   * Servers count a batch as a whole: its count stands at its first input, 0 at the others; null at all of a batch that
   * came without a count.
   */
  readonly tokens: readonly (number | null)[];
  readonly model: string | null;
  readonly notes: readonly string[];
  readonly last: JsonAnswer;
}

/** Numbers in a vector; more is no embedding. */
const maxDimension = 65_536;

/** Throws `UpstreamError`. */
export async function embed(
  upstream: Upstream,
  request: EmbeddingRequest,
  model: string,
  kind: ServerKind,
): Promise<Embedded> {
  const inputs = request.inputs.map((input) => (typeof input === 'string' ? input : [...input]));
  if (!kind.tokenInputs && inputs.some((input) => typeof input !== 'string'))
    throw notSupported(kind.kind, 'inputs of token ids', 'input');
  const notes: string[] = [];
  if (request.truncate && kind.truncate === null)
    notes.push(`Whether inputs that are too long are cut is left to ${upstream.origin}.`);
  if (inputs.length > 1)
    notes.push(
      `${upstream.origin} counts tokens of whole batches: each count stands at its batch's first input.`,
    );
  const rows: Float32Array[] = [];
  const tokens: (number | null)[] = [];
  let named: string | null = null;
  let last: JsonAnswer | null = null;
  for (let at = 0; at < inputs.length; at += kind.maxInputs) {
    const batch = inputs.slice(at, at + kind.maxInputs);
    last = await upstream.json({
      method: 'POST',
      path: '/embeddings',
      body: {
        model,
        input: batch,
        encoding_format: kind.base64 ? 'base64' : 'float',
        ...(request.dimensions == null ? {} : { dimensions: request.dimensions }),
        ...(request.truncate && kind.truncate !== null ? { [kind.truncate[0]]: kind.truncate[1] } : {}),
      },
      signal: request.signal,
      ...headersOf(request),
    });
    const body = isObject(last.body) ? last.body : {};
    rows.push(...rowsOf(body.data, batch.length, upstream.origin));
    const usage = isObject(body.usage) ? body.usage : {};
    const count = countIn(usage.prompt_tokens) ?? countIn(usage.total_tokens);
    tokens.push(count, ...batch.slice(1).map(() => (count === null ? null : 0)));
    if (typeof body.model === 'string') named ??= body.model.slice(0, 200);
  }
  if (last === null || rows.length === 0)
    throw badResponse('upstream_bad_embedding', upstream.origin, 'was asked for no embedding.');
  if (tokens.includes(null)) notes.push(`${upstream.origin} did not report token counts.`);
  const dimension = rows[0]!.length;
  if (rows.some((row) => row.length !== dimension))
    throw badResponse('upstream_bad_embedding', upstream.origin, 'sent vectors of different lengths.');
  const vectors = new Float32Array(rows.length * dimension);
  for (const [index, row] of rows.entries()) vectors.set(row, index * dimension);
  return { vectors, dimension, tokens, model: named, notes, last };
}

/** Unit rows in the order of the inputs. */
function rowsOf(data: unknown, count: number, server: string): Float32Array[] {
  const list = arrayIn(data);
  if (list.length !== count)
    throw badResponse('upstream_bad_embedding', server, `sent ${list.length} vectors for ${count} inputs.`);
  const rows: (Float32Array | undefined)[] = Array.from({ length: count });
  for (const [place, each] of list.entries()) {
    const index = isObject(each) ? (countIn(each.index) ?? place) : place;
    const row = isObject(each) ? vectorOf(each.embedding) : null;
    if (row === null || index >= count || rows[index] !== undefined)
      throw badResponse('upstream_bad_embedding', server, 'sent an embedding that is no vector of numbers.');
    rows[index] = row;
  }
  return rows.map((row) => row!);
}

/** L2-normalised; null for what is no vector, or is zero. */
function vectorOf(value: unknown): Float32Array | null {
  let row: Float32Array;
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length % 4 !== 0) return null;
    row = Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  } else if (Array.isArray(value) && value.every((each) => typeof each === 'number'))
    row = Float32Array.from(value);
  else return null;
  if (row.length === 0 || row.length > maxDimension) return null;
  let sum = 0;
  for (const each of row) sum += each * each;
  const norm = Math.sqrt(sum);
  if (!(norm > 0) || !Number.isFinite(norm)) return null;
  return row.map((each) => each / norm);
}
