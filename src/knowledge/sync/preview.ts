/**
 * What a sync would do, and nothing of it done.
 *
 * Files are compared by their bytes and not parsed, so that what only a parser would refuse counts as new or changed.
 *
 * @module knowledge/sync/preview
 */
import { recipeOf } from '../ingest/index.ts';
import type { KnowledgeStore } from '../store/index.ts';
import { type SyncOptions, sync } from './sync.ts';
import { type Ignored, walk } from './walk.ts';

/** Some of all that there are: `count` is of all, `bytes` too. */
export interface PlannedFiles<Entry> {
  readonly count: number;
  readonly bytes: number;
  readonly files: readonly Entry[];
}

export interface PlannedFile {
  readonly path: string;
  readonly bytes: number;
}

export interface PlannedMove {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

export interface PlannedTrouble {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Paths are those in the KB. */
export interface SyncPlan {
  readonly unchanged: number;
  readonly added: PlannedFiles<PlannedFile>;
  readonly changed: PlannedFiles<PlannedFile>;
  /** Whose passages were cut by other settings than hold now, whether or not the file changed. */
  readonly recut: PlannedFiles<PlannedFile>;
  readonly renamed: PlannedFiles<PlannedMove>;
  readonly removed: PlannedFiles<PlannedFile>;
  /** `bytes` is 0: they are not looked at. */
  readonly ignored: PlannedFiles<Ignored>;
  /** Cannot be read, or could not be parsed before and are the same. What the KB has of them stays. */
  readonly unreadable: PlannedFiles<PlannedTrouble>;
}

/** Entries of each kind that are named. */
export const PLAN_ENTRIES = 1000;

/** @throws what `sync` throws */
export async function previewSync(options: Omit<SyncOptions, 'dryRun'>): Promise<SyncPlan> {
  const { store, folder, prefix = '', signal } = options;
  const recipe = recipeOf(options.chunking ?? {}, options.embedder);
  const plan = {
    ...{ added: listing<PlannedFile>(), changed: listing<PlannedFile>(), recut: listing<PlannedFile>() },
    ...{ renamed: listing<PlannedMove>(), removed: listing<PlannedFile>() },
    ...{ ignored: listing<Ignored>(), unreadable: listing<PlannedTrouble>() },
  };
  const sizes = new Map<string, number>();
  const ignore = ({ path, ...why }: Ignored): void => plan.ignored.add({ path: prefix + path, ...why }, 0);
  for await (const found of walk(folder, signal, ignore))
    if (!('unread' in found)) sizes.set(prefix + found.path, found.bytes);
  const sizeOf = (path: string): number => sizes.get(path) ?? 0;
  const arrived = new Set<string>();
  let unchanged = sizes.size;
  // A copy: the next sync trusts its stamps.
  for await (const event of sync({ ...options, stamps: new Map(options.stamps), dryRun: true })) {
    switch (event.kind) {
      case 'renamed': {
        const { from, to } = event;
        arrived.add(to);
        plan.renamed.add({ from, to, bytes: sizeOf(to) }, sizeOf(to));
        unchanged--;
        break;
      }
      case 'removed': {
        const bytes = keptBytes(store, event.path);
        plan.removed.add({ path: event.path, bytes }, bytes);
        break;
      }
      case 'unread':
        plan.unreadable.add({ path: event.path, code: 'folder_unreadable', message: event.message }, 0);
        break;
      case 'file': {
        const { path, stage, known, code, message } = event;
        const bytes = sizeOf(path);
        if (stage === 'failed')
          plan.unreadable.add({ path, code: code ?? 'ingest_failed', message: message ?? '' }, bytes);
        else if (stage !== 'waiting' || arrived.has(path)) break;
        else if (known === 'new') plan.added.add({ path, bytes }, bytes);
        else {
          const isRecut = (store.file(path) ?? store.document(path))?.recipe !== recipe;
          plan[isRecut ? 'recut' : 'changed'].add({ path, bytes }, bytes);
        }
        unchanged--;
      }
    }
  }
  const { added, changed, recut, renamed, removed, ignored, unreadable } = plan;
  return {
    unchanged: Math.max(0, unchanged),
    ...{ added: added.all(), changed: changed.all(), recut: recut.all(), renamed: renamed.all() },
    ...{ removed: removed.all(), ignored: ignored.all(), unreadable: unreadable.all() },
  };
}

function listing<Entry>() {
  const files: Entry[] = [];
  const sum = { count: 0, bytes: 0 };
  return {
    add(entry: Entry, bytes: number): void {
      sum.count++;
      sum.bytes += bytes;
      if (files.length < PLAN_ENTRIES) files.push(entry);
    },
    all: (): PlannedFiles<Entry> => ({ ...sum, files }),
  };
}

/** Of a file as it was taken in; of a dump each page says the size of the whole. */
function keptBytes(store: KnowledgeStore, path: string): number {
  const page = () => store.documents({ limit: 1 }, { paths: [`${path}/`] })[0];
  return (store.document(path) ?? page())?.bytes ?? 0;
}
