/**
 * Knowledge bases that are open: each with its store, its vectors in memory and what was seen of its folders. Opened when somebody
 * asks, and let go when others are asked about, or when the drive with the file is gone.
 *
 * @module node/knowledge/kbs
 */
import { statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { isKithError, KithError } from '../../base/index.ts';
import {
  createRetriever,
  type Embedder,
  followGraph,
  type KnowledgeStore,
  openKnowledgeStore,
  type Retriever,
} from '../../knowledge/index.ts';
import type { FolderView } from '../../server/index.ts';
import type { Embedders } from './embedders.ts';
import type { KbEntry, Registry } from './registry.ts';

export interface OpenKb {
  readonly store: KnowledgeStore;
  /** The one that its vectors are of; loaded by what is asked of it first. */
  readonly embedder: Embedder;
  readonly retriever: Retriever;
  /** Names and passages as a network that follows the store. */
  readonly graph: ReturnType<typeof followGraph>;
  /** Of files that were taken in, by the folder's place in the KB: they are not read again. */
  stamps(under: string): Map<string, string>;
}

export interface OpenKbs extends AsyncDisposable {
  /** Opens the KB, unless it is, for as long as the work takes. @throws KithError `kb_missing`, `kb_lost`, `kb_replaced`; of the disk */
  use<T>(entry: KbEntry, work: (kb: OpenKb) => T | Promise<T>): Promise<T>;
  /** Closes it when nobody uses it any more. */
  close(name: string): Promise<void>;
  /** Closes it unless somebody uses it now. */
  closeIdle(name: string): Promise<void>;
}

/** Knowledge bases that stay open unused: their vectors are in memory. */
const MOST_IDLE = 4;
/** After these the file has to be opened anew. */
const GONE: ReadonlySet<string> = new Set(['kb_lost', 'disk_failed']);

interface Held extends OpenKb {
  readonly file: string | null;
  users: number;
  doomed: boolean;
  readonly closed: PromiseWithResolvers<void>;
}

export function createOpenKbs(
  embedders: Embedders,
  registry: Pick<Registry, 'storeOf' | 'noteStore'>,
  /** Bytes of exact vectors that each keeps in memory. */
  exactBytes: number,
): OpenKbs {
  /** In the order of their last use. */
  const open = new Map<string, Held>();

  function take({ name, path }: KbEntry): Held {
    let held = open.get(name);
    const file = fileAt(path);
    if (held !== undefined && held.file !== file) {
      // Its drive was taken away, or came back as another.
      held.doomed = true;
      open.delete(name);
      if (held.users === 0) void end(name, held);
      held = undefined;
    }
    if (held === undefined) {
      const store = openOwn(name, path);
      const stamps = new Map<string, Map<string, string>>();
      const embedder = embedders.lazy(store);
      const graph = followGraph(store);
      held = {
        ...{ file, store, embedder, graph, users: 0, doomed: false, closed: Promise.withResolvers<void>() },
        retriever: createRetriever({ store, embedder, graph, vectors: { exactBytes } }),
        stamps(under) {
          const known = stamps.get(under) ?? new Map<string, string>();
          stamps.set(under, known);
          return known;
        },
      };
    }
    open.delete(name);
    open.set(name, held);
    held.users++;
    return held;
  }

  /** Its own file, and not another that was put in its place: that would say which folders are read. */
  function openOwn(name: string, path: string): KnowledgeStore {
    const store = openKnowledgeStore({ path });
    try {
      const known = registry.storeOf(name);
      if (known === null) note(name, store.id);
      else if (known !== store.id) throw replaced(name, path);
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  function note(name: string, id: string): void {
    try {
      registry.noteStore(name, id);
    } catch (error) {
      // On a full disk it can be read all the same; the next opening notes it.
      if (!isKithError(error)) throw error;
    }
  }

  async function end(name: string, held: Held): Promise<void> {
    held.doomed = true;
    if (open.get(name) === held) open.delete(name);
    if (held.users > 0) return held.closed.promise;
    try {
      await held.retriever[Symbol.asyncDispose]();
    } finally {
      held.store.close();
      held.closed.resolve();
    }
  }

  async function trim(): Promise<void> {
    const idle = [...open].filter(([, { users }]) => users === 0);
    for (const [name, held] of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) await end(name, held);
  }

  return {
    async use(entry, work) {
      const held = take(entry);
      try {
        return await work(held);
      } catch (error) {
        if (isKithError(error) && GONE.has(error.code)) {
          held.doomed = true;
          if (open.get(entry.name) === held) open.delete(entry.name);
        }
        throw error;
      } finally {
        held.users--;
        if (held.doomed && held.users === 0) await end(entry.name, held);
        else await trim();
      }
    },
    async close(name) {
      const held = open.get(name);
      if (held !== undefined) await end(name, held);
    },
    async closeIdle(name) {
      const held = open.get(name);
      if (held?.users === 0) await end(name, held);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open].map(([name, held]) => end(name, held)));
    },
  };
}

function replaced(name: string, path: string): KithError {
  return new KithError(
    'kb_replaced',
    `The file ${path} is another knowledge base than ${name} was. Put its own file there again; or take this one, whose folders are then followed no longer: kith rag destroy ${name} --keep-file, then kith rag init ${name} --folder '${dirname(path)}'`,
    { status: 409, details: { path } },
  );
}

/** Null where there is none. */
function fileAt(path: string): string | null {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? null : `${facts.dev} ${facts.ino}`;
}

/** Folders that a KB follows stand in its own file: it may be taken to another home. */
export function foldersOf({ settings }: Pick<KnowledgeStore, 'settings'>): FolderView[] {
  const { folders } = settings;
  if (!Array.isArray(folders)) return [];
  return folders.flatMap((each: unknown) => {
    const { folder, under } = (each ?? {}) as Partial<Record<string, unknown>>;
    // The file may be from elsewhere. A sync that stood nowhere would remove what is not of its folder.
    const fits = typeof folder === 'string' && isAbsolute(folder) && typeof under === 'string';
    return fits && under.length > 1 && under.endsWith('/') ? [{ folder, under }] : [];
  });
}

export function setFolders(store: KnowledgeStore, folders: readonly FolderView[]): void {
  store.setSettings({ ...store.settings, folders });
}
