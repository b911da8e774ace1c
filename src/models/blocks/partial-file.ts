/**
 * A model's file of which only some tensors are there: as long as the whole, sparse, every byte at its own place. A
 * section counts as there when its sha256 was right, its bytes were flushed to the disk, and the note says so, in this
 * order; so a kill at any moment leaves nothing that counts and is not right. Callers hold the model's lock.
 *
 * @module models/blocks/partial-file
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeError, writeFileAtomic } from '../../base/index.ts';
import { fingerprint } from '../store/on-disk.ts';
import { outOfOrder, tensorCorrupt } from './errors.ts';
import type { Section, TensorList } from './list.ts';
import { type BlocksNote, runsOf } from './note.ts';
import { type Checking, type Found, readBlocksNote, stillThere, wrongOf } from './recover.ts';

/** Verified bytes after which they are flushed and noted: what a kill makes to be hashed again at most. */
const NOTE_EVERY = 32 << 20;
const ZEROS = new Uint8Array(1 << 20);

interface Flight {
  readonly hash: Hash;
  /** Offset in the file of the next byte. */
  at: number;
}

export interface PartialPaths {
  /** `blocks.gguf`. */
  readonly file: string;
  /** `blocks.json`. */
  readonly note: string;
}

export class PartialFile implements AsyncDisposable {
  readonly list: TensorList;
  /** What the note said was there and was not right when the file was opened. */
  readonly forgotten: readonly Section[];
  readonly #paths: PartialPaths;
  readonly #handle: FileHandle;
  readonly #has: boolean[];
  /** Verified, not noted. */
  readonly #fresh = new Set<number>();
  readonly #flights = new Map<number, Flight>();
  #wanted: readonly number[] = [];
  #freshBytes = 0;
  #noting: Promise<void> = Promise.resolve();

  private constructor(paths: PartialPaths, list: TensorList, handle: FileHandle, found: Found) {
    this.#paths = paths;
    this.list = list;
    this.forgotten = found.forgotten;
    this.#handle = handle;
    // Nothing has to come of a tensor without bytes.
    this.#has = found.has.map((there, i) => there || list.sections[i]!.bytes === 0);
  }

  /** Opens or makes the file of `list`; what another list was about is replaced. */
  static async open(paths: PartialPaths, list: TensorList, io: Checking): Promise<PartialFile> {
    try {
      await mkdir(dirname(paths.file), { recursive: true });
      const note = await readBlocksNote(paths.note);
      const known = note?.list === list.root ? note : null;
      const found = known === null ? null : await stillThere(paths.file, list, known, io);
      if (found === null) {
        await rm(paths.note, { force: true });
        await rm(paths.file, { force: true });
      }
      const handle = await open(paths.file, found === null ? 'wx+' : 'r+', 0o600);
      const nothing = { has: list.sections.map(() => false), forgotten: [] };
      const file = new PartialFile(paths, list, handle, found ?? nothing);
      try {
        await handle.truncate(list.bytes);
        await file.#writeNote();
      } catch (error) {
        await handle.close();
        throw error;
      }
      return file;
    } catch (error) {
      throw writeError(paths.file, error);
    }
  }

  get path(): string {
    return this.#paths.file;
  }

  /** By section of the list: verified and on the disk. */
  get has(): readonly boolean[] {
    return this.#has;
  }

  /** Those of `indices` that are not there and verified. */
  missing(indices: readonly number[]): number[] {
    return indices.filter((i) => !this.#has[i] && !this.#fresh.has(i));
  }

  section(index: number): Section {
    return this.list.sections[index]!;
  }

  /** From here on these sections are taken in, and no others. They have to be ascending. */
  async want(indices: readonly number[]): Promise<void> {
    this.#flights.clear();
    this.#wanted = indices;
    await this.#note();
  }

  /** As `BlockSink.write`. Resolves to the sections that are complete now. */
  async write(offset: number, bytes: Uint8Array, from: string): Promise<Section[]> {
    const done: Section[] = [];
    const end = offset + bytes.length;
    for (let i = this.#firstEndingAfter(offset); i < this.#wanted.length; i += 1) {
      const index = this.#wanted[i]!;
      const section = this.section(index);
      if (section.offset >= end) break;
      if (this.#has[index] || this.#fresh.has(index)) continue;
      const start = Math.max(offset, section.offset);
      const stop = Math.min(end, section.offset + section.bytes);
      const flight = this.#flightOf(index, start, from);
      const piece = bytes.subarray(start - offset, stop - offset);
      flight.hash.update(piece);
      flight.at = stop;
      await this.#put(piece, start);
      if (stop !== section.offset + section.bytes) continue;
      this.#flights.delete(index);
      const actual = flight.hash.digest('hex');
      if (actual !== section.sha256) {
        await this.#wipe(section);
        throw tensorCorrupt(section, from, actual);
      }
      done.push(section);
      this.#fresh.add(index);
      this.#freshBytes += section.bytes;
      if (this.#freshBytes >= NOTE_EVERY) await this.#note();
    }
    return done;
  }

  /** Notes what is verified and forgets what was half there. */
  async settle(): Promise<void> {
    this.#flights.clear();
    this.#wanted = [];
    await this.#note();
  }

  /** Hashes what is there again and forgets what is wrong; resolves to those sections. */
  async check(io: Checking): Promise<Section[]> {
    const there = this.#has.flatMap((has, i) => (has ? [i] : []));
    const wrong = await wrongOf(this.path, this.list, there, io);
    for (const index of wrong) this.#has[index] = false;
    await this.#writeNote();
    for (const index of wrong) await this.#wipe(this.section(index));
    return wrong.map((index) => this.section(index));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#noting.catch(() => {});
    } finally {
      await this.#handle.close();
    }
  }

  #flightOf(index: number, start: number, from: string): Flight {
    const section = this.section(index);
    const flight = this.#flights.get(index);
    if (start === section.offset) {
      const anew = { hash: createHash('sha256'), at: start };
      this.#flights.set(index, anew);
      return anew;
    }
    if (flight?.at === start) return flight;
    throw outOfOrder(section, from, start, flight?.at ?? section.offset);
  }

  /** Place in `#wanted` of the first section that ends behind `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#wanted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { offset: at, bytes } = this.section(this.#wanted[middle]!);
      if (at + bytes <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #put(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, offset + at);
        at += bytesWritten;
      }
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  async #wipe({ offset, bytes }: Section): Promise<void> {
    for (let at = 0; at < bytes; at += ZEROS.length)
      await this.#put(ZEROS.subarray(0, Math.min(ZEROS.length, bytes - at)), offset + at);
  }

  #note(): Promise<void> {
    const work = async () => {
      const fresh = [...this.#fresh];
      await this.#handle.sync().catch((error: unknown) => {
        throw writeError(this.path, error);
      });
      for (const index of fresh) {
        this.#has[index] = true;
        this.#fresh.delete(index);
      }
      this.#freshBytes = 0;
      await this.#writeNote();
    };
    this.#noting = this.#noting.then(work, work);
    return this.#noting;
  }

  async #writeNote(): Promise<void> {
    const now = await fingerprint(this.path);
    if (now === null) throw writeError(this.path, new Error('it was removed meanwhile'));
    const { inode, modified, changed } = now;
    const underWay = new Array<boolean>(this.#has.length).fill(false);
    for (const index of this.#wanted) underWay[index] = !this.#has[index];
    const note: BlocksNote = {
      schema: 1,
      model: this.list.model,
      list: this.list.root,
      sections: runsOf(this.#has),
      underWay: runsOf(underWay),
      file: { inode, modified, changed },
    };
    await writeFileAtomic(this.#paths.note, `${JSON.stringify(note)}\n`);
  }
}
