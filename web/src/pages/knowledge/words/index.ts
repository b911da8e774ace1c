/**
 * The words of the knowledge page, which come with it: what a reader of other pages never sees is no part of the first load.
 *
 * @module web/pages/knowledge/words
 */
import { flatten, resolveTemplate, translator } from '@solid-primitives/i18n';
import { createEffect, createMemo, createRoot, createSignal } from 'solid-js';
import { preferences } from '../../../data/preferences.ts';
import { browserLanguage, language } from '../../../i18n/index.ts';
import { en, type Words } from './en.ts';

const [german, setGerman] = createSignal<Words | null>(null);

async function loadGerman(): Promise<void> {
  if (german() === null) setGerman((await import('./de.ts')).de);
}

// Before anything is shown, so that nothing is shown in two languages. Without its chunk the page stays as it is.
if ((preferences.language ?? browserLanguage()) === 'de') await loadGerman().catch(() => {});

export const k = createRoot(() => {
  createEffect(() => {
    if (language() === 'de') loadGerman().catch(() => {});
  });
  const flat = createMemo(() => flatten((language() === 'de' && german()) || en));
  return translator(flat, resolveTemplate);
});

/** The sentence under a key that may be missing. */
export function kIfKnown(key: string): string | null {
  const value = (k as (path: string) => unknown)(key);
  return typeof value === 'string' ? value : null;
}
