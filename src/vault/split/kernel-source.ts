/**
 * The kernels of `split`, as WebAssembly: one function each over one shared memory. All numbers are modulo 2^32.
 *
 * - `multiply(rows, factors, count, bytes, out)`: out[i] = sum over j of factors[j] · rows[j · bytes/4 + i]. What an Eve computes of a block
 *   and a share, and Bob of the public polynomials and the question. `bytes` of a row: a multiple of 128.
 * - `turn(twice, plus, plusEnd, minus, minusEnd, bytes, out)`: out = a · s modulo X^n + 1 for a ternary s. `twice` holds -a and then a; plus and
 *   minus are lists of byte offsets (u32) into it, of the coefficients that are added and taken off. The addresses that it reads depend on the
 *   secret: it runs at Bob alone.
 * - `gather(row, rowBytes, rows, bits, bitsBytes, questions, out)`: for each question k, out[k] becomes the XOR of those rows whose bit is set; the bits of
 *   question k begin at bits + k · bitsBytes, lowest first. `rowBytes`: a multiple of 16. The bits of an Eve are uniform noise, so that her
 *   timing tells nothing.
 *
 * The bytes are made when the module is first used, which takes 2 ms.
 *
 * @module vault/split/kernel-source
 */
import { assembler } from '../../base/index.ts';

const { assemble, at, block, branch, branchIf, code, i32, Locals, loop, simd, when } = assembler;
type Code = assembler.Code;

const ADD = [0x6a];
const MULTIPLY = [0x6c];
const AND = [0x71];
const SHIFT_RIGHT = [0x76];
const LESS = [0x49];
const NOT = [0x45];
const V128_LOAD = 0x00;
const V128_STORE = 0x0b;
const I32X4_SPLAT = simd(0x11);
const I32X4_ADD = simd(0xae);
const I32X4_SUBTRACT = simd(0xb1);
const I32X4_MULTIPLY = simd(0xb5);
const V128_XOR = simd(0x51);
const LOAD = (offset = 0): Code => [0x28, ...at(2, offset)];
const LOAD_U8: Code = [0x2d, ...at(0)];
const ZERO = simd(0x0c, ...new Array<number>(16).fill(0));
/** Of 16 bytes: as many as there are registers for beside the rest. */
const LANES = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const WIDTH = LANES.length * 16;
/** Pages of 64 KiB that a memory may have: 2 GiB. */
export const KERNEL_MAX_PAGES = 32_768;

const load = (offset: number): Code => simd(V128_LOAD, ...at(4, offset));
const store = (offset: number): Code => simd(V128_STORE, ...at(4, offset));

function multiply(): Uint8Array {
  const locals = new Locals(
    { rows: 'i32', factors: 'i32', count: 'i32', bytes: 'i32', out: 'i32' },
    { i: 'i32', p: 'i32', f: 'i32', left: 'i32', s: 'v128', ...sums('v128') },
  );
  const { get, set } = bound(locals);
  const body = loop(
    ...LANES.map((z) => set(`r${z}`, ZERO)),
    set('p', get('rows'), get('i'), ADD),
    set('f', get('factors')),
    set('left', get('count')),
    loop(
      set('s', get('f'), LOAD(), I32X4_SPLAT),
      ...LANES.map((z) =>
        set(`r${z}`, get(`r${z}`), get('p'), load(z * 16), get('s'), I32X4_MULTIPLY, I32X4_ADD),
      ),
      set('p', get('p'), get('bytes'), ADD),
      set('f', get('f'), i32(4), ADD),
      set('left', get('left'), i32(-1), ADD),
      branchIf(0, get('left')),
    ),
    set('p', get('out'), get('i'), ADD),
    ...LANES.map((z) => code(get('p'), get(`r${z}`), store(z * 16))),
    set('i', get('i'), i32(WIDTH), ADD),
    branchIf(0, code(get('i'), get('bytes'), LESS)),
  );
  return module('multiply', locals, code(set('i', i32(0)), body, i32(0)));
}

function turn(): Uint8Array {
  const locals = new Locals(
    {
      ...{ twice: 'i32', plus: 'i32', plusEnd: 'i32', minus: 'i32', minusEnd: 'i32' },
      ...{ bytes: 'i32', out: 'i32' },
    },
    { i: 'i32', p: 'i32', f: 'i32', base: 'i32', ...sums('v128') },
  );
  const { get, set } = bound(locals);
  const over = (from: string, end: string, operation: Code): Code =>
    code(
      set('f', get(from)),
      block(
        loop(
          branchIf(1, code(get('f'), get(end), LESS, NOT)),
          set('p', get('base'), get('f'), LOAD(), ADD),
          ...LANES.map((z) => set(`r${z}`, get(`r${z}`), get('p'), load(z * 16), operation)),
          set('f', get('f'), i32(4), ADD),
          branch(0),
        ),
      ),
    );
  const body = loop(
    ...LANES.map((z) => set(`r${z}`, ZERO)),
    set('base', get('twice'), get('i'), ADD),
    over('plus', 'plusEnd', I32X4_ADD),
    over('minus', 'minusEnd', I32X4_SUBTRACT),
    set('p', get('out'), get('i'), ADD),
    ...LANES.map((z) => code(get('p'), get(`r${z}`), store(z * 16))),
    set('i', get('i'), i32(WIDTH), ADD),
    branchIf(0, code(get('i'), get('bytes'), LESS)),
  );
  return module('turn', locals, code(set('i', i32(0)), body, i32(0)));
}

function gather(): Uint8Array {
  const locals = new Locals(
    {
      ...{ row: 'i32', rowBytes: 'i32', rows: 'i32', bits: 'i32', bitsBytes: 'i32' },
      ...{ questions: 'i32', out: 'i32' },
    },
    { r: 'i32', k: 'i32', b: 'i32', o: 'i32', p: 'i32', end: 'i32' },
  );
  const { get, set } = bound(locals);
  const xorRow = code(
    set('p', get('row')),
    set('end', get('row'), get('rowBytes'), ADD),
    loop(
      code(get('o'), get('o'), load(0), get('p'), load(0), V128_XOR, store(0)),
      set('o', get('o'), i32(16), ADD),
      set('p', get('p'), i32(16), ADD),
      branchIf(0, code(get('p'), get('end'), LESS)),
    ),
  );
  const body = block(
    loop(
      branchIf(1, code(get('r'), get('rows'), LESS, NOT)),
      set('k', i32(0)),
      set('b', get('bits'), get('r'), i32(3), SHIFT_RIGHT, ADD),
      loop(
        set('o', get('out'), get('k'), get('rowBytes'), MULTIPLY, ADD),
        when(code(get('b'), LOAD_U8, get('r'), i32(7), AND, SHIFT_RIGHT, i32(1), AND), xorRow),
        set('b', get('b'), get('bitsBytes'), ADD),
        set('k', get('k'), i32(1), ADD),
        branchIf(0, code(get('k'), get('questions'), LESS)),
      ),
      set('row', get('row'), get('rowBytes'), ADD),
      set('r', get('r'), i32(1), ADD),
      branch(0),
    ),
  );
  return module('gather', locals, code(set('r', i32(0)), body, i32(0)));
}

const sums = (type: 'v128') => Object.fromEntries(LANES.map((z) => [`r${z}`, type]));

type AnyLocals = InstanceType<typeof Locals<string>>;

const bound = (locals: AnyLocals) => ({
  get: (name: string): Code => locals.get(name),
  set: (name: string, ...value: readonly Code[]): Code => locals.set(name, ...value),
});

const module = (name: string, locals: AnyLocals, body: Code): Uint8Array =>
  assemble({ functions: [{ name, locals, result: 'i32', body }], maxPages: KERNEL_MAX_PAGES });

export const KERNELS = { multiply, turn, gather } as const;
