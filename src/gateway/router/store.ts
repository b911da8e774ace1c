/**
 * The router's labels, weights and thresholds in SQLite. Everything kept is bounded: labels, versions, agents' history.
 *
 * @module gateway/router/store
 */
import { openDatabase, type SqlValue } from '../../base/index.ts';
import type { EnsembleState } from './ensemble.ts';
import type { Evaluation } from './evaluate.ts';
import { ROUTER_MIGRATIONS } from './migrations.ts';
import {
  bytesOf,
  type LabelRow,
  type LiveRow,
  labelOf,
  readEvaluation,
  type VersionRow,
  weightsOf,
  weightValues,
} from './rows.ts';
import type { ThresholdState } from './threshold.ts';
import type { Example } from './types.ts';

/** Labels kept: the newest. With vectors of 384 numbers about 75 MB. */
export const MAX_LABELS = 30_000;
/** Versions kept beside the one in use. */
export const KEPT_VERSIONS = 3;
/** Steps of an agent's threshold kept. */
export const MAX_HISTORY = 200;
/** Every fifth label is held out. */
const HELD_EVERY = 5;

export interface Label extends Example {
  readonly seq: number;
  /** Id of the embedder of its vector; null without one. */
  readonly embedder: string | null;
  readonly held: boolean;
  /** Probability with which a lot chose what was observed; null where none was drawn and one side is unknown. */
  readonly chance: number | null;
}

/** Labels from first to last, both included. */
export type Range = readonly [first: number, last: number];

export interface Weights {
  /** Labels below the newest that do not count. */
  readonly without: readonly Range[];
  /** Id of the embedder whose vectors the weights are for. */
  readonly embedder: string | null;
  readonly ensemble: EnsembleState;
}

export interface LiveWeights extends Weights {
  /** Version they come from; null before the first. */
  readonly version: number | null;
  /** Newest label they have learnt. */
  readonly applied: number;
}

export interface Version {
  readonly number: number;
  /** ms since epoch, as all times here. */
  readonly at: number;
  /** Newest label that counts for it. */
  readonly through: number;
  readonly evaluation: Evaluation;
}

export interface ThresholdStep {
  readonly at: number;
  readonly threshold: number;
  readonly target: number;
  /** `tracked`: it followed the requests; `set`: somebody changed it. */
  readonly reason: 'tracked' | 'set';
}

/** True for the labels that are kept from training, so that weights are judged by prompts they never saw. */
export const isHeld = (seq: number): boolean => seq % HELD_EVERY === 0;
/** Number of a label among those for training: 1, 2, 3, ... without gaps. */
export const trainingNumber = (seq: number): number => seq - Math.floor(seq / HELD_EVERY);

export type RouterStore = ReturnType<typeof openRouterStore>;

/**
 * Opens (and makes) the file at `path`, or `:memory:`. A commit survives the end of the process, however it ends.
 *
 * @throws KithError `database_newer`, `database_corrupt`, ... as `openDatabase`
 */
export function openRouterStore(path: string, { maxLabels = MAX_LABELS }: { maxLabels?: number } = {}) {
  const database = openDatabase(path, { migrations: ROUTER_MIGRATIONS, synchronous: 'NORMAL' });
  const newest = database.prepare<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'labels'");
  const addLabel = database.prepare<never, SqlValue[]>(
    'INSERT INTO labels (seq, at, held, local, frontier, chance, terms, weights, shape, vector, embedder) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const prune = database.prepare<never, [number]>('DELETE FROM labels WHERE seq <= ?');
  const labels = database.prepare<LabelRow, [number, number]>(
    'SELECT * FROM labels WHERE seq > ? AND seq <= ? ORDER BY seq',
  );
  const oldest = database.prepare<{ seq: number }>('SELECT seq FROM labels ORDER BY seq LIMIT 1');
  const addVersion = database.prepare<never, SqlValue[]>(
    'INSERT INTO versions (at, through, without, evaluation, embedder, text, vector, windows) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const versions = database.prepare<VersionRow>(
    'SELECT number, at, through, evaluation FROM versions ORDER BY number',
  );
  const version = database.prepare<VersionRow, [number]>('SELECT * FROM versions WHERE number = ?');
  const pruneVersions = database.prepare<never, [number, number, number]>(
    'DELETE FROM versions WHERE number <> ? AND number NOT IN (SELECT number FROM versions WHERE number <> ? ORDER BY number DESC LIMIT ?)',
  );
  const setLive = database.prepare<never, SqlValue[]>(
    'INSERT OR REPLACE INTO live (id, version, applied, without, embedder, text, vector, windows) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
  );
  const live = database.prepare<LiveRow>('SELECT * FROM live');
  const setThreshold = database.prepare<never, SqlValue[]>(
    `INSERT INTO thresholds (agent, target, min, max, threshold, decided, frontier, by_hand) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent) DO UPDATE SET target = excluded.target, min = excluded.min, max = excluded.max,
       threshold = excluded.threshold, decided = excluded.decided, frontier = excluded.frontier,
       by_hand = max(by_hand, excluded.by_hand)`,
  );
  const thresholds = database.prepare<ThresholdState & { agent: string }>(
    'SELECT agent, target, min, max, threshold, decided, frontier FROM thresholds',
  );
  const byHand = database.prepare<{ agent: string }>('SELECT agent FROM thresholds WHERE by_hand = 1');
  const addStep = database.prepare<never, SqlValue[]>(
    'INSERT INTO threshold_history (agent, at, threshold, target, reason) VALUES (?, ?, ?, ?, ?)',
  );
  const pruneSteps = database.prepare<never, [string, string, number]>(
    'DELETE FROM threshold_history WHERE agent = ? AND id <= (SELECT id FROM threshold_history WHERE agent = ? ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  const steps = database.prepare<ThresholdStep, [string]>(
    'SELECT at, threshold, target, reason FROM threshold_history WHERE agent = ? ORDER BY id',
  );

  const newestLabel = (): number => newest.get()?.seq ?? 0;

  function writeLive(weights: LiveWeights): void {
    setLive.run(weights.version, weights.applied, ...weightValues(weights));
  }

  return {
    path,
    get isOpen(): boolean {
      return database.isOpen;
    },
    newestLabel,
    /** Oldest label kept; 0 while there is none. */
    oldestLabel: (): number => oldest.get()?.seq ?? 0,
    /** Labels after one and up to another, oldest first, read as they are asked for. */
    *labels(after: number, through: number): Generator<Label, void, undefined> {
      for (const row of labels.iterate(after, through)) yield labelOf(path, row);
    },
    addLabel(
      at: number,
      { features, outcome }: Example,
      chance: number | null,
      embedder: string | null,
    ): number {
      return database.transaction(() => {
        const seq = newestLabel() + 1;
        addLabel.run(
          seq,
          at,
          isHeld(seq) ? 1 : 0,
          outcome.local,
          outcome.frontier,
          chance,
          bytesOf(features.terms),
          bytesOf(features.weights),
          bytesOf(features.shape),
          features.vector === null ? null : bytesOf(features.vector),
          features.vector === null ? null : embedder,
        );
        prune.run(seq - maxLabels);
        return seq;
      });
    },
    /** Oldest first. */
    versions: (): Version[] =>
      versions.all().map(({ number, at, through, evaluation }) => ({
        number,
        at,
        through,
        evaluation: readEvaluation(evaluation),
      })),
    version(number: number): (Version & Weights) | null {
      const row = version.get(number);
      if (row === undefined) return null;
      const { at, through } = row;
      return { number, at, through, evaluation: readEvaluation(row.evaluation), ...weightsOf(path, row) };
    },
    /** Keeps a version, drops the oldest over the limit, and makes its weights the live ones. */
    addVersion(at: number, through: number, evaluation: Evaluation, weights: Weights): number {
      return database.transaction(() => {
        const [without, ...rest] = weightValues(weights);
        const { lastInsertRowid: number } = addVersion.run(
          at,
          through,
          without!,
          JSON.stringify(evaluation),
          ...rest,
        );
        pruneVersions.run(number, number, KEPT_VERSIONS);
        writeLive({ ...weights, version: number, applied: through });
        return number;
      });
    },
    live(): LiveWeights | null {
      const row = live.get();
      if (row === undefined) return null;
      return { version: row.version, applied: row.applied, ...weightsOf(path, row) };
    },
    writeLive,
    thresholds(): Map<string, ThresholdState> {
      return new Map(thresholds.all().map(({ agent, ...state }) => [agent, state]));
    },
    /** Agents whose settings somebody changed. */
    setByHand: (): ReadonlySet<string> => new Set(byHand.all().map(({ agent }) => agent)),
    /** @param reason Adds a step to the history; null keeps the state only. */
    writeThreshold(
      agent: string,
      state: ThresholdState,
      at: number,
      reason: ThresholdStep['reason'] | null,
    ): void {
      const { target, min, max, threshold, decided, frontier } = state;
      database.transaction(() => {
        setThreshold.run(agent, target, min, max, threshold, decided, frontier, reason === 'set' ? 1 : 0);
        if (reason === null) return;
        addStep.run(agent, at, threshold, target, reason);
        pruneSteps.run(agent, agent, MAX_HISTORY);
      });
    },
    /** Oldest first. */
    history: (agent: string): ThresholdStep[] => steps.all(agent),
    close: (): void => database.close(),
    [Symbol.dispose]: (): void => database.close(),
  };
}
