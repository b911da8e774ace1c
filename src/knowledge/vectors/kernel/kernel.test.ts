import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { assembler } from '../../../base/index.ts';
import { ALIVE, BLOCK_ROWS, blockBytes, HEAD_BYTES, lane } from '../layout.ts';
import { type ScanKind, scannerFor } from '../scan.ts';
import { Slab } from '../slab.ts';
import { kernelFile } from './file.ts';

const { signed, unsigned } = assembler;

test('the bytes of the kernel are those that its source makes', () => {
  assert.equal(readFileSync(new URL('./bytes.ts', import.meta.url), 'utf8'), kernelFile());
});

test('integers are written as LEB128', () => {
  assert.deepEqual(unsigned(624_485), [0xe5, 0x8e, 0x26]);
  assert.deepEqual(signed(-123_456), [0xc0, 0xbb, 0x78]);
  assert.deepEqual(signed(64), [0xc0, 0x00]);
  assert.deepEqual(signed(-64), [0x40]);
});

const KINDS: readonly ScanKind[] = ['relaxed', 'baseline', 'scalar'];

/** Hits of all rows over a threshold, by row. First those whose bound reaches `split`, then the others: each is found once. */
function hitsOf(
  kind: ScanKind,
  slab: Slab,
  query: Int8Array,
  threshold: number,
  split = Number.NEGATIVE_INFINITY,
): Map<number, number> | null {
  const scanner = scannerFor(slab.memory, kind);
  if (scanner === null) return null;
  const { query: place, hits, hitsEnd, state } = lane(2);
  const { stride } = slab;
  scanner.place(query, place, stride);
  const view = new DataView(slab.memory.buffer);
  const bytes = blockBytes(stride);
  const found = new Map<number, number>();
  const end = HEAD_BYTES + slab.blocks * bytes;
  scanner.coarse(HEAD_BYTES, end, bytes, stride, place, ALIVE);
  for (const [from, below] of [
    [split, Number.NaN],
    [Number.NEGATIVE_INFINITY, split],
  ] as const) {
    const least = Math.max(from, threshold);
    for (let block = HEAD_BYTES; block < end; ) {
      const row = ((block - HEAD_BYTES) / bytes) * BLOCK_ROWS;
      block = scanner.fine(
        ...([block, end, bytes, stride, place, least, below, threshold, hits, hitsEnd, row, state] as const),
      );
      for (let at = hits; at < view.getUint32(state, true); at += 8) {
        assert.ok(!found.has(view.getUint32(at, true)), 'found once');
        found.set(view.getUint32(at, true), view.getFloat32(at + 4, true));
      }
    }
  }
  return found;
}

test('all kinds of scan give the scores of plain arithmetic, for any rows, gaps and thresholds', () => {
  const component = fc.oneof(fc.integer({ min: -127, max: 127 }), fc.constantFrom(-127, 127, 0));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }).chain((dimension) =>
        fc.record({
          query: fc.array(fc.oneof(fc.integer({ min: -63, max: 63 }), fc.constantFrom(-63, 63)), {
            minLength: dimension,
            maxLength: dimension,
          }),
          rows: fc.array(
            fc.record({
              i8: fc.array(component, { minLength: dimension, maxLength: dimension }),
              scale: fc.float({ min: 0, max: 2, noNaN: true }),
            }),
            { minLength: 1, maxLength: 12 },
          ),
          repeat: fc.integer({ min: 1, max: 60 }),
          struck: fc.array(fc.nat(700), { maxLength: 5 }),
          threshold: fc.constantFrom(Number.NEGATIVE_INFINITY, -100, 0, 500),
          split: fc.constantFrom(Number.NEGATIVE_INFINITY, 0, 100, 1000, 20_000),
        }),
      ),
      ({ query, rows, repeat, struck, threshold, split }) => {
        const slab = new Slab({ dimension: query.length });
        const all = Array.from({ length: rows.length * repeat }, (_, i) => rows[i % rows.length]!);
        for (const { i8, scale } of all) slab.append({ i8: Int8Array.from(i8), scale });
        for (const row of struck) if (row < all.length) slab.strike(row);
        const expected = new Map<number, number>();
        all.forEach(({ i8, scale }, row) => {
          const dot = i8.reduce((sum, value, i) => sum + value * query[i]!, 0);
          const score = Math.fround(dot * Math.fround(scale));
          if (!struck.includes(row) && score >= threshold) expected.set(row, score);
        });
        for (const kind of KINDS) {
          const found = hitsOf(kind, slab, Int8Array.from(query), threshold, split);
          assert.ok(found !== null, `${kind} runs on this Node`);
          assert.deepEqual(found, expected, kind);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('the largest vectors there may be do not overflow', () => {
  const slab = new Slab({ dimension: 8192 });
  for (let i = 0; i < 64; i++)
    slab.append({ i8: new Int8Array(8192).fill(i % 2 === 0 ? 127 : -127), scale: 1 });
  for (const kind of KINDS) {
    const found = hitsOf(kind, slab, new Int8Array(8192).fill(63), Number.NEGATIVE_INFINITY);
    assert.equal(found?.get(0), 8192 * 127 * 63, kind);
    assert.equal(found?.get(63), -8192 * 127 * 63, kind);
  }
});
