/**
 * A dream: a run over a knowledge base that completes what is said of its names, from quoted passages only. All that it says is
 * undone with it. A run that was killed goes on: what it has said is not said again, and its time counts on.
 *
 * @module knowledge/dream/dream
 */
import { setImmediate } from 'node:timers/promises';
import { type Clock, InputError, throwIfAborted } from '../../base/index.ts';
import type { FollowingGraph, Graph } from '../graph/index.ts';
import type { Assertion, KnowledgeStore, NewAssertion, StoredRun } from '../store/index.ts';
import type { Extractor } from '../types.ts';
import { askModel } from './ask.ts';
import { ghostsOf, LowerWords } from './ghosts.ts';
import { Harvest } from './harvest.ts';
import { sureMerges } from './merges.ts';
import { type AllFacts, completenessOf, readFacts } from './score.ts';
import type { DreamFigures, DreamOrder, DreamState } from './types.ts';

export const RUN_KIND = 'dream';

export interface DreamParts {
  readonly store: KnowledgeStore;
  readonly graph: FollowingGraph;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Whoever reads passages where the order names a model. */
  readonly extractor?: Extractor | null;
  /** Throws where whoever reads is not fit to. @default everybody is */
  readonly admit?: (extractor: Extractor, signal: AbortSignal) => Promise<void>;
  /** Asked between steps: whether others want the machine. The run ends then, and another goes on where it was. */
  readonly busy?: () => boolean;
  readonly signal: AbortSignal;
}

/** Passages between which others get their turn, and the run is noted: some 20 ms. */
const SLICE = 32;
/** Assertions in one transaction. */
const BATCH = 200;
/** ms between notes of how far it is. */
const NOTE_MS = 1000;

export const NOTHING: DreamFigures = {
  ...{ types: 0, summaries: 0, relations: 0, merges: 0, weights: 0 },
  ...{ calls: 0, kept: 0, refused: 0 },
};

/** Whether the budget is used up, or others want the machine. */
class Spent extends Error {
  readonly why: 'budget' | 'busy';
  constructor(why: 'budget' | 'busy') {
    super(why);
    this.why = why;
  }
}

/** Begins a run. Its steps are taken by `dream`. */
export async function beginDream(
  { store, graph, clock }: Pick<DreamParts, 'store' | 'graph' | 'clock'>,
  order: DreamOrder,
): Promise<number> {
  const now = await graph.current();
  const state: DreamState = {
    ...{ order, phase: 'reading', looked: 0, of: store.counts().chunks, spentMs: 0, found: NOTHING },
    before: completenessOf(now, readFacts(store, now)),
    ...{ after: null, stopped: null, note: null },
  };
  return store.beginRun(RUN_KIND, { ...state }, clock.now());
}

export function dreamState(run: StoredRun): DreamState {
  return run.state as unknown as DreamState;
}

/**
 * Takes the steps of a run that has not ended, and tells after each how far it is.
 *
 * @throws InputError `run_unknown`, `run_ended`; what `busy` or the extractor throws ends it with a note
 */
export async function* dream(parts: DreamParts, id: number): AsyncGenerator<DreamState> {
  const { store, graph, clock, signal } = parts;
  const kept = store.run(id);
  if (kept === null || kept.kind !== RUN_KIND)
    throw new InputError('run_unknown', `The knowledge base has no dream ${id}.`, {
      status: 404,
      param: 'run',
    });
  if (kept.ended !== null)
    throw new InputError('run_ended', `The dream ${id} is over.`, { status: 409, param: 'run' });
  // What a kill came between is in the store, and not in the last note.
  let state: DreamState = { ...dreamState(kept), found: foundBy(store, id) };
  const { order } = state;
  const began = clock.monotonic() - state.spentMs;
  let noted = clock.monotonic();

  const set = (more: Partial<DreamState>): DreamState => {
    state = { ...state, ...more, spentMs: Math.round(clock.monotonic() - began) };
    return state;
  };
  const count = (more: Partial<DreamFigures>): void => {
    const found = { ...state.found };
    for (const [name, n] of Object.entries(more)) found[name as keyof DreamFigures] += n;
    state = { ...state, found };
  };
  /** Between two steps. */
  const pause = async (): Promise<void> => {
    await setImmediate();
    throwIfAborted(signal);
    if (clock.monotonic() - began >= order.ms) throw new Spent('budget');
    if (parts.busy?.() === true) throw new Spent('busy');
    if (clock.monotonic() - noted < NOTE_MS) return;
    noted = clock.monotonic();
    store.noteRun(id, { ...set({}) });
  };
  const said = (assertions: readonly NewAssertion[]): void => {
    const newest = store.newestAssertion();
    const ids = store.assert(assertions);
    const fresh = assertions.filter((_, i) => ids[i]! > newest);
    count({
      types: fresh.filter(({ property }) => property === 'type').length,
      summaries: fresh.filter(({ property }) => property === 'summary').length,
      relations: fresh.filter(({ property }) => property === 'relation').length,
      weights: fresh.filter(({ property }) => property === 'weight').length,
    });
  };

  async function* steps(): AsyncGenerator<DreamState> {
    const now = await graph.current();
    const harvest = new Harvest((form) => now.network.entityOf(form) >= 0);
    const words = new LowerWords();
    yield set({ phase: 'reading', looked: 0, of: store.counts().chunks });
    let looked = 0;
    try {
      for (const chunk of store.allChunks()) {
        const { id: of, position, title, text, document } = chunk;
        const properties = position === 0 ? (store.documentById(document)?.properties ?? null) : null;
        harvest.read({ id: of, position, title, text, properties });
        words.add(text);
        if (++looked % SLICE !== 0) continue;
        await pause();
        yield set({ looked });
      }
    } catch (error) {
      if (!(error instanceof Spent)) throw error;
      // What was read is said all the same: else a small budget would come to nothing, however often.
      for (const _ of assertAll(harvest, now)) yield set({});
      throw error;
    }
    for (const _ of assertAll(harvest, now)) {
      yield set({});
      await pause();
    }
    yield* mergeNames();
    yield* weighGhosts(words);
    if (parts.extractor != null && order.calls > 0) yield* ask(parts.extractor);
  }

  function* assertAll(harvest: Harvest, now: Graph): Generator<void> {
    const facts = readFacts(store, now);
    const subjects = harvest.subjects();
    set({ phase: 'asserting', looked: 0, of: subjects.length });
    let batch: NewAssertion[] = [];
    for (const [i, subject] of subjects.entries()) {
      for (const found of harvest.of(subject)) {
        const assertion: NewAssertion = { ...found, by: 'rule', run: id, made: clock.now() };
        if (isNews(assertion, facts, now)) batch.push(assertion);
      }
      if (batch.length < BATCH && i + 1 < subjects.length) continue;
      said(batch);
      batch = [];
      set({ looked: i + 1 });
      yield;
    }
  }

  async function* mergeNames(): AsyncGenerator<DreamState> {
    const now = await graph.current();
    const proposals = sureMerges(now, readFacts(store, now)).filter(
      ({ confidence }) => confidence >= order.mergeAt,
    );
    yield set({ phase: 'merging', looked: 0, of: proposals.length });
    for (const [i, { alias, entity, reason, confidence }] of proposals.entries()) {
      try {
        store.merge({
          ...{ alias, entity, made: clock.now(), run: id },
          reason: `${reason} (${confidence.toFixed(2)})`,
        });
        count({ merges: 1 });
      } catch (error) {
        // By hand or by another of these proposals one of both stands for something else already.
        if (!(error instanceof InputError)) throw error;
      }
      yield set({ looked: i + 1 });
      await pause();
    }
  }

  async function* weighGhosts(words: LowerWords): AsyncGenerator<DreamState> {
    const now = await graph.current();
    yield set({ phase: 'weighing', looked: 0, of: now.network.entities });
    const facts = readFacts(store, now);
    let batch: NewAssertion[] = [];
    for (const ghost of ghostsOf(store, now, words)) {
      if (ghost !== null && facts.of(ghost.subject).weight === 1)
        batch.push({ ...ghost, by: 'rule', run: id, made: clock.now() });
      if (batch.length >= BATCH) {
        said(batch);
        batch = [];
      }
      if (ghost === null) {
        await pause();
        yield set({});
      }
    }
    said(batch);
    yield set({ looked: now.network.entities });
  }

  async function* ask(extractor: Extractor): AsyncGenerator<DreamState> {
    yield set({ phase: 'asking', looked: 0, of: order.calls });
    await parts.admit?.(extractor, signal);
    for await (const { kept: good, refused } of askModel(
      { ...parts, extractor },
      id,
      order.calls - state.found.calls,
    )) {
      count({ calls: 1, kept: good, refused });
      yield set({ looked: state.found.calls });
      await pause();
    }
  }

  try {
    yield* steps();
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof Spent) set({ stopped: error.why });
    else if (state.phase === 'asking') set({ stopped: 'model', note: messageOfModel(error) });
    else throw error;
  }
  const now = await graph.current();
  set({ phase: 'done', after: completenessOf(now, readFacts(store, now)) });
  store.noteRun(id, { ...state }, clock.now());
  yield state;
}

/** What a run has said, by what the store has of it. */
export function foundBy(store: KnowledgeStore, run: number): DreamFigures {
  const by = new Map<string, number>();
  for (let after = 0; ; ) {
    const page = store.assertionsOfRun(run, { after, limit: 1000 });
    for (const { property } of page) by.set(property, (by.get(property) ?? 0) + 1);
    if (page.length < 1000) break;
    after = page.at(-1)!.id;
  }
  const readings = store.readingsOf(run);
  return {
    types: by.get('type') ?? 0,
    summaries: by.get('summary') ?? 0,
    relations: by.get('relation') ?? 0,
    weights: by.get('weight') ?? 0,
    merges: store.merges().filter((merge) => merge.run === run).length,
    calls: readings.filter(({ kept, refused }) => kept + refused > 0).length,
    kept: readings.reduce((sum, { kept }) => sum + kept, 0),
    refused: readings.reduce((sum, { refused }) => sum + refused, 0),
  };
}

function messageOfModel(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}

/** Nothing is said against what is better, or of a single property less surely than a rule said before. */
function isNews(given: NewAssertion, facts: AllFacts, { network }: Pick<Graph, 'network'>): boolean {
  const entity = network.entityOf(given.subject);
  const known = facts.of(entity < 0 ? given.subject : network.nameOf(entity));
  const before: Assertion | null =
    given.property === 'type' ? known.type : given.property === 'summary' ? known.summary : null;
  if (before === null) return true;
  if (before.by === 'model') return true;
  return before.by === 'rule' && (given.confidence ?? 1) > before.confidence;
}
