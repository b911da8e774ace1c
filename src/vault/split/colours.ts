/**
 * Which Eves get which half of a question: those of one operator always the same.
 *
 * @module vault/split/colours
 */
import { KithError } from '../../base/index.ts';
import type { Place } from '../place/rendezvous.ts';
import { type ColoursOf, checkColours } from './search.ts';

/**
 * Operators in the order of their names, every other one of the other colour.
 *
 * @throws KithError `split_operators`: an Eve whose operator is not named, or fewer than two of them
 */
export function coloursOf<T extends Place>(eves: readonly T[]): ColoursOf<T> {
  const unnamed = eves.find(({ operator }) => operator === null);
  if (unnamed !== undefined)
    throw new KithError(
      'split_operators',
      `The mode split has to know who runs each Eve, since no operator may get both halves of a question: of ${unnamed.peer} it is not said. Name two or more: --eve Ada=PEER --eve Ben=PEER.`,
      { status: 409 },
    );
  const operators = [...new Set(eves.map(({ operator }) => operator!))].sort();
  const of = (colour: number) => eves.filter(({ operator }) => operators.indexOf(operator!) % 2 === colour);
  const colours = { first: of(0), second: of(1) };
  checkColours(colours);
  return colours;
}
