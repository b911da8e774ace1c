/**
 * The three ways to walk a slab, fastest first. They give the same hits with the same scores, bit for bit: products are
 * integers, and one multiplication in 32 bits follows. What a score can be at most is larger than it or equal for the same reason: a larger
 * integer times the same scale, rounded the same way.
 *
 * @module knowledge/vectors/scan
 */
import { lengthOf, product } from './halves.ts';
import { BASELINE, RELAXED } from './kernel/bytes.ts';
import {
  type ALIVE,
  type ALLOWED,
  BLOCK_ROWS,
  BOUNDS,
  coarseOffset,
  fineOffset,
  HALF_PIECE,
  HIT_BYTES,
  MOST,
  PIECE,
  QUERY_HEAD,
  SCALES,
} from './layout.ts';

export type ScanKind = 'relaxed' | 'baseline' | 'scalar';

/** As kernel/source.ts describes them; addresses in the slab's memory. */
export interface Scanner {
  readonly kind: ScanKind;
  readonly coarse: (
    block: number,
    end: number,
    blockBytes: number,
    stride: number,
    query: number,
    mask: typeof ALIVE | typeof ALLOWED,
  ) => number;
  readonly fine: (
    block: number,
    end: number,
    blockBytes: number,
    stride: number,
    query: number,
    from: number,
    below: number,
    threshold: number,
    hits: number,
    hitsEnd: number,
    row: number,
    state: number,
  ) => number;
  /** Puts a query of 7 bits a component (length ≤ stride) where the kernel expects it. */
  place(query: Int8Array, address: number, stride: number): void;
}

const SIMD = { relaxed: RELAXED, baseline: BASELINE } as const;
const modules = new Map<string, WebAssembly.Module | null>();

/** The best that this runtime has, or the one asked for. Null when the one asked for is not there. */
export function scannerFor(memory: WebAssembly.Memory): Scanner;
export function scannerFor(memory: WebAssembly.Memory, kind: ScanKind): Scanner | null;
export function scannerFor(memory: WebAssembly.Memory, kind?: ScanKind): Scanner | null {
  const wanted: readonly ScanKind[] = kind === undefined ? ['relaxed', 'baseline', 'scalar'] : [kind];
  for (const each of wanted) {
    if (each === 'scalar') return scalar(memory);
    const module = compiled(each);
    if (module === null) continue;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const { coarse, fine } = exports as unknown as Pick<Scanner, 'coarse' | 'fine'>;
    const place = each === 'relaxed' ? placeRelaxed : placeWide;
    return { kind: each, coarse, fine, place: (...query) => place(memory, ...query) };
  }
  return null;
}

function compiled(kind: keyof typeof SIMD): WebAssembly.Module | null {
  let module = modules.get(kind);
  if (module === undefined) {
    const bytes = Buffer.from(SIMD[kind], 'base64');
    module = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
    modules.set(kind, module);
  }
  return module;
}

/** Writes a query's head. */
function placeHead(memory: WebAssembly.Memory, query: Int8Array, address: number): void {
  let second = 0;
  let square = 0;
  for (let i = 0; i < query.length; i++) {
    if (i % PIECE >= HALF_PIECE) second += query[i]!;
    square += query[i]! * query[i]!;
  }
  const view = new DataView(memory.buffer);
  view.setInt32(address, second, true);
  view.setFloat32(address + 4, lengthOf(square), true);
}

function placeRelaxed(memory: WebAssembly.Memory, query: Int8Array, address: number, stride: number): void {
  placeHead(memory, query, address);
  const place = new Int8Array(memory.buffer, address + QUERY_HEAD, stride).fill(0);
  place.set(query);
  for (let piece = 0; piece < stride; piece += PIECE) {
    for (let i = piece; i < piece + HALF_PIECE; i++) place[i] = place[i]! + 64;
  }
}

function placeWide(memory: WebAssembly.Memory, query: Int8Array, address: number, stride: number): void {
  placeHead(memory, query, address);
  const place = new Int16Array(memory.buffer, address + QUERY_HEAD, stride).fill(0);
  place.set(query);
}

/** The same in TypeScript, for runtimes without SIMD. It knows of no halves: what it writes as bounds are scores. */
function scalar(memory: WebAssembly.Memory): Scanner {
  return {
    kind: 'scalar',
    coarse(block, end, blockBytes, stride, query, mask) {
      const view = new DataView(memory.buffer);
      const bytes = new Int8Array(memory.buffer);
      const wide = new Int16Array(memory.buffer, query + QUERY_HEAD, stride);
      let from = block;
      for (; from < end; from += blockBytes) {
        let most = Number.NEGATIVE_INFINITY;
        for (let r = 0; r < BLOCK_ROWS; r++) {
          const isIn = (view.getUint8(from + mask + (r >> 3)) & (1 << (r & 7))) !== 0;
          let score = Number.NaN;
          if (isIn) {
            const sum = product(bytes, from + coarseOffset(r, stride), from + fineOffset(r, stride), wide);
            score = Math.fround(Math.fround(sum) * view.getFloat32(from + SCALES + 4 * r, true));
          }
          view.setFloat32(from + BOUNDS + 4 * r, score, true);
          if (score > most) most = score;
        }
        view.setFloat32(from + MOST, most, true);
      }
      return from;
    },
    fine(block, end, blockBytes, _stride, _query, from, below, threshold, hits, hitsEnd, row, state) {
      const view = new DataView(memory.buffer);
      const [least, most, floor] = [from, below, threshold].map(Math.fround) as [number, number, number];
      let at = block;
      let first = row;
      let hit = hits;
      for (; at < end && hit + BLOCK_ROWS * HIT_BYTES <= hitsEnd; at += blockBytes, first += BLOCK_ROWS) {
        for (let r = 0; r < BLOCK_ROWS; r++) {
          const score = view.getFloat32(at + BOUNDS + 4 * r, true);
          if (!(score >= least && score >= floor) || score >= most) continue;
          view.setUint32(hit, first + r, true);
          view.setFloat32(hit + 4, score, true);
          hit += HIT_BYTES;
        }
      }
      view.setUint32(state, hit, true);
      return at;
    },
    place: (query, address, stride) => placeWide(memory, query, address, stride),
  };
}
