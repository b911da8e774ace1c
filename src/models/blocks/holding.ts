/**
 * What this disk has of a model: the whole, or verified tensors in `blocks.gguf`.
 *
 * @module models/blocks/holding
 */
import { stat } from 'node:fs/promises';
import { tensorsOf } from '../gguf/slice.ts';
import type { StoreContext } from '../store/obtain.ts';
import { fingerprint, readFileState } from '../store/on-disk.ts';
import type { ModelManifest } from '../types.ts';
import { knownList, makeList } from './known-lists.ts';
import type { Section, TensorList } from './list.ts';
import { flagsOf } from './note.ts';
import type { Holding, PartialBlocks } from './types.ts';

type Context = Pick<StoreContext, 'layout' | 'log'>;

/** Null when nothing of it is here. Makes the list of a whole model where none is known. */
export async function holdingOf(
  context: Context,
  manifest: ModelManifest,
  signal?: AbortSignal,
): Promise<Holding | null> {
  const whole = await readFileState(context.layout, manifest);
  if (whole === null || whole.verifiedAt === null) return await partialOf(context, manifest);
  const list = await makeList(context, manifest, { signal });
  if (list === null) return null;
  return { path: context.layout.model(manifest.id), list, has: list.sections.map(() => true) };
}

/** The verified sections of `blocks.gguf`, by its note; null when there are none. */
export async function partialOf(context: Context, manifest: ModelManifest): Promise<Holding | null> {
  const { layout } = context;
  const note = await layout.blockNotes.read(layout.blocksNote(manifest.id)).catch(() => null);
  if (note === null || note.model !== manifest.sha256) return null;
  const list = await knownList(context, manifest);
  if (list === null || list.root !== note.list) return null;
  const path = layout.blocks(manifest.id);
  const now = await fingerprint(path);
  // While more is fetched its times change, but it stays the same file.
  if (now === null || now.inode !== note.file.inode || Number(now.bytes) !== list.bytes) return null;
  const has = flagsOf(note.sections, list.sections.length);
  return has.includes(true) ? { path, list, has } : null;
}

export function describeHolding({ list, has }: Holding, blocks: number): PartialBlocks {
  const [, ...tensors] = list.sections;
  const there = new Set(list.sections.filter((_, i) => has[i]));
  const complete = (wanted: readonly Section[]) => wanted.length > 0 && wanted.every((one) => there.has(one));
  const spans: { from: number; to: number }[] = [];
  for (let block = 0; block < blocks; block += 1) {
    if (!complete(tensorsOf(tensors, blocks, { from: block, to: block + 1 }))) continue;
    const last = spans.at(-1);
    if (last?.to === block) last.to = block + 1;
    else spans.push({ from: block, to: block + 1 });
  }
  return {
    spans,
    embedding: complete(tensorsOf(tensors, blocks, { from: 0, to: 0, embedding: true })),
    head: complete(tensorsOf(tensors, blocks, { from: 0, to: 0, head: true })),
    bytes: bytesOf(list, has),
  };
}

function bytesOf({ sections }: TensorList, has: readonly boolean[]): number {
  return sections.reduce((sum, { bytes }, i) => sum + (has[i] ? bytes : 0), 0);
}

/** Bytes that deleting a sparse file gives back: its blocks, not its length. */
export async function sparseBytes(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  if (info === null) return 0;
  // Windows does not say.
  return typeof info.blocks === 'number' && info.blocks > 0 ? Math.min(info.size, info.blocks * 512) : 0;
}
