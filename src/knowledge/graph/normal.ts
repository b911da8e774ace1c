/**
 * The form under which names are one: without capitals, accents, points, articles and possessives.
 *
 * @module knowledge/graph/normal
 */

/** Characters of a name. Longer ones are no names. */
export const MOST_NAME = 120;

const PIECE = /[\p{L}\p{N}]+/gu;

/** Words of a name; empty when nothing is left of it. */
export function piecesOf(surface: string): string[] {
  const plain = surface
    .slice(0, 4 * MOST_NAME)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/['’]s(?![\p{L}\p{N}])/gu, '')
    .replace(/['’.]/gu, '');
  const pieces: string[] = plain.match(PIECE) ?? [];
  // "A. Lee" begins with an initial.
  if (pieces.length > 1 && /^(?:the|an?)$/.test(pieces[0]!) && !/^[^\p{L}\p{N}]*a\./iu.test(surface))
    pieces.shift();
  return pieces;
}

/** Words joined by a space; empty for what is no name. */
export function normalForm(surface: string): string {
  const form = piecesOf(surface).join(' ');
  return form.length > MOST_NAME || !/\p{L}/u.test(form) ? '' : form;
}

/** A title without what tells it from others: `Mercury (planet)`, `Springfield, Illinois`. Null when it has nothing of the kind. */
export function shortTitle(title: string): string | null {
  const head = /^([^(]+)\([^()]*\)\s*$/u.exec(title.slice(0, 4 * MOST_NAME))?.[1]?.trim();
  return head === undefined || head === '' ? null : head;
}
