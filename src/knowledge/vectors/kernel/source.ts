/**
 * The scan kernel: walks blocks of a slab, multiplies each row that its mask lets through with the query, and writes down
 * the rows whose score reaches a threshold. Whole blocks go four rows at a time, since loading the query once for four rows
 * saves a third of the loads that bound it.
 *
 * `relaxed` uses i32x4.relaxed_dot_i8x16_i7x16_add_s, whose second operand must be within 0 to 127: the query is given plus
 * 64, and 64 × the sum of the row is taken off. `baseline` widens both to 16 bits. Both give the same integers.
 *
 * scan(block, end, blockBytes, stride, mask, query, threshold, hits, hitsEnd, row, state) → where it stopped: at `end`, or
 * earlier when a whole block of hits might not fit any more. The end of the hits is written to `state`.
 *
 * `node scripts/vector-kernel.ts` makes bytes.ts of it.
 *
 * @module knowledge/vectors/kernel/source
 */
import {
  BLOCK_ROWS,
  HIT_BYTES,
  MAX_PAGES,
  ROWS,
  SCALES,
  STRIDE_STEP,
  SUMS,
  WEAVE_BYTES,
  WOVEN,
} from '../layout.ts';
import {
  assemble,
  at,
  block,
  branch,
  branchIf,
  type Code,
  code,
  i32,
  i64,
  Locals,
  loop,
  simd,
  when,
} from './assembler.ts';

export type SimdKind = 'relaxed' | 'baseline';

const ADD = [0x6a];
const AND = [0x71];
const V128_LOAD = 0x00;
const LOAD_8X8_S = 0x01;
const SHUFFLE = 0x0d;
const I32X4_LANE = 0x1b;
const F32X4_LANE = 0x1f;
const I32X4_ADD = simd(0xae);

const locals = new Locals(
  {
    block: 'i32',
    end: 'i32',
    blockBytes: 'i32',
    stride: 'i32',
    mask: 'i32',
    query: 'i32',
    threshold: 'f32',
    hits: 'i32',
    hitsEnd: 'i32',
    row: 'i32',
    state: 'i32',
  },
  {
    live: 'i64',
    r: 'i32',
    p: 'i32',
    q: 'i32',
    stop: 'i32',
    found: 'i32',
    score: 'f32',
    a0: 'v128',
    a1: 'v128',
    a2: 'v128',
    a3: 'v128',
    b0: 'v128',
    b1: 'v128',
    b2: 'v128',
    b3: 'v128',
    part: 'v128',
    wanted: 'v128',
    scores: 'v128',
  },
);
const { get, set } = { get: locals.get.bind(locals), set: locals.set.bind(locals) };

const ZERO = simd(0x0c, ...new Array<number>(16).fill(0));
/** get(name) + value */
const plus = (name: string, value: Code): Code => code(get(name), value, ADD);
const add = (name: string, value: Code): Code => set(name, plus(name, value));

/** Steps of 16 bytes of the row, and how they are multiplied into accumulators a and b in turns. */
const MULTIPLY: Readonly<
  Record<SimdKind, { readonly queryBytes: number; step(rows: readonly number[], offset: number): Code }>
> = {
  relaxed: {
    queryBytes: 1,
    step: (rows, offset) =>
      code(
        set('part', get('q'), simd(V128_LOAD, ...at(4, offset))),
        ...rows.map((i) => {
          const sum = `${(offset / 16) % 2 === 0 ? 'a' : 'b'}${i}`;
          return set(
            sum,
            get('p'),
            simd(V128_LOAD, ...at(4, i * STRIDE_STEP + offset)),
            get('part'),
            get(sum),
            simd(0x113),
          );
        }),
      ),
  },
  baseline: {
    queryBytes: 2,
    step: (rows, offset) =>
      code(
        ...[0, 8].map((half) =>
          code(
            set('part', get('q'), simd(V128_LOAD, ...at(4, 2 * (offset + half)))),
            ...rows.map((i) => {
              const sum = `${half === 0 ? 'a' : 'b'}${i}`;
              const products = code(
                get('p'),
                simd(LOAD_8X8_S, ...at(3, i * STRIDE_STEP + offset + half)),
                get('part'),
                simd(0xba),
              );
              return set(sum, products, get(sum), I32X4_ADD);
            }),
          ),
        ),
      ),
  },
};

/** Leaves four partial sums of each of the woven rows i from `p` on in `a<i>`. Moves `p` behind them. */
function products(kind: SimdKind, rows: readonly number[]): Code {
  const { queryBytes, step } = MULTIPLY[kind];
  const steps: Code[] = [];
  for (let offset = 0; offset < STRIDE_STEP; offset += 16) steps.push(step(rows, offset));
  return code(
    ...rows.map((i) => code(set(`a${i}`, ZERO), set(`b${i}`, ZERO))),
    set('q', get('query')),
    loop(
      ...steps,
      add('p', i32(WEAVE_BYTES)),
      add('q', i32(STRIDE_STEP * queryBytes)),
      branchIf(0, code(get('q'), get('stop'), 0x49)),
    ),
    ...rows.map((i) => set(`a${i}`, get(`a${i}`), get(`b${i}`), I32X4_ADD)),
  );
}

/** Lanes of two vectors in a new order, 0 to 3 of the first and 4 to 7 of the second. */
function lanes(first: Code, second: Code, order: readonly number[]): Code {
  return code(
    first,
    second,
    simd(SHUFFLE, ...order.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte))),
  );
}

/** The sums of a0 to a3, one in each lane: what is left of two rows is added crosswise, then of all four. */
function sumsOfFour(): Code {
  const pair = (x: string, y: string): Code =>
    code(lanes(get(x), get(y), [0, 4, 1, 5]), lanes(get(x), get(y), [2, 6, 3, 7]), I32X4_ADD);
  return code(
    set('b0', pair('a0', 'a1')),
    set('b1', pair('a2', 'a3')),
    lanes(get('b0'), get('b1'), [0, 1, 4, 5]),
    lanes(get('b0'), get('b1'), [2, 3, 6, 7]),
    I32X4_ADD,
  );
}

/** Writes a hit: row + r + lane, and its score. */
function write(lane: number, score: Code): Code {
  return code(
    get('hits'),
    plus('row', get('r')),
    i32(lane),
    ADD,
    0x36,
    at(2),
    get('hits'),
    score,
    0x38,
    at(2, 4),
    add('hits', i32(HIT_BYTES)),
  );
}

/** Address of the 4 bytes that belong to row r in a list of the block. */
const ofRow = code(get('block'), get('r'), i32(2), 0x74, ADD);

function wholeBlock(kind: SimdKind): Code {
  const bias = kind === 'relaxed' ? code(ofRow, simd(V128_LOAD, ...at(2, SUMS)), simd(0xb1)) : [];
  return code(
    set('r', i32(0)),
    set('p', plus('block', i32(ROWS))),
    loop(
      products(kind, [0, 1, 2, 3]),
      set('scores', sumsOfFour(), bias, simd(0xfa), ofRow, simd(V128_LOAD, ...at(2, SCALES)), simd(0xe6)),
      set('found', get('scores'), get('wanted'), simd(0x46), simd(0xa4)),
      when(
        get('found'),
        code(
          ...[0, 1, 2, 3].map((lane) =>
            when(
              code(get('found'), i32(1 << lane), AND),
              write(lane, code(get('scores'), simd(F32X4_LANE, lane))),
            ),
          ),
        ),
      ),
      add('r', i32(WOVEN)),
      branchIf(0, code(get('r'), i32(BLOCK_ROWS), 0x49)),
    ),
  );
}

function someRows(kind: SimdKind): Code {
  const bias = kind === 'relaxed' ? code(ofRow, 0x28, at(2, SUMS), 0x6b) : [];
  const lane = (index: number): Code => code(get('a0'), simd(I32X4_LANE, index));
  return block(
    loop(
      branchIf(1, code(get('live'), 0x50)),
      set('r', get('live'), [0x7a, 0xa7]),
      set('live', get('live'), get('live'), i64(1), [0x7d, 0x83]),
      // As rowOffset in layout.ts.
      set('p', plus('block', i32(ROWS)), get('r'), i32(-WOVEN), AND, get('stride'), [0x6c], ADD),
      add('p', code(get('r'), i32(WOVEN - 1), AND, i32(STRIDE_STEP), [0x6c])),
      products(kind, [0]),
      set(
        'score',
        lane(0),
        lane(1),
        ADD,
        lane(2),
        ADD,
        lane(3),
        ADD,
        bias,
        [0xb2],
        ofRow,
        [0x2a],
        at(2, SCALES),
        [0x94],
      ),
      when(code(get('score'), get('threshold'), 0x60), write(0, get('score'))),
      branch(0),
    ),
  );
}

export function kernel(kind: SimdKind): Uint8Array {
  const { queryBytes } = MULTIPLY[kind];
  const body = code(
    set('stop', get('query'), get('stride'), i32(queryBytes), [0x6c], ADD),
    set('wanted', get('threshold'), simd(0x13)),
    block(
      loop(
        branchIf(1, code(get('block'), get('end'), 0x4f)),
        branchIf(1, code(plus('hits', i32(BLOCK_ROWS * HIT_BYTES)), get('hitsEnd'), 0x4b)),
        set('live', plus('block', get('mask')), [0x29], at(3)),
        when(code(get('live'), i64(-1), 0x51), wholeBlock(kind), someRows(kind)),
        add('block', get('blockBytes')),
        add('row', i32(BLOCK_ROWS)),
        branch(0),
      ),
    ),
    get('state'),
    get('hits'),
    0x36,
    at(2),
    get('block'),
  );
  return assemble({ name: 'scan', locals, result: 'i32', body, maxPages: MAX_PAGES });
}
