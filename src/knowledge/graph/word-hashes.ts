/**
 * Which chunks have some words, by their hashes: where a new title has to be looked for, without reading every text again.
 *
 * @module knowledge/graph/word-hashes
 */

/** Four bytes a word of each chunk. Two words may share a hash: what is found is looked at, not believed. */
export class WordHashes {
  readonly #hashes = new Map<number, Uint32Array>();

  /** @param folded words of the chunk as the gazetteer compares them, those with a hyphen with spaces in them */
  set(row: number, folded: readonly string[]): void {
    const hashes = new Set<number>();
    for (const word of folded)
      if (word.includes(' ')) for (const piece of word.split(' ')) hashes.add(hashOf(piece));
      else hashes.add(hashOf(word));
    this.#hashes.set(row, Uint32Array.from(hashes));
  }

  delete(row: number): void {
    this.#hashes.delete(row);
  }

  /** Chunks that may have all words of one of the forms. */
  *rowsWith(forms: Iterable<string>): IterableIterator<number> {
    const byFirst = new Map<number, number[][]>();
    for (const form of forms) {
      const [first, ...others] = form.split(' ').map(hashOf);
      const list = byFirst.get(first!) ?? [];
      list.push(others);
      byFirst.set(first!, list);
    }
    if (byFirst.size === 0) return;
    for (const [row, hashes] of this.#hashes)
      if (
        hashes.some((first) =>
          byFirst.get(first)?.some((others) => others.every((word) => hashes.includes(word))),
        )
      )
        yield row;
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
