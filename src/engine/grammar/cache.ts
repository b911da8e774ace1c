/**
 * A model's grammars: compiled once, kept while they are in use, the least recently used forgotten first.
 *
 * @module engine/grammar/cache
 */
import type { Grammar, Tokenizer } from '../types.ts';
import { createAutomaton } from './automaton.ts';
import { compileGrammar, parseGrammar } from './grammar.ts';
import { createMasks } from './mask.ts';
import { createMatcher, type GrammarMatcher, WORK_PER_TOKEN } from './matcher.ts';
import { createTokenTree, type TokenTree } from './vocabulary.ts';

/** Each holds up to some 30 MB when it has seen much text, a few hundred KB as a rule. */
const KEPT = 8;
/** Token trees: one for each set of control tokens that are shown. */
const KEPT_TREES = 3;
const NO_TOKENS: ReadonlySet<number> = new Set();
/** Texts of grammars that were found good. */
const REMEMBERED = 32;

export interface Grammars {
  /**
   * A matcher at the start of its text.
   *
   * @param shown control tokens that are text to this grammar
   * @throws InputError as `compileGrammar`
   */
  matcher(grammar: Grammar, shown?: ReadonlySet<number>): GrammarMatcher;
}

/**
 * Checks grammars where they come in: what it returns will compile. Remembers the last few, since clients repeat them.
 */
export function createGrammarCheck(): (input: unknown) => Grammar {
  const known = new Set<string>();
  return (input) => {
    const grammar = parseGrammar(input);
    const key = JSON.stringify(grammar);
    if (known.has(key)) return grammar;
    compileGrammar(grammar);
    known.add(key);
    for (const oldest of known) {
      if (known.size <= REMEMBERED) break;
      known.delete(oldest);
    }
    return grammar;
  };
}

/**
 * @param vocab rows of logits
 * @param work items visited for one token at most
 */
export function createGrammars(
  tokenizer: Pick<Tokenizer, 'bytes' | 'eog' | 'size'>,
  vocab: number,
  work: number = WORK_PER_TOKEN,
): Grammars {
  const trees = createRecent<TokenTree>(KEPT_TREES);
  const makers = createRecent<() => GrammarMatcher>(KEPT);

  function maker(grammar: Grammar, shown: ReadonlySet<number>, tokens: string): () => GrammarMatcher {
    const automaton = createAutomaton(compileGrammar(grammar));
    const bytes = (token: number): Uint8Array => tokenizer.bytes(token, shown.has(token));
    const { eog, size } = tokenizer;
    const tree = trees(tokens, () => createTokenTree({ bytes, eog, size }, vocab));
    const maskOf = createMasks(automaton, tree);
    const isEnding = (token: number): boolean => eog.has(token);
    return () => createMatcher({ automaton, maskOf, bytes, isEnding, work });
  }

  return {
    matcher(grammar, shown = NO_TOKENS) {
      const tokens = [...shown].join();
      return makers(`${tokens} ${JSON.stringify(grammar)}`, () => maker(grammar, shown, tokens))();
    },
  };
}

/** Keeps the values that were used last. */
function createRecent<T>(most: number): (key: string, make: () => T) => T {
  const kept = new Map<string, T>();
  return (key, make) => {
    const value = kept.get(key) ?? make();
    kept.delete(key);
    kept.set(key, value);
    for (const oldest of kept.keys()) {
      if (kept.size <= most) break;
      kept.delete(oldest);
    }
    return value;
  };
}
