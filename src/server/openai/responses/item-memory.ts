/**
 * What answers said, remembered for a while so that a later request may name an item (`item_reference`) instead of
 * sending it again. In this process's memory only, for the caller that got the answer only, and within bounds: nothing
 * is written anywhere, and a restart forgets it all.
 *
 * @module server/openai/responses/item-memory
 */
import type { Clock } from '../../../base/index.ts';
import { type AnswerItem, answerItem, lengthOf } from './items.ts';
import type { OutputItem } from './response.ts';

export interface ItemMemoryLimits {
  /** Items of all callers together. @default 4096 */
  readonly items: number;
  /** Bytes of all items together, as `bytesOf` counts them. @default 16 MiB */
  readonly bytes: number;
  /** ms that an item is remembered after it was made or last referred to. @default one hour */
  readonly ageMs: number;
}

/** Over a bound, what was not referred to for the longest time goes first. */
export const itemMemoryLimits: ItemMemoryLimits = {
  items: 4096,
  bytes: 16 * 1024 * 1024,
  ageMs: 3_600_000,
};

export interface ItemMemory {
  /** Remembers what an answer said. An item larger than the whole memory is not kept, and pushes nothing out. */
  keep(caller: string | null, items: readonly OutputItem[]): void;
  /**
   * The item as if it had been sent, which counts as a reference to it; null for an item that is not there, not there
   * any more, or another caller's.
   */
  recall(caller: string | null, id: string): AnswerItem | null;
  readonly items: number;
  readonly bytes: number;
}

interface Entry {
  /** Id of the caller's API key; null without one. */
  readonly caller: string | null;
  readonly item: AnswerItem;
  readonly bytes: number;
  /** ms of the monotonic clock: made, or last referred to. */
  readonly usedAt: number;
}

/** Of the objects and the table's slot around the texts of an item, generously. */
const entryBytes = 512;

/** What an item costs at most: two bytes a UTF-16 unit, since V8 needs one or two. */
export function bytesOf(caller: string | null, id: string, item: AnswerItem): number {
  return entryBytes + 2 * ((caller?.length ?? 0) + id.length + lengthOf(item));
}

/** @param closing ends the waiting for items to grow old */
export function createItemMemory(
  clock: Clock,
  closing: AbortSignal,
  limits: ItemMemoryLimits = itemMemoryLimits,
): ItemMemory {
  /** By item id, in the order in which they were last used. */
  const held = new Map<string, Entry>();
  let bytes = 0;
  let waiting = false;

  function forget(id: string, entry: Entry): void {
    held.delete(id);
    bytes -= entry.bytes;
  }

  /** Forgets what is too old. Returns the ms until the next item will be; null when none is left. */
  function forgetOld(): number | null {
    const now = clock.monotonic();
    for (const [id, entry] of held) {
      const left = entry.usedAt + limits.ageMs - now;
      if (left > 0) return left;
      forget(id, entry);
    }
    return null;
  }

  /** Texts do not outlive their hour because no further request came. */
  async function forgetInTime(): Promise<void> {
    if (waiting || closing.aborted) return;
    waiting = true;
    try {
      for (;;) {
        const left = forgetOld();
        if (left === null) return;
        await clock.sleep(left, closing);
      }
    } catch {
      // The server is closing, and this memory goes with it.
    } finally {
      waiting = false;
    }
  }

  function makeRoom(needed: number): void {
    for (const [id, entry] of held) {
      if (held.size < limits.items && bytes + needed <= limits.bytes) return;
      forget(id, entry);
    }
  }

  return {
    keep(caller, items) {
      forgetOld();
      for (const output of items) {
        const item = answerItem(output);
        const size = bytesOf(caller, output.id, item);
        const before = held.get(output.id);
        if (before) forget(output.id, before);
        if (size > limits.bytes || limits.items < 1) continue;
        makeRoom(size);
        // Texts that grew piece by piece hold all their pieces, nine bytes a character or more; a copy is one string.
        const copy = JSON.parse(JSON.stringify(item)) as AnswerItem;
        held.set(output.id, { caller, item: copy, bytes: size, usedAt: clock.monotonic() });
        bytes += size;
      }
      void forgetInTime();
    },
    recall(caller, id) {
      forgetOld();
      const entry = held.get(id);
      if (entry === undefined || entry.caller !== caller) return null;
      held.delete(id);
      held.set(id, { ...entry, usedAt: clock.monotonic() });
      return entry.item;
    },
    get items() {
      return held.size;
    },
    get bytes() {
      return bytes;
    },
  };
}
