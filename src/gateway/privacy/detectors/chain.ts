/**
 * Numbers written in groups: `+49 (0)30 123-456`, `123.456.789-09`, `4111 1111 1111 1111`.
 *
 * @module gateway/privacy/detectors/chain
 */
import { isDigit, isWord } from '../characters.ts';
import { NUMBER, type TextView } from '../view.ts';

/** Digits of the longest number that is looked for, and some more to see that a number goes on. */
const MAX_DIGITS = 24;
const MAX_GROUPS = 10;

/**
 * What stands between two groups: one of ` `, `-`, `.`, `/`, spaces left out where a sign is; `)` for anything with
 * a bracket.
 */
export type Separator = ' ' | '-' | '.' | '/' | ')';

export interface Chain {
  /** Token of the first group. */
  readonly token: number;
  /** Digits of the groups. */
  readonly groups: readonly string[];
  /** One less than groups. */
  readonly separators: readonly Separator[];
  /** Offset where the chain begins: its `+` or opening bracket, or its first digit. */
  readonly start: number;
  /** A `+` stands before the first digit. */
  readonly plus: boolean;
  /** Ends of the groups. */
  readonly ends: readonly number[];
}

/** Three detectors ask for the same chains. */
const READ = new WeakMap<TextView, (Chain | null | undefined)[]>();

/** The groups from a token on, or null where the token is inside a word or a decimal fraction. */
export function readChain(view: TextView, token: number): Chain | null {
  let known = READ.get(view);
  if (known === undefined) {
    known = [];
    READ.set(view, known);
  }
  const chain = known[token];
  if (chain !== undefined) return chain;
  const fresh = read(view, token);
  known[token] = fresh;
  return fresh;
}

function read(view: TextView, token: number): Chain | null {
  const first = view.starts[token]!;
  let start = first;
  let plus = false;
  if (view.code(start - 1) === 40) start--;
  const sign = view.code(start - 1) === 32 ? start - 2 : start - 1;
  if (view.code(sign) === 43) {
    start = sign;
    plus = true;
    if (view.code(start - 1) === 40) start--;
  }
  const before = view.code(start - 1);
  if (isWord(before)) return null;
  if ((before === 46 || before === 44) && isDigit(view.code(start - 2))) return null;
  const groups: string[] = [];
  const separators: Separator[] = [];
  const ends: number[] = [];
  let digits = 0;
  for (let t = token; t < view.tokens && groups.length < MAX_GROUPS && digits < MAX_DIGITS; ) {
    view.steps++;
    const length = view.ends[t]! - view.starts[t]!;
    groups.push(view.text.slice(view.starts[t]!, view.starts[t]! + Math.min(length, MAX_DIGITS + 1)));
    ends.push(view.ends[t]!);
    digits += length;
    const next = nextGroup(view, t);
    if (next === null || digits >= MAX_DIGITS) break;
    separators.push(next.separator);
    t = next.token;
  }
  separators.length = Math.max(0, groups.length - 1);
  return { token, groups, separators, start, plus, ends };
}

/** At most three units, with at most one sign that is no bracket, stand between two groups. */
function nextGroup(view: TextView, token: number): { token: number; separator: Separator } | null {
  const end = view.ends[token]!;
  let separator: Separator = ' ';
  let signs = 0;
  for (let i = end; i < end + 4; i++) {
    view.steps++;
    const code = view.code(i);
    if (isDigit(code)) {
      // Bracket, digit groups and signs are one token each: the next number is at most three tokens on.
      for (let next = token + 1; next <= token + 4 && next < view.tokens; next++) {
        if (view.kinds[next] === NUMBER) return i === end ? null : { token: next, separator };
      }
      return null;
    }
    if (code === 40 || code === 41) separator = ')';
    else if (code === 45 || code === 46 || code === 47) {
      if (++signs > 1) return null;
      if (separator !== ')') separator = code === 45 ? '-' : code === 46 ? '.' : '/';
    } else if (code !== 32 && code !== 9) return null;
  }
  return null;
}

/** The digits of the first `count` groups. */
export const digitsOf = (chain: Chain, count: number): string => chain.groups.slice(0, count).join('');

/** Nothing that would make the number a part of something else stands after a place. */
export function endsThere(view: TextView, end: number): boolean {
  const code = view.code(end);
  if (isWord(code) || code === 37) return false;
  return !((code === 46 || code === 44) && isDigit(view.code(end + 1)));
}
