/**
 * Conversations as they are kept: in this browser's IndexedDB, nowhere else. Two stores, so that the list of all
 * conversations opens without reading what was said in them.
 *
 * @module web/data/archive
 */
import type { Usage } from './answer-stream.ts';
import type { Fault } from './node-error.ts';
import type { AnswerSettings } from './preferences.ts';
import type { Receipt } from './receipt.ts';

export interface Answer {
  /**
   * `waiting`: asked, nothing came yet; `writing`; `done`; `stopped` by the reader; `failed` with `fault`; `lost`: the
   * node or the page went away in the middle.
   */
  readonly state: 'waiting' | 'writing' | 'done' | 'stopped' | 'failed' | 'lost';
  readonly text: string;
  readonly model: string | null;
  /** What answered, as the node named it at the start; null = not known. */
  readonly backend: string | null;
  /** Step of the node's ladder, as it named it at the start. Absent in answers of before. */
  readonly step?: string | null;
  /** `length`: cut by a limit. */
  readonly finish: string | null;
  readonly usage: Usage | null;
  readonly receipt: Receipt | null;
  readonly requestId: string | null;
  readonly fault: Fault | null;
  /** What the reader told the node of it; null or absent: nothing. */
  readonly judged?: boolean | null;
}

export interface Turn {
  readonly id: string;
  readonly question: string;
  /** ms since epoch. */
  readonly asked: number;
  readonly answer: Answer;
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly created: number;
  readonly updated: number;
  readonly settings: AnswerSettings;
}

export interface Thread {
  readonly id: string;
  readonly turns: readonly Turn[];
}

export interface Archive {
  /** False: this browser keeps nothing for pages, so conversations last as long as the page is open. */
  readonly lasting: boolean;
  list(): Promise<Conversation[]>;
  read(id: string): Promise<Thread | null>;
  write(conversation: Conversation, thread: Thread | null): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
  /** Threads one by one, newest conversation or not: for searching and saving. */
  each(visit: (thread: Thread) => void): Promise<void>;
}

const lists = 'conversations';
const threads = 'threads';

export async function openArchive(name = 'kith'): Promise<Archive> {
  try {
    return overDatabase(await open(name));
  } catch {
    return inMemory();
  }
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(lists, { keyPath: 'id' });
      request.result.createObjectStore(threads, { keyPath: 'id' });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('blocked'));
  });
}

function overDatabase(database: IDBDatabase): Archive {
  // A newer page in another tab may need to change the stores: do not stand in its way.
  database.onversionchange = () => database.close();
  const change = (work: (stores: { list: IDBObjectStore; threads: IDBObjectStore }) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction([lists, threads], 'readwrite');
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      work({ list: transaction.objectStore(lists), threads: transaction.objectStore(threads) });
    });
  const result = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  return {
    lasting: true,
    list: () => result<Conversation[]>(database.transaction(lists).objectStore(lists).getAll()),
    read: async (id) =>
      (await result<Thread | undefined>(database.transaction(threads).objectStore(threads).get(id))) ?? null,
    write: (conversation, thread) =>
      change((stores) => {
        stores.list.put(conversation);
        if (thread) stores.threads.put(thread);
      }),
    remove: (id) =>
      change((stores) => {
        stores.list.delete(id);
        stores.threads.delete(id);
      }),
    clear: () =>
      change((stores) => {
        stores.list.clear();
        stores.threads.clear();
      }),
    each: (visit) =>
      new Promise((resolve, reject) => {
        const request = database.transaction(threads).objectStore(threads).openCursor();
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const cursor = request.result;
          if (!cursor) return resolve();
          visit(cursor.value as Thread);
          cursor.continue();
        };
      }),
  };
}

function inMemory(): Archive {
  const list = new Map<string, Conversation>();
  const kept = new Map<string, Thread>();
  return {
    lasting: false,
    list: async () => [...list.values()],
    read: async (id) => kept.get(id) ?? null,
    write: async (conversation, thread) => {
      list.set(conversation.id, conversation);
      if (thread) kept.set(thread.id, thread);
    },
    remove: async (id) => {
      list.delete(id);
      kept.delete(id);
    },
    clear: async () => {
      list.clear();
      kept.clear();
    },
    each: async (visit) => {
      for (const thread of kept.values()) visit(thread);
    },
  };
}
