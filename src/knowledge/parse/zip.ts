/**
 * Files out of a zip, within bounds that are checked while they inflate: what a zip says of its sizes need not be true.
 * Nothing is written anywhere; names are keys.
 *
 * @module knowledge/parse/zip
 */
import { Unzip, UnzipInflate, UnzipPassThrough } from 'fflate';
import { isKithError } from '../../base/index.ts';
import { broken, encrypted, tooLarge, wordsOf } from './failures.ts';
import type { ParseLimits } from './types.ts';

/** Bytes given to the inflater at a time, which bounds what comes out between two checks: deflate makes 1,032 of one. */
const PIECE = 16 * 1024;
/** The ratio counts from here on: small files of one letter are harmless. */
const RATIO_FROM = 1024 * 1024;
const NAME_CHARACTERS = 1_000;

export type ZipFiles = ReadonlyMap<string, Uint8Array>;

/** A name with `/`, without a root; null where it leads out of the zip or is a folder. */
function safeName(name: string): string | null {
  if (name.length > NAME_CHARACTERS) return null;
  const parts = name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || /[\\/]$/.test(name)) return null;
  return parts.join('/');
}

/**
 * The files that are wanted, by name.
 *
 * @param name of the zip, for messages.
 */
export function unzip(
  name: string,
  bytes: Uint8Array,
  limits: ParseLimits,
  wanted: (name: string) => boolean,
): ZipFiles {
  // PK\3\4, version, flags: the lowest flag says that the first file is encrypted.
  if (((bytes[6] ?? 0) & 1) === 1) throw encrypted(name);
  const files = new Map<string, Uint8Array>();
  let entries = 0;
  let inflated = 0;
  let open = 0;
  const unpacker = new Unzip((file) => {
    entries += 1;
    if (entries > limits.entries) throw tooLarge(name, `has more than ${limits.entries} files in it`);
    const key = safeName(file.name);
    if (key === null || !wanted(key)) return;
    const pieces: Uint8Array[] = [];
    open += 1;
    file.ondata = (failed, piece, final) => {
      if (failed !== null) throw failed;
      inflated += piece.length;
      if (inflated > limits.inflatedBytes)
        throw tooLarge(name, `unpacks to more than ${limits.inflatedBytes} bytes`);
      if (inflated > RATIO_FROM && inflated > limits.ratio * bytes.length)
        throw tooLarge(name, `unpacks to more than ${limits.ratio} times its size`);
      pieces.push(piece);
      if (!final) return;
      open -= 1;
      // The first of a name stays: which one programs read differs, and a reader must not be given both.
      if (!files.has(key)) files.set(key, Buffer.concat(pieces));
    };
    file.start();
  });
  unpacker.register(UnzipInflate);
  unpacker.register(UnzipPassThrough);
  try {
    for (let at = 0; at < bytes.length; at += PIECE)
      unpacker.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length);
  } catch (thrown) {
    if (isKithError(thrown)) throw thrown;
    throw broken(name, `its zip is damaged (${wordsOf(thrown)})`);
  }
  if (open > 0) throw broken(name, 'its zip ends in the middle of a file');
  return files;
}

/** Names of the files in a zip, as far as it can be read. */
export function zipNames(bytes: Uint8Array, limits: ParseLimits): string[] {
  const names: string[] = [];
  try {
    unzip('', bytes, limits, (name) => {
      names.push(name);
      return false;
    });
  } catch (thrown) {
    if (!isKithError(thrown)) throw thrown;
  }
  return names;
}
