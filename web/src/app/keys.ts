/**
 * The keyboard. Letters never fire while something is being typed, and can be switched off (WCAG 2.1.4).
 *
 * @module web/app/keys
 */
import type { Navigator } from '@solidjs/router';
import { answeringTurn, stop } from '../data/answering.ts';
import { preferences } from '../data/preferences.ts';
import { paths } from './pages.ts';
import { chatPath, closePanel, dialogue, isDrawer, openPanel, panel, setDialogue } from './ui.ts';

/** The second key of a sequence has to follow within this time. */
const sequenceMs = 1_500;

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
export const paletteKeys = isMac ? '⌘K' : 'Ctrl K';

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return (
    element?.closest?.('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]') !=
    null
  );
}

export function focusComposer(): boolean {
  const field = document.querySelector<HTMLElement>('.composer textarea, [data-ask]');
  field?.focus();
  return field !== null;
}

const areas = () =>
  [...document.querySelectorAll<HTMLElement>('[data-area]')].filter((area) => area.offsetParent !== null);

function nextArea(step: number): void {
  const list = areas();
  const at = list.findIndex((area) => area.contains(document.activeElement));
  list[(at + step + list.length) % list.length]?.focus();
}

/** The turn that has the focus, or the last one. */
function turnAt(): { turns: HTMLElement[]; at: number } {
  const turns = [...document.querySelectorAll<HTMLElement>('[data-turn]')];
  return { turns, at: turns.findIndex((turn) => turn.contains(document.activeElement)) };
}

function moveTurn(step: number): void {
  const { turns, at } = turnAt();
  const next = turns[at < 0 ? turns.length - 1 : Math.max(0, Math.min(turns.length - 1, at + step))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'start' });
}

function toggleReceipt(): void {
  const { turns, at } = turnAt();
  const id = turns.at(at)?.dataset.turn;
  // Turns of other pages have no receipt.
  if (!id) return;
  const open = panel();
  if (open?.kind === 'receipt' && open.turn === id) closePanel();
  else openPanel({ kind: 'receipt', turn: id });
}

/** Listens until the returned function is called. */
export function listenToKeys(go: Navigator, current: () => string | null): () => void {
  let first: { key: string; at: number } | null = null;

  const letter = (key: string): boolean => {
    const before = first && performance.now() - first.at < sequenceMs ? first.key : null;
    first = null;
    if (before === 'g') {
      const target = {
        c: chatPath(),
        v: paths.conversations,
        k: paths.knowledge,
        n: paths.network,
        e: paths.vault,
        t: paths.status,
      }[key];
      if (target !== undefined) go(target);
      return target !== undefined;
    }
    switch (key) {
      case 'g':
        first = { key, at: performance.now() };
        return true;
      case 'n':
        go(paths.start);
        queueMicrotask(focusComposer);
        return true;
      case '/':
        return focusComposer();
      case 'j':
        moveTurn(1);
        return true;
      case 'k':
        moveTurn(-1);
        return true;
      case 'r':
        toggleReceipt();
        return true;
      case '?':
        setDialogue('keys');
        return true;
      default:
        return false;
    }
  };

  const closeOrStop = (): boolean => {
    const id = current();
    if (!isDrawer() && id !== null && answeringTurn(id) !== null) void stop(id);
    else if (panel() !== null) closePanel();
    else return false;
    return true;
  };

  const onKey = (event: KeyboardEvent) => {
    // A composition (Japanese, Chinese, dead keys) belongs to the field; 229 is how older engines say so.
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    let taken = false;
    if (
      (event.ctrlKey || event.metaKey) &&
      !event.altKey &&
      !event.shiftKey &&
      event.key.toLowerCase() === 'k'
    ) {
      setDialogue(dialogue() === 'palette' ? null : 'palette');
      taken = true;
      // A dialog of a page has its own Escape, and nothing behind it is meant.
    } else if (dialogue() !== null || document.querySelector('dialog[open]') !== null) return;
    else if (event.key === 'F6') {
      nextArea(event.shiftKey ? -1 : 1);
      taken = true;
    } else if (event.key === 'Escape') taken = closeOrStop();
    else if (
      !event.ctrlKey &&
      !event.metaKey &&
      !event.altKey &&
      preferences.letters &&
      !isTyping(event.target)
    ) {
      taken = letter(event.key.toLowerCase());
    }
    if (taken) event.preventDefault();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}
