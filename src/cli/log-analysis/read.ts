/**
 * Reads the lines of all log files of a node, oldest first, rotated and compressed ones included. One block and one line
 * are in memory at a time, however large the files are.
 *
 * @module cli/log-analysis/read
 */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { isErrno, messageOf } from '../../base/index.ts';

/** Longer lines are not the log's own: they count as broken. */
const maxLineBytes = 1_000_000;
const newline = 10;

export interface LogReadOptions {
  /** ms since the epoch: files that end before it are not opened. */
  readonly since: number | null;
  /** A file that could not be read to its end. */
  readonly onUnreadable: (file: string, why: string) => void;
}

/** Lines without their end; null for one that is too long. */
export async function* logLines(dir: string, options: LogReadOptions): AsyncGenerator<string | null> {
  const done = new Set<string>();
  // Rotation goes on while this reads: what was rotated meanwhile comes before the current file.
  for (let more = true; more; ) {
    more = false;
    for (const file of await rotatedFiles(dir)) {
      const stem = file.replace(/\.gz$/, '');
      if (done.has(stem)) continue;
      done.add(stem);
      more = true;
      if (options.since !== null && rotatedAt(file) < options.since) continue;
      yield* linesOf(dir, file, options.onUnreadable);
    }
  }
  yield* linesOf(dir, 'kith.log', options.onUnreadable);
}

/** In the order in which they were rotated. A file and its compressed copy (for an instant both exist) are one. */
async function rotatedFiles(dir: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  return names
    .filter((name) => /^kith\.\d{8}T\d{9}-\d{4}\.log(\.gz)?$/.test(name))
    .filter((name) => !name.endsWith('.gz') || !names.includes(name.slice(0, -3)))
    .sort();
}

/** When a file was rotated, which is when its last line was written: `kith.20250131T235959123-0001.log`. */
function rotatedAt(file: string): number {
  const [, y, mo, d, h, mi, s, ms] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})/.exec(file)!;
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s), Number(ms));
}

async function* linesOf(
  dir: string,
  file: string,
  onUnreadable: LogReadOptions['onUnreadable'],
): AsyncGenerator<string | null> {
  const path = join(dir, file);
  let any = false;
  try {
    for await (const line of split(file.endsWith('.gz') ? unzipped(path) : createReadStream(path))) {
      any = true;
      yield line;
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) onUnreadable(file, messageOf(error));
    // Compressed since the folder was listed; the oldest may also be deleted by now.
    else if (!any && file.endsWith('.log') && file !== 'kith.log')
      yield* linesOf(dir, `${file}.gz`, onUnreadable);
  }
}

async function* unzipped(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  try {
    yield* file.pipe(gunzip) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

/** The text after the last line feed is a line that is not finished: it is left out when it is empty only. */
async function* split(chunks: AsyncIterable<Buffer>): AsyncGenerator<string | null> {
  let parts: Buffer[] = [];
  let length = 0;
  let tooLong = false;
  const take = (piece: Buffer): void => {
    if (tooLong) return;
    length += piece.length;
    if (length > maxLineBytes) {
      tooLong = true;
      parts = [];
    } else if (piece.length > 0) parts.push(piece);
  };
  const end = (): string | null => {
    const line = tooLong ? null : Buffer.concat(parts).toString('utf8');
    parts = [];
    length = 0;
    tooLong = false;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, at));
      yield end();
      from = at + 1;
    }
    // A copy: the stream uses its block again.
    take(Buffer.from(chunk.subarray(from)));
  }
  if (length > 0) yield end();
}
