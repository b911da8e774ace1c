import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { coalesce } from '../gguf/slice.ts';
import { SequentialReader } from '../sources/sequential.ts';
import { createSourceRegistry, type RangeReader } from '../sources/source.ts';
import { sourceProvider } from './from-source.ts';
import { HEADER, type Section, tensorList } from './list.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A file of sections with gaps between them, cut into parts; which of the sections are wanted. */
const cases = fc.record({
  lengths: fc.array(fc.tuple(fc.nat(200_000), fc.integer({ min: 1, max: 90_000 })), {
    minLength: 2,
    maxLength: 6,
  }),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  wanted: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  sequential: fc.boolean(),
  chunk: fc.integer({ min: 1000, max: 70_000 }),
});

function layOut(lengths: readonly (readonly [number, number])[]): { bytes: Uint8Array; sections: Section[] } {
  let end = 0;
  const places = lengths.map(([gap, length], i) => {
    const offset = i === 0 ? 0 : end + gap;
    end = offset + length;
    return { name: i === 0 ? HEADER : `t${i}`, offset, bytes: length };
  });
  const bytes = Uint8Array.from({ length: end }, (_, i) => (i * 31 + (i >> 8)) & 255);
  const hashed = (one: (typeof places)[number]) => sha256(bytes.subarray(one.offset, one.offset + one.bytes));
  return { bytes, sections: places.map((one) => ({ ...one, sha256: hashed(one) })) };
}

test('whatever is wanted of whatever parts: each wanted byte comes once, in order, and little else is read', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ lengths, cuts, wanted, sequential, chunk }) => {
      const { bytes, sections } = layOut(lengths);
      const borders = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort(
        (a, b) => a - b,
      );
      const parts = borders.slice(1).map((end, i) => bytes.subarray(borders[i]!, end));
      const chosen = sections.filter((_, i) => wanted[i]);
      let requests = 0;
      let read = 0;
      function* pieces(part: Uint8Array, from: number, to: number) {
        for (let at = from; at < to; at += chunk) {
          const piece = part.subarray(at, Math.min(at + chunk, to));
          read += piece.length;
          yield piece;
        }
      }
      const reader = (part: Uint8Array): RangeReader =>
        sequential
          ? new SequentialReader(async () => ({
              size: part.length,
              chunks: (async function* () {
                yield* pieces(part, 0, part.length);
              })(),
            }))
          : {
              size: part.length,
              sequential: false,
              async *read(from, to) {
                requests += 1;
                yield* pieces(part, from, Math.min(to, part.length));
              },
              async [Symbol.asyncDispose]() {},
            };
      const registry = createSourceRegistry([
        {
          schemes: ['memory'],
          capabilities: { local: true, resumable: true, list: false },
          check() {},
          isLocal: async () => true,
          resolve: () => Promise.reject(new Error('not asked')),
          ranges: async (uri) => reader(parts[Number(uri.slice(7))]!),
        },
      ]);
      const seen = new Uint8Array(bytes.length);
      const times = new Uint8Array(bytes.length);
      let last = -1;
      await sourceProvider({ parts: parts.map((_, i) => `memory:${i}`) }, registry)!.fetch({
        list: tensorList('0'.repeat(64), bytes.length, sections),
        sections: chosen,
        signal: new AbortController().signal,
        sink: {
          async write(offset, piece) {
            assert.ok(offset > last);
            last = offset;
            seen.set(piece, offset);
            for (let at = offset; at < offset + piece.length; at += 1) times[at]! += 1;
          },
          count() {},
        },
      });
      for (const { offset, bytes: length, sha256: hash } of chosen) {
        assert.equal(sha256(seen.subarray(offset, offset + length)), hash);
        assert.ok(times.subarray(offset, offset + length).every((count) => count === 1));
      }
      const ranges = coalesce(chosen);
      if (sequential) return;
      assert.equal(
        read,
        ranges.reduce((sum, { length }) => sum + length, 0),
      );
      assert.ok(requests <= ranges.length + parts.length - 1, `${requests} for ${ranges.length} ranges`);
    }),
    { numRuns: 25 },
  );
});

test('parts that together are shorter or longer than the model are refused', async () => {
  const { bytes, sections } = layOut([
    [0, 100],
    [0, 5000],
  ]);
  const fetchOf = async (...given: Uint8Array[]) => {
    const registry = createSourceRegistry([
      {
        schemes: ['memory'],
        capabilities: { local: true, resumable: true, list: false },
        check() {},
        isLocal: async () => true,
        // A source of which only the whole can be read.
        async resolve(uri) {
          const part = given[Number(uri.slice(7))]!;
          return {
            uri,
            size: null,
            validator: null,
            sha256: null,
            path: null,
            async *open() {
              yield part;
            },
          };
        },
      },
    ]);
    const parts = given.map((_, i) => `memory:${i}`);
    await sourceProvider({ parts }, registry)!.fetch({
      list: tensorList('0'.repeat(64), bytes.length, sections),
      sections,
      signal: new AbortController().signal,
      sink: { write: async () => {}, count() {} },
    });
  };
  await fetchOf(bytes.subarray(0, 50), bytes.subarray(50));
  await assert.rejects(fetchOf(bytes.subarray(0, 50), bytes.subarray(50, 5000)), { code: 'source_mismatch' });
  await assert.rejects(fetchOf(bytes.subarray(0, 50)), { code: 'source_mismatch' });
});
