/**
 * The words of the vault, which come with its pages.
 *
 * @module web/pages/vault/words
 */
import { flatten, resolveTemplate, translator } from '@solid-primitives/i18n';
import { createMemo, createRoot } from 'solid-js';
import { language } from '../../i18n/index.ts';
import { de } from './words-de.ts';
import { en } from './words-en.ts';

export const v = createRoot(() => {
  const flat = createMemo(() => flatten(language() === 'de' ? de : en));
  return translator(flat, resolveTemplate);
});
