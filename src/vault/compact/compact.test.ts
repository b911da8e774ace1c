import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { digestOf } from '../seal/segment.ts';
import { createCoder } from './coder.ts';
import { codeBytes, decodeVector, encodeVectors, fitCodes, lowered } from './codes.ts';
import { decodeFit, decodeGroups, decodePiece, encodeFit, encodeGroups, encodePiece } from './objects.ts';

const random = createSeededRandom(31);
const gauss = () => Array.from({ length: 6 }, () => random.float()).reduce((a, b) => a + b, 0) - 3;

function near(centre: Float32Array | null, dimension: number, spread: number): Float32Array {
  const out = Float32Array.from(
    { length: dimension },
    (_, i) => (centre?.[i] ?? 0) + (spread * gauss()) / Math.sqrt(dimension),
  );
  const length = Math.hypot(...out);
  return out.map((value) => value / length);
}

/** As embeddings lie: all on one side, clusters within clusters. */
function hierarchy(count: number, dimension: number): Float32Array[] {
  const all = near(null, dimension, 1);
  const topics = Array.from({ length: 16 }, () => near(all, dimension, 0.8));
  const themes = topics.flatMap((topic) => Array.from({ length: 12 }, () => near(topic, dimension, 0.6)));
  return Array.from({ length: count }, () => near(themes[random.uint32() % themes.length]!, dimension, 0.5));
}

function flat(vectors: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(vectors.length * vectors[0]!.length);
  for (const [at, vector] of vectors.entries()) out.set(vector, at * vector.length);
  return out;
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const order = (scores: readonly number[]) =>
  scores.map((_, at) => at).sort((a, b) => scores[b]! - scores[a]!);

describe('codes of vectors', () => {
  test('of the sixty best by codes the ten best are almost always among, at 96 bytes a vector', () => {
    const [dimension, queries] = [224, 40];
    const all = hierarchy(2100 + queries, dimension);
    const stored = all.slice(0, 2100);
    const fit = fitCodes(flat(stored), dimension, stored.length);
    const { codes, error } = encodeVectors(fit, flat(stored));
    assert.deepEqual([fit.to, codes.length], [192, 2100 * 96]);
    assert.ok(Math.abs(error / stored.length - fit.error) < 0.002);
    const decoded = stored.map((_, at) => decodeVector(fit, codes.subarray(at * 96, (at + 1) * 96)));
    let found = 0;
    for (const query of all.slice(2100)) {
      const exact = new Set(order(stored.map((vector) => dot(vector, query))).slice(0, 10));
      const small = lowered(fit, query);
      const best = order(decoded.map((vector) => dot(vector, small))).slice(0, 60);
      found += best.filter((at) => exact.has(at)).length;
    }
    assert.ok(found / (10 * queries) >= 0.997, `${found / (10 * queries)}`);
  });

  test('few vectors keep their dimensions, and vectors that are alike or zero have codes, too', async () => {
    const stored = hierarchy(50, 33);
    await using coder = createCoder();
    const fit = await coder.fit(flat(stored), 33, 50);
    assert.deepEqual([fit.projection, fit.to, codeBytes(fit)], [null, 33, 17]);
    const { codes } = await coder.encode(fit, flat(stored));
    for (const [at, vector] of stored.entries()) {
      const again = decodeVector(fit, codes.subarray(at * 17, (at + 1) * 17));
      assert.ok(dot(again, vector) > 0.9, `${dot(again, vector)}`);
    }
    const same = fitCodes(flat([stored[0]!, stored[0]!]), 33, 2);
    const one = decodeVector(same, encodeVectors(same, stored[0]!).codes);
    assert.ok(dot(one, stored[0]!) > 0.9999);
    const odd = encodeVectors(fit, new Float32Array(66).fill(Number.NaN, 33));
    assert.equal(odd.codes.length, 34);
  });

  test('a thread makes the same of them', async () => {
    const stored = flat(hierarchy(800, 200));
    const here = fitCodes(stored, 200, 4000);
    await using coder = createCoder();
    const there = await coder.fit(stored, 200, 4000);
    assert.deepEqual(there, here);
    assert.deepEqual(await coder.encode(there, stored), encodeVectors(here, stored));
  });
});

describe('objects of the index', () => {
  const stored = hierarchy(20, 9);
  const fit = { ...fitCodes(flat(stored), 9, 20), by: 'model hash 9' };
  const bytes = encodeFit(fit);
  const digest = digestOf(bytes);
  const big = { ...fitCodes(flat(hierarchy(40, 9)), 9, 20), by: 'b', to: 4 };
  const lower = {
    ...big,
    projection: {
      from: 9,
      to: 4,
      kept: 0.5,
      rows: Float32Array.from({ length: 36 }, (_, i) => i / 36 - 0.5),
    },
    ...{ means: big.means.slice(0, 4), steps: big.steps.slice(0, 4) },
  };

  test('come back as they were, to the bit once they were written', () => {
    for (const one of [fit, lower]) {
      const again = decodeFit(encodeFit(one));
      assert.deepEqual(encodeFit(again), encodeFit(one));
      assert.deepEqual([again.by, again.from, again.to], [one.by, one.from, one.to]);
      assert.deepEqual([again.means, again.steps], [one.means, one.steps]);
    }
    const piece = { fit: digest, count: 20, ...encodeVectors(fit, flat(stored)), about: random.bytes(30) };
    const { error: _error, ...kept } = piece;
    assert.deepEqual(decodePiece(encodePiece(piece), fit, digest), kept);
    const groups = [0, 1, 7].map((group) => ({
      ...{ group, state: Uint8Array.from(random.bytes(16)), pieces: 2, vectors: 30 },
      error: 0.25 * group,
    }));
    assert.deepEqual(decodeGroups(encodeGroups(digest, groups)), { fit: digest, groups });
  });

  test('are refused when they are of another fit, cut, or anything else', () => {
    const piece = encodePiece({
      ...{ fit: digest, count: 20, codes: encodeVectors(fit, flat(stored)).codes, about: new Uint8Array(0) },
    });
    assert.throws(() => decodePiece(piece, fit, digestOf(piece)), { code: 'vault_damaged' });
    assert.throws(() => decodePiece(piece, { ...fit, to: 4 }, digest), { code: 'vault_damaged' });
    const all = [bytes, encodeFit(lower), piece, encodeGroups(digest, [])];
    const readers = [
      decodeFit,
      decodeGroups,
      (some: Uint8Array) => decodePiece(some, fit, digest),
    ] as readonly ((some: Uint8Array) => unknown)[];
    const hold = (some: Uint8Array) => {
      for (const read of readers)
        try {
          read(some);
        } catch (error) {
          assert.equal((error as { code: string }).code, 'vault_damaged');
        }
    };
    for (const some of all) {
      const cut = some.subarray(0, -1);
      for (const read of readers) assert.throws(() => read(cut), { code: 'vault_damaged' });
    }
    fc.assert(
      fc.property(fc.nat({ max: 3 }), fc.nat(), fc.nat({ max: 255 }), (which, at, value) => {
        const bent = Uint8Array.from(all[which]!);
        bent[at % bent.length] = value;
        hold(bent);
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), hold), { numRuns: 200 });
  });
});
