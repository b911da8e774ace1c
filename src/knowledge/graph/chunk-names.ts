/**
 * What each chunk names, chunk by chunk: the part of the graph that changes. It is a view over the mentions of the store.
 *
 * @module knowledge/graph/chunk-names
 */
import type { Mention } from '../types.ts';
import type { Match } from './gazetteer.ts';
import { compileNetwork, KINDS, type Network, type Weights } from './network.ts';
import { normalForm, shortTitle } from './normal.ts';
import type { Word } from './words.ts';

/** What one chunk names. */
export interface Entry {
  /** Position in its document. */
  readonly position: number;
  /** Entities, and how each stands in the chunk, in the order of its mentions. */
  readonly ids: Uint32Array;
  readonly kinds: Uint8Array;
  /** Entities with the character of its text at which each begins, one after the other. */
  readonly spans: Uint32Array;
  /** Entities found in its text by titles of documents. */
  found: Uint32Array;
  /** Of each sentence with two entities or more: how many, then they. */
  sentences: Uint32Array;
}

export class ChunkNames {
  readonly #entries = new Map<number, Entry>();
  /** Numbers of forms are never given again: a form that comes back has its old one. */
  readonly #ids = new Map<string, number>();
  readonly #forms: string[] = [];
  readonly #weights: Partial<Weights>;

  constructor(weights: Partial<Weights> = {}) {
    this.#weights = weights;
  }

  has(row: number): boolean {
    return this.#entries.has(row);
  }

  /** @returns forms by which the chunk's document is known: what the gazetteer has to know */
  put(row: number, mentions: readonly Mention[]): string[] {
    const strongest = new Map<number, number>();
    const known: string[] = [];
    const spans: number[] = [];
    let position = 0;
    const add = (form: string, kind: number): number => {
      const id = this.#idOf(form);
      strongest.set(id, Math.max(strongest.get(id) ?? 0, kind));
      if (kind >= KINDS.alias) known.push(form);
      return id;
    };
    for (const { chunk, surface, span, extractor } of mentions) {
      position = chunk;
      const form = normalForm(surface);
      if (form === '') continue;
      const id = add(form, KINDS[extractor]);
      if (span !== null) spans.push(id, span[0]);
      const short = extractor === 'title' ? normalForm(shortTitle(surface) ?? '') : '';
      if (short !== '' && short !== form) add(short, KINDS.alias);
    }
    this.#entries.set(row, {
      position,
      ids: Uint32Array.from(strongest.keys()),
      kinds: Uint8Array.from(strongest.values()),
      spans: Uint32Array.from(spans),
      found: new Uint32Array(0),
      sentences: new Uint32Array(0),
    });
    return known;
  }

  /** Says which titles of documents stand in the chunk's text, and what stands in one sentence. @param words of the text */
  setText(row: number, words: readonly Word[], titles: readonly Match[]): void {
    const entry = this.#entries.get(row);
    if (entry === undefined) return;
    const sentences = new Map<number, Set<number>>();
    const add = (id: number, { sentence }: Word): void => {
      const ids = sentences.get(sentence);
      if (ids === undefined) sentences.set(sentence, new Set([id]));
      else ids.add(id);
    };
    const found = new Set<number>();
    for (const { form, from } of titles) {
      const id = this.#idOf(form);
      found.add(id);
      add(id, words[from]!);
    }
    for (let i = 0; i < entry.spans.length; i += 2) {
      const word = wordAt(words, entry.spans[i + 1]!);
      if (word !== undefined) add(entry.spans[i]!, word);
    }
    entry.found = Uint32Array.from(found);
    entry.sentences = Uint32Array.from(
      [...sentences.values()].flatMap((ids) => (ids.size > 1 ? [ids.size, ...ids] : [])),
    );
  }

  /** Chunks in which one of these titles was found. */
  rowsFinding(forms: ReadonlySet<string>): number[] {
    const wanted = new Set<number>();
    for (const form of forms) {
      const id = this.#ids.get(form);
      if (id !== undefined) wanted.add(id);
    }
    if (wanted.size === 0) return [];
    return [...this.#entries].flatMap(([row, { found }]) =>
      found.some((id) => wanted.has(id)) ? [row] : [],
    );
  }

  remove(row: number): void {
    this.#entries.delete(row);
  }

  /**
   * @param merges forms to the form that they stand for in the end
   * @param weights of forms that count less than others, 0 to 1
   */
  compile(
    merges: ReadonlyMap<string, string> = new Map(),
    weights: ReadonlyMap<string, number> = new Map(),
  ): Network {
    const stands = new Map<number, number>();
    for (const [alias, form] of merges) stands.set(this.#idOf(alias), this.#idOf(form));
    const less = new Map<number, number>();
    for (const [form, weight] of weights) less.set(this.#idOf(merges.get(form) ?? form), weight);
    return compileNetwork(
      { entries: this.#entries, ids: this.#ids, forms: this.#forms, stands, less },
      this.#weights,
    );
  }

  #idOf(form: string): number {
    let id = this.#ids.get(form);
    if (id === undefined) {
      id = this.#forms.length;
      this.#ids.set(form, id);
      this.#forms.push(form);
    }
    return id;
  }
}

/** The word in which a character stands, or the next one. */
function wordAt(words: readonly Word[], at: number): Word | undefined {
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle]!.end > at) high = middle;
    else low = middle + 1;
  }
  return words[low];
}
