/**
 * A log file that stays within its bounds: `<name>.log` is rotated at a size, rotated files are gzipped, the oldest
 * are deleted. A full disk or an unwritable folder never fails the writer: it is reported once, lines are counted
 * as lost, and writing is tried again later.
 *
 * @module base/log-file
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';

export interface LogFileOptions {
  readonly dir: string;
  /** File name without `.log`. @default 'kith' */
  readonly name?: string;
  /** Size at which the file is rotated, bytes. */
  readonly maxBytes: number;
  /** Rotated files kept. */
  readonly keep: number;
  readonly clock: Clock;
  /** Called once per outage, and once when it is over. Must not write to this file. */
  readonly onTrouble: (message: string) => void;
}

export interface LogFile {
  readonly path: string;
  /** Appends one line (with its newline) at once. Never throws. */
  write(line: string): void;
  /** Ends when rotated files are compressed and the file is closed. */
  close(): Promise<void>;
}

/** Between two attempts to write after a failure. */
const RETRY_MS = 30_000;

export function createLogFile(options: LogFileOptions): LogFile {
  const { dir, maxBytes, keep, clock, onTrouble } = options;
  const name = options.name ?? 'kith';
  const path = join(dir, `${name}.log`);
  let descriptor: number | null = null;
  let size = 0;
  let retryAt: number | null = null;
  let lost = 0;
  let sequence = 0;
  let closed = false;
  let compressing: Promise<void> = Promise.resolve();

  const open = () => {
    mkdirSync(dir, { recursive: true });
    descriptor = openSync(path, 'a', 0o600);
    size = fstatSync(descriptor).size;
  };

  const shut = () => {
    const old = descriptor;
    descriptor = null;
    if (old !== null) closeSync(old);
  };

  const trouble = (error: unknown) => {
    if (retryAt === null) {
      onTrouble(
        `The log file ${path} cannot be written (${messageOf(error)}); its lines are lost until it can.`,
      );
    }
    retryAt = clock.monotonic() + RETRY_MS;
    lost++;
    try {
      shut();
    } catch {
      // Closing failed as writing did: the descriptor is gone either way, and the trouble is reported.
    }
  };

  /** Sorts by time: `kith.20250131T235959123-0001.log`. */
  const rotate = () => {
    shut();
    const stamp = new Date(clock.now()).toISOString().replace(/[-:.Z]/g, '');
    const rotated = join(dir, `${name}.${stamp}-${String(sequence++ % 10_000).padStart(4, '0')}.log`);
    renameSync(path, rotated);
    // One after the other: a burst must not start ten compressions.
    compressing = compressing.then(async () => {
      try {
        await compress(rotated);
        prune(dir, name, keep);
      } catch (error) {
        // The uncompressed file stays and counts among those kept.
        onTrouble(`The rotated log ${rotated} could not be compressed: ${messageOf(error)}.`);
      }
    });
    prune(dir, name, keep);
    open();
  };

  return {
    path,
    write(line) {
      if (closed) return;
      if (retryAt !== null && clock.monotonic() < retryAt) {
        lost++;
        return;
      }
      try {
        const bytes = Buffer.from(line);
        if (descriptor === null) open();
        if (size > 0 && size + bytes.length > maxBytes) rotate();
        writeAll(descriptor!, bytes);
        size += bytes.length;
        if (retryAt !== null) {
          onTrouble(`The log file ${path} is written again; ${lost} lines were lost.`);
          retryAt = null;
          lost = 0;
        }
      } catch (error) {
        trouble(error);
      }
    },
    async close() {
      closed = true;
      try {
        shut();
      } catch (error) {
        onTrouble(`The log file ${path} could not be closed: ${messageOf(error)}.`);
      }
      await compressing;
    },
  };
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.gz.tmp`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, `${path}.gz`);
    rmSync(path, { force: true });
  } catch (error) {
    rmSync(temporary, { force: true });
    // Pruned before its turn came: nothing left to compress.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Deletes the oldest rotated files beyond `keep`. A file and its .gz (for an instant both exist) count as one. */
function prune(dir: string, name: string, keep: number): void {
  const pattern = /^\.\d{8}T\d{9}-\d{4}\.log/;
  const rotated = readdirSync(dir).filter(
    (file) => file.startsWith(name) && pattern.test(file.slice(name.length)),
  );
  const stems = [...new Set(rotated.map((file) => file.replace(/\.log.*$/, '')))].sort();
  const doomed = new Set(stems.slice(0, Math.max(0, stems.length - keep)));
  for (const file of rotated) {
    if (doomed.has(file.replace(/\.log.*$/, ''))) rmSync(join(dir, file), { force: true });
  }
}
