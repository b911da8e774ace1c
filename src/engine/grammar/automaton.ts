/**
 * Follows a network byte by byte. What has been read is a set of items (state, frame); a frame says which rule was called
 * and the items that go on after it, so that texts with many readings share their work (J. Earley, "An efficient
 * context-free parsing algorithm", 1970, without left recursion).
 *
 * Sets are made when they are first reached and found again by their content, so that most bytes are one look-up. What is
 * kept is bounded: over the bound everything is forgotten and made again on demand.
 *
 * @module engine/grammar/automaton
 */
import { InputError } from '../../base/index.ts';
import type { Network } from './network.ts';

/** Items of one set: the readings of a text. */
const MAX_ITEMS = 20_000;
/** Sets kept, and the items in them. */
const MAX_SETS = 8000;
const MAX_KEPT_ITEMS = 400_000;

/** Work of an item that is added, where one that is looked at counts 1: it is hashed, sorted and made part of a key. */
const ADDED = 32;

interface Frame {
  readonly id: number;
  readonly rule: number;
  /** Return states and the frames they belong to. */
  readonly states: Int32Array;
  readonly frames: readonly Frame[];
}

/** What may come next after some text. */
export interface ItemSet {
  readonly states: Int32Array;
  readonly frames: readonly Frame[];
  /** The text so far is complete. */
  readonly complete: boolean;
  /** By class of byte: null where that byte cannot come, undefined where nobody asked yet. */
  readonly next: (ItemSet | null | undefined)[];
  /** Some byte can come. */
  readonly open: boolean;
}

/** Work allowed, in items that are looked at. Taken down by `step`; at 0 the grammar is too complex. */
export interface Budget {
  left: number;
}

export interface Automaton {
  readonly start: ItemSet;
  /** @throws InputError `grammar_too_complex` */
  step(from: ItemSet, byte: number, budget: Budget): ItemSet | null;
  readonly classOf: Uint8Array;
  /** As `step`, for a class of bytes. */
  stepClass(from: ItemSet, byteClass: number, budget: Budget): ItemSet | null;
  /** Grows whenever everything kept was forgotten. */
  readonly generation: () => number;
}

export function createAutomaton(network: Network): Automaton {
  const { classOf, classes, bytes, empty, calls, rules, endOf, rank, root } = network;
  const sets = new Map<string, ItemSet>();
  const framesByKey = new Map<string, Frame>();
  /** Sets that know what comes after them. */
  const linked = new Set<ItemSet>();
  let keptItems = 0;
  let generation = 0;
  let lastFrame = 0;
  /** A byte of every class. */
  const byteOf = new Uint8Array(classes);
  for (let byte = 255; byte >= 0; byte--) byteOf[classOf[byte]!] = byte;
  const ruleAt = new Int32Array(rules.length + 1);
  for (const { id } of rules) ruleAt[rank[id]!] = id;

  const top: Frame = { id: 0, rule: root.id, states: new Int32Array(0), frames: [] };

  function frameOf(rule: number, states: readonly number[], frames: readonly Frame[]): Frame {
    let key = `${rule}`;
    for (let i = 0; i < states.length; i++) key += `,${states[i]},${frames[i]!.id}`;
    const known = framesByKey.get(key);
    if (known !== undefined) return known;
    const frame = { id: ++lastFrame, rule, states: Int32Array.from(states), frames: [...frames] };
    framesByKey.set(key, frame);
    keptItems += states.length;
    return frame;
  }

  /** The set of everything that can be reached from the items without a byte. */
  function close(states: readonly number[], frames: readonly Frame[], budget: Budget): ItemSet {
    const seen = new Map<number, Set<Frame> | Frame>();
    const keptStates: number[] = [];
    const keptFrames: Frame[] = [];
    const todoStates: number[] = [];
    const todoFrames: Frame[] = [];
    /** Calls by rank of the rule: all callers of a rule are known before it is entered. */
    const called = new Map<number, { states: number[]; frames: Frame[] }>();
    let complete = false;
    let open = false;

    const add = (state: number, frame: Frame): void => {
      const held = seen.get(state);
      if (held === undefined) seen.set(state, frame);
      else if (held instanceof Set) {
        if (held.has(frame)) return;
        held.add(frame);
      } else {
        if (held === frame) return;
        seen.set(state, new Set([held, frame]));
      }
      budget.left -= ADDED;
      if (budget.left < 0 || todoStates.length > MAX_ITEMS) throw tooComplex();
      todoStates.push(state);
      todoFrames.push(frame);
    };
    const drain = (): void => {
      for (let state = todoStates.pop(); state !== undefined; state = todoStates.pop()) {
        const frame = todoFrames.pop()!;
        if (bytes[state]!.length > 0) {
          open = true;
          keptStates.push(state);
          keptFrames.push(frame);
        }
        for (const next of empty[state]!) add(next, frame);
        const list = calls[state]!;
        for (let i = 0; i < list.length; i += 2) {
          const order = rank[list[i]!]!;
          let callers = called.get(order);
          if (callers === undefined) {
            callers = { states: [], frames: [] };
            called.set(order, callers);
          }
          callers.states.push(list[i + 1]!);
          callers.frames.push(frame);
        }
        const ended = endOf[state]!;
        if (ended < 0 || rules[ended]!.id !== frame.rule) continue;
        if (frame === top) complete = true;
        budget.left -= frame.states.length;
        for (let i = 0; i < frame.states.length; i++) add(frame.states[i]!, frame.frames[i]!);
      }
    };
    for (let i = 0; i < states.length; i++) add(states[i]!, frames[i]!);
    drain();
    while (called.size > 0) {
      let first = Number.POSITIVE_INFINITY;
      for (const order of called.keys()) if (order < first) first = order;
      const callers = called.get(first)!;
      called.delete(first);
      const rule = ruleAt[first]!;
      const order = callers.states.map((_, index) => index);
      order.sort(
        (a, b) => callers.states[a]! - callers.states[b]! || callers.frames[a]!.id - callers.frames[b]!.id,
      );
      const frame = frameOf(
        rule,
        order.map((index) => callers.states[index]!),
        order.map((index) => callers.frames[index]!),
      );
      add(rules[rule]!.start, frame);
      drain();
    }
    if (keptStates.length > MAX_ITEMS) throw tooComplex();
    return intern(keptStates, keptFrames, complete, open);
  }

  function intern(states: number[], frames: Frame[], complete: boolean, open: boolean): ItemSet {
    const order = states.map((_, index) => index);
    order.sort((a, b) => states[a]! - states[b]! || frames[a]!.id - frames[b]!.id);
    let key = complete ? '!' : '';
    for (const index of order) key += `${states[index]},${frames[index]!.id};`;
    const known = sets.get(key);
    if (known !== undefined) return known;
    if (sets.size >= MAX_SETS || keptItems > MAX_KEPT_ITEMS) forget();
    keptItems += order.length;
    const set: ItemSet = {
      states: Int32Array.from(order, (index) => states[index]!),
      frames: order.map((index) => frames[index]!),
      complete,
      open,
      next: new Array(classes),
    };
    sets.set(key, set);
    return set;
  }

  /** Sets in use stay valid; they are only not found again. Links between them would keep all of them alive. */
  function forget(): void {
    for (const set of linked) set.next.fill(undefined);
    linked.clear();
    sets.clear();
    framesByKey.clear();
    keptItems = 0;
    generation++;
  }

  function stepClass(from: ItemSet, byteClass: number, budget: Budget): ItemSet | null {
    const known = from.next[byteClass];
    if (known !== undefined) return known;
    const byte = byteOf[byteClass]!;
    const states: number[] = [];
    const frames: Frame[] = [];
    budget.left -= from.states.length;
    for (let item = 0; item < from.states.length; item++) {
      const edges = bytes[from.states[item]!]!;
      for (let i = 0; i < edges.length; i += 3) {
        if (byte < edges[i]! || byte > edges[i + 1]!) continue;
        states.push(edges[i + 2]!);
        frames.push(from.frames[item]!);
      }
    }
    if (budget.left < 0) throw tooComplex();
    const next = states.length === 0 ? null : close(states, frames, budget);
    from.next[byteClass] = next;
    linked.add(from);
    return next;
  }

  const start = close([root.start], [top], { left: MAX_START_WORK });
  return {
    start,
    classOf,
    stepClass,
    step: (from, byte, budget) => stepClass(from, classOf[byte]!, budget),
    generation: () => generation,
  };
}

const MAX_START_WORK = 2_000_000;

function tooComplex(): InputError {
  return new InputError(
    'grammar_too_complex',
    'The grammar is too complex: too many of its alternatives fit one text. Give alternatives different types, names or first characters.',
    { param: 'grammar' },
  );
}
