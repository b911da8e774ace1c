/**
 * Chains of hand-overs: which key a key became, and whether its owner told two stories.
 *
 * @module identity/rotation/succession
 */
import { type HandOver, invalid } from './statement.ts';

/** More hand-overs than this follow nobody. */
export const SUCCESSION_MAX = 64;

/** Two statements of one key that name different successors. Each is signed by that key: nobody else can have made them. */
export interface Conflict {
  /** `did:key` of the key that has two successors. */
  readonly from: string;
  readonly statements: readonly [HandOver, HandOver];
}

export interface Succession {
  /** `did:key` of the last key of the chain; the first one where nothing follows or where a conflict begins. */
  readonly current: string;
  /** From the oldest to the newest. */
  readonly chain: readonly HandOver[];
  /** The key where the chain splits, if it does: nothing after it is followed. */
  readonly conflict: Conflict | null;
}

/** All keys among these statements that have two successors. The same statement twice is no conflict. */
export function conflictsAmong(statements: Iterable<HandOver>): Conflict[] {
  const first = new Map<string, HandOver>();
  const found = new Map<string, Conflict>();
  for (const statement of statements) {
    const before = first.get(statement.from);
    if (before === undefined) first.set(statement.from, statement);
    else if (before.to !== statement.to && !found.has(statement.from))
      found.set(statement.from, { from: statement.from, statements: [before, statement] });
  }
  return [...found.values()];
}

/**
 * Follows a key through verified statements in any order.
 * Throws InputError `rotation_invalid` when they go round in a circle or are more than 64.
 *
 * @param did `did:key` to begin with
 */
export function successionOf(did: string, statements: readonly HandOver[]): Succession {
  const conflicts = new Map(conflictsAmong(statements).map((conflict) => [conflict.from, conflict]));
  const next = new Map(statements.map((statement) => [statement.from, statement]));
  const seen = new Set([did]);
  const chain: HandOver[] = [];
  let current = did;
  for (;;) {
    const conflict = conflicts.get(current);
    if (conflict !== undefined) return { current, chain, conflict };
    const step = next.get(current);
    if (step === undefined) return { current, chain, conflict: null };
    if (seen.has(step.to)) throw invalid(`the keys go round in a circle at ${step.to}`);
    if (chain.length === SUCCESSION_MAX) throw invalid(`more than ${SUCCESSION_MAX} follow one another`);
    seen.add(step.to);
    chain.push(step);
    current = step.to;
  }
}

/**
 * Whether these statements, in this order, lead from key to key without a gap: the form in which an owner shows a past.
 * Throws InputError `rotation_invalid` otherwise, also for none at all.
 */
export function requireChain(statements: readonly HandOver[]): {
  readonly first: string;
  readonly last: string;
} {
  const [head, tail] = [statements[0], statements.at(-1)];
  if (head === undefined || tail === undefined) throw invalid('there is no statement');
  for (const [i, statement] of statements.entries()) {
    const before = statements[i - 1];
    if (before === undefined) continue;
    if (before.to !== statement.from) throw invalid(`${statement.from} does not follow ${before.to}`);
    if (statement.at < before.at)
      throw invalid(`the hand-over to ${statement.to} is dated before the one it follows`);
  }
  const { current, conflict } = successionOf(head.from, statements);
  if (conflict !== null || current !== tail.to) throw invalid('a key comes in it twice');
  return { first: head.from, last: tail.to };
}
