/**
 * Brings a model's bytes into place: from its sources, through the converter where they are not the GGUF, checked,
 * then moved in one step. Callers hold the model's lock.
 *
 * @module models/store/obtain
 */

import { link as hardLink, mkdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  AbortedError,
  type Clock,
  InputError,
  isErrno,
  isKithError,
  KithError,
  type Logger,
  type requireDiskSpace,
  syncFolder,
  writeError,
  writeFileAtomic,
} from '../../base/index.ts';
import { digestFiles } from '../disk/digest.ts';
import { fileSource, readGguf } from '../gguf/index.ts';
import { describeModel, type ModelFacts } from '../manifest/describe.ts';
import type { SourceRegistry } from '../sources/source.ts';
import { baseName } from '../sources/uri.ts';
import type { ModelManifest, ModelSource, Progress } from '../types.ts';
import { notInstalled } from './errors.ts';
import { discardPart, fetchParts } from './fetch.ts';
import type { Layout } from './layout.ts';
import type { Meter } from './meter.ts';
import { bytesOf, writeManifest, writeVerified } from './on-disk.ts';

/** Turns other formats into GGUF and says what they were: the import room's `importModel`. */
export type Convert = (job: {
  /** A file, or a folder with the weights and their companions. */
  readonly input: string;
  readonly output: string;
  /** Goes into the file (`general.name`), so a given sha256 holds for a given name only. */
  readonly name: string;
  readonly quantisation: NonNullable<ModelSource['convert']>['quantisation'];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}) => Promise<{ readonly kind?: NonNullable<ModelSource['convert']>['from'] } | undefined>;

export interface StoreContext {
  readonly layout: Layout;
  readonly sources: SourceRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly requireSpace: typeof requireDiskSpace;
  readonly convert: Convert;
}

export interface Io {
  readonly meter: Meter;
  readonly signal: AbortSignal;
}

export interface Expected {
  /** Name of the model, for conversions. @default the id */
  readonly name?: string | undefined;
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
}

export interface Gathered {
  readonly bytes: number;
  readonly sha256: string;
  /** The source as it should stand in the manifest: immutable where it could be made so. */
  readonly source: ModelSource;
  release(): Promise<void>;
}

/** Gets a model whose manifest is known; tries its sources in order. */
export async function obtain(
  context: StoreContext,
  manifest: ModelManifest,
  io: Io,
  local: boolean,
): Promise<void> {
  const failures: KithError[] = [];
  for (const source of manifest.sources) {
    if (local && !(await isLocal(context, source))) continue;
    try {
      const gathered = await gather(context, manifest.id, source, manifest, io);
      await place(context, manifest);
      await gathered.release();
      return;
    } catch (error) {
      if (!isKithError(error) || error instanceof AbortedError || error.code === 'disk_full') throw error;
      context.log.warn(`A source of ${manifest.id} failed.`, { code: error.code, message: error.message });
      failures.push(error);
    }
  }
  const [first] = failures;
  if (failures.length === 1) throw first;
  if (first !== undefined) {
    throw new KithError(
      'model_unobtainable',
      `None of the ${failures.length} sources of "${manifest.id}" worked: ${failures.map((one) => one.message).join(' ')}`,
      { status: 502, cause: first },
    );
  }
  throw notInstalled(manifest);
}

/** True when every part of the source can be read without network. */
export async function isLocal({ sources }: StoreContext, source: ModelSource): Promise<boolean> {
  for (const uri of source.parts) {
    if (!(await sources.for(uri).isLocal(uri))) return false;
  }
  return true;
}

/** The source with its URIs made immutable where that can be done. */
export async function pinned(
  { sources }: StoreContext,
  source: ModelSource,
  signal: AbortSignal,
): Promise<ModelSource> {
  const parts: string[] = [];
  for (const uri of source.parts) parts.push((await sources.for(uri).resolve(uri, { signal })).uri);
  return { ...source, parts };
}

/** Leaves the GGUF, complete and checked, in the id's part file. */
export async function gather(
  context: StoreContext,
  id: string,
  source: ModelSource,
  expected: Expected,
  io: Io,
): Promise<Gathered> {
  const part = context.layout.part(id);
  const { bytes, sha256 } = expected;
  const { meter, signal } = io;
  if (source.convert === undefined) {
    const fetched = await fetchParts(source.parts, part, {
      ...context,
      meter,
      signal,
      what: `"${id}"`,
      bytes,
      sha256,
    });
    return { ...fetched, source: { parts: fetched.uris } };
  }
  const input = context.layout.input(id);
  const collected = await collect(context, source.parts, input, io);
  const release = async () => {
    await collected.release();
    await rm(input, { recursive: true, force: true });
  };
  const digest = await convertPart(
    context,
    {
      id,
      input: collected.path,
      name: expected.name ?? id,
      quantisation: source.convert.quantisation,
      bytes: bytes ?? collected.bytes,
    },
    io,
  ).catch(async (error: unknown) => {
    // What the converter refuses will be refused again: only fresh files can help.
    if (error instanceof InputError) await release();
    throw error;
  });
  if (sha256 !== undefined && digest.hex !== sha256) {
    await discardPart(part);
    await release();
    throw new KithError(
      'source_corrupt',
      `What ${source.parts.join(' + ')} was converted to is not "${id}": its sha256 is ${digest.hex} instead of ${sha256}. If it was made by another version of Kith, remove it and pull its source again; otherwise the source changed.`,
      { status: 502, details: { expected: sha256, actual: digest.hex } },
    );
  }
  return {
    bytes: digest.bytes,
    sha256: digest.hex,
    source: { parts: collected.uris, convert: source.convert },
    release,
  };
}

interface Conversion {
  readonly id: string;
  readonly input: string;
  readonly name: string;
  readonly quantisation: 'F16' | 'Q8_0' | 'Q4_0';
  /** About what the result will take. */
  readonly bytes: number;
}

/** Converts into the part of an id and hashes what was written. */
export async function convertPart(context: StoreContext, job: Conversion, io: Io) {
  const { layout, requireSpace, convert } = context;
  const { meter, signal } = io;
  const { id, bytes, ...rest } = job;
  const output = layout.part(id);
  await discardPart(output);
  await mkdir(layout.partial, { recursive: true });
  await requireSpace(output, bytes);
  meter.start('convert', null);
  let total: number | null = null;
  const onProgress = ({ doneBytes, totalBytes }: Progress) => {
    if (totalBytes !== total) meter.start('convert', totalBytes, doneBytes);
    total = totalBytes;
    meter.at(doneBytes);
  };
  const made = await convert({ ...rest, output, signal, onProgress });
  return { ...(await hashPart(context, id, io)), kind: made?.kind };
}

/** sha256 of the part of an id, with progress. */
export async function hashPart({ layout }: StoreContext, id: string, { meter, signal }: Io) {
  const part = layout.part(id);
  meter.start('verify', await bytesOf(part));
  const digest = await digestFiles([part], { signal, onBytes: meter.at });
  meter.flush();
  return digest;
}

/** Facts of the GGUF in the part of an id. Deletes the part when it is none. */
export async function factsOfPart(
  { layout }: StoreContext,
  id: string,
  signal: AbortSignal,
): Promise<ModelFacts> {
  const part = layout.part(id);
  try {
    return await factsOfFile(part, signal);
  } catch (error) {
    // These bytes never become a model: keeping them would only fail again.
    if (error instanceof InputError) await discardPart(part);
    throw error;
  }
}

export async function factsOfFile(path: string, signal?: AbortSignal): Promise<ModelFacts> {
  await using source = await fileSource(path);
  return describeModel(await readGguf(source, signal === undefined ? {} : { signal }));
}

/** Moves the checked part into the store. From here on the model is ready. */
export async function place(context: StoreContext, manifest: ModelManifest): Promise<void> {
  const { layout, clock } = context;
  const part = layout.part(manifest.id);
  // The manifest first: a file without a manifest would be an orphan, a manifest without a file is "available".
  await writeManifest(layout, manifest);
  try {
    await rename(part, layout.model(manifest.id));
    await syncFolder(layout.folder(manifest.id));
  } catch (error) {
    throw writeError(layout.model(manifest.id), error);
  }
  await writeVerified(layout, manifest, clock.now());
  await discardPart(part);
  // The whole has what a part of it had.
  await rm(layout.blocks(manifest.id), { force: true });
  await rm(layout.blocksNote(manifest.id), { force: true });
  context.log.info(`Model ${manifest.id} is in place.`, { bytes: manifest.bytes, sha256: manifest.sha256 });
}

/** Puts the files to convert side by side: links to what is here already, downloads of the rest. */
async function collect(context: StoreContext, uris: readonly string[], input: string, io: Io) {
  const files = join(input, 'files');
  const names = uris.map(baseName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new InputError(
      'source_uri_invalid',
      `Two of the sources are called ${twice}; converting needs distinct names.`,
    );
  }
  await mkdir(files, { recursive: true });
  const releases: (() => Promise<void>)[] = [];
  const pinned: string[] = [];
  let bytes = 0;
  for (const [i, uri] of uris.entries()) {
    const target = join(files, names[i]!);
    const note = join(input, `${names[i]}.uri.json`);
    const source = await context.sources.for(uri).resolve(uri, { signal: io.signal });
    pinned.push(source.uri);
    if (source.release !== undefined) releases.push(() => source.release!());
    if (source.path !== null && (await link(source.path, target))) {
      bytes += source.size ?? 0;
      continue;
    }
    const done = await bytesOf(note);
    if (done === null) {
      const part = join(input, `${names[i]}.part`);
      const fetched = await fetchParts([source.uri], part, { ...context, ...io, what: names[i]! });
      await rename(part, target);
      await writeFileAtomic(note, JSON.stringify(fetched.uris));
    }
    bytes += (await bytesOf(target)) ?? 0;
  }
  return {
    path: uris.length === 1 ? join(files, names[0]!) : files,
    uris: pinned,
    bytes,
    async release() {
      for (const release of releases) await release();
    },
  };
}

async function link(from: string, to: string): Promise<boolean> {
  try {
    await rm(to, { force: true });
    await symlink(from, to);
    return true;
  } catch {
    // Some systems allow no links: the file is copied like any other source.
    return false;
  }
}

/** The file itself under a second name: a hard link, or across disks a symbolic one. */
export async function linkFile(from: string, to: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    const real = await realpath(from);
    await hardLink(real, to).catch(async (error: unknown) => {
      if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].some((code) => isErrno(error, code))) throw error;
      await symlink(real, to);
    });
  } catch (error) {
    throw writeError(to, error);
  }
}
