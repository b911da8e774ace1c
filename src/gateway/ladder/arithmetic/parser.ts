/**
 * Tokens to an expression, with the precedence of school: powers from the right, then signs, then products and quotients
 * from the left, then sums. What people read in two ways is refused.
 *
 * @module gateway/ladder/arithmetic/parser
 */
import type { Question, Token } from './lexer.ts';
import type { Rational } from './rational.ts';

export type Expression =
  | { readonly kind: 'number'; readonly value: Rational }
  | { readonly kind: 'percent' | 'negative' | 'factorial' | 'root'; readonly of: Expression }
  | {
      readonly kind: '+' | '-' | '*' | '/' | 'mod' | '^';
      readonly left: Expression;
      readonly right: Expression;
    };

const MAX_DEPTH = 50;

/** Null when the tokens are no calculation, or one with two readings. */
export function parse({ tokens, clear }: Question): Expression | null {
  if (!clear && isUnclear(tokens)) return null;
  const parser = new Parser(tokens);
  const expression = parser.sum();
  return expression !== null && parser.done && calculates(expression) ? expression : null;
}

/** `9/11`, `24-7`, `2024-01-15`, `1920x1080`: names, dates, numbers of telephones and sizes of pictures look like that. */
function isUnclear(tokens: readonly Token[]): boolean {
  const operations = tokens.filter((token) => token.kind === 'operation');
  return (
    tokens.every((token) => (token.kind === 'number' ? token.whole : token.kind === 'operation')) &&
    operations.length > 0 &&
    operations.every(({ tight, sign }) => tight && ['-', '–', '/', 'x'].includes(sign))
  );
}

function calculates(expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
      return false;
    case 'percent':
    case 'negative':
      return calculates(expression.of);
    default:
      return true;
  }
}

/** Every method returns null for what it does not understand; the depth is bounded. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at === this.#tokens.length;
  }

  sum(): Expression | null {
    if (++this.#depth > MAX_DEPTH) return null;
    let left = this.#product();
    while (left !== null) {
      const kind = this.#operation(['+', '-']);
      if (kind === null) break;
      const right = this.#product();
      // `200 + 10%` is 220 on a calculator and 200.1 in a book.
      if (right === null || isPercent(left) || isPercent(right)) return null;
      left = { kind, left, right };
    }
    this.#depth--;
    return left;
  }

  #product(): Expression | null {
    let left = this.#signed();
    while (left !== null) {
      const kind = this.#operation(['*', '/', 'mod']) ?? this.#modulo() ?? this.#of(left);
      if (kind === null) break;
      const right = this.#signed();
      // A remainder among products has no precedence that people agree on.
      if (right === null || left.kind === 'mod' || (kind === 'mod' && isProduct(left))) return null;
      left = { kind, left, right };
    }
    return left;
  }

  #signed(): Expression | null {
    let negative = false;
    for (let count = 0; ; count++) {
      const sign = this.#operation(['-', '+']);
      if (sign === null) break;
      // `3 - - 4` is sound, `3 ------ 4` is a line.
      if (count === 1) return null;
      negative = sign === '-';
    }
    const of = this.#power();
    if (of === null || !negative) return of;
    // `-2^2` is -4 in a book and 4 in a spreadsheet.
    return of.kind === '^' ? null : { kind: 'negative', of };
  }

  #power(): Expression | null {
    const left = this.#postfix();
    if (left === null || this.#operation(['^']) === null) return left;
    if (++this.#depth > MAX_DEPTH) return null;
    const right = this.#signed();
    this.#depth--;
    // `2^50%`: nobody means that.
    return right === null || isPercent(left) || isPercent(right) ? null : { kind: '^', left, right };
  }

  #postfix(): Expression | null {
    let value = this.#primary();
    let shouted = false;
    while (value !== null) {
      if (value.kind === 'percent') break;
      if (this.#word('squared') || this.#word('cubed')) {
        const n = this.#is(-1, 'cubed') ? 3n : 2n;
        value = { kind: '^', left: value, right: { kind: 'number', value: { n, d: 1n } } };
      } else if (this.#word('!') || this.#word('factorial')) {
        // `5!!` is the double factorial to some.
        if (shouted) return null;
        shouted = true;
        value = { kind: 'factorial', of: value };
      } else if (this.#word('percent') || (!this.#moduloFollows() && this.#word('%'))) {
        value = { kind: 'percent', of: value };
      } else break;
    }
    return value;
  }

  #primary(): Expression | null {
    const token = this.#tokens[this.#at];
    if (token?.kind === 'number') {
      this.#at++;
      return { kind: 'number', value: token.value };
    }
    if (this.#word('(')) {
      const inner = this.sum();
      return inner !== null && this.#word(')') ? inner : null;
    }
    const isRoot = this.#is(0, 'root');
    if (token?.kind !== 'word' || !(isRoot || this.#is(0, 'factorial of'))) return null;
    this.#at++;
    const bare = !this.#is(0, '(');
    if (++this.#depth > MAX_DEPTH) return null;
    const of = this.#primary();
    this.#depth--;
    if (of === null) return null;
    // "the root of 16 plus 9": of which? At the end of all there is only one reading.
    if (bare && !token.sign && !(this.done || this.#is(0, ')'))) return null;
    return { kind: isRoot ? 'root' : 'factorial', of };
  }

  #is(offset: -1 | 0 | 1, word: string): boolean {
    const token = this.#tokens[this.#at + offset];
    return token?.kind === 'word' && token.is === word;
  }

  #word(word: string): boolean {
    if (!this.#is(0, word)) return false;
    this.#at++;
    return true;
  }

  #operation<K extends string>(kinds: readonly K[]): K | null {
    const token = this.#tokens[this.#at];
    const found = token?.kind === 'operation' ? kinds.find((kind) => kind === token.is) : undefined;
    if (found === undefined) return null;
    this.#at++;
    return found;
  }

  /** `17 % 5`: a percent sign with an operand after it. */
  #moduloFollows(): boolean {
    const next = this.#tokens[this.#at + 1];
    return this.#is(0, '%') && (next?.kind === 'number' || this.#is(1, '(') || this.#is(1, 'root'));
  }

  #modulo(): 'mod' | null {
    if (!this.#moduloFollows()) return null;
    this.#at++;
    return 'mod';
  }

  /** `12% of 480`; `7 of 9` is something else. */
  #of(left: Expression): '*' | null {
    return left.kind === 'percent' && this.#word('of') ? '*' : null;
  }
}

const isProduct = ({ kind }: Expression): boolean => kind === '*' || kind === '/' || kind === 'mod';

function isPercent(expression: Expression): boolean {
  return expression.kind === 'percent' || (expression.kind === 'negative' && isPercent(expression.of));
}
