/**
 * One generation under a grammar: what it has written so far and what may come next. Knows tokens only, no keys and
 * values: a sequence that loses its cells and is computed again keeps its matcher.
 *
 * @module engine/grammar/matcher
 */
import { InputError, KithError } from '../../base/index.ts';
import type { Automaton, Budget, ItemSet } from './automaton.ts';
import type { Mask } from './mask.ts';

export interface GrammarMatcher {
  /**
   * Sets the logits of tokens that cannot come next to -Infinity.
   *
   * @throws InputError `grammar_too_complex`; `grammar_blocked` when every token that could come was ruled out before
   */
  mask(logits: Float32Array): void;
  /** Takes the chosen token. @throws KithError `grammar_violated` for a token that could not come */
  accept(token: number): void;
  /** Takes back the last `count` tokens, at most 64. */
  rollback(count: number): void;
  /** What is written is a whole answer: the model may end here. */
  readonly complete: boolean;
  /** And nothing can follow it: the model must end here. */
  readonly ended: boolean;
}

/** Work for one token at most, in items that are looked at: some hundredths of a second. */
export const WORK_PER_TOKEN = 1_500_000;
/** An answer begins with the work of so many tokens, and never has more. */
const SAVED_TOKENS = 3;
/** Each token that is taken adds this share of a token's work: what an answer can go on taking. */
const REGAINED = 1 / 8;
/** Tokens that can be taken back. */
const REMEMBERED = 64;

export interface MatcherInit {
  readonly automaton: Automaton;
  readonly maskOf: (set: ItemSet, budget: Budget) => Mask;
  readonly bytes: (token: number) => Uint8Array;
  readonly isEnding: (token: number) => boolean;
  /** Work for one token at most. */
  readonly work: number;
}

export function createMatcher({ automaton, maskOf, bytes, isEnding, work }: MatcherInit): GrammarMatcher {
  let current = automaton.start;
  let over = false;
  const history: ItemSet[] = [];
  let kept: number[] = [];
  const most = work * SAVED_TOKENS;
  let saved = most;

  /** One part of a token's work, taken from what the answer has left. */
  function spend<T>(part: (budget: Budget) => T): T {
    const given = Math.min(work, saved);
    const budget = { left: given };
    const result = part(budget);
    saved -= given - budget.left;
    return result;
  }

  function remember(): void {
    history.push(current);
    if (history.length > REMEMBERED) history.shift();
  }

  return {
    mask(logits) {
      const { allows, ids, count } = spend((budget) => maskOf(current, budget));
      if (count === 0) {
        throw new KithError(
          'grammar_stuck',
          'No token of this model can go on with the answer: its vocabulary lacks the characters that the grammar needs.',
          { status: 422 },
        );
      }
      let possible = false;
      if (allows) {
        kept = [];
        for (let i = 0; i < ids.length; i++) kept.push(logits[ids[i]!]!);
        logits.fill(Number.NEGATIVE_INFINITY);
        for (let i = 0; i < ids.length; i++) {
          logits[ids[i]!] = kept[i]!;
          if (kept[i] !== Number.NEGATIVE_INFINITY) possible = true;
        }
      } else {
        for (let i = 0; i < ids.length; i++) logits[ids[i]!] = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < logits.length && !possible; i++)
          possible = logits[i] !== Number.NEGATIVE_INFINITY;
      }
      if (possible) return;
      throw new InputError(
        'grammar_blocked',
        'Every token that the grammar allows next is banned, by logit_bias or by the model itself.',
        { param: 'grammar' },
      );
    },
    accept(token) {
      if (isEnding(token)) {
        if (!current.complete || over) throw violated(token);
        remember();
        over = true;
        return;
      }
      const text = bytes(token);
      let at: ItemSet | null = text.length === 0 || over ? null : current;
      at = spend((budget) => {
        let next = at;
        for (let i = 0; i < text.length && next !== null; i++) next = automaton.step(next, text[i]!, budget);
        return next;
      });
      if (at === null) throw violated(token);
      remember();
      current = at;
      saved = Math.min(most, saved + work * REGAINED);
    },
    rollback(count) {
      if (count > history.length)
        throw new RangeError(`cannot take back ${count} of ${history.length} tokens`);
      if (count === 0) return;
      current = history[history.length - count]!;
      history.length -= count;
      over = false;
    },
    get complete() {
      return current.complete;
    },
    get ended() {
      return current.complete && !current.open;
    },
  };
}

function violated(token: number): KithError {
  return new KithError('grammar_violated', `Token ${token} cannot come here under the grammar.`);
}
