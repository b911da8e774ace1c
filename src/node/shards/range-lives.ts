/**
 * The lives of the ranges that this node serves: each is fetched, loaded, announced, loaded again when the engine process
 * dies, and drained when it is stopped. What is wanted is noted, so that it is served again after a restart.
 *
 * @module node/shards/range-lives
 */
import { AbortedError, KithError, messageOf } from '../../base/index.ts';
import type { Admission } from '../../shards/index.ts';
import type { ServedRange } from './served-range.ts';
import type { ServingFile } from './serving-file.ts';
import type { ShardParts } from './types.ts';

export interface RangeLivesOptions extends Pick<ShardParts, 'config' | 'engine' | 'clock' | 'log'> {
  readonly file: ServingFile;
  readonly admission: Pick<Admission, 'all' | 'end'>;
  /** Has told anew what is served. Never rejects. */
  readonly announce: () => Promise<void>;
  /** Tells the owners of sessions at a range that they have `ms` to go on elsewhere. */
  readonly leave: (ms: number, id: string) => void;
}

export interface RangeLives extends AsyncDisposable {
  readonly ranges: readonly ServedRange[];
  /** The range is served from now on; what was done goes on in the background. */
  begin(range: ServedRange, onReady?: () => void): void;
  /** Drains it in the background. */
  end(range: ServedRange): void;
  /** Forgets one that failed. */
  drop(range: ServedRange): void;
  /** Notes what is wanted. @throws KithError `disk_full`, `write_failed` */
  note(): Promise<void>;
  /** Loads one after the other: each is to see the memory that the one before left. */
  inTurn(work: () => Promise<void>): Promise<void>;
  sessionsOf(range: ServedRange): number;
  /** Why what is wanted is not noted, or what was noted could not be read; null: all is well. */
  readonly problem: string | null;
}

/** How often a look is taken whether the engine process is the same, ms. */
const LOOK_MS = 1000;
/** What was served and failed is tried again after so long, ms. */
const RETRY_MS = 60_000;

export function createRangeLives(options: RangeLivesOptions): RangeLives {
  const { config, engine, clock, log, file, admission, announce } = options;
  const { drainMs } = config.shards;
  const ending = new AbortController();
  const ranges: ServedRange[] = [];
  const lives = new Set<Promise<void>>();
  let loading: Promise<void> = Promise.resolve();
  let problem = file.problem;

  async function note(): Promise<void> {
    await file.write(
      ranges
        .filter(({ state, isKept }) => state !== 'draining' && (state !== 'failed' || isKept))
        .map(({ want }) => want),
    );
    problem = null;
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = loading.then(work);
    loading = turn.catch(() => {});
    return turn;
  }

  /** From its first byte until it is stopped. Never rejects. */
  async function live(range: ServedRange, onReady: () => void): Promise<void> {
    const { signal } = range.stopping;
    /** Null: not here, or of no use. */
    let path: string | null = null;
    while (!signal.aborted) {
      try {
        path ??= await range.fetch();
        const file = path;
        await inTurn(() => range.load(file));
      } catch (error) {
        if (signal.aborted) break;
        path = null;
        range.fail(error);
        log.warn('blocks cannot be served', { range: range.id, err: messageOf(error) });
        // Others need not count on them any longer.
        void announce();
        if (!range.isKept || range.problem!.status < 500) return void note().catch(() => {});
        await clock.sleep(RETRY_MS, signal).catch(() => {});
        continue;
      }
      log.info('blocks are served', { range: range.id, cells: range.cells });
      onReady();
      await announce();
      while (!signal.aborted && !range.isLost) await clock.sleep(LOOK_MS, signal).catch(() => {});
      if (signal.aborted) break;
      log.warn('the engine process that served blocks is gone', { range: range.id });
      admission.end(lost('The engine process of the shard died.'), range.id);
    }
  }

  const sessionsOf = ({ id }: ServedRange): number =>
    admission.all().filter(({ pool }) => pool === id).length;

  async function stop(range: ServedRange): Promise<void> {
    if (range.state === 'draining') return;
    const wasReady = range.state === 'ready';
    range.stopping.abort(new AbortedError('Serving was stopped.'));
    range.drain();
    await note().catch((error: unknown) => {
      problem = `That '${range.want.model}' is no longer served could not be noted, so that it is served again after a restart: ${messageOf(error)}`;
    });
    if (wasReady) {
      await announce();
      options.leave(drainMs, range.id);
      const until = clock.monotonic() + drainMs;
      while (sessionsOf(range) > 0 && clock.monotonic() < until && !ending.signal.aborted)
        await clock.sleep(Math.min(100, LOOK_MS), ending.signal).catch(() => {});
      admission.end(lost('The node no longer serves these blocks.'), range.id);
    }
    await engine
      .unload(range.id)
      .catch((error: unknown) => log.debug('not unloaded', { err: messageOf(error) }));
    ranges.splice(ranges.indexOf(range), 1);
    await announce();
  }

  /** Goes on in the background; the node's end waits for it. */
  function keep(work: Promise<void>): void {
    const life = work
      .catch((error: unknown) => log.warn('serving was not stopped well', { err: messageOf(error) }))
      .finally(() => lives.delete(life));
    lives.add(life);
  }

  return {
    ranges,
    note,
    inTurn,
    sessionsOf,
    get problem() {
      return problem;
    },
    begin(range, onReady = () => {}) {
      ranges.push(range);
      // Others who choose blocks now are not to take the same.
      void announce();
      keep(live(range, onReady));
    },
    end: (range) => keep(stop(range)),
    drop(range) {
      range.stopping.abort(new AbortedError('Other blocks are served in their place.'));
      ranges.splice(ranges.indexOf(range), 1);
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      for (const { stopping } of ranges) stopping.abort(new AbortedError('The node stops.'));
      admission.end(lost('The node stops.'));
      await Promise.all(lives);
    },
  };
}

/** Owners go on elsewhere. */
const lost = (why: string): KithError => new KithError('shard_lost', why, { status: 503 });
