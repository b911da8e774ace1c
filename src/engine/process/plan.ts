/**
 * Memory before a model is loaded: how long a context it gets, how many KV cells all sequences share, and whether
 * the whole fits. Pure arithmetic.
 *
 * The choice, in this order:
 * 1. Context per sequence: `context` from the options, cut to what the model was trained for. Without it, the
 *    trained context, cut to what the KV share of memory holds (a quarter of what the weights leave, at least
 *    512 MiB where there is that much): a 128k context would otherwise take gigabytes that few requests use.
 * 2. KV cells shared by all sequences: `kvCells` from the options, at least one context. Without it, a
 *    context for each active sequence but not more than 8192 cells, within the KV share, and in any case one whole
 *    context. Cells take resident memory only once they are used.
 * 3. Weights + KV + work space must fit into `memoryBytes`; otherwise LimitError `engine.memoryBytes` with the numbers.
 *
 * @module engine/process/plan
 */

import { totalmem } from 'node:os';
import { InputError, LimitError } from '../../base/index.ts';
import type { EngineOptions } from '../types.ts';

const MiB = 1024 * 1024;
/** KV lengths are used in steps of 256 cells by the graphs. */
const CELL_STEP = 256;
const LEAST_KV_SHARE = 512 * MiB;
const SHARED_CELLS = 8192;
/** Graphs, staging buffers and logits rows that exist beside weights and KV. Measured order of size, not exact. */
const WORK_SPACE = 64 * MiB;

export interface MemoryPlan {
  /** Tokens one sequence may hold; 0 for models without a KV cache. */
  readonly context: number;
  readonly kvCells: number;
  readonly weightBytes: number;
  readonly kvBytes: number;
  /** Weights, KV and work space. */
  readonly totalBytes: number;
}

export interface PlanInput {
  /** Model id, for the message. */
  readonly id: string;
  readonly weightBytes: number;
  /** Bytes of one KV cell over all blocks of the range; 0 for models that keep none. */
  readonly kvBytesPerCell: number;
  readonly contextTrained: number;
  readonly options: Pick<EngineOptions, 'context' | 'kvCells' | 'maxActive' | 'memoryBytes'>;
  /** Bytes free on this machine now. */
  readonly freeBytes: number;
  /** Bytes that models loaded before this one take. */
  readonly usedBytes: number;
}

/** @throws {LimitError} `engine.memoryBytes` when the model does not fit, naming the numbers and what to do. */
export function planMemory(input: PlanInput): MemoryPlan {
  const { options, weightBytes, contextTrained: trained, kvBytesPerCell: perCell } = input;
  const budget =
    options.memoryBytes === null ? Math.floor(input.freeBytes * 0.8) : options.memoryBytes - input.usedBytes;
  const left = budget - weightBytes - WORK_SPACE;
  if (perCell === 0) {
    const context = Math.min(options.context ?? trained, trained);
    if (left < 0) throw tooLarge(input, 0, 0, budget);
    return { context, kvCells: 0, weightBytes, kvBytes: 0, totalBytes: weightBytes + WORK_SPACE };
  }
  const share = Math.min(Math.max(0, left), Math.max(LEAST_KV_SHARE, Math.floor(left / 4)));
  const fits = Math.floor(share / perCell);
  // A given number of cells is memory that the owner chose to give, so it bounds the context too.
  const bound = options.kvCells ?? fits;
  const context = Math.min(trained, options.context ?? Math.max(CELL_STEP, roundDown(bound)));
  const wanted = Math.max(context, Math.min(options.maxActive * context, SHARED_CELLS));
  const kvCells = options.kvCells ?? roundUp(Math.max(context, Math.min(wanted, roundDown(fits))));
  if (kvCells < context) {
    throw new InputError(
      'kv_cells_too_few',
      `\`engine.kvCells\` is ${kvCells}, fewer than one context of ${context} tokens. Raise it or lower \`engine.context\`.`,
      { param: 'engine.kvCells', details: { kvCells, context } },
    );
  }
  const kvBytes = Math.ceil(kvCells * perCell);
  if (kvBytes > left) throw tooLarge(input, kvBytes, context, budget);
  return { context, kvCells, weightBytes, kvBytes, totalBytes: weightBytes + kvBytes + WORK_SPACE };
}

const roundDown = (cells: number): number => Math.floor(cells / CELL_STEP) * CELL_STEP;
const roundUp = (cells: number): number => Math.ceil(cells / CELL_STEP) * CELL_STEP;
const mib = (bytes: number): string => `${Math.ceil(bytes / MiB)} MiB`;

function tooLarge(input: PlanInput, kvBytes: number, context: number, budget: number): LimitError {
  const { id, weightBytes, usedBytes, freeBytes } = input;
  const { memoryBytes } = input.options;
  const kv = kvBytes === 0 ? '' : ` and ${mib(kvBytes)} of KV cache for a context of ${context} tokens`;
  const used = usedBytes === 0 ? '' : `, of which ${mib(usedBytes)} are in use`;
  const limit =
    memoryBytes === null
      ? `80 % of the ${mib(freeBytes)} that are free`
      : `\`engine.memoryBytes\` of ${mib(memoryBytes)}${used}`;
  const more = memoryBytes === null ? 'end other programs' : 'a larger `engine.memoryBytes`';
  const rest =
    usedBytes === 0
      ? ''
      : ` Models in use take ${mib(usedBytes)}; try again when they are idle, for then they make room.`;
  return new LimitError(
    'engine.memoryBytes',
    Math.max(0, budget),
    `Model '${id}' needs ${mib(weightBytes)} for weights${kv} plus ${mib(WORK_SPACE)} of work space, more than ${limit}. ` +
      `Use a smaller model or quantisation, a shorter \`engine.context\`, \`engine.kvType\` q8_0 or q4_0, or ${more}.${rest}`,
    { status: 503, details: { weightBytes, kvBytes, budgetBytes: Math.max(0, budget) } },
  );
}

/**
 * Bytes that may be used now. In a container the limit of its control group counts. macOS reports only untouched
 * pages as free, which is little on any machine that has been up for a while; there half of the memory counts instead.
 */
export function freeMemory(): number {
  const available = process.availableMemory();
  return process.platform === 'darwin' ? Math.max(available, totalmem() / 2) : available;
}
