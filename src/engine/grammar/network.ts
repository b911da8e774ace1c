/**
 * A recursive transition network over bytes: states with byte edges, empty edges, and calls of rules. What a schema or a
 * pattern compiles to.
 *
 * After `finish` every state can reach the end of its rule, so whoever follows the edges never runs into a dead end.
 *
 * @module engine/grammar/network
 */
import { grammarTooLarge, schemaUnsatisfiable, schemaUnsupported } from './errors.ts';
import type { Work } from './work.ts';

/** States and edges of one grammar: compiled in about a tenth of a second. */
const MAX_STATES = 60_000;
const MAX_EDGES = 200_000;

export interface Rule {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** Read-only form. Lists per state; empty lists are shared. */
export interface Network {
  readonly states: number;
  readonly root: Rule;
  /** lo, hi, target triples per state. */
  readonly bytes: readonly Int32Array[];
  readonly empty: readonly Int32Array[];
  /** rule, return state pairs per state. */
  readonly calls: readonly Int32Array[];
  readonly rules: readonly Rule[];
  /** Rule that ends in this state, or -1. */
  readonly endOf: Int32Array;
  /** Callers come before whom they call at their start. */
  readonly rank: Int32Array;
  /** Bytes that no edge tells apart have one class. */
  readonly classes: number;
  readonly classOf: Uint8Array;
}

export class NetworkBuilder {
  readonly #bytes: number[][] = [];
  readonly #empty: number[][] = [];
  readonly #calls: number[][] = [];
  readonly #rules: Rule[] = [];
  readonly #names: string[] = [];
  #edges = 0;
  readonly #work: Work;

  /** @param work is told of every state and edge */
  constructor(work: Work) {
    this.#work = work;
  }

  state(): number {
    if (this.#bytes.length >= MAX_STATES) throw grammarTooLarge(`more than ${MAX_STATES} states`, MAX_STATES);
    this.#work.wrote();
    this.#empty.push([]);
    this.#calls.push([]);
    return this.#bytes.push([]) - 1;
  }

  /** @param name pointer of the schema it stands for, for errors */
  rule(name: string): Rule {
    const rule = { id: this.#rules.length, start: this.state(), end: this.state() };
    this.#rules.push(rule);
    this.#names.push(name);
    return rule;
  }

  #count(): void {
    this.#work.wrote();
    if (++this.#edges > MAX_EDGES) throw grammarTooLarge(`more than ${MAX_EDGES} edges`, MAX_EDGES);
  }

  byte(from: number, lo: number, hi: number, to: number): void {
    this.#count();
    this.#bytes[from]!.push(lo, hi, to);
  }

  skip(from: number, to: number): void {
    if (from === to) return;
    this.#count();
    this.#empty[from]!.push(to);
  }

  call(from: number, rule: Rule, to: number): void {
    this.#count();
    this.#calls[from]!.push(rule.id, to);
  }

  /** `bytes` one after the other. */
  literal(from: number, bytes: Uint8Array, to: number): void {
    if (bytes.length === 0) this.skip(from, to);
    let at = from;
    for (let i = 0; i < bytes.length; i++) {
      const next = i === bytes.length - 1 ? to : this.state();
      this.byte(at, bytes[i]!, bytes[i]!, next);
      at = next;
    }
  }

  /**
   * @throws InputError `schema_unsatisfiable` when nothing at all fits; `schema_unsupported` for a rule that calls itself
   * before it takes a byte
   */
  finish(root: Rule): Network {
    const useful = this.#usefulStates();
    if (!useful[root.start]) throw schemaUnsatisfiable('it leaves no value at all');
    const keep = (list: readonly number[], stride: number): Int32Array => {
      if (list.length === 0) return NONE;
      const out: number[] = [];
      for (let i = 0; i < list.length; i += stride) {
        if (!useful[list[i + stride - 1]!]) continue;
        // A rule that can never end cannot be called.
        if (stride === 2 && !useful[this.#rules[list[i]!]!.start]) continue;
        for (let j = 0; j < stride; j++) out.push(list[i + j]!);
      }
      return out.length === 0 ? NONE : new Int32Array(out);
    };
    const pick = (lists: readonly number[][], stride: number): Int32Array[] =>
      lists.map((list, state) => (useful[state] ? keep(list, stride) : NONE));
    const bytes = pick(this.#bytes, 3);
    const empty = pick(this.#empty, 1);
    const calls = pick(this.#calls, 2);
    const endOf = new Int32Array(bytes.length).fill(-1);
    for (const rule of this.#rules) endOf[rule.end] = rule.id;
    const rank = this.#rank(empty, calls, root);
    return {
      states: bytes.length,
      root,
      bytes,
      empty,
      calls,
      rules: this.#rules,
      endOf,
      rank,
      ...classify(bytes),
    };
  }

  /** States from which the end of their rule can be reached. Backwards from the ends, until nothing changes. */
  #usefulStates(): Uint8Array {
    const count = this.#bytes.length;
    // Lists of edges by where they lead, as chains through arrays: there are many short ones.
    const before = createChains(count, this.#edges);
    const callsInto = createChains(count, this.#edges);
    const callers = createChains(this.#rules.length, this.#edges);
    const callList: number[] = [];
    for (let from = 0; from < count; from++) {
      const edges = this.#bytes[from]!;
      for (let i = 2; i < edges.length; i += 3) before.add(edges[i]!, from);
      for (const to of this.#empty[from]!) before.add(to, from);
      const calls = this.#calls[from]!;
      for (let i = 0; i < calls.length; i += 2) {
        const call = callList.push(from, calls[i]!, calls[i + 1]!) - 3;
        callers.add(calls[i]!, call);
        callsInto.add(calls[i + 1]!, call);
      }
    }
    const ruleOfStart = new Int32Array(count).fill(-1);
    for (const rule of this.#rules) ruleOfStart[rule.start] = rule.id;
    const useful = new Uint8Array(count);
    const todo: number[] = [];
    const add = (state: number): void => {
      if (useful[state] !== 0) return;
      useful[state] = 1;
      todo.push(state);
    };
    for (const rule of this.#rules) add(rule.end);
    for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
      before.each(state, add);
      // A call counts when both the rule and the state after it are useful; whichever comes second adds the caller.
      callsInto.each(state, (call) => {
        if (useful[this.#rules[callList[call + 1]!]!.start] !== 0) add(callList[call]!);
      });
      const started = ruleOfStart[state]!;
      if (started < 0) continue;
      callers.each(started, (call) => {
        if (useful[callList[call + 2]!] !== 0) add(callList[call]!);
      });
    }
    return useful;
  }

  #rank(empty: readonly Int32Array[], calls: readonly Int32Array[], root: Rule): Int32Array {
    const rank = new Int32Array(this.#rules.length).fill(-1);
    const order: number[] = [];
    const open = new Set<number>();
    const startCalls = (rule: Rule): Set<number> => {
      const called = new Set<number>();
      const seen = new Set([rule.start]);
      for (const state of seen) {
        if (state === rule.end && rule !== root) {
          throw new Error(`rule '${this.#names[rule.id]}' of a grammar matches nothing at all`);
        }
        for (const to of empty[state]!) seen.add(to);
        for (let i = 0; i < calls[state]!.length; i += 2) called.add(calls[state]![i]!);
      }
      return called;
    };
    // Depth first with its own stack: rules call each other thousands deep in a hostile schema.
    for (const first of this.#rules) {
      const stack: { id: number; rest: number[] }[] = [];
      const enter = (id: number): void => {
        if (rank[id] !== -1) return;
        if (open.has(id)) {
          throw schemaUnsupported(
            this.#names[id]!.replace(/^#/, ''),
            '$ref refers to itself without a value in between',
          );
        }
        open.add(id);
        stack.push({ id, rest: [...startCalls(this.#rules[id]!)] });
      };
      enter(first.id);
      while (stack.length > 0) {
        const top = stack[stack.length - 1]!;
        const next = top.rest.pop();
        if (next !== undefined) {
          enter(next);
          continue;
        }
        stack.pop();
        open.delete(top.id);
        rank[top.id] = order.push(top.id);
      }
    }
    for (let id = 0; id < rank.length; id++) rank[id] = order.length - rank[id]!;
    return rank;
  }
}

const NONE = new Int32Array(0);

interface Chains {
  add(list: number, value: number): void;
  each(list: number, visit: (value: number) => void): void;
}

function createChains(lists: number, most: number): Chains {
  const heads = new Int32Array(lists).fill(-1);
  const next = new Int32Array(most);
  const values = new Int32Array(most);
  let used = 0;
  return {
    add(list, value) {
      values[used] = value;
      next[used] = heads[list]!;
      heads[list] = used++;
    },
    each(list, visit) {
      for (let at = heads[list]!; at >= 0; at = next[at]!) visit(values[at]!);
    },
  };
}

function classify(bytes: readonly Int32Array[]): { classes: number; classOf: Uint8Array } {
  const starts = new Uint8Array(257);
  for (const edges of bytes) {
    for (let i = 0; i < edges.length; i += 3) {
      starts[edges[i]!] = 1;
      starts[edges[i + 1]! + 1] = 1;
    }
  }
  const classOf = new Uint8Array(256);
  let current = 0;
  for (let byte = 0; byte < 256; byte++) {
    if (byte > 0 && starts[byte]) current++;
    classOf[byte] = current;
  }
  return { classes: current + 1, classOf };
}
