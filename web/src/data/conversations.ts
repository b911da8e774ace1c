/**
 * The list of conversations, the threads that are open, and what changes them. Tabs tell each other of changes.
 *
 * @module web/data/conversations
 */
import { createSignal } from 'solid-js';
import { createStore, reconcile, unwrap } from 'solid-js/store';
import {
  type Answer,
  type Archive,
  type Conversation,
  openArchive,
  type Thread,
  type Turn,
} from './archive.ts';
import { type AnswerSettings, preferences } from './preferences.ts';

/** The oldest conversation goes when one more begins; the reader can take that back. */
export const maxConversations = 1_000;
export const maxTurns = 500;
export const maxQuestion = 200_000;
const titleLength = 80;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface State {
  /** Null until the archive was read. */
  list: Mutable<Conversation>[] | null;
  /** By conversation: those shown or being written. */
  threads: Record<string, { turns: Mutable<Turn>[] }>;
}

const [state, set] = createStore<State>({ list: null, threads: {} });
const [lasting, setLasting] = createSignal(true);

export { lasting };

const tabs = new BroadcastChannel('kith.conversations');
let archive: Promise<Archive> | null = null;
/** Conversations that this tab is writing: news from other tabs do not touch them. */
const own = new Set<string>();

function kept(): Promise<Archive> {
  archive ??= openArchive().then((opened) => {
    setLasting(opened.lasting);
    return opened;
  });
  return archive;
}

async function refresh(): Promise<void> {
  const list = await (await kept()).list();
  list.sort((a, b) => b.updated - a.updated || (a.id < b.id ? 1 : -1));
  set('list', reconcile(list, { key: 'id' }));
}

tabs.onmessage = async ({ data }: MessageEvent<string>) => {
  await refresh();
  if (own.has(data) || !state.threads[data]) return;
  const thread = await (await kept()).read(data);
  set('threads', data, 'turns', reconcile([...(thread?.turns ?? [])], { key: 'id' }));
};

/** Newest first; null until they were read. */
export const conversations = (): readonly Conversation[] | null => state.list;
export const conversation = (id: string): Conversation | undefined =>
  state.list?.find((one) => one.id === id);
export const turnsOf = (id: string): readonly Turn[] | undefined => state.threads[id]?.turns;

let opening: Promise<void> | null = null;
export function openConversations(): Promise<void> {
  opening ??= refresh();
  return opening;
}

/** Brings the turns of a conversation. False when there is none of that id. */
export async function openThread(id: string): Promise<boolean> {
  await openConversations();
  if (state.threads[id]) return true;
  if (!conversation(id)) return false;
  const thread = await (await kept()).read(id);
  if (!state.threads[id]) set('threads', id, { turns: (thread?.turns ?? []).map(afterReload) });
  return true;
}

/** What was being written when the page went away has lost its writer. */
function afterReload(turn: Turn): Turn {
  if (turn.answer.state !== 'waiting' && turn.answer.state !== 'writing') return turn;
  return { ...turn, answer: { ...turn.answer, state: 'lost' } };
}

export function closeThread(id: string): void {
  if (!own.has(id)) set('threads', id, undefined!);
}

/** Marks a conversation as being written by this tab until the returned function is called. */
export function hold(id: string): () => void {
  own.add(id);
  return () => own.delete(id);
}

export function newId(): string {
  // randomUUID exists in secure contexts only; a node behind a name of its own may be reached over plain HTTP.
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ');
  if (line.length <= titleLength) return line;
  return `${line.slice(0, titleLength).replace(/\s+\S*$/, '')}…`;
}

/** Begins a conversation. Returns its id and, when the list is over its bound, which conversation has to go. */
export function beginConversation(
  question: string,
  settings: AnswerSettings,
): { id: string; dropped: Conversation | null } {
  const now = Date.now();
  const id = newId();
  const begun: Conversation = {
    id,
    title: titleOf(question),
    created: now,
    updated: now,
    settings: { ...unwrap(settings) },
  };
  const list = state.list ?? [];
  const dropped = list.length >= maxConversations ? (list.at(-1) ?? null) : null;
  set('list', [begun, ...list]);
  set('threads', id, { turns: [] });
  return { id, dropped };
}

export function newTurn(question: string): Turn {
  return { id: newId(), question, asked: Date.now(), answer: emptyAnswer() };
}

export function emptyAnswer(): Answer {
  return {
    state: 'waiting',
    text: '',
    model: null,
    backend: null,
    step: null,
    finish: null,
    usage: null,
    receipt: null,
    requestId: null,
    fault: null,
    judged: null,
  };
}

export function setTurns(id: string, turns: readonly Turn[]): void {
  set('threads', id, 'turns', reconcile([...turns], { key: 'id' }));
}

/** The turns as they are now: what is done to the conversation later does not reach them. */
export function copyTurns(id: string): Turn[] {
  return structuredClone(unwrap(turnsOf(id) ?? [])) as Turn[];
}

export function setAnswer(id: string, turn: string, change: Partial<Answer>): void {
  set('threads', id, 'turns', (one) => one.id === turn, 'answer', change);
}

/** Writes the conversation and its thread. @param touched it was added to, so that it moves to the top */
export async function save(id: string, touched = false): Promise<void> {
  if (touched) set('list', (one) => one.id === id, 'updated', Date.now());
  if (touched) set('list', (list) => [...list!].sort((a, b) => b.updated - a.updated));
  const found = conversation(id);
  const turns = turnsOf(id);
  if (!found) return;
  await (await kept()).write(
    structuredClone(unwrap(found)),
    turns ? { id, turns: structuredClone(unwrap(turns)) as Turn[] } : null,
  );
  tabs.postMessage(id);
}

export async function rename(id: string, title: string): Promise<void> {
  const clean = title.trim().replace(/\s+/g, ' ').slice(0, 200);
  if (clean === '') return;
  set('list', (one) => one.id === id, 'title', clean);
  await save(id);
}

export async function keepSettings(id: string, settings: AnswerSettings): Promise<void> {
  set('list', (one) => one.id === id, 'settings', { ...settings });
  await save(id);
}

/** What is needed to bring a removed conversation back. */
export interface Removed {
  readonly conversation: Conversation;
  readonly thread: Thread | null;
}

async function takeOut(id: string): Promise<Thread | null> {
  const opened = await kept();
  const thread = await opened.read(id);
  await opened.remove(id);
  return thread;
}

/** Takes it from the list at once, so that nothing leads to it while it is being deleted. */
export async function remove(id: string): Promise<Removed | null> {
  const found = conversation(id);
  if (!found) return null;
  const removed = structuredClone(unwrap(found));
  const unlist = () => set('list', (list) => list!.filter((one) => one.id !== id));
  unlist();
  const thread = await takeOut(id).catch(async (error: unknown) => {
    await refresh();
    throw error;
  });
  // Another tab's news may have brought the old list meanwhile.
  unlist();
  if (!own.has(id)) set('threads', id, undefined!);
  tabs.postMessage(id);
  return { conversation: removed, thread };
}

export async function restore(removed: Removed): Promise<void> {
  await (await kept()).write(removed.conversation, removed.thread);
  await refresh();
  tabs.postMessage(removed.conversation.id);
}

export async function removeAll(): Promise<void> {
  await (await kept()).clear();
  set({ list: [], threads: {} });
  tabs.postMessage('');
}

/** Ids of conversations in whose questions or answers all the words stand. */
export async function search(words: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  await (await kept()).each(({ id, turns }) => {
    const text = turns
      .map(({ question, answer }) => `${question}\n${answer.text}`)
      .join('\n')
      .toLocaleLowerCase();
    if (words.every((word) => text.includes(word))) found.add(id);
  });
  return found;
}

export async function threadOf(id: string): Promise<Thread> {
  const open = turnsOf(id);
  if (open) return { id, turns: unwrap(open) };
  return (await (await kept()).read(id)) ?? { id, turns: [] };
}

export const defaultSettings = (): AnswerSettings => preferences.settings;
