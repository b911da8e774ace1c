/**
 * How the vault's pages call peers, operators and times.
 *
 * @module web/pages/vault/figures
 */
import { count, moment } from '../../i18n/index.ts';
import type { PlacedView } from './desk.ts';
import { v } from './words.ts';

/** The end of a PeerId tells peers apart. */
export const shortPeer = (peer: string): string => `…${peer.slice(-8)}`;

/** As the node reads them. */
export const isPeerId = (text: string): boolean => /^(?:12D3KooW|Qm)[1-9A-HJ-NP-Za-km-z]{44}$/.test(text);

export const copiesText = (replicas: number): string =>
  replicas === 1 ? v('mine.copiesOne') : v('mine.copies', { count: count(replicas) });

const LETTERS = 'ABCDEFGH';

/**
 * Which of the operators runs an Eve, by their names. In `split` there are two sides, each of which gets one half of a question:
 * every other operator is on the same side, as the node sorts them.
 *
 * @returns a number from 0 on; null: nobody was named
 */
export function operatorOf({ eves, mode }: Pick<PlacedView, 'eves' | 'mode'>, operator: string | null) {
  if (operator === null) return null;
  const names = [...new Set(eves.map((eve) => eve.operator).filter((name) => name !== null))].sort();
  const at = names.indexOf(operator);
  return mode === 'split' ? at % 2 : at % LETTERS.length;
}

export const letterOf = (operator: number): string => LETTERS[operator]!;

/** A time of the past or to come; a dash where there is none. */
export const when = (at: number | null): string => (at === null ? '–' : moment(at));
