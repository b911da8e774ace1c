/**
 * Guesses beside the rows of a turn, so that one pass gives several tokens of a sequence. Each row's logits are those of
 * ordinary decoding to the last bit (`ForwardPart.outputs` `each`), and each token is chosen by the sequence's own sampler
 * in the order of the positions: a guess is kept where the sampler chose it anyway. So no answer depends on guesses.
 *
 * @module engine/scheduler/speculation
 */
import { SINGLE_ROWS } from '../runner/single-rows.ts';
import type { Job } from './job.ts';
import { createLookup, type Lookup, type Proposal } from './lookup.ts';
import type { Memory } from './memory.ts';
import { createOdds, expectedTokens, type Odds } from './odds.ts';
import type { Rows } from './passes.ts';
import { createPayoff, DRAFTS } from './payoff.ts';

export interface Speculation {
  /** The rows with guesses where they pay, their cells taken. */
  extend(rows: readonly Rows[]): readonly Rows[];
  /** After a pass: ms it took. `plain`: nothing but decodes. */
  pass(rows: readonly Rows[], ms: number): void;
  /** After the tokens of a pass of one sequence: guesses, and those that were right. */
  guessed(job: Job, guesses: number, right: number): void;
  /** After the tokens of a whole pass: how many were chosen. */
  gave(rows: readonly Rows[], tokens: number): void;
  readonly totals: {
    readonly draftRounds: number;
    readonly draftedTokens: number;
    readonly acceptedTokens: number;
  };
}

interface State {
  readonly lookup: Lookup;
  readonly odds: Odds;
  /** Tokens dropped when its lookup last read. */
  slid: number;
  /** Equal tokens before the guesses that are checked. */
  match: number;
  /** What was guessed and not checked: the next token tells for nothing whether it was right. */
  seen: { readonly at: number; readonly token: number; readonly match: number } | null;
}

/** Cells that guesses leave for each sequence of the turn. */
const SPARE_CELLS = 16;
const MOST = DRAFTS.at(-1)!;

export function createSpeculation(init: {
  readonly memory: Pick<Memory, 'cells' | 'cache'>;
  /** Tokens that end an answer. */
  readonly eog: ReadonlySet<number>;
  /** Tokens of one sequence. */
  readonly limit: number;
  /** Rows of a pass. */
  readonly maxRows: number;
}): Speculation {
  const { eog, limit } = init;
  const { cells, cache } = init.memory;
  const maxRows = Math.min(init.maxRows, SINGLE_ROWS);
  const payoff = createPayoff();
  const modelOdds = createOdds();
  const states = new WeakMap<Job, State>();
  const totals = { draftRounds: 0, draftedTokens: 0, acceptedTokens: 0 };

  function stateOf(job: Job): State {
    let state = states.get(job);
    if (state === undefined) {
      const odds = createOdds(modelOdds);
      state = { lookup: createLookup(eog), odds, slid: job.slidTokens, match: 0, seen: null };
      states.set(job, state);
    }
    if (state.slid !== job.slidTokens) {
      state.lookup.reset();
      state.slid = job.slidTokens;
    }
    return state;
  }

  function proposalFor(job: Job): Proposal {
    const state = stateOf(job);
    const { lookup, odds, seen } = state;
    if (seen !== null && seen.at === job.count - 1) odds.look(seen.match, job.tokens[seen.at] === seen.token);
    state.seen = null;
    // A token comes after the last guess, too: neither the answer's end nor a full context may come before it.
    const room = Math.min(job.maxTokens - job.generated, limit - job.count) - 1;
    return lookup.propose(job.tokens, job.count, Math.min(MOST, room));
  }

  /** Takes the cells of the guesses. Null when attention would add up in another order than without. */
  function taken(item: Rows, draft: Int32Array): Rows | null {
    const { job, start } = item;
    const sequence = job.sequence!;
    if (!sequence.append(draft.length, draft, 0)) return null;
    for (let p = start + 1; p < sequence.length; p++) {
      if (sequence.cells[p]! > sequence.cells[p - 1]!) continue;
      sequence.truncate(start + 1);
      return null;
    }
    return { ...item, count: 1 + draft.length, draft };
  }

  return {
    extend(rows) {
      if (rows.length === 0 || rows.some(({ count, output }) => count > 1 || !output)) return rows;
      const proposals = rows.map(({ job }) => proposalFor(job));
      const drafts = proposals.map(({ draft }) => draft);
      const chances = rows.flatMap(({ job }, i) => {
        const { draft, match } = proposals[i]!;
        return draft.length === 0 ? [] : [{ tokens: expectedTokens(stateOf(job).odds, match, draft.length) }];
      });
      const most = payoff.choose(chances, rows.length - chances.length, maxRows);
      for (const [i, { job }] of rows.entries()) {
        const { draft, match } = proposals[i]!;
        const state = stateOf(job);
        state.match = match;
        if (most === 0 && draft.length > 0) state.seen = { at: job.count, token: draft[0]!, match };
      }
      if (most === 0) return rows;
      const wanted = drafts.reduce((sum, draft) => sum + Math.min(most, draft.length), 0);
      // Cells of finished sequences are given up as for any token; those of running ones never.
      if (cells.count - cells.pinned < wanted + SPARE_CELLS * rows.length || !cache.evict(wanted))
        return rows;
      return rows.map((item, i) => {
        const draft = drafts[i]!.subarray(0, most);
        return draft.length === 0 ? item : (taken(item, draft) ?? item);
      });
    },
    pass(rows, ms) {
      if (rows.some(({ count, draft, output }) => !output || (count > 1 && draft === undefined))) return;
      const count = rows.reduce((sum, item) => sum + item.count, 0);
      payoff.pass(rows.length, count, ms);
    },
    guessed(job, guesses, right) {
      totals.draftRounds++;
      totals.draftedTokens += guesses;
      totals.acceptedTokens += right;
      const { odds, match } = stateOf(job);
      for (let i = 0; i < Math.min(right + 1, guesses); i++) odds.look(match + i, i < right);
    },
    gave(rows, tokens) {
      if (rows.some(({ draft }) => draft !== undefined)) payoff.gave(rows.length, tokens);
    },
    totals,
  };
}
