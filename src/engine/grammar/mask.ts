/**
 * Which tokens may come next: a walk of the token tree with the automaton. The answer for a set of items is kept, since
 * most of a text is written from a few of them (inside a string, after a comma).
 *
 * @module engine/grammar/mask
 */
import type { Automaton, Budget, ItemSet } from './automaton.ts';
import type { TokenTree } from './vocabulary.ts';

/** The shorter of two lists: the tokens that may come, or those that may not. */
export interface Mask {
  readonly allows: boolean;
  readonly ids: Int32Array;
  /** Tokens that may come. */
  readonly count: number;
}

/** Bytes of masks kept for one grammar. */
const MAX_BYTES = 8 << 20;

export function createMasks(automaton: Automaton, tree: TokenTree): (set: ItemSet, budget: Budget) => Mask {
  const kept = new Map<ItemSet, Mask>();
  let bytes = 0;
  let generation = automaton.generation();
  const allowed = new Uint8Array(tree.vocab);
  const path: ItemSet[] = new Array(tree.deepest + 1);
  const nodeClass = tree.bytes.map((byte) => automaton.classOf[byte]!);

  function walk(set: ItemSet, budget: Budget): number {
    const { nodes, depths, after, from, tokens } = tree;
    let count = 0;
    path[0] = set;
    for (let node = 0; node < nodes; ) {
      const depth = depths[node]!;
      const parent = path[depth - 1]!;
      let next = parent.next[nodeClass[node]!];
      if (next === undefined) next = automaton.stepClass(parent, nodeClass[node]!, budget);
      if (next === null) {
        node = after[node]!;
        continue;
      }
      path[depth] = next;
      const end = from[node + 1]!;
      for (let i = from[node]!; i < end; i++) {
        allowed[tokens[i]!] = 1;
        count++;
      }
      node++;
    }
    if (set.complete) {
      for (const token of tree.endings) {
        allowed[token] = 1;
        count++;
      }
    }
    path.fill(set);
    return count;
  }

  function compute(set: ItemSet, budget: Budget): Mask {
    allowed.fill(0);
    const count = walk(set, budget);
    const allows = count <= tree.vocab / 2;
    const wanted = allows ? 1 : 0;
    const ids = new Int32Array(allows ? count : tree.vocab - count);
    let at = 0;
    for (let token = 0; token < tree.vocab; token++) if (allowed[token] === wanted) ids[at++] = token;
    return { allows, ids, count };
  }

  return (set, budget) => {
    const known = kept.get(set);
    if (known !== undefined) return known;
    const mask = compute(set, budget);
    if (bytes > MAX_BYTES || generation !== automaton.generation()) {
      kept.clear();
      bytes = 0;
      generation = automaton.generation();
    }
    kept.set(set, mask);
    bytes += mask.ids.byteLength + 100;
    return mask;
  };
}
