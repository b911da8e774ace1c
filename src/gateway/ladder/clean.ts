/**
 * Texts from outside, made fit to stand in an answer: bounded, one line, nothing that a page would run, load or hide.
 *
 * @module gateway/ladder/clean
 */
import type { Conversation } from '../privacy/index.ts';

/** Characters of markup by which a chat page would load a picture or hide where a link goes. */
const MARKUP: Readonly<Record<string, string>> = {
  '[': '(',
  ']': ')',
  '<': '‹',
  '>': '›',
  '`': "'",
  '|': '¦',
};
/** Also those that reverse the direction of text or have no width: they hide what a text says. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\s]+|[\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu;

/**
 * The first `max` UTF-16 units, as one line of plain text.
 *
 * @param conversation puts values back in the places of its placeholders
 */
export function cleanLine(text: string, max: number, conversation: Conversation | null = null): string {
  // Twice the bound is read: blanks in a row take no place.
  const line = text
    .slice(0, 2 * max)
    .toWellFormed()
    .replace(UNSEEN, (found) => (/[\p{Cc}\p{Zl}\p{Zp}\s]/u.test(found) ? ' ' : ''))
    .trim();
  const restored = conversation === null ? line : restoreOutsideAddresses(line, conversation);
  const plain = restored
    .replace(/[[\]<>`|]/g, (sign) => MARKUP[sign]!)
    .replace(/!(?=\()/g, '')
    .replace(/[*_~#]{2,}/g, '');
  const cut = text.length > 2 * max || plain.length > max;
  return cut
    ? `${plain
        .slice(0, max - 1)
        .toWellFormed()
        .replaceAll('\ufffd', '')
        .trimEnd()}…`
    : plain;
}

/**
 * Values stay out of words that could be, or be made into, an address: a hostile page that guesses placeholders would
 * otherwise have them sent to it by whoever follows its link.
 */
export function restoreOutsideAddresses(line: string, conversation: Conversation): string {
  return line
    .split(' ')
    .map((word) =>
      /[/\\=&#@?:.。．｡](?=[^\s]*[\p{L}\p{N}[])/u.test(word) ? word : conversation.restore(word),
    )
    .join(' ');
}

/** The address as a browser would write it; null for what is no bounded `http:` or `https:` address without credentials. */
export function cleanUrl(text: string, max = 2048): string | null {
  if (text.length > max || !URL.canParse(text)) return null;
  const url = new URL(text);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '')
    return null;
  // What a page would take for the end of an address, or for markup.
  const written = url.href.replace(
    /[()[\]<>`|*_~'"\\]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return written.length > max ? null : written;
}
