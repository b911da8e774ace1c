/**
 * The scan kernel, two functions over blocks of a slab. Memory bounds a scan, and coarse bytes (halves.ts) are half of it.
 *
 * coarse(block, end, blockBytes, stride, query, mask): multiplies the coarse bytes of all rows with the query, four rows at a time, and
 * writes what the score of each can be at most, up to the query's scale, and the largest of these of each block. Rows that the mask
 * does not let through get NaN.
 *
 * fine(block, end, blockBytes, stride, query, from, below, threshold, hits, hitsEnd, row, state) → where it stopped: at `end`, or
 * earlier when a whole block of hits might not fit any more. Of rows whose bound is at least `from`, and not at least `below`, it computes
 * the score, and writes down those that reach the threshold. `row` is the number of the first row, a multiple of 64. The end of the hits is
 * written to `state`, and something without meaning behind it.
 *
 * `node scripts/vector-kernel.ts` makes bytes.ts of it.
 *
 * @module knowledge/vectors/kernel/source
 */

import { assembler } from '../../../base/index.ts';
import { BLOCK_ROWS, BOUNDS, MAX_PAGES, MOST, RESTS, SCALES, WOVEN } from '../layout.ts';
import {
  ADD,
  ARITHMETIC,
  type Arithmetic,
  coarseLocals,
  fineLocals,
  I32X4_ADD,
  I32X4_SUBTRACT,
  ofRow,
  type Shared,
  type SimdKind,
  V128_LOAD,
  type Words,
} from './arithmetic.ts';
import { fine } from './fine.ts';
import {
  AND,
  begin,
  F32X4_SPLAT,
  joined,
  LOAD,
  LOAD_F32,
  MULTIPLY,
  OFFSETS,
  ofHalf,
  pieces,
  STORE_F32,
  ZERO,
} from './steps.ts';

const { assemble, at, block, branch, branchIf, code, i32, loop, simd, when } = assembler;
type Code = assembler.Code;

const LOAD_I64 = 0x29;
const V128_STORE = 0x0b;
const SHUFFLE = 0x0d;
const LOW_BITS = 0xa7;
const I32X4_SPLAT = simd(0x11);
const F32X4_MULTIPLY = simd(0xe6);
const F32X4_PMAX = simd(0xeb);
const F32X4_OF_I32X4 = simd(0xfa);
const I32X4_OF_F32X4 = simd(0xf8);
const FOUR = [0, 1, 2, 3] as const;

const f32x4 = (...values: number[]): Code => simd(0x0c, ...new Uint8Array(Float32Array.from(values).buffer));
const i32x4 = (...values: number[]): Code => simd(0x0c, ...new Uint8Array(Int32Array.from(values).buffer));

/** Lanes of two vectors in a new order, 0 to 3 of the first and 4 to 7 of the second. */
function lanes(first: Code, second: Code, order: readonly number[]): Code {
  return code(
    first,
    second,
    simd(SHUFFLE, ...order.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte))),
  );
}

/** The sums of a0 to a3, one in each lane: what is left of two rows is added crosswise, then of all four. */
function sumsOfFour({ get, set }: Words): Code {
  const pair = (x: Shared, y: Shared): Code =>
    code(lanes(get(x), get(y), [0, 4, 1, 5]), lanes(get(x), get(y), [2, 6, 3, 7]), I32X4_ADD);
  return code(
    set('b0', pair('a0', 'a1')),
    set('b1', pair('a2', 'a3')),
    lanes(get('b0'), get('b1'), [0, 1, 4, 5]),
    lanes(get('b0'), get('b1'), [2, 3, 6, 7]),
    I32X4_ADD,
  );
}

function coarse(arithmetic: Arithmetic): Code {
  const words = coarseLocals;
  const [get, set] = [words.get.bind(words), words.set.bind(words)];
  const own: Words = { get, set };
  const list = ofRow(own);
  const four = code(
    set('p', ofHalf(own, get('r'))),
    ...FOUR.map((i) => code(set(`a${i}`, ZERO), set(`b${i}`, ZERO))),
    pieces(own, arithmetic, ...OFFSETS.map((offset) => arithmetic.coarse(own, offset))),
    ...FOUR.map((i) => joined(own, i)),
    // The bound of what is left out is rounded down to a whole number, and holds: sums are whole too.
    set(
      'bounds',
      code(arithmetic.corrected(own, sumsOfFour(own)), get('centre'), I32X4_SUBTRACT),
      code(list, simd(V128_LOAD, ...at(2, RESTS)), get('length'), F32X4_MULTIPLY, I32X4_OF_F32X4),
      code(I32X4_ADD, F32X4_OF_I32X4),
      code(list, simd(V128_LOAD, ...at(2, SCALES)), F32X4_MULTIPLY),
    ),
    when(
      code(get('some'), i32(15), 0x47),
      set(
        'bounds',
        code(get('bounds'), get('none')),
        code(get('some'), I32X4_SPLAT, get('lanes'), simd(0x4e), get('lanes'), simd(0x37)),
        simd(0x52),
      ),
    ),
  );
  return code(
    begin(own, arithmetic),
    set('centre', get('query'), [LOAD], at(2), i32(120), MULTIPLY, I32X4_SPLAT),
    set('length', get('query'), [LOAD_F32], at(2, 4), F32X4_SPLAT),
    set('none', f32x4(Number.NaN, Number.NaN, Number.NaN, Number.NaN)),
    set('lanes', i32x4(1, 2, 4, 8)),
    block(
      loop(
        branchIf(1, code(get('block'), get('end'), 0x4f)),
        set('live', get('block'), get('mask'), ADD, [LOAD_I64], at(3)),
        set('most', f32x4(-Infinity, -Infinity, -Infinity, -Infinity)),
        set('r', i32(0)),
        loop(
          set('some', get('live'), [LOW_BITS], i32(15), AND),
          when(get('some'), four, set('bounds', get('none'))),
          code(list, get('bounds'), simd(V128_STORE, ...at(4, BOUNDS))),
          set('most', get('most'), get('bounds'), F32X4_PMAX),
          set('live', get('live'), [0x42, WOVEN], [0x88]),
          set('r', get('r'), i32(WOVEN), ADD),
          branchIf(0, code(get('r'), i32(BLOCK_ROWS), 0x49)),
        ),
        set('most', get('most'), lanes(get('most'), get('most'), [2, 3, 0, 1]), F32X4_PMAX),
        set('most', get('most'), lanes(get('most'), get('most'), [1, 0, 3, 2]), F32X4_PMAX),
        code(get('block'), get('most'), simd(0x1f, 0), STORE_F32, at(2, MOST)),
        set('block', get('block'), get('blockBytes'), ADD),
        branch(0),
      ),
    ),
    get('block'),
  );
}

export function kernel(kind: SimdKind): Uint8Array {
  const arithmetic = ARITHMETIC[kind];
  return assemble({
    functions: [
      {
        name: 'coarse',
        locals: coarseLocals,
        result: 'i32',
        body: coarse(arithmetic),
      },
      {
        name: 'fine',
        locals: fineLocals,
        result: 'i32',
        body: fine(arithmetic),
      },
    ],
    maxPages: MAX_PAGES,
  });
}
