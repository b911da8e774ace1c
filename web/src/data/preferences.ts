/**
 * What the reader chose for this browser. Kept in local storage, shared by all tabs.
 *
 * @module web/data/preferences
 */
import { createEffect, createRoot } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { AnswerOptions } from './answer-stream.ts';
import { type AnswerTerms, noTerms } from './terms.ts';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

export interface AnswerSettings extends AnswerOptions, AnswerTerms {
  /** Put before every conversation; empty = none. */
  readonly system: string;
}

export const noSettings: AnswerSettings = {
  model: null,
  temperature: null,
  top_p: null,
  max_tokens: null,
  seed: null,
  ...noTerms,
  system: '',
};

export interface Preferences {
  theme: 'auto' | 'light' | 'dark';
  /** Null = as the browser says. */
  language: Language | null;
  /** Single letters are shortcuts outside of fields. */
  letters: boolean;
  /** For new conversations. */
  settings: AnswerSettings;
}

const key = 'kith.preferences';
const initial: Preferences = { theme: 'auto', language: null, letters: true, settings: noSettings };

function read(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Preferences>;
    return { ...initial, ...kept, settings: { ...noSettings, ...kept.settings } };
  } catch {
    return initial;
  }
}

const [preferences, set] = createStore<Preferences>(read());

export { preferences };

export function prefer(change: Partial<Preferences>): void {
  set(change);
  try {
    localStorage.setItem(key, JSON.stringify(preferences));
  } catch {
    // Storage can be closed to pages; the choice then lasts as long as the page.
  }
}

addEventListener('storage', (event) => {
  if (event.key === key) set(reconcile(read()));
});

createRoot(() => {
  createEffect(() => {
    const { dataset } = document.documentElement;
    if (preferences.theme === 'auto') delete dataset.theme;
    else dataset.theme = preferences.theme;
  });
});

/** What was typed and not sent, by conversation. */
const draftKey = (id: string) => `kith.draft.${id}`;
const maxDraft = 200_000;

export function readDraft(id: string): string {
  try {
    return localStorage.getItem(draftKey(id)) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(id: string, text: string): void {
  try {
    if (text === '' || text.length > maxDraft) localStorage.removeItem(draftKey(id));
    else localStorage.setItem(draftKey(id), text);
  } catch {
    // As above.
  }
}
