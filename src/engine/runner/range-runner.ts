/**
 * `Runner` over ggml: blocks [from, to) of one model, optionally with the embedding and the head. A whole model is
 * the range that covers all blocks.
 *
 * @module engine/runner/range-runner
 */
import { KithError } from '../../base/index.ts';
import type { Compute } from '../ggml/compute.ts';
import { checkParts } from './check.ts';
import { type BuiltGraph, buildGraph, type GraphShape, type RangeModel } from './graph.ts';
import { createGraphCache } from './graph-cache.ts';
import { createKvRows } from './kv-rows.ts';
import { fillMask } from './masks.ts';
import {
  type ForwardOptions,
  type ForwardPart,
  type ForwardResult,
  type Runner,
  type RunnerInfo,
  wantedRows,
} from './types.ts';

/** Attention length grows in these steps, so that a graph serves many tokens. */
const KV_STEP = 256;
/**
 * A pass that took less than this last time is computed on the calling thread: handing it to another thread and back
 * costs 0.05 to 0.1 ms, a tenth of a small model's token (measured). Longer passes leave the event loop free.
 */
const INLINE_MS = 20;
/** `enum ggml_status`. */
const STATUS_OK = 0;
const STATUS_ABORTED = 1;
/** Graphs kept: decode and prefill alternate, and batches change size as requests come and go. */
const GRAPHS_KEPT = 6;
/** Bytes of intermediate results that graphs at rest may hold together. */
const BYTES_KEPT = 48 << 20;

export function createRangeRunner(compute: Compute, model: RangeModel, info: RunnerInfo): Runner {
  const { call } = compute.ggml;
  const { hyper } = model;
  const graphs = createGraphCache<BuiltGraph>({ graphs: GRAPHS_KEPT, bytes: BYTES_KEPT });
  let disposed = false;
  /** A pass of this runner is on another thread. */
  let computing = false;
  // Inputs of a pass; reused, since a pass runs alone.
  let maskScratch = new Uint16Array(0);
  let rowScratch = new Float32Array(0);
  const lastMs = new WeakMap<BuiltGraph, number>();

  function graphFor(shape: GraphShape): BuiltGraph {
    return graphs.get(
      ({ shape: s }) =>
        s.rows === shape.rows &&
        s.kvLength === shape.kvLength &&
        s.outputs === shape.outputs &&
        s.from === shape.from &&
        sameLengths(s.each, shape.each) &&
        s.to === shape.to,
      () => buildGraph(compute, model, shape),
    );
  }

  function setInputs(graph: BuiltGraph, parts: readonly ForwardPart[]): void {
    const { rows, kvLength } = graph.shape;
    const set = (tensor: bigint, data: ArrayBufferView) =>
      call.ggml_backend_tensor_set(tensor, data, 0, data.byteLength);
    const positions = new Int32Array(rows);
    const cells = new BigInt64Array(rows);
    const wanted: number[] = [];
    let row = 0;
    for (const part of parts) {
      for (let i = 0; i < part.count; i++) {
        positions[row + i] = part.start + i;
        cells[row + i] = BigInt(part.cells[part.start + i] ?? 0);
        if (i >= part.count - wantedRows(part)) wanted.push(row + i);
      }
      row += part.count;
    }
    if (graph.ids !== null)
      set(
        graph.ids,
        joinInto(new Int32Array(rows), parts, (part) => part.tokens!),
      );
    if (graph.hidden !== null) {
      set(
        graph.hidden,
        joinInto(new Float32Array(rows * hyper.embedding), parts, (part) => part.hidden!),
      );
    }
    if (graph.positions !== null) set(graph.positions, positions);
    if (graph.cells !== null) set(graph.cells, cells);
    if (graph.outputRows !== null) set(graph.outputRows, Int32Array.from(wanted));
    for (const [tensor, window] of [
      [graph.mask, null],
      [graph.maskWindowed, hyper.window],
    ] as const) {
      if (tensor === null) continue;
      if (maskScratch.length < rows * kvLength) maskScratch = new Uint16Array(rows * kvLength);
      const mask = maskScratch.subarray(0, rows * kvLength);
      fillMask(mask, kvLength, parts, window);
      set(tensor, mask);
    }
  }

  function scratch(length: number): Float32Array {
    if (rowScratch.length < length) rowScratch = new Float32Array(length);
    return rowScratch.subarray(0, length);
  }

  async function run(graph: BuiltGraph): Promise<unknown> {
    const inline = (lastMs.get(graph) ?? Number.POSITIVE_INFINITY) < INLINE_MS;
    const from = performance.now();
    if (inline) {
      const status = call.ggml_backend_sched_graph_compute(graph.scheduler, graph.graph);
      lastMs.set(graph, performance.now() - from);
      return status;
    }
    compute.abortSwitch?.set(false);
    computing = true;
    try {
      const status = await compute.ggml.async(
        'ggml_backend_sched_graph_compute',
        graph.scheduler,
        graph.graph,
      );
      if (status === STATUS_OK) lastMs.set(graph, performance.now() - from);
      return status;
    } finally {
      computing = false;
      compute.abortSwitch?.set(false);
    }
  }

  const attendedCells = (used: number): number =>
    Math.min(info.kvCells, Math.ceil(Math.max(1, used) / KV_STEP) * KV_STEP);

  /** Cells that each row would attend to in a pass of its own. */
  function lengthsOf(parts: readonly ForwardPart[]): number[] {
    if (model.kv === null) return parts.flatMap(({ count }) => new Array<number>(count).fill(0));
    return parts.flatMap(({ cells, start, count }) => {
      let highest = -1;
      for (let p = 0; p < start; p++) highest = Math.max(highest, cells[p]!);
      return Array.from({ length: count }, (_, i) => {
        highest = Math.max(highest, cells[start + i]!);
        return attendedCells(highest + 1);
      });
    });
  }

  /** Where nothing is known of the device's rounding, a pass for each row. */
  async function oneByOne(parts: readonly ForwardPart[], options: ForwardOptions): Promise<ForwardResult> {
    const results: Float32Array[] = [];
    let width = 0;
    for (const part of parts) {
      for (let i = 0; i < part.count; i++) {
        const single = await forward(
          [
            {
              cells: part.cells,
              start: part.start + i,
              count: 1,
              tokens: part.tokens?.subarray(i, i + 1) ?? null,
              hidden: part.hidden?.subarray(i * hyper.embedding, (i + 1) * hyper.embedding) ?? null,
              outputs: i >= part.count - wantedRows(part) ? 'last' : 'none',
            },
          ],
          { ...options, transient: false },
        );
        width = single.width;
        results.push(single.rows);
      }
    }
    const rows = new Float32Array(results.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const result of results) {
      rows.set(result, at);
      at += result.length;
    }
    return { rows, count: rows.length / width, width };
  }

  async function forward(
    parts: readonly ForwardPart[],
    options: ForwardOptions = {},
  ): Promise<ForwardResult> {
    const { from, to } = options.span ?? model;
    if (!(from >= model.from && to <= model.to && (from < to || options.span === undefined)))
      throw new KithError('forward_invalid', `Blocks [${from}, ${to}) are not those of the runner.`, {
        status: 400,
      });
    const { rows, outputs, each, cellsUsed } = checkParts(parts, info);
    if (each && rows > 1 && model.singleRows === null) return oneByOne(parts, options);
    const width = model.heads ? info.vocab : info.embedding;
    return compute.exclusive(async () => {
      if (disposed) throw new KithError('runner_closed', 'The model was unloaded.', { status: 503 });
      const kvLength = model.kv === null ? 0 : attendedCells(cellsUsed);
      model.kv?.ensure(kvLength);
      const alone = each && rows > 1;
      const graph = graphFor({ from, to, rows, kvLength, outputs, each: alone ? lengthsOf(parts) : null });
      setInputs(graph, parts);
      const status = await run(graph);
      if (status === STATUS_ABORTED) {
        throw new KithError('forward_interrupted', 'The pass was interrupted.', { status: 499 });
      }
      if (status !== STATUS_OK) {
        throw new KithError('compute_failed', `The engine's device failed with status ${String(status)}.`, {
          status: 500,
        });
      }
      const result =
        options.transient === true ? scratch(outputs * width) : new Float32Array(outputs * width);
      if (graph.output !== null && outputs > 0) {
        call.ggml_backend_tensor_get(graph.output, result, 0, result.byteLength);
      }
      return { rows: result, count: outputs, width };
    });
  }

  return {
    info,
    kvRows:
      model.kv === null
        ? null
        : createKvRows(compute, model.kv, {
            k: hyper.kvHeads * hyper.headDim,
            v: hyper.kvHeads * hyper.headDimV,
          }),
    forward,
    interrupt() {
      if (computing) compute.abortSwitch?.set(true);
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      await compute.exclusive(async () => {
        graphs[Symbol.dispose]();
        model.kv?.[Symbol.dispose]();
        model.weights[Symbol.dispose]();
      });
    },
  };
}

const sameLengths = (a: readonly number[] | null, b: readonly number[] | null): boolean =>
  a === b || (a !== null && b !== null && a.length === b.length && a.every((value, i) => value === b[i]));

function joinInto<T extends Int32Array | Float32Array>(
  target: T,
  parts: readonly ForwardPart[],
  pick: (part: ForwardPart) => T,
): T {
  let at = 0;
  for (const part of parts) {
    const piece = pick(part);
    target.set(piece, at);
    at += piece.length;
  }
  return target;
}
