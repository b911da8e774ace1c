/**
 * Some objects of a collection: those that lie beside each other in a segment are read in one stretch.
 *
 * @module vault/collection/read-some
 */
import { type PlacedEve, type ReadOptions, readBlock } from '../place/reader.ts';
import { placesFor } from '../place/rendezvous.ts';
import type { Entry } from '../seal/segment.ts';
import { each } from './put.ts';

/** Bytes between two objects that are read along, and of one stretch. */
const GAP_BYTES = 4096;
const RUN_BYTES = 1 << 20;
/** Of each Eve: she answers 8 questions of one peer at a time. */
const AT_ONCE = 6;

/**
 * @param opened the object of an entry from its record @returns by name
 * @throws KithError `vault_block_lost`
 */
export async function readSome(
  eves: readonly PlacedEve[],
  entries: readonly Entry[],
  opened: (entry: Entry, record: Uint8Array) => Uint8Array,
  reading: ReadOptions,
): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  const missing: Entry[] = [];
  for (const entry of entries) {
    const kept = reading.cache?.get(entry.segment, stretchOf(entry));
    const object = kept === undefined || kept === null ? null : attempt(() => opened(entry, kept));
    if (object === null) missing.push(entry);
    else objects.set(entry.name, object);
  }
  const { cache, ...others } = reading;
  const read = async (run: readonly Entry[]) => {
    const at = run[0]!.at;
    const length = Math.max(...run.map((entry) => entry.at + entry.bytes)) - at;
    const records = await readBlock(
      eves,
      run[0]!.segment,
      { at, length },
      (bytes) =>
        run.map((entry) => {
          const record = bytes.subarray(entry.at - at, entry.at - at + entry.bytes);
          return { entry, record, object: opened(entry, record) };
        }),
      others,
    );
    for (const { entry, record, object } of records) {
      cache?.put(entry.segment, stretchOf(entry), record);
      objects.set(entry.name, object);
    }
  };
  const byEve = Map.groupBy(
    runsOf(missing),
    (run) => placesFor(run[0]!.segment, eves, reading.replicas)[0]?.peer,
  );
  await Promise.all([...byEve.values()].map((runs) => each(runs, AT_ONCE, read)));
  return objects;
}

const stretchOf = ({ at, bytes }: Entry) => ({ at, length: bytes });

/** Whatever is wrong with what was kept: it is read anew. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

function runsOf(entries: readonly Entry[]): Entry[][] {
  const runs: Entry[][] = [];
  for (const here of Map.groupBy(entries, ({ segment }) => segment).values()) {
    let run: Entry[] = [];
    for (const entry of here.toSorted((a, b) => a.at - b.at)) {
      const [first, last] = [run[0], run.at(-1)];
      const fits =
        first !== undefined &&
        last !== undefined &&
        entry.at <= last.at + last.bytes + GAP_BYTES &&
        entry.at + entry.bytes - first.at <= RUN_BYTES;
      if (!fits) {
        run = [];
        runs.push(run);
      }
      run.push(entry);
    }
  }
  return runs;
}
