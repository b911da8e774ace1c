/**
 * How the kernel multiplies: products of the query with coarse and with fine bytes (halves.ts), by what a runtime has.
 *
 * `relaxed` uses i32x4.relaxed_dot_i8x16_i7x16_add_s, whose second operand must be within 0 to 127: first halves of the query are
 * given plus 64, and 64 × the sum of the row's coarse bytes is taken off; second halves meet 0..15 and need nothing.
 * `baseline` widens both to 16 bits. Both give the same integers.
 *
 * @module knowledge/vectors/kernel/arithmetic
 */

import { assembler } from '../../../base/index.ts';
import { HALF_PIECE, SUMS } from '../layout.ts';

const { at, code, i32, Locals, simd } = assembler;
type Code = assembler.Code;

export type SimdKind = 'relaxed' | 'baseline';

export const ADD = [0x6a];
export const SHIFT_LEFT = [0x74];
export const V128_LOAD = 0x00;
export const I32X4_ADD = simd(0xae);
export const I32X4_SUBTRACT = simd(0xb1);
const V128_AND = simd(0x4e);
const I8X16_SHIFT_RIGHT_U = simd(0x6d);
const I8X16_SUBTRACT = simd(0x71);

const ADDRESSES = {
  block: 'i32',
  end: 'i32',
  blockBytes: 'i32',
  stride: 'i32',
  query: 'i32',
} as const;
const I32 = {
  some: 'i32',
  r: 'i32',
  p: 'i32',
  f: 'i32',
  q: 'i32',
  stop: 'i32',
} as const;
const SUMS_OF_ROWS = {
  a0: 'v128',
  a1: 'v128',
  a2: 'v128',
  a3: 'v128',
} as const;
const SUMS_OF_SECOND = {
  b0: 'v128',
  b1: 'v128',
  b2: 'v128',
  b3: 'v128',
} as const;
const V128 = {
  partA: 'v128',
  partB: 'v128',
  bytes: 'v128',
  fifteen: 'v128',
} as const;
const WORK = {
  live: 'i64',
  ...I32,
  ...SUMS_OF_ROWS,
  ...SUMS_OF_SECOND,
  ...V128,
} as const;

/** coarse(block, end, blockBytes, stride, query, mask) */
export const coarseLocals = new Locals(
  { ...ADDRESSES, mask: 'i32' },
  {
    ...WORK,
    ...{
      centre: 'v128',
      length: 'v128',
      bounds: 'v128',
      most: 'v128',
      none: 'v128',
      lanes: 'v128',
    },
  },
);
/** fine(block, end, blockBytes, stride, query, from, below, threshold, hits, hitsEnd, row, state) */
export const fineLocals = new Locals(
  {
    ...ADDRESSES,
    ...{ from: 'f32', below: 'f32', threshold: 'f32' },
    ...{ hits: 'i32', hitsEnd: 'i32', row: 'i32', state: 'i32' },
  },
  {
    ...WORK,
    ...{ found: 'i32', lane: 'i32', hit: 'i32', last: 'i32', touched: 'i32' },
    ...{ score: 'f32', least: 'v128', most: 'v128', bounds: 'v128' },
  },
);

/** Locals that both functions have. */
export type Shared = keyof typeof ADDRESSES | keyof typeof WORK;

export interface Words {
  get(name: Shared): Code;
  set(name: Shared, ...value: readonly Code[]): Code;
}

export const bytesOf = (value: number): Code => simd(0x0c, ...new Array<number>(16).fill(value));
/** Address of the 4 bytes that belong to row r in a list of the block. */
export const ofRow = ({ get }: Words): Code => code(get('block'), get('r'), i32(2), SHIFT_LEFT, ADD);

/** What differs between the kinds: 16 bytes from `offset` of a piece on, p at coarse bytes, f at fine ones, q at the query's. */
export interface Arithmetic {
  readonly queryBytes: number;
  /** Adds the products of four woven rows with their coarse bytes to a<row> and, of second halves, b<row>. */
  coarse(words: Words, offset: number): Code;
  /** Adds the products of one row with all its bits to a0, second halves' upper ones to b0, and takes what is too much to a1. */
  fine(words: Words, offset: number): Code;
  /** Takes 64 × the sums of coarse bytes off four sums of rows r to r + 3. */
  corrected(words: Words, sums: Code): Code;
  /** The same of one sum, of the row at address `row` of the block's list. */
  correctedOne(sum: Code, row: Code): Code;
}

const load = ({ get }: Words, name: 'p' | 'f' | 'q', offset: number): Code =>
  code(get(name), simd(V128_LOAD, ...at(4, offset)));
/** `fifteen` is a local: as a constant V8 makes it anew at each use, which took a third of the time. */
const lowerHalves = ({ get }: Words, value: Code): Code => code(value, get('fifteen'), V128_AND);
const upperHalves = (value: Code): Code => code(value, i32(4), I8X16_SHIFT_RIGHT_U);
const sum = (row: 0 | 1 | 2 | 3, half: 'a' | 'b'): Shared => `${half}${row}`;
const FOUR = [0, 1, 2, 3] as const;

const DOT = simd(0x113);
/** into += first · second, the second 0..127 */
const dotInto = ({ get, set }: Words, into: Shared, first: Code, second: Code): Code =>
  set(into, first, second, get(into), DOT);

const RELAXED: Arithmetic = {
  queryBytes: 1,
  coarse: (words, offset) => {
    const { get, set } = words;
    return code(
      set('partA', load(words, 'q', offset)),
      set('partB', load(words, 'q', HALF_PIECE + offset)),
      ...FOUR.map((i) =>
        code(
          set('bytes', load(words, 'p', i * HALF_PIECE + offset)),
          dotInto(words, sum(i, 'a'), get('bytes'), get('partA')),
          dotInto(words, sum(i, 'b'), get('partB'), lowerHalves(words, get('bytes'))),
        ),
      ),
    );
  },
  fine: (words, offset) => {
    const { get, set } = words;
    return code(
      set('partA', load(words, 'q', offset)),
      set('partB', load(words, 'q', HALF_PIECE + offset)),
      set('bytes', load(words, 'p', offset)),
      dotInto(words, 'a0', get('bytes'), get('partA')),
      dotInto(words, 'b0', get('partB'), lowerHalves(words, get('bytes'))),
      set('partA', get('partA'), bytesOf(64), I8X16_SUBTRACT),
      dotInto(words, 'a1', get('partA'), lowerHalves(words, get('bytes'))),
      set('bytes', load(words, 'f', offset)),
      dotInto(words, 'a2', get('partA'), lowerHalves(words, get('bytes'))),
      dotInto(words, 'a3', get('partB'), upperHalves(get('bytes'))),
    );
  },
  corrected: (words, sums) => code(sums, ofRow(words), simd(V128_LOAD, ...at(2, SUMS)), I32X4_SUBTRACT),
  correctedOne: (one, row) => code(one, row, 0x28, at(2, SUMS), 0x6b),
};

const WIDE_DOT = simd(0xba);
/** 8 of 16 bytes as signed numbers of 16 bits: the low ones or the high. */
const wide = (value: Code, half: number): Code => code(value, simd(0x87 + half));

const BASELINE: Arithmetic = {
  queryBytes: 2,
  coarse: (words, offset) => wideParts(words, offset, FOUR, false),
  fine: (words, offset) => wideParts(words, offset, [0], true),
  corrected: (_, sums) => sums,
  correctedOne: (one) => one,
};

function wideParts(words: Words, offset: number, rows: readonly (0 | 1 | 2 | 3)[], isFine: boolean): Code {
  const { get, set } = words;
  const add = (into: Shared, value: Code, half: number, part: Shared): Code =>
    set(into, wide(value, half), get(part), WIDE_DOT, get(into), I32X4_ADD);
  const eight = (half: number): Code =>
    code(
      set('partA', load(words, 'q', 2 * offset + 16 * half)),
      set('partB', load(words, 'q', 2 * (HALF_PIECE + offset) + 16 * half)),
      ...rows.map((i) =>
        code(
          set('bytes', load(words, 'p', i * HALF_PIECE + offset)),
          add(sum(i, 'a'), get('bytes'), half, 'partA'),
          add(sum(i, 'b'), lowerHalves(words, get('bytes')), half, 'partB'),
        ),
      ),
      ...(isFine
        ? [
            add('a1', lowerHalves(words, get('bytes')), half, 'partA'),
            set('bytes', load(words, 'f', offset)),
            add('a2', lowerHalves(words, get('bytes')), half, 'partA'),
            add('a3', upperHalves(get('bytes')), half, 'partB'),
          ]
        : []),
    );
  return code(eight(0), eight(1));
}

export const ARITHMETIC: Readonly<Record<SimdKind, Arithmetic>> = {
  relaxed: RELAXED,
  baseline: BASELINE,
};
