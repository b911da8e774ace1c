/**
 * Finds special tokens written in a text and cuts the text around them.
 *
 * The reference takes the special tokens one after the other, longest text first, and cuts every piece that is
 * still text at each occurrence. Done literally that is one search per special token; vocabularies with thousands
 * of them make it slow, so a trie first tells which occur at all.
 *
 * @module engine/tokenizer/specials
 */

import { ATTRIBUTE, type Vocabulary } from './vocabulary.ts';

/** A piece of the text, or a special token in it. */
export type Fragment = string | number;

interface Node {
  readonly next: Map<number, Node>;
  /** Ids of the tokens whose text ends here. */
  readonly ids: number[];
}

export interface SpecialMatcher {
  /** @param parse false matches user-defined tokens only: control tokens stay text. */
  partition(text: string, parse: boolean): Fragment[];
  /** Calls back for every place where one of the tokens starts, overlaps included. */
  occurrences(text: string, found: (token: number, at: number) => void): void;
}

const SPACE = /[\t-\r ]/;

function insert(root: Node, text: string, id: number): void {
  let node = root;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    let next = node.next.get(unit);
    if (next === undefined) {
      next = { next: new Map(), ids: [] };
      node.next.set(unit, next);
    }
    node = next;
  }
  node.ids.push(id);
}

function walk(root: Node, text: string, found: (token: number, at: number) => void): void {
  for (let start = 0; start < text.length; start++) {
    let node = root.next.get(text.charCodeAt(start));
    for (let at = start + 1; node !== undefined; at++) {
      for (const id of node.ids) found(id, start);
      if (at >= text.length) break;
      node = node.next.get(text.charCodeAt(at));
    }
  }
}

export function createSpecialMatcher(vocabulary: Vocabulary): SpecialMatcher {
  const { texts, attributes } = vocabulary;
  const matched = ATTRIBUTE.control | ATTRIBUTE.userDefined | ATTRIBUTE.unknown;
  const parsed = ATTRIBUTE.control | ATTRIBUTE.unknown;
  const specials: number[] = [];
  for (let id = 0; id < attributes.length; id++) if ((attributes[id]! & matched) !== 0) specials.push(id);
  const bytes = new Map(specials.map((id) => [id, Buffer.byteLength(texts[id]!)]));
  specials.sort((a, b) => bytes.get(b)! - bytes.get(a)! || a - b);
  const order = new Map(specials.map((id, index) => [id, index]));
  const root: Node = { next: new Map(), ids: [] };
  for (const id of specials) insert(root, texts[id]!, id);

  function partition(text: string, parse: boolean): Fragment[] {
    const present = new Set<number>();
    walk(root, text, (id) => {
      if (parse || (attributes[id]! & parsed) === 0) present.add(id);
    });
    let fragments: Fragment[] = text === '' ? [] : [text];
    for (const id of [...present].sort((a, b) => order.get(a)! - order.get(b)!)) {
      fragments = fragments.flatMap((piece) => (typeof piece === 'string' ? cut(piece, id) : [piece]));
    }
    return fragments;
  }

  function cut(piece: string, id: number): Fragment[] {
    const text = texts[id]!;
    const out: Fragment[] = [];
    let from = 0;
    for (;;) {
      const at = piece.indexOf(text, from);
      if (at < 0) break;
      let end = at;
      if ((attributes[id]! & ATTRIBUTE.stripLeft) !== 0) {
        while (end > from && SPACE.test(piece[end - 1]!)) end--;
      }
      if (end > from) out.push(piece.slice(from, end));
      out.push(id);
      from = at + text.length;
      if ((attributes[id]! & ATTRIBUTE.stripRight) !== 0) {
        while (from < piece.length && SPACE.test(piece[from]!)) from++;
      }
    }
    if (from < piece.length) out.push(piece.slice(from));
    return out;
  }

  return { partition, occurrences: (text, found) => walk(root, text, found) };
}
