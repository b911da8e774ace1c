/**
 * Dreams of the node's knowledge bases: their runs as jobs, so that they outlive who asked for them and go on after a kill.
 *
 * @module node/knowledge/dream
 */
import { KithError } from '../../base/index.ts';
import {
  beginDream,
  byGain,
  completenessOf,
  DREAM_KIND,
  dream,
  dreamState,
  idleOf,
  idleRun,
  idleTokens,
  type KnowledgeStore,
  namedIn,
  readFacts,
  type StoredRun,
} from '../../knowledge/index.ts';
import type { DreamDesk, DreamEntry, DreamView } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import type { Opened } from './desk.ts';
import { openExtractor } from './extractor.ts';
import type { OpenKb } from './kbs.ts';
import { noProgress, type Telling } from './work.ts';

/** Questions between two notes of what they named: each note is a write to the disk. */
const ASKED = 16;
/** Characters of a value in a journal. */
const SHOWN = 1000;

export function dreamDesk(parts: AreaParts): DreamDesk {
  const { withKb, clock, config } = parts;

  function runOf(store: KnowledgeStore, id: number): StoredRun {
    const run = store.run(id);
    if (run?.kind === DREAM_KIND) return run;
    throw new KithError('run_unknown', `The knowledge base has no dream ${id}.`, {
      status: 404,
      param: 'run',
    });
  }

  return {
    score: (kb, limit) =>
      withKb(kb, async ({ store, graph }) => {
        const now = await graph.current();
        const facts = readFacts(store, now);
        return {
          ...completenessOf(now, facts),
          lacking: byGain(now, facts, (keys) => store.asked(keys))
            .filter(({ gain }) => gain > 0)
            .slice(0, limit),
        };
      }),
    run: (kb, { ms, calls, model: wanted = config.knowledge.writer, mergeAt }) =>
      withKb(kb, async ({ store, graph }, { jobs, registry }) => {
        if (runningIn(registry, kb) !== null) throw running(kb);
        const model = wanted === 'none' || calls === 0 ? null : wanted;
        const id = await beginDream({ store, graph, clock }, { ms, calls, model, mergeAt });
        const job = jobs.add(kb, { kind: 'dream', run: id });
        return { run: viewOf(store.run(id)!, id), job };
      }),
    runs: (kb, limit) =>
      withKb(kb, ({ store }, { registry }) => {
        const now = runningIn(registry, kb);
        return store
          .runs(1000)
          .filter(({ kind }) => kind === DREAM_KIND)
          .slice(0, limit)
          .map((run) => viewOf(run, now));
      }),
    extraction: (kb) =>
      withKb(kb, async ({ store, graph }, { idle }) => {
        const { extraction: mode, writer, extractionTokens: budget } = config.knowledge;
        const now = await graph.current();
        const lacking = byGain(now, readFacts(store, now), (keys) => store.asked(keys));
        const run = idleRun(store, clock.now());
        const { phase, note } = idle?.phaseOf(kb) ?? { phase: 'off' as const, note: null };
        const found = run === null ? null : dreamState(run).found;
        return {
          ...{ mode, phase, note, budget, tokens: idleTokens(store, clock.now()) },
          model: writer === 'none' ? null : writer,
          run: run?.id ?? null,
          ...{ calls: found?.calls ?? 0, kept: found?.kept ?? 0, refused: found?.refused ?? 0 },
          left: lacking.filter(({ gain }) => gain > 0).length,
        };
      }),
    journal: (kb, id, { after, limit }) =>
      withKb(kb, ({ store }, { registry }) => {
        const run = runOf(store, id);
        const said = store.assertionsOfRun(id, { after, limit });
        const first = after > 0 ? [] : [...mergesOf(store, id), ...readingsOf(store, id)];
        return {
          run: viewOf(run, runningIn(registry, kb)),
          entries: [...first, ...said.map(entryOf)],
          next: said.length < limit ? null : said.at(-1)!.id,
        };
      }),
    undo: (kb, id) =>
      withKb(kb, ({ store }, { registry }) => {
        runOf(store, id);
        if (runningIn(registry, kb) === id) throw running(kb);
        if (!store.undoRun(id, clock.now()))
          throw new KithError('run_undone', `The dream ${id} was undone before.`, {
            status: 409,
            param: 'run',
          });
        return viewOf(store.run(id)!, null);
      }),
  };
}

/** The dream that a job of the knowledge base is about. */
function runningIn(registry: Opened['registry'], kb: string): number | null {
  for (const { kb: of, work } of registry.unfinished())
    if (of === kb && work.kind === 'dream') return work.run;
  return null;
}

function running(kb: string): KithError {
  return new KithError(
    'dream_running',
    `A dream of '${kb}' is under way. \`kith rag jobs ${kb}\` shows it, and --cancel ends it.`,
    { status: 409 },
  );
}

/** The work of a job. @param waiting whether other jobs of this knowledge base wait */
export async function dreamWork(
  { gateway, config, clock, log, admit }: AreaParts,
  run: number,
  { store, graph }: Pick<OpenKb, 'store' | 'graph'>,
  { signal, tell }: Telling,
  waiting: () => boolean,
): Promise<void> {
  const kept = store.run(run);
  // It ended right before its job did, or was undone.
  if (kept === null || kept.ended !== null) return;
  const { model } = dreamState(kept).order;
  const extractor =
    model === null || gateway === undefined ? null : await openExtractor({ backend: gateway, config }, model);
  const busy = (): boolean => waiting() || (gateway?.backends?.() ?? []).some(({ inFlight }) => inFlight > 0);
  for await (const { looked, of, spentMs, phase, note } of dream(
    { store, graph, clock, signal, extractor, busy, admit },
    run,
  )) {
    tell({
      ...noProgress,
      totals: { ...noProgress.totals, done: Math.min(looked, of), elapsedMs: spentMs },
      of,
    });
    if (phase === 'done' && note !== null) log.warn('the model of a dream failed', { run, err: note });
  }
}

/** Counts what questions name, so that dreams look at that first. What the last few named is lost with a kill. */
export function createAsked() {
  const counts = new Map<string, { readonly names: Map<string, number>; questions: number }>();
  return {
    /** Never throws: an answer does not fail for it. */
    async note(
      kb: string,
      { store, graph }: Pick<OpenKb, 'store' | 'graph'>,
      question: string,
    ): Promise<void> {
      try {
        const now = await graph.current();
        const kept = counts.get(kb) ?? { names: new Map<string, number>(), questions: 0 };
        counts.set(kb, kept);
        for (const { entity } of namedIn(now, question)) {
          const key = now.network.nameOf(entity);
          kept.names.set(key, (kept.names.get(key) ?? 0) + 1);
        }
        if (++kept.questions < ASKED) return;
        counts.delete(kb);
        store.noteAsked(kept.names);
      } catch {
        // A full disk, or the drive is gone: whatever is asked next says so.
      }
    },
  };
}

function viewOf(run: StoredRun, now: number | null): DreamView {
  const { order, spentMs, phase, found, before, after, stopped, note } = dreamState(run);
  const { id, began, ended, undone } = run;
  const idle = idleOf(run) !== null;
  const goesOn = id === now || idle;
  const state = undone !== null ? 'undone' : ended !== null ? 'done' : goesOn ? 'running' : 'stopped';
  return {
    ...{ id, state, model: order.model, ms: order.ms, spentMs, phase, found, before, after },
    ...{ stopped, note, began, ended, undone, idle },
  };
}

type SaidAssertion = ReturnType<KnowledgeStore['assertionsOfRun']>[number];

function entryOf(said: SaidAssertion): DreamEntry {
  const { id, subject, property, relation, object, value, reason, by, confidence, evidence, undone } = said;
  return {
    ...{ id, kind: 'said', subject, by, confidence, why: reason, holds: undone === null },
    what: relation ?? property,
    value: (object ?? value ?? '').slice(0, SHOWN),
    ...{ chunk: evidence?.chunk ?? null, sentence: evidence?.sentence ?? null },
  };
}

function mergesOf(store: KnowledgeStore, run: number): DreamEntry[] {
  return store
    .merges()
    .filter((merge) => merge.run === run)
    .map(({ id, alias, entity, reason, undone }) => ({
      ...{ id, kind: 'merged', subject: alias, what: 'stands for', value: entity, why: reason, by: 'rule' },
      ...{ confidence: null, chunk: null, sentence: null, holds: undone === null },
    }));
}

function readingsOf(store: KnowledgeStore, run: number): DreamEntry[] {
  return store.readingsOf(run).map(({ chunk, by, kept, refused }) => ({
    ...{ id: null, kind: 'read', subject: chunk, what: 'was read', why: '', by: 'model', holds: true },
    value: `${kept} values taken over, ${refused} refused (${by})`,
    ...{ confidence: null, chunk, sentence: null },
  }));
}
