/**
 * Opens what computes a text model: one runner for the blocks that were asked for, or the two ends of a model whose
 * other blocks are elsewhere.
 *
 * @module engine/process/text-runner
 */
import { InputError, throwIfAborted } from '../../base/index.ts';
import {
  type BlockRange,
  createPathRunner,
  type ModelPlan,
  openRunner,
  planModel,
  type Runner,
} from '../runner/index.ts';
import type { Elsewhere } from '../types.ts';
import type { KithModelInput } from './kith-model.ts';
import { type MemoryPlan, planMemory } from './plan.ts';

/** Rows of a piece: 64 to 128 use a processor to 95 % and more (measured), and fewer fill a path sooner. */
const PIECE_ROWS = 128;
/** Pieces of one prompt under way at once, at most. */
const PIECES = 8;

/** What is known before anything is allocated. */
export interface TextPlan {
  readonly shapes: readonly ModelPlan[];
  /** All blocks, here or elsewhere. */
  readonly range: BlockRange;
  readonly hyper: ModelPlan['hyper'];
  /** Prompt rows of one turn. */
  readonly prefillChunk: number;
}

/** @throws KithError `architecture_unsupported`, `model_invalid`; InputError `range_invalid` */
export function planText({ gguf, options, request }: KithModelInput): TextPlan {
  const { elsewhere } = request;
  const plan = (range?: BlockRange) => planModel(gguf, range, options.kvType, options.context);
  if (elsewhere === undefined) {
    const shape = plan(request.range);
    return {
      shapes: [shape],
      range: shape.range,
      hyper: shape.hyper,
      prefillChunk: options.prefillChunk,
    };
  }
  const { from, to } = elsewhere;
  const { hyper } = plan({ from: 0, to: 0, embed: true, head: false });
  if (to > hyper.blocks)
    throw new InputError('range_invalid', `Blocks [${from}, ${to}) are not in a model of ${hyper.blocks}.`, {
      param: 'elsewhere',
    });
  return {
    shapes: [
      plan({ from: 0, to: from, embed: true, head: false }),
      plan({ from: to, to: hyper.blocks, embed: false, head: true }),
    ],
    range: { from: 0, to: hyper.blocks, embed: true, head: true },
    hyper,
    prefillChunk: Math.max(options.prefillChunk, PIECES * pieceRowsOf(elsewhere)),
  };
}

const pieceRowsOf = ({ pieceRows = PIECE_ROWS }: Elsewhere) => pieceRows;

export async function openTextRunner(
  input: KithModelInput,
  text: TextPlan,
): Promise<{ runner: Runner; plan: MemoryPlan }> {
  const { request, options } = input;
  const { elsewhere } = request;
  const sum = (of: (shape: ModelPlan) => number) => text.shapes.reduce((all, shape) => all + of(shape), 0);
  const plan = planMemory({
    ...input,
    id: request.id,
    contextTrained: Math.min(text.hyper.context, elsewhere?.kvCells ?? Number.POSITIVE_INFINITY),
    weightBytes: sum((shape) => shape.weightBytes),
    kvBytesPerCell: sum((shape) => shape.kvBytesPerCell),
    // The cells of all blocks are the same ones.
    options: elsewhere === undefined ? options : { ...options, kvCells: elsewhere.kvCells },
  });
  throwIfAborted(input.signal);
  const open = async (shape: ModelPlan, maxRows: number, onProgress: KithModelInput['onProgress']) =>
    watched(
      await openRunner(input.compute, {
        gguf: input.gguf,
        source: input.source,
        range: shape.range,
        kvCells: plan.kvCells,
        kvType: options.kvType,
        context: plan.context,
        maxRows,
        onProgress,
      }),
      input,
    );
  // A full prompt chunk beside every other sequence's next token.
  const maxRows = text.prefillChunk + options.maxActive;
  if (elsewhere === undefined)
    return { runner: await open(text.shapes[0]!, maxRows, input.onProgress), plan };
  const pieceRows = pieceRowsOf(elsewhere);
  const [low, high] = text.shapes as [ModelPlan, ModelPlan];
  const total = low.weightBytes + high.weightBytes;
  const lower = await open(low, pieceRows, (done) => input.onProgress(done, total));
  try {
    const upper = await open(high, pieceRows, (done) => input.onProgress(low.weightBytes + done, total));
    const { kvCells } = elsewhere;
    return {
      runner: createPathRunner({ lower, upper, carry: input.carry, kvCells, pieceRows, maxRows }),
      plan,
    };
  } catch (error) {
    await lower[Symbol.asyncDispose]();
    throw error;
  }
}

/** Passes of this machine stand under hang detection; a path's take as long as its peers do. */
function watched(opened: Runner, { watchPass }: KithModelInput): Runner {
  return {
    info: opened.info,
    kvRows: opened.kvRows ?? null,
    forward: (parts, passOptions) => watchPass(() => opened.forward(parts, passOptions)),
    interrupt: () => opened.interrupt?.(),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
