/**
 * A log file that stays within its bounds: `<name>.log` is rotated at a size, rotated files are gzipped, the oldest
 * are deleted. A full disk or an unwritable folder never fails the writer: it is reported once, lines are counted
 * as lost, and writing is tried again later.
 *
 * A process may end at any point of this, and others may write to the same file: each line goes to whatever lies at the
 * path then, a torn last line is ended before the next one, and rotated files that nobody compressed are compressed by
 * the next process.
 *
 * @module base/log-file
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import { makeFolderSync } from './folders.ts';

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
  /** Of the file behind the descriptor. */
  let inode = 0;
  let size = 0;
  let retryAt: number | null = null;
  let lost = 0;
  // Two processes that rotate in the same millisecond begin at different numbers.
  let sequence = process.pid % 5_000;
  let recovered = false;
  let closed = false;
  let compressing: Promise<void> = Promise.resolve();

  const open = () => {
    makeFolderSync(dir);
    // Read too: the last byte says whether the last line is whole.
    descriptor = openSync(path, 'a+', 0o600);
    const found = fstatSync(descriptor);
    inode = found.ino;
    size = found.size;
    if (size > 0 && lastByte(descriptor, size) !== newline) {
      writeAll(descriptor, Buffer.of(newline));
      size++;
    }
    if (recovered) return;
    recovered = true;
    for (const left of leftovers(dir, name)) compressLater(left);
  };

  /** Another process may have rotated the file, or somebody moved it away. Costs about 2 µs. */
  const follow = () => {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined && there.ino === inode) {
      size = there.size;
      return;
    }
    shut();
    open();
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

  // One after the other: a burst must not start ten compressions.
  const compressLater = (rotated: string) => {
    compressing = compressing.then(async () => {
      try {
        await compress(rotated);
        prune(dir, name, keep);
      } catch (error) {
        // The uncompressed file stays and counts among those kept.
        onTrouble(`The rotated log ${rotated} could not be compressed: ${messageOf(error)}.`);
      }
    });
  };

  /** Sorts by time: `kith.20250131T235959123-0001.log`. */
  const rotate = () => {
    shut();
    const rotated = freeName();
    try {
      renameSync(path, rotated);
      compressLater(rotated);
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    prune(dir, name, keep);
    open();
  };

  const freeName = (): string => {
    const stamp = new Date(clock.now()).toISOString().replace(/[-:.Z]/g, '');
    for (;;) {
      const stem = join(dir, `${name}.${stamp}-${String(sequence++ % 10_000).padStart(4, '0')}.log`);
      if (!existsSync(stem) && !existsSync(`${stem}.gz`)) return stem;
    }
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
        else follow();
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

const newline = 10;

function lastByte(descriptor: number, size: number): number {
  const byte = new Uint8Array(1);
  readSync(descriptor, byte, 0, 1, size - 1);
  return byte[0]!;
}

const rotatedName = /^\.\d{8}T\d{9}-\d{4}\.log/;
const temporaryName = /\.log\.gz\.(\d+)\.tmp$/;

function rotatedFiles(dir: string, name: string): string[] {
  return readdirSync(dir).filter(
    (file) => file.startsWith(name) && rotatedName.test(file.slice(name.length)),
  );
}

/** Rotated files that a process left uncompressed when it ended. What it left half compressed is deleted. */
function leftovers(dir: string, name: string): string[] {
  const left: string[] = [];
  for (const file of rotatedFiles(dir, name)) {
    const writer = temporaryName.exec(file)?.[1];
    if (writer === undefined) {
      if (file.endsWith('.log')) left.push(join(dir, file));
    } else if (!isAlive(Number(writer))) rmSync(join(dir, file), { force: true });
  }
  return left.sort();
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function compress(path: string): Promise<void> {
  // Another process may compress the same file: each into one of its own, and the last one to end wins.
  const temporary = `${path}.gz.${process.pid}.tmp`;
  try {
    // A process that was about to write when the file was rotated writes into it still: then once more.
    for (let before = -1; before !== statSync(path).size; ) {
      before = statSync(path).size;
      const target = createWriteStream(temporary, { mode: 0o600, flush: true });
      await pipeline(createReadStream(path), createGzip(), target);
    }
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
  const rotated = rotatedFiles(dir, name);
  const stems = [...new Set(rotated.map((file) => file.replace(/\.log.*$/, '')))].sort();
  const doomed = new Set(stems.slice(0, Math.max(0, stems.length - keep)));
  for (const file of rotated) {
    if (doomed.has(file.replace(/\.log.*$/, ''))) rmSync(join(dir, file), { force: true });
  }
}
