/**
 * Names of notes that Windows, macOS, Linux and links of Obsidian all take, one for each note.
 *
 * @module knowledge/exchange/file-names
 */
import { createHash } from 'node:crypto';

/** Bytes of a name without its ending: file systems take 255, of which the name of a file being written takes some more. */
const MOST_BYTES = 180;
const MOST_CHARACTERS = 120;
/** Devices of Windows, with whatever ending. The superscript digits count there, too. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/iu;
/** What file systems, and links of Obsidian, take for something else; and what cannot be seen or turns text around. */
const FORBIDDEN = /[\p{Cc}\\/:*?"<>|#^[\]%\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu;

/** The name as it can stand on a disk; never empty. */
export function fileNameOf(name: string): string {
  const plain = name
    .toWellFormed()
    .normalize('NFC')
    .replace(FORBIDDEN, ' ')
    .replace(/\s+/gu, ' ')
    .replace(/^[ .]+|[ .]+$/gu, '');
  const cut = shortened(plain, MOST_CHARACTERS, MOST_BYTES).replace(/[ .]+$/u, '');
  if (cut === '') return 'Unnamed';
  return RESERVED.test(cut) ? `${cut.replace(/\..*$/su, '')}_` : cut;
}

/** File systems that ignore capitals or accents' forms take names of equal folds for one. */
export function foldName(name: string): string {
  return name.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD');
}

/** Gives each note a name that no other has: those that are taken get a mark that depends on nothing but their id. */
export class FileNames {
  readonly #taken = new Set<string>();

  take(name: string): void {
    this.#taken.add(foldName(name));
  }

  has(name: string): boolean {
    return this.#taken.has(foldName(name));
  }

  /** @param id of what is named */
  give(wanted: string, id: string): string {
    const plain = fileNameOf(wanted);
    let name = plain;
    for (let more = 4; this.has(name); more += 4) {
      const mark = ` (${createHash('sha256').update(`${more} ${id}`).digest('hex').slice(0, Math.min(more, 32))})`;
      name = `${shortened(plain, MOST_CHARACTERS - mark.length, MOST_BYTES - mark.length)}${mark}`;
    }
    this.take(name);
    return name;
  }
}

function shortened(text: string, characters: number, bytes: number): string {
  let out = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(
    text.slice(0, 4 * characters).toWellFormed(),
  )) {
    used += Buffer.byteLength(segment);
    if (used > bytes || out.length + segment.length > characters) break;
    out += segment;
  }
  return out;
}
