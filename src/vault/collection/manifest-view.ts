/**
 * The newest manifest that the Eves of a collection have, read and checked.
 *
 * An Eve may show an old head. The newest of all that answer counts, and who has seen a newer one before says so instead of
 * going back without a word. Of two states of one number the first counts (`heads.ts`) of which all blocks are there.
 *
 * @module vault/collection/manifest-view
 */
import { type CborMap, isKithError, KithError } from '../../base/index.ts';
import type { KeyRing } from '../keys/keys.ts';
import { type PlacedEve, type ReadOptions, readBlock } from '../place/reader.ts';
import { openPage, pageOf, type VaultMode } from '../seal/manifest.ts';
import { damaged } from '../seal/record.ts';
import type { Entry } from '../seal/segment.ts';
import type { HeadRow } from '../types.ts';
import { type Heads, readHeads, type ShownState } from './heads.ts';
import { holdingsOf, isHeld, referencedBy } from './holdings.ts';
import { awayText, each } from './put.ts';

/** Two machines with this key wrote states of one number at different Eves. */
export interface Fork {
  readonly number: number;
  /** Eves that show the state that counts, and those that show another. */
  readonly kept: readonly string[];
  readonly lost: readonly string[];
}

export interface Manifest {
  /** 0: nothing was placed yet. */
  readonly number: number;
  /** Names what it says: 64 hex digits; empty when nothing was placed yet. */
  readonly state: string;
  /** As it lies at an Eve; null when nothing was placed yet. */
  readonly row: HeadRow | null;
  readonly epoch: number;
  readonly mode: VaultMode;
  readonly pages: readonly string[];
  /** Blocks that all Eves hold. */
  readonly everywhere: readonly string[];
  readonly info: CborMap;
  /** By name. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** The number of the head that each Eve showed; those that did not answer are not here. */
  readonly heads: ReadonlyMap<string, number>;
  /** Why the others did not. */
  readonly away: ReadonlyMap<string, string>;
  readonly fork: Fork | null;
}

export interface ManifestOptions {
  /** The newest number that was seen before. */
  readonly atLeast: number;
  /**
   * Who writes has everything: where all Eves answer, a state that they lost is taken as one to go on from, and pages that none of
   * them has as empty.
   */
  readonly forWriting: boolean;
}

/** Pages of a manifest that are read at a time. */
const PAGES_AT_ONCE = 16;

interface OpenedState {
  readonly shown: ShownState;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** @throws KithError `vault_rolled_back`, `vault_block_lost`, `vault_unreachable` */
export async function readManifest(
  collection: string,
  root: KeyRing,
  eves: readonly PlacedEve[],
  { atLeast, forWriting }: ManifestOptions,
  reading: ReadOptions,
): Promise<Manifest> {
  const told = await readHeads(collection, root, eves, reading.signal);
  const { newest, heads, away, gone } = told;
  const shown = newest[0]?.head.number ?? 0;
  const mayLose = forWriting && eves.every(({ peer }) => heads.has(peer) || gone.has(peer));
  if (shown < atLeast && !mayLose) throw rolledBack(shown, atLeast, told);
  const number = Math.max(shown, atLeast);
  if (newest.length === 0)
    return {
      ...{ number, state: '', row: null, epoch: 1, mode: 'sealed', pages: [], everywhere: [], info: {} },
      ...{ entries: new Map(), heads, away, fork: null },
    };
  const { shown: chosen, entries } = await chosenOf(newest, (state) =>
    entriesOf(state, collection, root, eves, mayLose, reading),
  );
  const { epoch, mode, info, everywhere, pages } = chosen.head;
  const others = newest.filter((state) => state !== chosen).flatMap(({ peers }) => peers);
  const fork = others.length === 0 ? null : { number: shown, kept: chosen.peers, lost: others };
  return {
    ...{ number, state: chosen.state, row: chosen.row, epoch, mode, pages, everywhere, info },
    ...{ entries, heads, away, fork },
  };

  /** The first that is whole; else the first that can be read at all. */
  async function chosenOf(
    states: readonly ShownState[],
    open: (state: ShownState) => Promise<ReadonlyMap<string, Entry>>,
  ): Promise<OpenedState> {
    if (states.length === 1) return { shown: states[0]!, entries: await open(states[0]!) };
    const held = await holdingsOf({ eves }, new Map(), reading.signal);
    let readable: OpenedState | null = null;
    let failure: unknown = null;
    for (const state of states)
      try {
        const opened = { shown: state, entries: await open(state) };
        const { pages: own, everywhere: all } = state.head;
        const needed = referencedBy({ pages: own, everywhere: all, entries: opened.entries });
        if (needed.values().every((block) => isHeld(held, block))) return opened;
        readable ??= opened;
      } catch (error) {
        reading.signal?.throwIfAborted();
        failure ??= error;
      }
    if (readable === null) throw failure;
    return readable;
  }
}

async function entriesOf(
  { head }: ShownState,
  collection: string,
  root: KeyRing,
  eves: readonly PlacedEve[],
  mayLose: boolean,
  reading: ReadOptions,
): Promise<ReadonlyMap<string, Entry>> {
  const keys = root.keysOf(collection, head.epoch);
  const entries = new Map<string, Entry>();
  let isWhole = true;
  await each(head.pages.entries(), PAGES_AT_ONCE, async ([index, id]) => {
    const page = await readBlock(eves, id, null, (block) => openPage(keys, index, block), reading).catch(
      (error: unknown) => {
        if (mayLose && isKithError(error) && error.code === 'vault_block_lost') return null;
        throw error;
      },
    );
    if (page === null) isWhole = false;
    for (const entry of page ?? []) {
      if (pageOf(entry.name, head.pages.length) !== index) throw damaged(`page ${index} of the manifest`);
      entries.set(entry.name, entry);
    }
    // Not after all are read: who made them may be who gave a grant.
    if (entries.size > head.objects) throw damaged('the manifest');
  });
  if (entries.size !== head.objects && isWhole) throw damaged('the manifest');
  return entries;
}

function rolledBack(shown: number, reached: number, { away }: Pick<Heads, 'away'>): KithError {
  const what =
    away.size > 0
      ? `Wait for those that are away, they may have it. ${awayText(away)}`
      : 'They lost what they had taken. The machine that has the knowledge base places it again: kith vpk upload KB.';
  return new KithError(
    'vault_rolled_back',
    `The Eves that answer show state ${shown} of this collection, but ${reached} was reached. ${what}`,
    { status: 409, details: { shown, reached } },
  );
}
