/**
 * Structured output: a JSON Schema, a regular expression or a composition of them as a mask over tokens, exact at any
 * temperature.
 *
 * In: a `Grammar`, a tokenizer, logits. Out: logits in which only tokens remain after which the text can still be
 * completed. Everything is bounded by counts, never by a clock: the same grammar gives the same answer on any machine.
 *
 * @module engine/grammar
 */
export {
  createGrammarCheck,
  createGrammars,
  type GrammarCheck,
  type GrammarOutcome,
  type Grammars,
} from './cache.ts';
export { compileGrammar, parseGrammar } from './grammar.ts';
export type { GrammarMatcher } from './matcher.ts';
