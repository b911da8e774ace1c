/**
 * Gets the bytes of one file from one or more URIs (the file is their concatenation) into a part file, going on
 * where an earlier try ended, however it ended: a part is always a prefix of the right bytes, because it is only
 * ever appended to and the note beside it says whose bytes they are. The whole is hashed from disk at the end.
 *
 * @module models/store/fetch
 */

import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import {
  isKithError,
  KithError,
  readFileBounded,
  type requireDiskSpace,
  throwIfAborted,
  writeFileAtomic,
} from '../../base/index.ts';
import { Appender } from '../disk/appender.ts';
import { digestFiles } from '../disk/digest.ts';
import type { ResolvedSource, SourceRegistry } from '../sources/source.ts';
import { stateOf } from './layout.ts';
import type { Meter } from './meter.ts';

/** A source whose bytes change this often while they are read is given up. */
const MAX_CHANGES = 3;

export interface FetchOptions {
  readonly sources: SourceRegistry;
  readonly requireSpace: typeof requireDiskSpace;
  readonly meter: Meter;
  /** What is fetched, for messages: a model id or a file name. */
  readonly what: string;
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Fetched {
  readonly sha256: string;
  readonly bytes: number;
  /** The URIs, made immutable where the source could. */
  readonly uris: readonly string[];
  /** Lets the sources throw away what they kept for this. */
  release(): Promise<void>;
}

const stateSchema = z.strictObject({
  schema: z.literal(1),
  parts: z
    .array(
      z.strictObject({
        uri: z.string().max(4096),
        size: z.number().int().min(0).nullable(),
        validator: z.string().max(2048).nullable(),
        /** Bytes of this part in the file, once it is complete. */
        bytes: z.number().int().min(0).nullable(),
      }),
    )
    .min(1)
    .max(4096),
});
type State = z.infer<typeof stateSchema>;

/**
 * Fills `part` with the concatenation of `uris` and checks it against what is known.
 *
 * @throws KithError `source_mismatch` when the source announces other bytes than are wanted (nothing is read);
 * `source_corrupt` when the hash is wrong at the end (the part is deleted); `disk_full`; what the sources throw.
 * After anything but `source_corrupt` a later call goes on from there.
 */
export async function fetchParts(
  uris: readonly string[],
  part: string,
  options: FetchOptions,
): Promise<Fetched> {
  const { meter, signal, what } = options;
  meter.start('resolve', options.bytes ?? null);
  const resolved: ResolvedSource[] = [];
  for (const uri of uris) resolved.push(await options.sources.for(uri).resolve(uri, { signal }));
  const release = async () => {
    for (const source of resolved) await source.release?.();
  };
  const announced = resolved.length === 1 ? resolved[0]!.sha256 : null;
  const sha256 = options.sha256 ?? announced ?? undefined;
  const sizes = resolved.map((source) => source.size);
  const total =
    options.bytes ?? (sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + size!, 0));
  refuseOtherBytes(uris, options, announced, sizes);

  await mkdir(dirname(part), { recursive: true });
  const paths = resolved.map((source) => source.path);
  const digest = paths.includes(null)
    ? await download({ resolved, part, total, hashKnown: sha256 !== undefined, options })
    : await place(paths as string[], part, total ?? 0, options);
  if (sha256 !== undefined && digest.hex !== sha256) {
    await discardPart(part);
    await release();
    throw new KithError(
      'source_corrupt',
      `What ${uris.join(' + ')} gave is not ${what}: its sha256 is ${digest.hex} instead of ${sha256}. The bytes were deleted; try again, or another source.`,
      { status: 502, details: { expected: sha256, actual: digest.hex } },
    );
  }
  await rm(stateOf(part), { force: true });
  return {
    sha256: digest.hex,
    bytes: digest.bytes,
    uris: resolved.map((source) => source.uri),
    release,
  };
}

/** Deletes a part and its note. */
export async function discardPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(stateOf(part), { force: true });
}

function refuseOtherBytes(
  uris: readonly string[],
  { bytes, sha256, what }: FetchOptions,
  announced: string | null,
  sizes: readonly (number | null)[],
): void {
  const size = sizes.includes(null) ? null : sizes.reduce<number>((sum, one) => sum + one!, 0);
  const wrongSize = bytes !== undefined && size !== null && size !== bytes;
  const wrongHash = sha256 !== undefined && announced !== null && sha256 !== announced;
  if (!wrongSize && !wrongHash) return;
  const why = wrongSize
    ? `it has ${size} bytes instead of ${bytes}`
    : `it announces sha256 ${announced}, not ${sha256}`;
  throw new KithError('source_mismatch', `${uris.join(' + ')} is not ${what}: ${why}.`, { status: 502 });
}

async function place(paths: string[], part: string, total: number, options: FetchOptions) {
  await rm(stateOf(part), { force: true });
  await rm(part, { force: true });
  await options.requireSpace(part, total);
  options.meter.start('place', total);
  try {
    const digest = await digestFiles(paths, {
      target: part,
      signal: options.signal,
      onBytes: options.meter.at,
    });
    options.meter.flush();
    return digest;
  } catch (error) {
    // Placing starts over from files that are still here: what is half done only takes room.
    await rm(part, { force: true });
    throw error;
  }
}

interface Download {
  readonly resolved: ResolvedSource[];
  readonly part: string;
  readonly total: number | null;
  readonly hashKnown: boolean;
  readonly options: FetchOptions;
}

async function download({ resolved, part, total, hashKnown, options }: Download) {
  const { meter, signal } = options;
  const saved = await loadState(part, resolved);
  const state = saved ?? freshState(resolved);
  const have = (await stat(part).catch(() => null))?.size ?? 0;
  const keep = saved === null ? 0 : usableBytes(have, state, resolved, hashKnown);
  {
    await using file = await Appender.open(part, keep);
    if (total !== null) await options.requireSpace(part, Math.max(0, total - file.length));
    meter.start('download', total, file.length);
    let base = 0;
    for (let i = 0; i < resolved.length; i += 1) {
      const row = state.parts[i]!;
      if (row.bytes === null) {
        await downloadPart({ file, base, index: i, state, resolved, hashKnown, total, part, options });
      }
      base += row.bytes!;
    }
    await file.sync();
    meter.flush();
  }
  const { size } = await stat(part);
  meter.start('verify', size);
  const digest = await digestFiles([part], { signal, onBytes: meter.at });
  meter.flush();
  return digest;
}

interface PartDownload extends Omit<Download, 'resolved'> {
  readonly resolved: ResolvedSource[];
  readonly file: Appender;
  /** Where this part begins in the file. */
  readonly base: number;
  readonly index: number;
  readonly state: State;
}

async function downloadPart(job: PartDownload): Promise<void> {
  const { file, base, index, state, resolved, hashKnown, total, part, options } = job;
  const { meter, signal, sources, what } = options;
  const row = state.parts[index]!;
  for (let changes = 0; ; changes += 1) {
    const source = resolved[index]!;
    Object.assign(row, { size: source.size, validator: source.validator });
    await saveState(part, state);
    const from = file.length - base;
    try {
      // What a source fetches ahead (an archive) is shown as its own count, then the file's own goes on.
      let ahead = false;
      const onPrepare = (done: number, all: number | null) => {
        if (!ahead) meter.start('download', all, done);
        ahead = true;
        meter.at(done);
      };
      for await (const chunk of source.open(from, { signal, onPrepare, hashKnown })) {
        throwIfAborted(signal);
        if (ahead) {
          ahead = false;
          meter.start('place', total, file.length);
        }
        if (total !== null && file.length + chunk.length > total) throw tooLong(source.uri, what, total);
        await file.append(chunk);
        meter.at(file.length);
      }
      row.bytes = file.length - base;
      await file.flush();
      await saveState(part, state);
      return;
    } catch (error) {
      if (!isKithError(error) || error.code !== 'source_changed' || changes + 1 >= MAX_CHANGES) throw error;
      await file.cut(base);
      resolved[index] = await sources.for(source.uri).resolve(source.uri, { signal });
    }
  }
}

function tooLong(uri: string, what: string, total: number): KithError {
  return new KithError('source_mismatch', `${uri} is not ${what}: it goes on after ${total} bytes.`, {
    status: 502,
  });
}

function freshState(resolved: readonly ResolvedSource[]): State {
  return {
    schema: 1,
    parts: resolved.map(({ uri, size, validator }) => ({ uri, size, validator, bytes: null })),
  };
}

/**
 * How many of the `size` bytes in the part file are still the beginning of what the sources have now. Parts that
 * are not, or no longer complete, are marked so.
 */
function usableBytes(
  size: number,
  state: State,
  resolved: readonly ResolvedSource[],
  hashKnown: boolean,
): number {
  let end = 0;
  for (const [i, row] of state.parts.entries()) {
    const source = resolved[i]!;
    const same = row.validator === source.validator && row.size === source.size;
    const complete = row.bytes !== null && size >= end + row.bytes;
    if (same && complete) {
      end += row.bytes!;
      continue;
    }
    for (const later of state.parts.slice(i)) later.bytes = null;
    // Without a validator or a hash to check in the end, nothing says that the next bytes fit these.
    return same && (hashKnown || source.validator !== null) ? Math.max(end, size) : end;
  }
  return end;
}

/** The note of an earlier try, if it is about the same URIs. A damaged note means starting over. */
async function loadState(part: string, resolved: readonly ResolvedSource[]): Promise<State | null> {
  try {
    const text = new TextDecoder().decode(await readFileBounded(stateOf(part), 8 * 1024 * 1024));
    const state = stateSchema.safeParse(JSON.parse(text));
    if (!state.success || state.data.parts.length !== resolved.length) return null;
    return state.data.parts.every((row, i) => row.uri === resolved[i]!.uri) ? state.data : null;
  } catch (error) {
    if (isKithError(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function saveState(part: string, state: State): Promise<void> {
  await writeFileAtomic(stateOf(part), JSON.stringify(state));
}
