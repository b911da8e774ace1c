/**
 * Eve's end of `split`: adds up a block by the half of a question that she has, and gathers rows by bits that are noise to her. Blocks that were
 * asked for lately stay in memory.
 *
 * @module vault/split/eve
 */
import { CIPHER_BYTES, REPLY_BYTES, unpackShare } from './bob.ts';
import { createKernel, type Kernel } from './kernel.ts';
import { DIMENSIONS, RING } from './parameters.ts';

const ROW_BYTES = RING * 4;
/** Blocks of one memory. */
const ARENA_SLOTS = 16;

interface Slot {
  readonly kernel: Kernel;
  readonly at: number;
  readonly scratch: number;
}

/** Blocks of one length, in memories of 16; the one that was used the longest ago makes room. */
export interface BlockMemory {
  /** @param load gives the block when it is not here */
  use<T>(id: string, load: () => Uint8Array, work: (slot: Slot) => T): T;
  forget(id: string): void;
  readonly bytes: number;
}

/** @param capacityBytes of all blocks; at least one is held @param scratchBytes beside the blocks of each memory, for questions and results */
export function createBlockMemory(
  blockBytes: number,
  scratchBytes: number,
  capacityBytes: number,
): BlockMemory {
  const most = Math.max(1, Math.floor(capacityBytes / blockBytes));
  const slots = new Map<string, Slot>();
  const free: Slot[] = [];
  let made = 0;

  function grow(): void {
    const count = Math.min(ARENA_SLOTS, most - made);
    const scratch = count * blockBytes;
    const kernel = createKernel(scratch + scratchBytes);
    for (let i = 0; i < count; i++) free.push({ kernel, at: i * blockBytes, scratch });
    made += count;
  }

  function slotFor(id: string, load: () => Uint8Array): Slot {
    const known = slots.get(id);
    if (known !== undefined) {
      slots.delete(id);
      slots.set(id, known);
      return known;
    }
    const block = load();
    if (free.length === 0 && made < most) grow();
    if (free.length === 0) {
      const [oldest, slot] = slots.entries().next().value!;
      slots.delete(oldest);
      free.push(slot);
    }
    const slot = free.pop()!;
    new Uint8Array(slot.kernel.memory.buffer, slot.at, blockBytes).set(block);
    slots.set(id, slot);
    return slot;
  }

  return {
    use: (id, load, work) => work(slotFor(id, load)),
    forget(id) {
      const slot = slots.get(id);
      if (slot === undefined) return;
      slots.delete(id);
      free.push(slot);
    },
    get bytes() {
      return made * blockBytes;
    },
  };
}

const align = (bytes: number): number => Math.ceil(bytes / 128) * 128;

/** Memory for blocks of scores. */
export const scoreMemory = (capacityBytes: number): BlockMemory =>
  createBlockMemory(CIPHER_BYTES, align(DIMENSIONS * 4) + ROW_BYTES, capacityBytes);

/**
 * The reply for each block, 4096 bytes each: the upper halves of the sums, little-endian.
 *
 * @param load gives a block of 1.5 MiB
 */
export function scoreBlocks(
  memory: BlockMemory,
  blocks: readonly string[],
  share: Uint8Array,
  load: (id: string) => Uint8Array,
): Uint8Array {
  const factors = unpackShare(share);
  const out = new Uint8Array(blocks.length * REPLY_BYTES);
  for (const [i, id] of blocks.entries())
    memory.use(
      id,
      () => load(id),
      ({ kernel, at, scratch }) => {
        const { buffer } = kernel.memory;
        const sums = scratch + align(DIMENSIONS * 4);
        new Int32Array(buffer, scratch, DIMENSIONS).set(factors);
        kernel.multiply(at, scratch, DIMENSIONS, ROW_BYTES, sums);
        const words = new Uint16Array(buffer, sums, RING * 2);
        const reply = new Uint16Array(out.buffer, i * REPLY_BYTES, RING);
        for (let c = 0; c < RING; c++) reply[c] = words[2 * c + 1]!;
      },
    );
  return out;
}

export const GATHER_BOUNDS = {
  /** Questions at a time, rows of a block, and bytes of a row (a multiple of 16). */
  questions: 64,
  rows: 8192,
  rowBytes: 4096,
} as const;

/** Memory for blocks of rows that are gathered; `blockBytes` is a multiple of the row's bytes. */
export const rowMemory = (blockBytes: number, capacityBytes: number): BlockMemory =>
  createBlockMemory(
    align(blockBytes),
    GATHER_BOUNDS.questions * (GATHER_BOUNDS.rows / 8 + GATHER_BOUNDS.rowBytes),
    capacityBytes,
  );

/**
 * For each question the XOR of the rows whose bit is set, over all blocks together.
 *
 * @param bits of each question and block: questions × blocks × ceil(rows / 8) bytes, the blocks of a question one behind the other
 * @returns questions × rowBytes
 */
export function gatherRows(
  memory: BlockMemory,
  blocks: readonly string[],
  {
    rowBytes,
    rows,
    questions,
  }: { readonly rowBytes: number; readonly rows: number; readonly questions: number },
  bits: Uint8Array,
  load: (id: string) => Uint8Array,
): Uint8Array {
  const each = Math.ceil(rows / 8);
  const out = new Uint8Array(questions * rowBytes);
  for (const [b, id] of blocks.entries())
    memory.use(
      id,
      () => load(id),
      ({ kernel, at, scratch }) => {
        const { buffer } = kernel.memory;
        const results = scratch + align(questions * each);
        const asked = new Uint8Array(buffer, scratch, questions * each);
        for (let k = 0; k < questions; k++) {
          const from = (k * blocks.length + b) * each;
          asked.set(bits.subarray(from, from + each), k * each);
        }
        const sums = new Uint8Array(buffer, results, questions * rowBytes);
        sums.fill(0);
        kernel.gather(at, rowBytes, rows, scratch, each, questions, results);
        for (let i = 0; i < sums.length; i++) out[i]! ^= sums[i]!;
      },
    );
  return out;
}
