/**
 * What this machine can give to blocks of a model: memory, KV cells, the time of a block. Measured where it was measured,
 * reckoned from other models otherwise.
 *
 * @module node/shards/machine
 */
import { type Config, isKithError } from '../../base/index.ts';
import type { Engine } from '../../engine/index.ts';
import { fileSource, type ModelManifest, type ModelStore, readGguf } from '../../models/index.ts';
import type { CalibrationsView } from '../../server/index.ts';
import {
  type BlockSpan,
  type ModelShape,
  type NodeMeans,
  roughShape,
  shapeOfHeader,
  shapeOfList,
  UNKNOWN_BLOCK_MS,
} from '../../shards/index.ts';

export interface MachineParts {
  readonly config: Config;
  readonly engine: Pick<Engine, 'models' | 'devices' | 'state'>;
  readonly models: Pick<ModelStore, 'holding' | 'tensorList' | 'get'>;
}

/** Work space of the engine beside weights and cells, bytes; a measure of size, as the engine's own. */
const WORK_SPACE = 64 << 20;
/** Of what is free. */
const SHARE = 0.8;
/** KV cells that blocks are chosen with when no setting says how many. */
const CELLS = 4096;

/** Bytes that weights and KV cells of more blocks may take now. */
export async function memoryBudget({ config, engine }: Omit<MachineParts, 'models'>): Promise<number> {
  const { memoryBytes } = config.engine;
  if (memoryBytes !== null) {
    const used = engine.models().reduce((sum, one) => sum + one.weightBytes + one.kvBytes, 0);
    return Math.max(0, memoryBytes - used - WORK_SPACE);
  }
  let free = process.availableMemory();
  if (engine.state().pid !== null) {
    const { active, devices } = await engine.devices();
    const gpu = devices.find(({ name, kind }) => name === active && kind === 'gpu');
    if (gpu !== undefined) free = gpu.memoryFree;
  }
  return Math.max(0, Math.floor(free * SHARE) - WORK_SPACE);
}

/** Cells that a range is to lend. */
export function cellsWanted({ shards, engine }: Config, context: number): number {
  return shards.cells ?? engine.kvCells ?? Math.max(256, Math.min(CELLS, context));
}

/** Exact where the header is on this disk. */
export async function shapeOf(parts: MachineParts, manifest: ModelManifest): Promise<ModelShape> {
  const { kvType } = parts.config.engine;
  const { path } = await parts.models.get(manifest.id);
  const holding = path === null ? await parts.models.holding(manifest.sha256).catch(ignored) : null;
  const file = path ?? (holding?.has[0] ? holding.path : null);
  if (file !== null) {
    await using source = await fileSource(file);
    const exact = shapeOfHeader(await readGguf(source), manifest.blocks, kvType);
    if (exact !== undefined) return exact;
  }
  const list = holding?.list ?? (await parts.models.tensorList(manifest.id).catch(ignored));
  return (list && shapeOfList(list, manifest, kvType)) ?? roughShape(manifest, kvType);
}

/** Blocks that are on this disk. */
export async function blocksOnDisk(parts: MachineParts, manifest: ModelManifest): Promise<BlockSpan[]> {
  const { path, blocks } = await parts.models.get(manifest.id);
  return path !== null ? [{ from: 0, to: manifest.blocks }] : [...(blocks?.spans ?? [])];
}

/** What is not there, or not yet known, is reckoned; a program's fault is not. */
function ignored(error: unknown): null {
  if (isKithError(error)) return null;
  throw error;
}

/** ms of a token in a block: of the model, else by the bytes of a block of another one, else unknown. */
export function msPerBlockOf(
  { models }: CalibrationsView,
  sha256: string,
  { blockBytes }: ModelShape,
  ownMs: number | null,
): number {
  const measured = models.find(({ model }) => model === sha256);
  if (measured !== undefined) return measured.msPerBlock;
  if (ownMs !== null) return ownMs;
  const [other] = models;
  if (other === undefined) return UNKNOWN_BLOCK_MS;
  const mean = blockBytes.reduce((sum, bytes) => sum + bytes, 0) / blockBytes.length;
  return (other.msPerBlock * mean) / other.blockBytes;
}

/** What this node would give to blocks of the model. `ownMs`: of a block that it serves now, measured; null: none. */
export async function meansFor(
  parts: MachineParts,
  self: string,
  manifest: ModelManifest,
  calibrations: CalibrationsView,
  ownMs: number | null = null,
): Promise<{ readonly model: ModelShape; readonly node: NodeMeans }> {
  const model = await shapeOf(parts, manifest);
  return {
    model,
    node: {
      self,
      memoryBytes: await memoryBudget(parts),
      cells: cellsWanted(parts.config, manifest.context),
      msPerBlock: msPerBlockOf(calibrations, manifest.sha256, model, ownMs),
      onDisk: await blocksOnDisk(parts, manifest),
    },
  };
}
