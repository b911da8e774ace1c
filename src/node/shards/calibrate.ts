/**
 * Measures what blocks of a model cost on this machine: tokens alone and together, prompts, loading. Needs some of its blocks on the
 * disk, not the whole model.
 *
 * @module node/shards/calibrate
 */
import type { Clock, Random } from '../../base/index.ts';
import type { CellLease, Engine } from '../../engine/index.ts';
import type { ModelManifest, ModelStore } from '../../models/index.ts';
import type { CalibrationView } from '../../server/index.ts';
import type { BlockSpan } from '../../shards/index.ts';
import { blocksOnDisk, cellsWanted, type MachineParts, memoryBudget, shapeOf } from './machine.ts';
import { textModel } from './text-model.ts';

export interface CalibrateParts extends MachineParts {
  readonly engine: Pick<Engine, 'load' | 'unload' | 'lease' | 'models' | 'devices' | 'state'>;
  readonly models: Pick<ModelStore, 'get' | 'holding' | 'tensorList' | 'ensureBlocks'>;
  readonly clock: Clock;
  /** Names the blocks in the engine, so that two measurements do not meet. */
  readonly random: Random;
}

/** Blocks that are loaded to be measured: enough that a pass is more than its beginning. */
const SAMPLE = 4;
const TOGETHER = [1, 4, 8, 16] as const;
const PROMPT_ROWS = 128;
const CONTEXT_ROWS = 16;
/** Measurements of each kind, after those that bring pages and graphs into being. */
const ROUNDS = 15;
const PROMPT_ROUNDS = 4;
const WARM = 3;
const SESSION_CELLS = CONTEXT_ROWS + WARM + ROUNDS;

/**
 * @throws InputError `model_not_found`, `wrong_model_task`; KithError `model_not_installed` when no block is on the disk,
 * `engine.memoryBytes` when not even the sample fits
 */
export async function calibrate(
  parts: CalibrateParts,
  model: string,
  signal: AbortSignal,
): Promise<CalibrationView> {
  const { engine, models, clock } = parts;
  const manifest = await textModel(models, model);
  const span = await sampleOf(parts, manifest);
  const { path } = await models.ensureBlocks(model, span, { download: false, signal });
  const id = `calibrate ${manifest.sha256.slice(0, 16)} ${parts.random.uint32().toString(36)}`;
  const count = span.to - span.from;
  const range = { ...span, embed: false, head: false };
  const loaded = await engine.load({ id, path, range }, { signal });
  let figures: Omit<CalibrationView, 'fitting' | 'cells' | 'model' | 'modelId' | 'at' | 'threads'>;
  try {
    const together: { rows: number; ms: number }[] = [];
    // As many as the cells that the owner gives have room for.
    const most = Math.floor(loaded.kvCells / SESSION_CELLS);
    for (const rows of TOGETHER.filter((count) => count <= Math.max(1, most)))
      together.push({ rows, ms: (await tokensMs(parts, id, loaded.embedding, rows, signal)) / count });
    figures = {
      device: loaded.device,
      blocks: [span.from, span.to],
      blockBytes: loaded.weightBytes / count,
      msPerBlock: together[0]!.ms,
      promptRowsPerSecond: (await promptRate(parts, id, loaded.embedding, signal)) * count,
      together,
      loadMsPerBlock: loaded.loadMs / count,
    };
  } finally {
    await engine.unload(id);
  }
  const shape = await shapeOf(parts, manifest);
  const cells = cellsWanted(parts.config, manifest.context);
  let left = await memoryBudget(parts);
  let fitting = 0;
  for (const bytes of shape.blockBytes) {
    left -= bytes + cells * shape.kvBytesPerCell;
    if (left < 0) break;
    fitting++;
  }
  const { threads } = await engine.devices(signal);
  return {
    ...figures,
    model: manifest.sha256,
    modelId: manifest.id,
    at: clock.now(),
    threads,
    fitting,
    cells,
  };
}

/** Some blocks that are on the disk; the first ones where none is, so that who gets them says what is missing. */
async function sampleOf(parts: MachineParts, manifest: ModelManifest): Promise<BlockSpan> {
  const held = await blocksOnDisk(parts, manifest);
  const [longest] = held.toSorted((a, b) => b.to - b.from - (a.to - a.from));
  const { from, to } = longest ?? { from: 0, to: manifest.blocks };
  return { from, to: Math.min(to, from + SAMPLE) };
}

const rowsOf = (count: number, width: number) =>
  Float32Array.from({ length: count * width }, (_, i) => Math.sin(i));

function step(lease: CellLease, width: number, start: number, count: number, signal: AbortSignal) {
  const cells = Int32Array.from({ length: count }, (_, i) => start + i);
  return lease.step(
    [{ start, count, after: start - 1, cells, outputs: 'all' }],
    rowsOf(count, width),
    signal,
  );
}

/** ms of a token of each of `sessions` sessions at once. */
async function tokensMs(
  { engine, clock }: CalibrateParts,
  id: string,
  width: number,
  sessions: number,
  signal: AbortSignal,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const leases: CellLease[] = [];
  for (let i = 0; i < sessions; i++) {
    const options = { holder: `calibrate ${i}`, signal };
    leases.push(stack.use(await engine.lease(id, SESSION_CELLS, options)));
  }
  await Promise.all(leases.map((lease) => step(lease, width, 0, CONTEXT_ROWS, signal)));
  const times: number[] = [];
  for (let round = 0; round < WARM + ROUNDS; round++) {
    const begun = clock.monotonic();
    await Promise.all(leases.map((lease) => step(lease, width, CONTEXT_ROWS + round, 1, signal)));
    if (round >= WARM) times.push(clock.monotonic() - begun);
  }
  return medianOf(times);
}

/** Rows of a prompt a second. */
async function promptRate(
  { engine, clock }: CalibrateParts,
  id: string,
  width: number,
  signal: AbortSignal,
): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round <= PROMPT_ROUNDS; round++) {
    await using lease = await engine.lease(id, PROMPT_ROWS, { signal });
    const rows = Math.min(PROMPT_ROWS, lease.terms.maxRows);
    const begun = clock.monotonic();
    await step(lease, width, 0, rows, signal);
    if (round > 0) rates.push((rows / (clock.monotonic() - begun)) * 1000);
  }
  return medianOf(rates);
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
