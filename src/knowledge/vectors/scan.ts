/**
 * The three ways to walk a slab, fastest first. They give the same hits with the same scores, bit for bit: products are
 * integers, and one multiplication in 32 bits follows.
 *
 * @module knowledge/vectors/scan
 */
import { BASELINE, RELAXED } from './kernel/bytes.ts';
import {
  type ALIVE,
  type ALLOWED,
  BLOCK_ROWS,
  HIT_BYTES,
  rowOffset,
  SCALES,
  STRIDE_STEP,
  WEAVE_BYTES,
} from './layout.ts';

export type ScanKind = 'relaxed' | 'baseline' | 'scalar';

/** Arguments as kernel/source.ts describes them; addresses in the slab's memory. */
export type Scan = (
  block: number,
  end: number,
  blockBytes: number,
  stride: number,
  mask: typeof ALIVE | typeof ALLOWED,
  query: number,
  threshold: number,
  hits: number,
  hitsEnd: number,
  row: number,
  state: number,
) => number;

export interface Scanner {
  readonly kind: ScanKind;
  readonly scan: Scan;
  /** Puts a query of 7 bits a component (length ≤ stride) where `scan` expects it. */
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
    const scan = exports.scan as Scan;
    return each === 'relaxed'
      ? { kind: each, scan, place: (query, address, stride) => placeRelaxed(memory, query, address, stride) }
      : { kind: each, scan, place: (query, address, stride) => placeWide(memory, query, address, stride) };
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

function placeRelaxed(memory: WebAssembly.Memory, query: Int8Array, address: number, stride: number): void {
  const place = new Uint8Array(memory.buffer, address, stride).fill(64);
  for (let i = 0; i < query.length; i++) place[i] = query[i]! + 64;
}

function placeWide(memory: WebAssembly.Memory, query: Int8Array, address: number, stride: number): void {
  const place = new Int16Array(memory.buffer, address, stride).fill(0);
  place.set(query);
}

/** What the kernel does, in TypeScript, for runtimes without SIMD. */
function scalar(memory: WebAssembly.Memory): Scanner {
  const scan: Scan = (block, end, blockBytes, stride, mask, query, threshold, hits, hitsEnd, row, state) => {
    const view = new DataView(memory.buffer);
    const bytes = new Int8Array(memory.buffer);
    const wide = new Int16Array(memory.buffer, query, stride);
    const floor = Math.fround(threshold);
    let from = block;
    let first = row;
    let hit = hits;
    for (; from < end && hit + BLOCK_ROWS * HIT_BYTES <= hitsEnd; from += blockBytes, first += BLOCK_ROWS) {
      for (let half = 0; half < 2; half++) {
        let live = view.getUint32(from + mask + 4 * half, true);
        for (; live !== 0; live &= live - 1) {
          const r = 32 * half + (31 - Math.clz32(live & -live));
          let piece = from + rowOffset(r, stride);
          let sum = 0;
          for (let at = 0; at < stride; at += STRIDE_STEP, piece += WEAVE_BYTES) {
            for (let i = 0; i < STRIDE_STEP; i++) sum += bytes[piece + i]! * wide[at + i]!;
          }
          const score = Math.fround(Math.fround(sum) * view.getFloat32(from + SCALES + 4 * r, true));
          if (!(score >= floor)) continue;
          view.setUint32(hit, first + r, true);
          view.setFloat32(hit + 4, score, true);
          hit += HIT_BYTES;
        }
      }
    }
    view.setUint32(state, hit, true);
    return from;
  };
  return {
    kind: 'scalar',
    scan,
    place: (query, address, stride) => placeWide(memory, query, address, stride),
  };
}
