/**
 * What is open on the page besides the page itself.
 *
 * @module web/app/ui
 */
import { createSignal } from 'solid-js';
import { conversation } from '../data/conversations.ts';
import { conversationPath, paths } from './pages.ts';

export type Panel =
  | { readonly kind: 'receipt'; readonly turn: string }
  | { readonly kind: 'settings' }
  | {
      /** A document of a knowledge base. */
      readonly kind: 'source';
      readonly kb: string;
      readonly path: string;
      /** Id of the passage to show; null: from the beginning. */
      readonly chunk: string | null;
      /** To mark in it. */
      readonly sentence: string | null;
      /** Stems of words to mark. */
      readonly stems: ReadonlySet<string>;
    };
export type Dialogue = 'palette' | 'keys' | 'preferences';

export interface Undo {
  readonly text: string;
  readonly undo: () => void;
}

const [panel, setPanel] = createSignal<Panel | null>(null);
const [dialogue, setDialogue] = createSignal<Dialogue | null>(null);
const [undo, setUndo] = createSignal<Undo | null>(null);

export { dialogue, panel, setDialogue, undo };

const [lastOpen, setLastOpen] = createSignal<string | null>(null);

/** Notes which conversation is open; null for one that is about to begin. */
export { setLastOpen };

/** The way back to the conversation that was open; to a new one where none was, or it is gone. */
export function chatPath(): string {
  const id = lastOpen();
  return id !== null && conversation(id) ? conversationPath(id) : paths.start;
}

/** The same width as in styles/shell.css. */
const narrow = matchMedia('(max-width: 1179.9px)');
const [overlaid, setOverlaid] = createSignal(narrow.matches);
narrow.addEventListener('change', () => setOverlaid(narrow.matches));

/** True while the panel lies over the page, which waits behind it. */
export const isDrawer = (): boolean => panel() !== null && overlaid();

/** What had the focus when the panel opened: it gets it back. */
let before: HTMLElement | null = null;

export function openPanel(next: Panel): void {
  if (panel() === null) before = document.activeElement as HTMLElement | null;
  setPanel(next);
}

export function closePanel(): void {
  if (panel() === null) return;
  setPanel(null);
  if (before?.isConnected) before.focus();
  before = null;
}

const undoMs = 10_000;
let timer: ReturnType<typeof setTimeout> | undefined;

export function offerUndo(text: string, back: () => void): void {
  clearTimeout(timer);
  setUndo({ text, undo: back });
  timer = setTimeout(() => setUndo(null), undoMs);
}

export function closeUndo(): void {
  clearTimeout(timer);
  setUndo(null);
}
