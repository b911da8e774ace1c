/**
 * Appends to a file so that whatever ends the process, the file is a prefix of what was appended.
 *
 * @module models/disk/appender
 */

import { type FileHandle, open } from 'node:fs/promises';
import { writeError } from '../../base/index.ts';

/** Small network chunks are gathered up to this size: fewer system calls, and at most this much lost by a kill. */
const BATCH = 1024 * 1024;

export class Appender implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  #written: number;
  #batch: Uint8Array[] = [];
  #batched = 0;

  constructor(path: string, file: FileHandle, length: number) {
    this.path = path;
    this.#file = file;
    this.#written = length;
  }

  /** Opens or makes the file. Bytes past `length`, when given, are cut off. */
  static async open(path: string, length?: number): Promise<Appender> {
    try {
      const file = await open(path, 'a', 0o600);
      try {
        let { size } = await file.stat();
        if (length !== undefined && length < size) {
          await file.truncate(length);
          size = length;
        }
        return new Appender(path, file, size);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** Bytes appended so far, written or about to be. */
  get length(): number {
    return this.#written + this.#batched;
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#batch.push(chunk);
    this.#batched += chunk.length;
    if (this.#batched >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const data = this.#batch.length === 1 ? this.#batch[0]! : Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batched = 0;
    try {
      for (let at = 0; at < data.length; ) {
        const { bytesWritten } = await this.#file.write(data, at, data.length - at);
        at += bytesWritten;
        this.#written += bytesWritten;
      }
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  async cut(length: number): Promise<void> {
    await this.flush();
    await this.#file.truncate(length);
    this.#written = length;
  }

  /** Waits until the bytes are on the disk itself. */
  async sync(): Promise<void> {
    await this.flush();
    try {
      await this.#file.sync();
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Writes what is gathered, where that is still possible, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }
}
