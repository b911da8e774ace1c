/**
 * Passages that a model reads one at a time while nobody wants anything else: those first by whose names the most is to be gained.
 *
 * What is read in a day is one run, with journal and undo as of a dream. Its state stands in the file of the knowledge base and is
 * noted before each call, so that a kill loses the call that was under way, and never more tokens than a day has are asked for.
 *
 * @module knowledge/dream/idle
 */
import { estimateTokens } from '../chunk/index.ts';
import type { StoredRun } from '../store/index.ts';
import type { Extractor } from '../types.ts';
import { type AskParts, askModel, hasUnread } from './ask.ts';
import { dreamState, foundBy, NOTHING, RUN_KIND } from './dream.ts';
import { completenessOf, readFacts } from './score.ts';
import type { DreamState, IdleNote } from './types.ts';

/**
 * `read`: a passage. `spent`: the day's tokens are used up. `nothing`: no passage is left that has not been read. `undone`: the owner
 * undid what this model read last, and it would only read the same again.
 */
export type IdleStep = 'read' | 'spent' | 'nothing' | 'undone';

export interface IdleOptions {
  /** Tokens of questions and answers together, estimated. */
  readonly tokensPerDay: number;
}

/** The run of that day (UTC) that was not undone, the newest; null when there is none. */
export function idleRun(store: Pick<AskParts['store'], 'runs'>, now: number): StoredRun | null {
  const day = dayOf(now);
  return store.runs(100).find((run) => run.undone === null && idleOf(run)?.day === day) ?? null;
}

/** Null for a dream that somebody began. */
export function idleOf(run: StoredRun): IdleNote | null {
  return run.kind === RUN_KIND ? (dreamState(run).idle ?? null) : null;
}

/** Tokens of that day, also those of runs that were undone. */
export function idleTokens(store: Pick<AskParts['store'], 'runs'>, now: number): number {
  const day = dayOf(now);
  return store.runs(100).reduce((sum, run) => {
    const idle = idleOf(run);
    return idle?.day === day ? sum + idle.tokens : sum;
  }, 0);
}

/** Reads one passage at most. @throws whatever the extractor throws; AbortedError: nothing of the passage was kept */
export async function idleStep(parts: AskParts, { tokensPerDay }: IdleOptions): Promise<IdleStep> {
  const { store, graph, clock, extractor } = parts;
  // What a day before this one left.
  for (const run of store.runs(100))
    if (run.ended === null && idleOf(run) !== null && idleOf(run)?.day !== dayOf(clock.now()))
      store.noteRun(run.id, { ...dreamState(run), phase: 'done' }, clock.now());
  const last = store
    .runs(1000)
    .find((run) => idleOf(run) !== null && dreamState(run).order.model === extractor.id);
  if (last !== undefined && last.undone !== null) return 'undone';
  const left = tokensPerDay - idleTokens(store, clock.now());
  if (left <= 0) return 'spent';
  if (!(await hasUnread(parts))) return 'nothing';
  const run = idleRun(store, clock.now())?.id ?? (await begin(parts));
  const note = (more: Partial<DreamState>): void =>
    store.noteRun(run, { ...dreamState(store.run(run)!), ...more });
  const counting = counted(extractor, (tokens) => {
    if (tokens > left) throw new Spent();
    const { day, tokens: before } = dreamState(store.run(run)!).idle!;
    // Before the call: whatever ends it, the tokens are gone.
    note({ idle: { day, tokens: before + tokens } });
  });
  try {
    for await (const _ of askModel({ ...parts, extractor: counting }, run, 1)) {
      const now = await graph.current();
      note({ found: foundBy(store, run), after: completenessOf(now, readFacts(store, now)) });
      return 'read';
    }
  } catch (error) {
    if (error instanceof Spent) return 'spent';
    throw error;
  }
  return 'nothing';
}

async function begin({ store, graph, clock, extractor }: AskParts): Promise<number> {
  const now = await graph.current();
  const state: DreamState = {
    order: { ms: 86_400_000, calls: 100_000, model: extractor.id, mergeAt: 2 },
    idle: { day: dayOf(clock.now()), tokens: 0 },
    ...{ phase: 'asking', looked: 0, of: 0, spentMs: 0, found: NOTHING, stopped: null, note: null },
    ...{ before: completenessOf(now, readFacts(store, now)), after: null },
  };
  return store.beginRun(RUN_KIND, { ...state }, clock.now());
}

class Spent extends Error {}

/** Tells of each call how many tokens it may take, before it is made. */
function counted(extractor: Extractor, tell: (tokens: number) => void): Extractor {
  return {
    ...{ id: extractor.id, context: extractor.context },
    async extract(messages, schema, options) {
      const asked = estimateTokens(messages.map(({ content }) => content).join('\n'));
      tell(asked + options.maxTokens);
      return extractor.extract(messages, schema, options);
    },
  };
}

export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
