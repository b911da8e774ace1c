/**
 * What is open on the page besides the page itself.
 *
 * @module web/app/ui
 */
import { createSignal } from 'solid-js';

export type Panel = { readonly kind: 'receipt'; readonly turn: string } | { readonly kind: 'settings' };
export type Dialogue = 'palette' | 'keys' | 'preferences';

export interface Undo {
  readonly text: string;
  readonly undo: () => void;
}

const [panel, setPanel] = createSignal<Panel | null>(null);
const [dialogue, setDialogue] = createSignal<Dialogue | null>(null);
const [undo, setUndo] = createSignal<Undo | null>(null);

export { dialogue, panel, setDialogue, undo };

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
