/**
 * A model's grammars: compiled once, kept while they are in use, the least recently used forgotten first.
 *
 * @module engine/grammar/cache
 */
import { createHash } from 'node:crypto';
import { InputError } from '../../base/index.ts';
import type { Grammar, Tokenizer } from '../types.ts';
import { createAutomaton } from './automaton.ts';
import { compileGrammar, parseGrammar } from './grammar.ts';
import { createMasks } from './mask.ts';
import { createMatcher, type GrammarMatcher, WORK_PER_TOKEN } from './matcher.ts';
import { createTokenTree, type TokenTree } from './vocabulary.ts';
import { createWork } from './work.ts';

/** Each holds up to some 30 MB when it has seen much text, a few hundred KB as a rule. */
const KEPT = 8;
/** Token trees: one for each set of control tokens that are shown. */
const KEPT_TREES = 3;
const NO_TOKENS: ReadonlySet<number> = new Set();
/** Outcomes of grammars that were checked: a hash and an error each. */
const REMEMBERED = 512;

export interface Grammars {
  /**
   * A matcher at the start of its text.
   *
   * @param shown control tokens that are text to this grammar
   * @throws InputError as `compileGrammar`
   */
  matcher(grammar: Grammar, shown?: ReadonlySet<number>): GrammarMatcher;
}

/** What became of compiling a grammar. */
export interface GrammarOutcome {
  readonly grammar: Grammar;
  readonly fault: InputError | null;
  /** What it cost, as counted: the same each time, also when it was remembered. */
  readonly work: number;
}

export interface GrammarCheck {
  /** @throws InputError as `parseGrammar` and `compileGrammar` */
  (input: unknown): Grammar;
  /** @throws InputError as `parseGrammar`; what compiling throws is `fault` */
  outcome(input: unknown): GrammarOutcome;
  /** Whether the answer is known, so that `outcome` costs next to nothing. */
  knows(input: unknown): boolean;
}

/**
 * Checks grammars where they come in: what it returns will compile. Remembers the last few, refusals too, since clients
 * repeat them.
 */
export function createGrammarCheck(): GrammarCheck {
  const outcomes = createRecent<Omit<GrammarOutcome, 'grammar'>>(REMEMBERED);
  const outcome = (input: unknown): GrammarOutcome => {
    const grammar = parseGrammar(input);
    const { fault, work } = outcomes.get(hashOf(JSON.stringify(grammar)), () => compiled(grammar));
    return { grammar, fault, work };
  };
  const check = (input: unknown): Grammar => {
    const { grammar, fault } = outcome(input);
    if (fault !== null) throw fault;
    return grammar;
  };
  const knows = (input: unknown): boolean =>
    outcomes.peek(hashOf(JSON.stringify(parseGrammar(input)))) !== undefined;
  return Object.assign(check, { outcome, knows });
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64');

function compiled(grammar: Grammar): Omit<GrammarOutcome, 'grammar'> {
  const work = createWork();
  let fault: InputError | null = null;
  try {
    compileGrammar(grammar, work);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    fault = error;
  }
  return { fault, work: work.spent };
}

/**
 * @param vocab rows of logits
 * @param work for one token at most, in items that are looked at
 */
export function createGrammars(
  tokenizer: Pick<Tokenizer, 'bytes' | 'eog' | 'size'>,
  vocab: number,
  work: number = WORK_PER_TOKEN,
): Grammars {
  const trees = createRecent<TokenTree>(KEPT_TREES);
  const makers = createRecent<() => GrammarMatcher>(KEPT);
  /** Grammars that do not compile: apart, so that they drive out none that do. */
  const faults = createRecent<InputError>(REMEMBERED);

  function maker(grammar: Grammar, shown: ReadonlySet<number>, tokens: string): () => GrammarMatcher {
    const automaton = createAutomaton(compileGrammar(grammar));
    const bytes = (token: number): Uint8Array => tokenizer.bytes(token, shown.has(token));
    const { eog, size } = tokenizer;
    const tree = trees.get(tokens, () => createTokenTree({ bytes, eog, size }, vocab));
    const maskOf = createMasks(automaton, tree);
    const isEnding = (token: number): boolean => eog.has(token);
    return () => createMatcher({ automaton, maskOf, bytes, isEnding, work });
  }

  return {
    matcher(grammar, shown = NO_TOKENS) {
      const tokens = [...shown].join();
      const text = `${tokens} ${JSON.stringify(grammar)}`;
      const make = makers.get(text, () => {
        const hash = hashOf(text);
        const fault = faults.peek(hash);
        if (fault !== undefined) throw fault;
        try {
          return maker(grammar, shown, tokens);
        } catch (error) {
          if (error instanceof InputError) faults.get(hash, () => error);
          throw error;
        }
      });
      return make();
    },
  };
}

interface Recent<T> {
  get(key: string, make: () => T): T;
  peek(key: string): T | undefined;
}

/** Keeps the values that were used last. */
function createRecent<T>(most: number): Recent<T> {
  const kept = new Map<string, T>();
  return {
    get(key, make) {
      const value = kept.get(key) ?? make();
      kept.delete(key);
      kept.set(key, value);
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break;
        kept.delete(oldest);
      }
      return value;
    },
    peek: (key) => kept.get(key),
  };
}
