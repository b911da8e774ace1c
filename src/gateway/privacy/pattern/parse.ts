/**
 * Regular expressions as a tree, in the part of JavaScript's syntax that can be searched in linear time: no
 * back-references, no looking around.
 *
 * @module gateway/privacy/pattern/parse
 */
import { InputError } from '../../../base/index.ts';

/** Units of the longest pattern. */
export const maxPattern = 500;
const maxRepeat = 200;
const maxDepth = 30;

export type Node =
  /** One unit that fits `test`, itself a regular expression for one unit. */
  | { readonly kind: 'unit'; readonly test: RegExp }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  /** `max` null: any number. */
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number | null }
  | { readonly kind: 'edge'; readonly edge: 'line_start' | 'line_end' | 'word' | 'no_word' };

/** @throws InputError `pattern_invalid` that says what is wrong and where */
export function parsePattern(name: string, pattern: string, flags: string): Node {
  let at = 0;
  const refuse = (why: string): never => {
    throw new InputError(
      'pattern_invalid',
      `The pattern '${name.slice(0, 60)}' cannot be used: ${why} at character ${at + 1}. Patterns are regular expressions without back-references and looking around.`,
      { param: name.slice(0, 60) },
    );
  };
  if (pattern === '' || pattern.length > maxPattern)
    refuse(`it has ${pattern.length} characters (1 to ${maxPattern})`);
  const unit = (source: string): Node => {
    try {
      return { kind: 'unit', test: new RegExp(`^(?:${source})$`, flags) };
    } catch {
      return refuse(`${source} is nothing that one character could fit`);
    }
  };

  function choice(depth: number): Node {
    if (depth > maxDepth) refuse('its groups are nested too deep');
    const options = [sequence(depth)];
    while (pattern[at] === '|') {
      at++;
      options.push(sequence(depth));
    }
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  function sequence(depth: number): Node {
    const parts: Node[] = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') parts.push(repeated(depth));
    return { kind: 'sequence', parts };
  }

  function repeated(depth: number): Node {
    const part = single(depth);
    const rest = /^(?:([?*+])|\{(\d{1,4})(,(\d{0,4}))?\})\??/.exec(pattern.slice(at, at + 12));
    if (rest === null) return part;
    if (part.kind === 'edge') refuse('a place cannot be repeated');
    at += rest[0].length;
    const min = rest[1] === undefined ? Number(rest[2]) : rest[1] === '+' ? 1 : 0;
    let max: number | null;
    if (rest[1] !== undefined) max = rest[1] === '?' ? 1 : null;
    else if (rest[3] === undefined) max = min;
    else max = rest[4] === '' ? null : Number(rest[4]);
    if (min > maxRepeat || (max ?? 0) > maxRepeat) refuse(`more than ${maxRepeat} repetitions`);
    if (max !== null && max < min) refuse('a repetition whose end is before its beginning');
    if (/^(?:[?*+]|\{\d)/.test(pattern.slice(at, at + 2))) refuse('a repetition of a repetition');
    return { kind: 'repeat', part, min, max };
  }

  function single(depth: number): Node {
    const sign = pattern[at]!;
    if (sign === '(') return group(depth);
    if (sign === '[') {
      const end = /^\[\^?(?:\\.|[^\]\\])*\]/s.exec(pattern.slice(at));
      if (end === null) return refuse('a class that does not end');
      at += end[0].length;
      return unit(end[0]);
    }
    if (sign === '\\') return escaped();
    if ('?*+{'.includes(sign)) return refuse(`'${sign}' has nothing before it to repeat`);
    at++;
    if (sign === '^') return { kind: 'edge', edge: 'line_start' };
    if (sign === '$') return { kind: 'edge', edge: 'line_end' };
    if (sign === '.') return unit('.');
    return unit(sign.replace(/[}\]/]/, '\\$&'));
  }

  function group(depth: number): Node {
    at++;
    const head = /^\?(?::|<[A-Za-z_]\w*>)/.exec(pattern.slice(at, at + 70));
    if (head !== null) at += head[0].length;
    else if (pattern[at] === '?') return refuse('looking ahead or behind, or a group of an unknown kind,');
    const inner = choice(depth + 1);
    if (pattern[at] !== ')') return refuse('a group that does not end');
    at++;
    return inner;
  }

  function escaped(): Node {
    const found = /^\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|[pP]\{[\w=]{1,40}\}|c[A-Za-z]|[^xupP\d]|0(?!\d))/.exec(
      pattern.slice(at, at + 48),
    );
    if (found === null) return refuse('a back-reference or an unknown escape');
    const text = found[0];
    if (text.startsWith('\\k')) return refuse('a back-reference');
    at += text.length;
    if (text === '\\b') return { kind: 'edge', edge: 'word' };
    if (text === '\\B') return { kind: 'edge', edge: 'no_word' };
    return unit(text);
  }

  const tree = choice(0);
  if (at < pattern.length) refuse('a bracket that was not opened');
  return tree;
}
