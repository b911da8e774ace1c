/**
 * Sets of code points, and the bytes they are written with: plain UTF-8, or as characters of a JSON string.
 *
 * A JSON string is written as JSON.stringify writes it: a character is escaped only where it must be. Lone surrogates do
 * not occur, since they have no UTF-8.
 *
 * @module engine/grammar/characters
 */
import type { NetworkBuilder, Rule } from './network.ts';

/** Sorted, disjoint, inclusive code point ranges. */
export type Characters = readonly (readonly [lo: number, hi: number])[];

export const LAST = 0x10ffff;
export const ANY: Characters = [
  [0, 0xd7ff],
  [0xe000, LAST],
];

export function unite(...sets: readonly Characters[]): Characters {
  const sorted = sets.flat().sort((a, b) => a[0] - b[0]);
  const out: [number, number][] = [];
  for (const [lo, hi] of sorted) {
    const last = out[out.length - 1];
    if (last !== undefined && lo <= last[1] + 1) last[1] = Math.max(last[1], hi);
    else out.push([lo, hi]);
  }
  return intersect(out, ANY);
}

export function intersect(a: Characters, b: Characters): Characters {
  const out: [number, number][] = [];
  for (const [lo, hi] of a) {
    for (const [low, high] of b) {
      if (low <= hi && high >= lo) out.push([Math.max(lo, low), Math.min(hi, high)]);
    }
  }
  return out;
}

export function complement(set: Characters): Characters {
  const out: [number, number][] = [];
  let from = 0;
  for (const [lo, hi] of set) {
    if (lo > from) out.push([from, lo - 1]);
    from = hi + 1;
  }
  if (from <= LAST) out.push([from, LAST]);
  return intersect(out, ANY);
}

export const character = (code: number): Characters => [[code, code]];

/** How characters are written. */
export type Writing = 'plain' | 'json';

/** Needs an escape in a JSON string. */
const ESCAPED: Characters = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];
const RAW = complement(ESCAPED);
const SHORT: ReadonlyMap<number, string> = new Map([
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x22, '"'],
  [0x5c, '\\'],
]);

/** Writes characters into one network. Sets that take many edges become rules, one per set. */
export function createCharacterWriter(
  builder: NetworkBuilder,
  writing: Writing,
): (from: number, set: Characters, to: number) => void {
  const rules = new Map<string, Rule>();
  /** A repeated set is the same one thousands of times: not even its text is made again. */
  const known = new WeakMap<Characters, Rule>();
  return (from, set, to) => {
    if (set.length === 0) return;
    const again = known.get(set);
    if (again !== undefined) {
      builder.call(from, again, to);
      return;
    }
    const key = set.join(';');
    const simple =
      set.length <= 4 &&
      set.every(
        ([lo, hi]) => hi < 0x80 && (writing === 'plain' || intersect([[lo, hi]], ESCAPED).length === 0),
      );
    if (simple) {
      for (const [lo, hi] of set) builder.byte(from, lo, hi, to);
      return;
    }
    let rule = rules.get(key);
    if (rule === undefined) {
      rule = builder.rule('');
      rules.set(key, rule);
      writeSet(builder, rule.start, set, rule.end, writing);
    }
    known.set(set, rule);
    builder.call(from, rule, to);
  };
}

function writeSet(
  builder: NetworkBuilder,
  from: number,
  set: Characters,
  to: number,
  writing: Writing,
): void {
  for (const [lo, hi] of writing === 'plain' ? set : intersect(set, RAW))
    writeUtf8(builder, from, lo, hi, to);
  if (writing === 'plain') return;
  const escaped = intersect(set, ESCAPED);
  if (escaped.length === 0) return;
  const after = builder.state();
  builder.byte(from, 0x5c, 0x5c, after);
  for (const [lo, hi] of escaped) {
    for (let code = lo; code <= hi; code++) {
      const short = SHORT.get(code);
      const text = short ?? `u${code.toString(16).padStart(4, '0')}`;
      builder.literal(after, Buffer.from(text), to);
    }
  }
}

const LENGTH_ENDS = [0x7f, 0x7ff, 0xffff, LAST];

/** Byte ranges of the code points lo..hi: split where the length changes and where the trailing bytes are not full. */
function writeUtf8(builder: NetworkBuilder, from: number, lo: number, hi: number, to: number): void {
  let start = lo;
  for (const end of LENGTH_ENDS) {
    if (start > hi) return;
    if (start > end) continue;
    const stop = Math.min(hi, end);
    writeSameLength(
      builder,
      from,
      Buffer.from(String.fromCodePoint(start)),
      Buffer.from(String.fromCodePoint(stop)),
      to,
    );
    start = stop + 1;
  }
}

function writeSameLength(
  builder: NetworkBuilder,
  from: number,
  lo: Uint8Array,
  hi: Uint8Array,
  to: number,
): void {
  if (lo.length === 1) {
    builder.byte(from, lo[0]!, hi[0]!, to);
    return;
  }
  const first = lo[0]!;
  const last = hi[0]!;
  const rest = (byte: number, low: Uint8Array, high: Uint8Array): void => {
    const next = builder.state();
    builder.byte(from, byte, byte, next);
    writeSameLength(builder, next, low, high, to);
  };
  const length = lo.length - 1;
  const least = new Uint8Array(length).fill(0x80);
  const most = new Uint8Array(length).fill(0xbf);
  if (first === last) {
    rest(first, lo.subarray(1), hi.subarray(1));
    return;
  }
  rest(first, lo.subarray(1), most);
  if (last - first > 1) {
    const next = builder.state();
    builder.byte(from, first + 1, last - 1, next);
    writeSameLength(builder, next, least, most, to);
  }
  rest(last, least, hi.subarray(1));
}
