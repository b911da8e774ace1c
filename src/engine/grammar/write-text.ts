/**
 * Free text that ends where one of some texts has been written: an automaton that knows at each byte how much of which
 * text may just have begun (A. V. Aho and M. J. Corasick, "Efficient string matching", 1975).
 *
 * Every byte goes somewhere in it, so that a mask over free text rules out next to nothing: only tokens that go on after
 * one of the texts with what cannot follow.
 *
 * @module engine/grammar/write-text
 */
import type { NetworkBuilder } from './network.ts';

interface Node {
  readonly state: number;
  readonly on: Map<number, Node>;
  /** Where the longest proper ending of this node's text that is itself a node leads to. */
  fallback: Node | null;
  /** One of the texts ends here. */
  ends: boolean;
}

export interface FreeText {
  readonly until: readonly string[];
  readonly at?: 'start';
}

/**
 * Writes any text from `from` to `to`; where it comes to one of the texts, the way leads to `then` and nowhere else.
 */
export function writeText(
  builder: NetworkBuilder,
  from: number,
  { until, at }: FreeText,
  then: number,
  to: number,
): void {
  const node = (): Node => ({ state: builder.state(), on: new Map(), fallback: null, ends: false });
  const root = node();
  const all = [root];
  for (const text of until) {
    let current = root;
    for (const byte of Buffer.from(text)) {
      let next = current.on.get(byte);
      if (next === undefined) {
        next = node();
        current.on.set(byte, next);
        all.push(next);
      }
      current = next;
    }
    current.ends = true;
  }
  builder.skip(from, root.state);
  if (at === 'start') writeAtStart();
  else writeAnywhere();

  /** A text that leaves the tree of texts is free for good. */
  function writeAtStart(): void {
    const free = builder.state();
    builder.byte(free, 0, 255, free);
    builder.skip(free, to);
    for (const current of all) writeNode(current, (byte) => current.on.get(byte)?.state ?? free);
  }

  function writeAnywhere(): void {
    linkFallbacks(root);
    for (const current of all) writeNode(current, (byte) => follow(current, byte, root).state);
  }

  function writeNode(current: Node, next: (byte: number) => number): void {
    if (current.ends) {
      builder.skip(current.state, then);
      return;
    }
    builder.skip(current.state, to);
    let start = 0;
    let target = next(0);
    for (let byte = 1; byte <= 256; byte++) {
      const found = byte < 256 ? next(byte) : -1;
      if (found === target) continue;
      builder.byte(current.state, start, byte - 1, target);
      start = byte;
      target = found;
    }
  }
}

function follow(from: Node, byte: number, root: Node): Node {
  for (let node: Node | null = from; node !== null; node = node.fallback) {
    const next = node.on.get(byte);
    if (next !== undefined) return next;
  }
  return root;
}

/** Level by level, so that fallbacks, which are shorter, are linked before they are needed. */
function linkFallbacks(root: Node): void {
  const level = [root];
  for (const node of level) {
    for (const [byte, next] of node.on) {
      next.fallback = node.fallback === null ? root : follow(node.fallback, byte, root);
      // A text that ends within another one comes first.
      next.ends ||= next.fallback.ends;
      level.push(next);
    }
  }
}
