/**
 * Which chunks have a word, by its hash: where a new title has to be looked for, without reading every text again.
 *
 * @module knowledge/graph/first-words
 */

/** Four bytes a word of each chunk. Two words may share a hash: what is found is looked at, not believed. */
export class FirstWords {
  readonly #words = new Map<number, Uint32Array>();

  /** @param folded words of the chunk as the gazetteer compares them */
  set(row: number, folded: readonly string[]): void {
    this.#words.set(row, Uint32Array.from(new Set(folded.map((word) => hashOf(firstOf(word))))));
  }

  delete(row: number): void {
    this.#words.delete(row);
  }

  /** Chunks that may have one of the forms. */
  *rowsWith(forms: Iterable<string>): IterableIterator<number> {
    const wanted = new Set<number>();
    for (const form of forms) wanted.add(hashOf(firstOf(form)));
    if (wanted.size === 0) return;
    for (const [row, words] of this.#words) if (words.some((word) => wanted.has(word))) yield row;
  }
}

function firstOf(form: string): string {
  const space = form.indexOf(' ');
  return space < 0 ? form : form.slice(0, space);
}

/** FNV-1a over UTF-16 units. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
