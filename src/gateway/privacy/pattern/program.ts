/**
 * A pattern as a state machine, and the search with it: all states at once, so that no text makes it go back.
 *
 * After K. Thompson, Regular expression search algorithm, CACM 11(6), 1968.
 *
 * @module gateway/privacy/pattern/program
 */
import { InputError } from '../../../base/index.ts';
import { isWord } from '../characters.ts';
import type { TextView } from '../view.ts';
import type { Node } from './parse.ts';

/** States of the largest machine: the work for each unit of a text is at most this. */
export const maxStates = 400;

type State =
  | { readonly op: 'unit'; readonly test: RegExp; readonly known: Uint8Array; next: number }
  | { readonly op: 'split'; next: number; other: number }
  | { readonly op: 'edge'; readonly edge: Extract<Node, { kind: 'edge' }>['edge']; next: number }
  | { readonly op: 'end' };

export interface Program {
  readonly states: readonly State[];
  readonly first: number;
}

export function compile(name: string, tree: Node): Program {
  const states: State[] = [];
  const add = (state: State): number => {
    if (states.length >= maxStates)
      throw new InputError(
        'pattern_invalid',
        `The pattern '${name.slice(0, 60)}' cannot be used: with its repetitions it has more than ${maxStates} parts. Make it shorter.`,
        { param: name.slice(0, 60) },
      );
    return states.push(state) - 1;
  };
  /** The same unit often stands in a pattern many times. */
  const tables = new Map<string, Uint8Array>();
  const tableOf = ({ source }: RegExp): Uint8Array => {
    const table = tables.get(source) ?? new Uint8Array(65_536 >> 2);
    tables.set(source, table);
    return table;
  };
  /** First state of a machine for `node` that goes on to `next`. */
  function build(node: Node, next: number): number {
    switch (node.kind) {
      case 'unit':
        return add({ op: 'unit', test: node.test, known: tableOf(node.test), next });
      case 'edge':
        return add({ op: 'edge', edge: node.edge, next });
      case 'sequence':
        return node.parts.reduceRight((after, part) => build(part, after), next);
      case 'choice':
        return node.options
          .map((option) => build(option, next))
          .reduceRight((other, option) => add({ op: 'split', next: option, other }));
      case 'repeat': {
        let first = next;
        if (node.max === null) {
          const loop: State = { op: 'split', next: 0, other: next };
          first = add(loop);
          loop.next = build(node.part, first);
        } else
          for (let i = node.min; i < node.max; i++)
            first = add({ op: 'split', next: build(node.part, first), other: next });
        for (let i = 0; i < node.min; i++) first = build(node.part, first);
        return first;
      }
    }
  }
  const end = add({ op: 'end' });
  return { first: build(tree, end), states };
}

/** Whether a unit fits, asked of the expression once for each unit: 2 bits, 0 not known yet, 1 no, 2 yes. */
function fits(state: Extract<State, { op: 'unit' }>, code: number): boolean {
  const shift = (code & 3) << 1;
  const known = (state.known[code >> 2]! >> shift) & 3;
  if (known !== 0) return known === 2;
  const yes = state.test.test(String.fromCharCode(code));
  state.known[code >> 2]! |= (yes ? 2 : 1) << shift;
  return yes;
}

const isBreak = (code: number) => code === 10 || code === 13 || code === 0x2028 || code === 0x2029;

function holds(edge: Extract<Node, { kind: 'edge' }>['edge'], text: string, at: number): boolean {
  if (edge === 'line_start') return at === 0 || isBreak(text.charCodeAt(at - 1));
  if (edge === 'line_end') return at === text.length || isBreak(text.charCodeAt(at));
  const isEdge = isWord(text.charCodeAt(at - 1)) !== isWord(text.charCodeAt(at));
  return (edge === 'word') === isEdge;
}

/** Places that matches cover, longest first where they overlap; work is at most states times units. */
export function search({ states, first }: Program, view: TextView): { start: number; end: number }[] {
  const { text } = view;
  const found: { start: number; end: number }[] = [];
  /** By state: where the earliest match that is in it began; -1 = none. */
  let now = new Int32Array(states.length).fill(-1);
  let then = new Int32Array(states.length).fill(-1);
  let list: number[] = [];
  let nextList: number[] = [];

  function enter(state: number, began: number, at: number, marks: Int32Array, into: number[]): void {
    const stack = [state];
    while (stack.length > 0) {
      const one = stack.pop()!;
      const mark = marks[one]!;
      if (mark !== -1 && mark <= began) continue;
      view.steps++;
      if (mark === -1) into.push(one);
      marks[one] = began;
      const entered = states[one]!;
      if (entered.op === 'split') stack.push(entered.other, entered.next);
      else if (entered.op === 'edge' && holds(entered.edge, text, at)) stack.push(entered.next);
      else if (entered.op === 'end' && at > began) note(began, at);
    }
  }

  function note(start: number, end: number): void {
    const last = found.at(-1);
    if (last === undefined || start >= last.end) found.push({ start, end });
    else {
      // All that any match covers is covered.
      found[found.length - 1] = { start: Math.min(start, last.start), end: Math.max(end, last.end) };
    }
  }

  for (let at = 0; at <= text.length; at++) {
    // Later beginnings come last: a state keeps its earliest.
    enter(first, at, at, now, list);
    if (at === text.length) break;
    const code = text.charCodeAt(at);
    view.steps++;
    for (const one of list) {
      const state = states[one]!;
      if (state.op === 'unit' && fits(state, code)) enter(state.next, now[one]!, at + 1, then, nextList);
      now[one] = -1;
    }
    [now, then] = [then, now];
    [list, nextList] = [nextList, list];
    nextList.length = 0;
  }
  return found;
}
