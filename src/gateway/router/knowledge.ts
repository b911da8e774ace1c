/**
 * What the router knows, in memory and on disk: the weights in use, which learn from each label at once; the labels;
 * and the versions that passed the evaluation.
 *
 * Every label is written before it is learnt, the weights only now and then. When the database is opened after a crash,
 * the labels since are learnt again in their order, which gives the same weights to the last bit.
 *
 * @module gateway/router/knowledge
 */
import { type Clock, InputError, KithError, type Random, throwIfAborted } from '../../base/index.ts';
import { createEnsemble, type Ensemble, type EnsembleState } from './ensemble.ts';
import { NEIGHBOURS_CAPACITY, Neighbours } from './neighbours.ts';
import { fitEnsemble, type Judgement, judge } from './refit.ts';
import type { Label, Range, RouterStore, Weights } from './store.ts';
import { isHeld, trainingNumber } from './store.ts';
import type { Embedder, Example } from './types.ts';

export interface Knowledge {
  /** In use now. */
  readonly ensemble: Ensemble;
  /** Null until weights have passed the evaluation. */
  readonly version: number | null;
  learn(example: Example, chance: number | null): void;
  refit(signal?: AbortSignal): Promise<Judgement>;
  rollBack(version: number, signal?: AbortSignal): Promise<{ readonly exact: boolean }>;
  /** Writes the weights; nothing may be learnt afterwards. */
  close(): void;
}

/** Labels learnt between two writes of the weights: about half a megabyte. */
const LABELS_PER_WRITE = 256;
/** Labels read between two yields: about 5 ms. */
const LABELS_PER_PAGE = 200;
/** Labels that weights are learnt from anew: the newest, for the sake of memory. */
const MAX_FITTED = 15_000;
/** Held-out labels that judge: the newest. */
const MAX_HELD = 2000;

export function createKnowledge(
  store: RouterStore,
  clock: Clock,
  random: Random,
  embedder: Embedder | null,
): Knowledge {
  const embedderId = embedder?.id ?? null;
  const dimension = embedder?.dimension ?? null;
  let without: readonly Range[] = [];
  let version: number | null = null;
  let ensemble: Ensemble;
  let unwritten = 0;
  let changing = false;
  let closed = false;

  /** Labels that count, oldest first; vectors of other embedders left out. */
  function* labels(
    after: number,
    through: number,
    gaps: readonly Range[],
  ): Generator<Label, void, undefined> {
    for (const label of store.labels(after, through)) {
      if (gaps.some(([first, last]) => label.seq >= first && label.seq <= last)) continue;
      if (label.features.vector === null || label.embedder === embedderId) yield label;
      else yield { ...label, features: { ...label.features, vector: null } };
    }
  }

  /** Gives every label that counts to `take`, oldest first; yields after each page. */
  function* read(
    through: number,
    gaps: readonly Range[],
    take: (label: Label) => void,
  ): Generator<void, void, undefined> {
    for (let after = store.oldestLabel() - 1; after < through; after += LABELS_PER_PAGE) {
      for (const label of labels(after, Math.min(through, after + LABELS_PER_PAGE), gaps)) take(label);
      yield;
    }
  }

  function* readNeighbours(
    through: number,
    gaps: readonly Range[],
  ): Generator<void, Neighbours | null, undefined> {
    if (dimension === null) return null;
    const neighbours = new Neighbours({ dimension });
    yield* read(through, gaps, (label) => {
      if (!label.held) neighbours.put(trainingNumber(label.seq), label);
    });
    return neighbours;
  }

  /** Weights for vectors of another embedder are left out. */
  function usable({ embedder: id, ensemble: state }: Weights): EnsembleState {
    if (id === embedderId) return state;
    return { text: state.text, vector: null, windows: [] };
  }

  function write(applied: number): void {
    store.writeLive({ version, applied, without, embedder: embedderId, ensemble: ensemble.snapshot() });
    unwritten = 0;
  }

  const live = store.live();
  without = live?.without ?? [];
  version = live?.version ?? null;
  const newest = store.newestLabel();
  const reading = readNeighbours(newest, without);
  let page = reading.next();
  while (page.done !== true) page = reading.next();
  ensemble = createEnsemble(dimension, live === null ? undefined : usable(live), page.value);
  for (const label of labels(live?.applied ?? 0, newest, without)) {
    if (label.held) continue;
    ensemble.learnWeights(label);
    unwritten++;
  }

  async function refit(signal?: AbortSignal): Promise<Judgement> {
    if (changing) throw busy();
    changing = true;
    try {
      const through = store.newestLabel();
      // The neighbours in use may learn more meanwhile; these must be those of the version.
      const neighbours = dimension === null ? null : new Neighbours({ dimension });
      const training: Label[] = [];
      const allHeld: Label[] = [];
      const reading = read(through, without, (label) => {
        const counts = label.seq > through - MAX_FITTED;
        if (counts) (label.held ? allHeld : training).push(label);
        if (!label.held) neighbours?.put(trainingNumber(label.seq), label);
      });
      await inTurns(reading, signal);
      const held = allHeld.slice(-MAX_HELD);
      const candidate = await inTurns(fitEnsemble(training, dimension, neighbours, random), signal);
      const current = version === null ? null : ensemble;
      const judgement = await inTurns(judge(candidate, current, held, training.length, random), signal);
      if (judgement.verdict !== 'promoted' || closed) return judgement;
      version = store.addVersion(clock.now(), through, judgement.candidate!, {
        without,
        embedder: embedderId,
        ensemble: candidate.snapshot(),
      });
      for (const label of labels(through, store.newestLabel(), without)) {
        if (label.held) continue;
        candidate.learnWeights(label);
        neighbours?.put(trainingNumber(label.seq), label);
      }
      ensemble = candidate;
      write(store.newestLabel());
      return judgement;
    } finally {
      changing = false;
    }
  }

  async function inTurns<T>(
    work: Generator<void, T, undefined>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      await new Promise((resolve) => setImmediate(resolve));
      throwIfAborted(signal);
      if (closed) throw new KithError('router_closed', 'The router was closed.', { status: 503 });
    }
  }

  return {
    get ensemble() {
      return ensemble;
    },
    get version() {
      return version;
    },
    learn(example, chance) {
      const seq = store.addLabel(clock.now(), example, chance, embedderId);
      if (isHeld(seq)) return;
      ensemble.learnWeights(example);
      ensemble.parts.neighbours?.put(trainingNumber(seq), example);
      if (++unwritten >= LABELS_PER_WRITE) write(seq);
    },
    refit,
    async rollBack(number, signal) {
      if (changing) throw busy();
      const kept = store.version(number);
      if (kept === null)
        throw new InputError(
          'version_not_found',
          `There is no version ${number}. Kept are: ${
            store
              .versions()
              .map((row) => row.number)
              .join(', ') || 'none'
          }.`,
          { status: 404, param: 'version' },
        );
      changing = true;
      let neighbours: Neighbours | null;
      try {
        neighbours = await inTurns(readNeighbours(kept.through, kept.without), signal);
      } finally {
        changing = false;
      }
      const now = store.newestLabel();
      ensemble = createEnsemble(dimension, usable(kept), neighbours);
      version = number;
      const oldest = store.oldestLabel();
      without = [...kept.without, ...(now > kept.through ? [[kept.through + 1, now] as const] : [])].filter(
        ([, last]) => last >= oldest,
      );
      write(now);
      const firstNeeded = trainingNumber(kept.through) - NEIGHBOURS_CAPACITY;
      // Where labels do not count, older ones stand in for them, and how old those are is not known.
      const whole = kept.without.length === 0 && trainingNumber(oldest) <= firstNeeded + 1;
      return { exact: dimension === null || oldest <= 1 || whole };
    },
    close() {
      if (!closed && unwritten > 0) write(store.newestLabel());
      closed = true;
    },
  };
}

const busy = (): KithError =>
  new KithError(
    'router_busy',
    'The router learns its weights anew or returns to a version; try again when that is done.',
    {
      status: 409,
      retryAfter: 10,
    },
  );
