/**
 * As much of an assembler for WebAssembly as kernels need: functions over one imported shared memory.
 * Instructions are lists of bytes; what an opcode is called stands in the specification's index of instructions.
 *
 * @module base/assembler
 */

/** Bytes of instructions, in the order they run. */
export type Code = readonly number[];

export const VALUE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE;

/** Locals of a function by name; parameters come first. */
export class Locals<Name extends string> {
  readonly names: readonly Name[];
  readonly types: readonly ValueType[];
  readonly parameters: number;

  constructor(parameters: Readonly<Record<string, ValueType>>, others: Readonly<Record<string, ValueType>>) {
    const all = [...Object.entries(parameters), ...Object.entries(others)];
    this.names = all.map(([name]) => name as Name);
    this.types = all.map(([, type]) => type);
    this.parameters = Object.keys(parameters).length;
  }

  get(name: Name): Code {
    return [0x20, ...unsigned(this.#index(name))];
  }

  set(name: Name, ...value: readonly Code[]): Code {
    return [...value.flat(), 0x21, ...unsigned(this.#index(name))];
  }

  #index(name: Name): number {
    const index = this.names.indexOf(name);
    if (index < 0) throw new Error(`There is no local ${name}.`);
    return index;
  }
}

export const code = (...parts: readonly (Code | number)[]): Code => parts.flat();
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const i64 = (value: number): Code => [0x42, ...signed(value)];
/** A vector instruction: the prefix, its number, its operands. */
export const simd = (opcode: number, ...operands: number[]): Code => [0xfd, ...unsigned(opcode), ...operands];
/** Alignment (as a power of two) and offset of a load or store. */
export const at = (alignment: number, offset = 0): number[] => [alignment, ...unsigned(offset)];

export const block = (...body: readonly Code[]): Code => [0x02, 0x40, ...body.flat(), 0x0b];
export const loop = (...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0b];
export const when = (condition: Code, then: Code, otherwise?: Code): Code => [
  ...condition,
  0x04,
  0x40,
  ...then,
  ...(otherwise === undefined ? [] : [0x05, ...otherwise]),
  0x0b,
];
export const branch = (depth: number): Code => [0x0c, ...unsigned(depth)];
export const branchIf = (depth: number, condition: Code): Code => [...condition, 0x0d, ...unsigned(depth)];

/** One function of a module. */
export interface WasmFunction {
  readonly name: string;
  readonly locals: Locals<string>;
  readonly result: ValueType;
  readonly body: Code;
}

/** A module that imports `memory` of `env` (shared, up to `maxPages` of 64 KiB) and exports functions. */
export function assemble(options: {
  readonly functions: readonly WasmFunction[];
  readonly maxPages: number;
}): Uint8Array {
  const { functions } = options;
  const types = functions.map(({ locals, result }) => [
    0x60,
    ...list(locals.types.slice(0, locals.parameters).map((type) => [VALUE[type]])),
    ...list([[VALUE[result]]]),
  ]);
  const bodies = functions.map(({ locals, body }) => {
    const others = locals.types.slice(locals.parameters).map((type) => [1, VALUE[type]]);
    const all = [...list(others), ...body, 0x0b];
    return [...unsigned(all.length), ...all];
  });
  const bytes = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, list(types)),
    section(
      2,
      list([[...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(1), ...unsigned(options.maxPages)]]),
    ),
    section(3, list(functions.map((_, index) => unsigned(index)))),
    section(7, list(functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]))),
    section(10, list(bodies)),
  ];
  return Uint8Array.from(bytes.flat());
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): Code {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128 of a number from 0 to 2^31. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}
