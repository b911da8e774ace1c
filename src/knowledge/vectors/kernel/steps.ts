/**
 * What both functions of the kernel are made of: opcodes, the walk over a row's pieces, addresses.
 *
 * @module knowledge/vectors/kernel/steps
 */

import { assembler } from '../../../base/index.ts';
import { PIECE, QUERY_HEAD, ROWS, WEAVE_BYTES } from '../layout.ts';
import { ADD, type Arithmetic, bytesOf, I32X4_ADD, type Words } from './arithmetic.ts';

const { branchIf, code, i32, loop, simd } = assembler;
type Code = assembler.Code;

export const SUBTRACT = [0x6b];
export const MULTIPLY = [0x6c];
export const AND = [0x71];
export const SHIFT_RIGHT = [0x76];
export const LOAD = 0x28;
export const LOAD_F32 = 0x2a;
export const STORE = 0x36;
export const STORE_F32 = 0x38;
export const I32X4_SHIFT_LEFT = simd(0xab);
export const F32X4_SPLAT = simd(0x13);
export const F32X4_AT_LEAST = simd(0x46);
export const ZERO = bytesOf(0);
export const OFFSETS = [0, 16];

/** `body` over all pieces of rows, p at their coarse bytes and q at the query's. */
export function pieces({ get, set }: Words, { queryBytes }: Arithmetic, ...body: readonly Code[]): Code {
  return code(
    set('q', get('query'), i32(QUERY_HEAD), ADD),
    loop(
      ...body,
      set('p', get('p'), i32(WEAVE_BYTES), ADD),
      set('q', get('q'), i32(PIECE * queryBytes), ADD),
      branchIf(0, code(get('q'), get('stop'), 0x49)),
    ),
  );
}

/** What both functions begin with. */
export const begin = ({ get, set }: Words, { queryBytes }: Arithmetic): Code =>
  code(
    set('stop', get('query'), i32(QUERY_HEAD), ADD, get('stride'), i32(queryBytes), MULTIPLY, ADD),
    set('fifteen', bytesOf(15)),
  );

/** block + ROWS + (rows × stride) / 2 */
export const ofHalf = ({ get }: Words, rows: Code): Code =>
  code(get('block'), i32(ROWS), ADD, rows, get('stride'), MULTIPLY, i32(1), SHIFT_RIGHT, ADD);

/** a<row> + 16 × b<row> in a<row> */
export const joined = ({ get, set }: Words, row: 0 | 1 | 2 | 3): Code =>
  set(`a${row}`, get(`b${row}`), i32(4), I32X4_SHIFT_LEFT, get(`a${row}`), I32X4_ADD);
