/**
 * An automaton over characters as part of a network over bytes, with bounds on the number of characters.
 *
 * @module engine/grammar/write-pattern
 */
import type { Characters } from './characters.ts';
import type { NetworkBuilder } from './network.ts';
import type { CharacterAutomaton } from './pattern.ts';

/**
 * Writes the texts of the automaton that have `min` to `max` characters (code points, as JSON Schema counts them). States
 * are pairs of an automaton's state and a count; where there is no `max` the count stops at `min`.
 */
export function writePattern(
  builder: NetworkBuilder,
  from: number,
  automaton: CharacterAutomaton,
  to: number,
  write: (from: number, set: Characters, to: number) => void,
  { min, max }: { readonly min: number; readonly max: number | null } = { min: 0, max: null },
): void {
  const known = new Map<number, number>();
  const todo: number[] = [];
  const at = (state: number, count: number): number => {
    const key = count * automaton.states + state;
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    const created = builder.state();
    known.set(key, created);
    todo.push(key);
    return created;
  };
  builder.skip(from, at(0, 0));
  for (let key = todo.pop(); key !== undefined; key = todo.pop()) {
    const state = key % automaton.states;
    const count = (key - state) / automaton.states;
    const own = known.get(key)!;
    if (state === 1 && count >= min) builder.skip(own, to);
    for (const next of automaton.empty[state]!) builder.skip(own, at(next, count));
    if (max !== null && count >= max) continue;
    for (const [set, next] of automaton.edges[state]!) {
      write(own, set, at(next, max === null ? Math.min(count + 1, min) : count + 1));
    }
  }
}
