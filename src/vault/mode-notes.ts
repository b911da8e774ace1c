/**
 * What is to be known of a mode before it is relied upon: it stands wherever a mode is shown.
 *
 * @module vault/mode-notes
 */
import { WEAK_LABEL, WEAK_WARNING } from './perturbed/parameters.ts';
import type { VaultMode } from './seal/manifest.ts';
import { REVIEW_WARNING } from './split/parameters.ts';

export interface ModeNote {
  /** A word or two beside the mode's name; null: none. */
  readonly label: string | null;
  /** In sentences; null: nothing. */
  readonly warning: string | null;
}

const NOTES: Readonly<Record<VaultMode, ModeNote>> = {
  sealed: { label: null, warning: null },
  split: { label: 'awaits review', warning: REVIEW_WARNING },
  perturbed: { label: WEAK_LABEL, warning: WEAK_WARNING },
};

export const noteOf = (mode: VaultMode): ModeNote => NOTES[mode];
