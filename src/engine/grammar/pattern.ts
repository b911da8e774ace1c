/**
 * Regular expressions, as far as they are regular: ECMA-262 syntax with the `u` flag, without look-around, word
 * boundaries, back references and Unicode properties.
 *
 * @module engine/grammar/pattern
 */
import { ANY, type Characters, character, complement, unite } from './characters.ts';
import { grammarTooLarge, patternUnsupported } from './errors.ts';
import type { Work } from './work.ts';

export const MAX_PATTERN = 4096;
const MAX_DEPTH = 64;
const MAX_POSITIONS = 20_000;
const MAX_REPEAT = 10_000;
/** As many as a grammar can have: an alternative within a repeat is an edge for each time. */
const MAX_EDGES = 200_000;

type Tree =
  | { readonly kind: 'set'; readonly set: Characters }
  | { readonly kind: 'cat' | 'alt'; readonly items: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly item: Tree; readonly min: number; readonly max: number | null }
  | { readonly kind: 'begin' | 'end'; readonly at: number };

/** Automaton over characters. State 0 begins, state 1 ends. */
export interface CharacterAutomaton {
  readonly states: number;
  readonly edges: readonly (readonly (readonly [set: Characters, to: number])[])[];
  readonly empty: readonly (readonly number[])[];
}

const DIGIT: Characters = [[0x30, 0x39]];
const WORD: Characters = [...DIGIT, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const SPACE: Characters = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const DOT = complement([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);
const CLASSES: ReadonlyMap<string, Characters> = new Map([
  ['d', DIGIT],
  ['D', complement(DIGIT)],
  ['w', WORD],
  ['W', complement(WORD)],
  ['s', SPACE],
  ['S', complement(SPACE)],
]);
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
  ['0', 0],
]);

/**
 * @param search JSON Schema's meaning: the pattern may match anywhere, unless `^` and `$` hold it. Otherwise it has to
 *   match the whole text.
 * @param work is charged with the size of the automaton, of which parts may never be reached and written
 * @throws InputError `pattern_unsupported`, `grammar_too_large`
 */
export function parsePattern(pattern: string, search: boolean, work?: Work): CharacterAutomaton {
  if (pattern.length > MAX_PATTERN) {
    throw grammarTooLarge(`a pattern of ${pattern.length} characters`, MAX_PATTERN);
  }
  if (!pattern.isWellFormed())
    throw patternUnsupported(pattern, 0, 'half a surrogate pair is not a character');
  const tree = parse(pattern);
  const edges: [Characters, number][][] = [[], []];
  const empty: number[][] = [[], []];
  const state = (): number => {
    if (edges.length >= MAX_POSITIONS) throw grammarTooLarge('the repeats of a pattern', MAX_POSITIONS);
    empty.push([]);
    return edges.push([]) - 1;
  };
  let parts = 0;
  function write(node: Tree, from: number, to: number): void {
    if (++parts > MAX_EDGES) throw grammarTooLarge('the alternatives and repeats of a pattern', MAX_EDGES);
    switch (node.kind) {
      case 'set':
        // A set without characters would be looked at for each length of the text.
        if (node.set.length > 0) edges[from]!.push([node.set, to]);
        return;
      case 'alt':
        for (const item of node.items) write(item, from, to);
        return;
      case 'cat': {
        let at = from;
        for (const item of node.items) {
          const next = state();
          write(item, at, next);
          at = next;
        }
        empty[at]!.push(to);
        return;
      }
      case 'repeat': {
        let at = from;
        for (let i = 0; i < node.min; i++) {
          const next = state();
          write(node.item, at, next);
          at = next;
        }
        if (node.max === null) {
          const loop = state();
          empty[at]!.push(loop);
          const back = state();
          write(node.item, loop, back);
          empty[back]!.push(loop);
          empty[loop]!.push(to);
          return;
        }
        for (let i = node.min; i < node.max; i++) {
          empty[at]!.push(to);
          const next = state();
          write(node.item, at, next);
          at = next;
        }
        empty[at]!.push(to);
        return;
      }
      case 'begin':
      case 'end':
        throw patternUnsupported(
          pattern,
          node.at,
          '^ and $ may only stand at the ends of the pattern or of its alternatives',
        );
    }
  }
  for (const branch of tree.kind === 'alt' ? tree.items : [tree]) {
    const items = branch.kind === 'cat' ? [...branch.items] : [branch];
    let open = search;
    let openEnd = search;
    while (items[0]?.kind === 'begin') {
      items.shift();
      open = false;
    }
    while (items.at(-1)?.kind === 'end') {
      items.pop();
      openEnd = false;
    }
    const anything: Tree = { kind: 'repeat', item: { kind: 'set', set: ANY }, min: 0, max: null };
    write(
      { kind: 'cat', items: [...(open ? [anything] : []), ...items, ...(openEnd ? [anything] : [])] },
      0,
      1,
    );
  }
  work?.charge(parts >> 2);
  return { states: edges.length, edges, empty };
}

function parse(pattern: string): Tree {
  const text = Array.from(pattern);
  let at = 0;
  const fail = (what: string, where = at): never => {
    throw patternUnsupported(pattern, where, what);
  };

  function alternatives(depth: number): Tree {
    if (depth > MAX_DEPTH) throw grammarTooLarge('the depth of groups in a pattern', MAX_DEPTH);
    const branches: Tree[] = [];
    for (;;) {
      const items: Tree[] = [];
      while (at < text.length && text[at] !== '|' && text[at] !== ')') items.push(term(depth));
      branches.push(items.length === 1 ? items[0]! : { kind: 'cat', items });
      if (text[at] !== '|') break;
      at++;
    }
    return branches.length === 1 ? branches[0]! : { kind: 'alt', items: branches };
  }

  function term(depth: number): Tree {
    const start = at;
    const item = atom(depth);
    const range = quantifier();
    if (range === null) return item;
    if (item.kind === 'begin' || item.kind === 'end') return fail('an anchor cannot be repeated', start);
    return { kind: 'repeat', item, ...range };
  }

  function quantifier(): { min: number; max: number | null } | null {
    const sign = text[at];
    let range: { min: number; max: number | null };
    if (sign === '*') range = { min: 0, max: null };
    else if (sign === '+') range = { min: 1, max: null };
    else if (sign === '?') range = { min: 0, max: 1 };
    else if (sign === '{') {
      const close = text.indexOf('}', at);
      const match = /^\{(\d{1,9})(,(\d{1,9})?)?\}$/.exec(text.slice(at, close + 1).join(''));
      if (close < 0 || match === null) return fail('{ must begin a repeat such as {2,5}');
      const min = Number(match[1]);
      const max = match[2] === undefined ? min : match[3] === undefined ? null : Number(match[3]);
      if (max !== null && max < min) return fail('a repeat ends below its beginning');
      if (Math.max(min, max ?? 0) > MAX_REPEAT) throw grammarTooLarge('a repeat in a pattern', MAX_REPEAT);
      range = { min, max };
      at = close;
    } else return null;
    at++;
    if (text[at] === '?') at++; // lazy: the same texts match
    if (['*', '+', '?', '{'].includes(text[at] ?? '')) fail('a repeat cannot be repeated');
    return range;
  }

  function atom(depth: number): Tree {
    const sign = text[at]!;
    if (sign === '^' || sign === '$') return { kind: sign === '^' ? 'begin' : 'end', at: at++ };
    if (sign === '.') {
      at++;
      return { kind: 'set', set: DOT };
    }
    if (sign === '[') return { kind: 'set', set: charClass() };
    if (sign === '(') return group(depth);
    if (sign === '\\') return { kind: 'set', set: escaped(false) };
    if ('*+?{}]'.includes(sign)) return fail(`${sign} must be escaped`);
    at++;
    return { kind: 'set', set: character(sign.codePointAt(0)!) };
  }

  function group(depth: number): Tree {
    at++;
    if (text[at] === '?') {
      const head = /^\?(:|<[A-Za-z_$][\w$]*>)/.exec(text.slice(at, at + 80).join(''));
      if (head === null) return fail('look-around and flags are not regular');
      at += head[0].length;
    }
    const inner = alternatives(depth + 1);
    if (text[at] !== ')') return fail('a group is not closed');
    at++;
    // Kept apart, so that anchors inside are not taken for those of the pattern.
    return { kind: 'cat', items: [{ kind: 'alt', items: [inner] }] };
  }

  function escaped(inClass: boolean): Characters {
    const sign = text[++at];
    if (sign === undefined) return fail('the pattern ends in a backslash');
    at++;
    const known = CLASSES.get(sign);
    if (known !== undefined) return known;
    if (inClass && sign === 'b') return character(8);
    const control = CONTROLS.get(sign);
    if (control !== undefined) {
      if (sign === '0' && /\d/.test(text[at] ?? '')) return fail('octal escapes have no meaning here');
      return character(control);
    }
    if (sign === 'x' || sign === 'u') {
      const rest = text.slice(at, at + 12).join('');
      const match =
        sign === 'x' ? /^([\da-f]{2})/i.exec(rest) : /^(?:([\da-f]{4})|\{([\da-f]{1,6})\})/i.exec(rest);
      if (match === null) return fail(`\\${sign} needs hexadecimal digits`);
      at += match[0].length;
      const code = Number.parseInt(match[1] ?? match[2]!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return fail('not a character');
      return character(code);
    }
    if (sign === 'c') {
      const letter = text[at] ?? '';
      if (!/^[A-Za-z]$/.test(letter)) return fail('\\c needs a letter');
      at++;
      return character(letter.charCodeAt(0) % 32);
    }
    if (/^[A-Za-z0-9]$/.test(sign)) return fail(`\\${sign} is not supported`, at - 2);
    return character(sign.codePointAt(0)!);
  }

  function charClass(): Characters {
    const start = at++;
    const negated = text[at] === '^';
    if (negated) at++;
    const sets: Characters[] = [];
    const one = (): Characters => {
      if (at >= text.length) fail('a character class is not closed', start);
      if (text[at] === '\\') return escaped(true);
      return character(text[at++]!.codePointAt(0)!);
    };
    while (text[at] !== ']') {
      const from = one();
      if (text[at] !== '-' || text[at + 1] === ']' || text[at + 1] === undefined) {
        sets.push(from);
        continue;
      }
      at++;
      const to = one();
      const lo = single(from);
      const hi = single(to);
      if (lo === null || hi === null || hi < lo) return fail('a range in a character class is not in order');
      sets.push([[lo, hi]]);
    }
    at++;
    const set = unite(...sets);
    return negated ? complement(set) : set;
  }

  const tree = alternatives(0);
  if (at < text.length) fail('a closing parenthesis has no opening one');
  return tree;
}

function single(set: Characters): number | null {
  const only = set[0];
  return set.length === 1 && only![0] === only![1] ? only![0] : null;
}
