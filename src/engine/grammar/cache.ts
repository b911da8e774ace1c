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
/** Texts of grammars that were found good. */
const REMEMBERED = 32;

export interface Grammars {
  /** A matcher at the start of its text. @throws InputError as `compileGrammar` */
  matcher(grammar: Grammar): GrammarMatcher;
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
  let tree: TokenTree | null = null;
  const recent = new Map<string, () => GrammarMatcher>();
  return {
    matcher(grammar) {
      const key = JSON.stringify(grammar);
      let make = recent.get(key);
      if (make === undefined) {
        const automaton = createAutomaton(compileGrammar(grammar));
        tree ??= createTokenTree(tokenizer, vocab);
        const maskOf = createMasks(automaton, tree);
        make = () =>
          createMatcher({
            automaton,
            maskOf,
            bytes: (token) => tokenizer.bytes(token),
            isEnding: (token) => tokenizer.eog.has(token),
            work,
          });
      }
      recent.delete(key);
      recent.set(key, make);
      for (const oldest of recent.keys()) {
        if (recent.size <= KEPT) break;
        recent.delete(oldest);
      }
      return make();
    },
  };
}
