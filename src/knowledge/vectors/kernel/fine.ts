/**
 * The kernel's second function (source.ts): scores of the rows whose bound is large enough.
 *
 * @module knowledge/vectors/kernel/fine
 */

import { assembler } from '../../../base/index.ts';
import { BLOCK_ROWS, BOUNDS, HALF_PIECE, HIT_BYTES, MOST, SCALES, WOVEN } from '../layout.ts';
import {
  ADD,
  type Arithmetic,
  fineLocals,
  I32X4_ADD,
  I32X4_SUBTRACT,
  ofRow,
  SHIFT_LEFT,
  V128_LOAD,
  type Words,
} from './arithmetic.ts';
import {
  AND,
  begin,
  F32X4_AT_LEAST,
  F32X4_SPLAT,
  joined,
  LOAD,
  LOAD_F32,
  MULTIPLY,
  OFFSETS,
  ofHalf,
  pieces,
  STORE,
  STORE_F32,
  SUBTRACT,
  ZERO,
} from './steps.ts';

const { at, block, branch, branchIf, code, i32, loop, simd, when } = assembler;
type Code = assembler.Code;

export function fine(arithmetic: Arithmetic): Code {
  const words = fineLocals;
  const [get, set] = [words.get.bind(words), words.set.bind(words)];
  const own: Words = { get, set };
  const row = code(get('r'), get('lane'), ADD);
  const list = code(get('block'), row, i32(2), SHIFT_LEFT, ADD);
  const used = ['a0', 'a1', 'a2', 'a3', 'b0'] as const;
  const laneOf = (index: number): Code => code(get('a0'), simd(0x1b, index));
  const places = code(
    set('p', ofHalf(own, get('r')), get('lane'), i32(HALF_PIECE), MULTIPLY, ADD),
    set('f', ofHalf(own, code(row, i32(BLOCK_ROWS), ADD))),
  );
  const nextFine = set('f', get('f'), i32(HALF_PIECE), ADD);
  // A row's bytes lie in lines that are not near: all are asked for before the first is needed, which halves the time.
  const touch = code(
    places,
    pieces(
      own,
      arithmetic,
      set('touched', code(get('touched'), get('p'), LOAD, at(2), get('f'), LOAD, at(2), ADD, 0x73)),
      nextFine,
    ),
  );
  const collect = code(
    set('r', i32(0)),
    loop(
      set('bounds', ofRow(own), simd(V128_LOAD, ...at(4, BOUNDS))),
      set(
        'found',
        code(get('bounds'), get('least'), F32X4_AT_LEAST),
        code(get('bounds'), get('most'), F32X4_AT_LEAST, simd(0x4f), simd(0xa4)),
      ),
      when(
        get('found'),
        loop(
          set('lane', get('found'), [0x68]),
          set('found', get('found'), get('found'), i32(1), SUBTRACT, AND),
          code(get('last'), get('row'), row, ADD, STORE, at(2)),
          code(get('last'), get('block'), STORE, at(2, 4)),
          set('last', get('last'), i32(HIT_BYTES), ADD),
          touch,
          branchIf(0, get('found')),
        ),
      ),
      set('r', get('r'), i32(WOVEN), ADD),
      branchIf(0, code(get('r'), i32(BLOCK_ROWS), 0x49)),
    ),
  );
  const score = code(
    set('found', code(get('hit'), LOAD, at(2))),
    set('block', code(get('hit'), LOAD, at(2, 4))),
    set('lane', get('found'), i32(WOVEN - 1), AND),
    set('r', get('found'), i32(BLOCK_ROWS - WOVEN), AND),
    places,
    ...used.map((name) => set(name, ZERO)),
    pieces(own, arithmetic, ...OFFSETS.map((offset) => arithmetic.fine(own, offset)), nextFine),
    joined(own, 0),
    set('a0', get('a0'), get('a2'), I32X4_ADD, get('a3'), I32X4_ADD, get('a1'), I32X4_SUBTRACT),
    set(
      'score',
      arithmetic.correctedOne(code(laneOf(0), ...[1, 2, 3].map((index) => code(laneOf(index), ADD))), list),
      code(get('query'), LOAD, at(2), i32(7), SHIFT_LEFT, SUBTRACT),
      code([0xb2], list, LOAD_F32, at(2, SCALES), 0x94),
    ),
  );
  return code(
    begin(own, arithmetic),
    set('least', get('from'), F32X4_SPLAT),
    set('most', get('below'), F32X4_SPLAT),
    set('last', get('hits')),
    block(
      loop(
        branchIf(1, code(get('block'), get('end'), 0x4f)),
        branchIf(1, code(get('last'), i32(BLOCK_ROWS * HIT_BYTES), ADD, get('hitsEnd'), 0x4b)),
        when(code(get('block'), LOAD_F32, at(2, MOST), get('from'), 0x60), collect),
        set('block', get('block'), get('blockBytes'), ADD),
        set('row', get('row'), i32(BLOCK_ROWS), ADD),
        branch(0),
      ),
    ),
    set('end', get('block')),
    code(get('state'), get('touched'), STORE, at(2, 4)),
    set('hit', get('hits')),
    block(
      loop(
        branchIf(1, code(get('hit'), get('last'), 0x4f)),
        score,
        when(
          code(get('score'), get('threshold'), 0x60),
          code(
            code(get('hits'), get('found'), STORE, at(2)),
            code(get('hits'), get('score'), STORE_F32, at(2, 4)),
            set('hits', get('hits'), i32(HIT_BYTES), ADD),
          ),
        ),
        set('hit', get('hit'), i32(HIT_BYTES), ADD),
        branch(0),
      ),
    ),
    code(get('state'), get('hits'), STORE, at(2)),
    get('end'),
  );
}
