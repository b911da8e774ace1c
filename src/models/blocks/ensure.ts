/**
 * Brings the tensors of a block range here, each checked by its own sha256. Callers hold the model's lock.
 *
 * @module models/blocks/ensure
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { AbortedError, isKithError, type KithError } from '../../base/index.ts';
import { digestFiles } from '../disk/digest.ts';
import { type BlockRange, fileSource, readGguf } from '../gguf/index.ts';
import { coalesce, tensorsOf } from '../gguf/slice.ts';
import { type Io, place, type StoreContext } from '../store/obtain.ts';
import { fingerprint, writeManifest } from '../store/on-disk.ts';
import type { ModelManifest } from '../types.ts';
import { noList, notHere, unobtainable } from './errors.ts';
import { sourceProvider } from './from-source.ts';
import { partialOf } from './holding.ts';
import { keepList, knownList } from './known-lists.ts';
import { checkHeader, type TensorList } from './list.ts';
import { PartialFile, type PartialPaths } from './partial-file.ts';
import { isUntouched } from './recover.ts';
import type { BlockProvider, BlockSink, EnsureBlocksOptions, EnsuredBlocks } from './types.ts';

interface Tally {
  requests: number;
  bytes: number;
  readonly sources: Set<string>;
}

/**
 * @throws InputError `gguf_block_range`, `tensor_list_mismatch`, `tensor_list_invalid`; KithError `tensor_list_missing`,
 * `model_not_installed` (something is missing and nothing may be fetched), `blocks_unobtainable`, `disk_full`
 */
export async function ensureRange(
  context: StoreContext,
  manifest: ModelManifest,
  range: BlockRange,
  options: EnsureBlocksOptions & { readonly download: boolean },
  io: Io,
): Promise<EnsuredBlocks> {
  const { id } = manifest;
  const { layout } = context;
  const list = await listFor(context, manifest, options, io);
  const paths: PartialPaths = { file: layout.blocks(id), note: layout.blocksNote(id) };
  const indices = sectionsOf(list, manifest, range);
  const tally: Tally = { requests: 0, bytes: 0, sources: new Set() };
  const result = { manifest, sources: [] as string[] };
  {
    io.meter.start('verify', null);
    const onHash = (bytes: number) => io.meter.at(bytes);
    await using file = await PartialFile.open(paths, list, { signal: io.signal, onHash });
    await writeManifest(layout, manifest);
    const missing = file.missing(indices);
    if (missing.length > 0) {
      const bytes = missing.reduce((sum, i) => sum + file.section(i).bytes, 0);
      await context.requireSpace(paths.file, bytes);
      await fetchInto(context, manifest, file, indices, options, io, tally);
      await readable(file, list, io.signal);
    }
    result.sources.push(...tally.sources);
    if (!file.has.every((there) => there))
      return { ...result, path: file.path, fetchedBytes: tally.bytes, requests: tally.requests };
  }
  const path = await promote(context, manifest, paths, io);
  return { ...result, path, fetchedBytes: tally.bytes, requests: tally.requests };
}

/**
 * The path of the file that has all of the range, when its note says so and the file is as it was then. Needs no lock.
 *
 * @throws InputError `gguf_block_range`
 */
export async function presentBlocks(
  context: StoreContext,
  manifest: ModelManifest,
  range: BlockRange,
): Promise<string | null> {
  const { layout } = context;
  const holding = await partialOf(context, manifest);
  if (holding === null) return null;
  const { list, has, path } = holding;
  if (!sectionsOf(list, manifest, range).every((index) => has[index])) return null;
  const note = await layout.blockNotes.read(layout.blocksNote(manifest.id)).catch(() => null);
  const now = await fingerprint(path);
  return note !== null && now !== null && isUntouched(note, now) ? path : null;
}

/** Indices of the header and of the tensors of a range, ascending. */
function sectionsOf({ sections }: TensorList, { blocks }: ModelManifest, range: BlockRange): number[] {
  const wanted = new Set(tensorsOf(sections.slice(1), blocks, range));
  return sections.flatMap((section, i) => (i === 0 || wanted.has(section) ? [i] : []));
}

async function listFor(
  context: StoreContext,
  manifest: ModelManifest,
  { list, providers = [] }: EnsureBlocksOptions,
  { signal }: Io,
): Promise<TensorList> {
  if (list !== undefined) {
    await keepList(context, manifest, list);
    return (await knownList(context, manifest)) ?? list;
  }
  const known = await knownList(context, manifest);
  if (known !== null) return known;
  for (const provider of providers) {
    const given = await provider.list?.(manifest.sha256, signal);
    if (given === null || given === undefined) continue;
    await keepList(context, manifest, given);
    return given;
  }
  throw noList(manifest);
}

async function fetchInto(
  context: StoreContext,
  manifest: ModelManifest,
  file: PartialFile,
  indices: readonly number[],
  options: EnsureBlocksOptions & { readonly download: boolean },
  io: Io,
  tally: Tally,
): Promise<void> {
  const failures: KithError[] = [];
  const places = await providersOf(context, manifest, options);
  if (places.length === 0) throw notHere(manifest, file.missing(indices).length, options.download);
  for (const provider of places) {
    const missing = file.missing(indices);
    if (missing.length === 0) break;
    await file.want(missing);
    const sections = missing.map((i) => file.section(i));
    const total = coalesce(sections).reduce((sum, { length }) => sum + length, 0);
    const start = tally.bytes;
    io.meter.start('download', total);
    let isMore = false;
    const sink = sinkOf(file, tally, (bytes) => {
      const fetched = bytes - start;
      // A source that cannot be read from the middle gives more than is wanted: how much is not known.
      if (fetched > total && !isMore) io.meter.start('download', null, fetched);
      isMore ||= fetched > total;
      io.meter.at(fetched);
    });
    try {
      await provider.fetch({ list: file.list, sections, sink, signal: io.signal });
    } catch (error) {
      const fatal = !isKithError(error) || error instanceof AbortedError || error.code === 'disk_full';
      if (fatal) throw error;
      context.log.warn(`Not all blocks of ${manifest.id} came from ${provider.name}.`, {
        code: error.code,
        message: error.logged,
      });
      failures.push(error);
    } finally {
      sink.close();
      await file.settle();
    }
    io.meter.flush();
  }
  const left = file.missing(indices).length;
  if (left > 0) throw unobtainable(manifest, left, failures);
}

async function providersOf(
  { sources }: StoreContext,
  manifest: ModelManifest,
  { providers = [], download }: EnsureBlocksOptions & { readonly download: boolean },
): Promise<BlockProvider[]> {
  const places: BlockProvider[] = [];
  const remote: BlockProvider[] = [];
  for (const source of manifest.sources) {
    const provider = sourceProvider(source, sources);
    if (provider === null) continue;
    const here = await Promise.all(source.parts.map((uri) => sources.for(uri).isLocal(uri)));
    if (here.every((local) => local)) places.push(provider);
    else if (download) remote.push(provider);
  }
  return [...places, ...providers, ...remote];
}

function sinkOf(file: PartialFile, tally: Tally, onBytes: (bytes: number) => void) {
  let open = true;
  const sink: BlockSink & { close(): void } = {
    async write(offset, bytes, from) {
      // One who was given up may still have bytes on their way.
      if (!open) throw new AbortedError('Nothing more is taken from this provider.');
      const done = await file.write(offset, bytes, from);
      if (done.length > 0) tally.sources.add(from);
    },
    count(requests, bytes) {
      tally.requests += requests;
      tally.bytes += bytes;
      onBytes(tally.bytes);
    },
    close() {
      open = false;
    },
  };
  return sink;
}

/** The header that came is read once, so that nobody meets a list of other tensors than the file's later. */
async function readable(file: PartialFile, list: TensorList, signal: AbortSignal): Promise<void> {
  await using source = await fileSource(file.path);
  checkHeader(list, await readGguf(source, { signal }));
}

/** All tensors are here: when the rest of the file is right too, it is the whole model from now on. */
async function promote(
  context: StoreContext,
  manifest: ModelManifest,
  paths: PartialPaths,
  { meter, signal }: Io,
): Promise<string> {
  const { layout } = context;
  meter.start('verify', manifest.bytes);
  const { hex } = await digestFiles([paths.file], { signal, onBytes: meter.at });
  meter.flush();
  // Bytes between tensors may be something else than zeros: no tensor needs them.
  if (hex !== manifest.sha256) return paths.file;
  await mkdir(layout.partial, { recursive: true });
  await rename(paths.file, layout.part(manifest.id));
  await place(context, manifest);
  await rm(paths.note, { force: true });
  return layout.model(manifest.id);
}
