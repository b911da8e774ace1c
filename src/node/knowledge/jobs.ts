/**
 * What takes long with knowledge bases: one job of a KB at a time, in their order; exports, which only read it, beside them. A job stands on the disk from before it is
 * promised until it has ended: whoever asked for it may leave, and what a kill ended goes on with the next start.
 *
 * @module node/knowledge/jobs
 */
import { type Clock, isKithError, KithError, LimitError, type Logger, messageOf } from '../../base/index.ts';
import type { JobProgress, JobState, JobView, Trouble } from '../../server/index.ts';
import { type JobEntry, kindOf, type Registry, type Work } from './registry.ts';
import { noProgress, STOPPING, type Telling } from './telling.ts';

export interface Jobs extends AsyncDisposable {
  /** @throws LimitError `knowledge.jobs` */
  add(kb: string, work: Work): JobView;
  /** Goes on with what a process before this one left. */
  resume(): void;
  list(kb: string): JobView[];
  unfinished(kb: string): number;
  /** As soon as its step is not `seen`, within `PATIENCE_MS`. @throws KithError `job_unknown` */
  wait(kb: string, id: number, seen: number | null, signal: AbortSignal): Promise<JobView>;
  /** Does nothing to one that is over. @throws KithError `job_unknown` */
  cancel(kb: string, id: number): Promise<JobView>;
  cancelAll(kb: string): Promise<void>;
}

export interface JobsParts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  run(kb: string, work: Work, telling: Telling): Promise<void>;
}

/** Jobs that wait or run, of all knowledge bases. */
const MOST_UNFINISHED = 100;
/** ms that a question for a job's next step stays open. */
const PATIENCE_MS = 20_000;
/** ms between notes on the disk of how far a job is, and between tellings. */
const NOTE_MS = 1000;
const TELL_MS = 50;

interface Live {
  entry: JobEntry;
  step: number;
  readonly stop: AbortController;
  readonly over: PromiseWithResolvers<void>;
  /** Those who wait for a step. */
  changed: PromiseWithResolvers<void>;
}

export function createJobs({ registry, clock, log, run }: JobsParts): Jobs {
  const live = new Map<number, Live>();
  /** The last job of each KB, and its last export: the next one waits for it. */
  const tails = new Map<string, Promise<void>>();
  let leaving = false;

  const isOpen = ({ state }: JobEntry): boolean => state === 'waiting' || state === 'running';

  const viewOf = (entry: JobEntry, step = 0): JobView => {
    const { id, kb, work, state, progress, error, made, ended } = entry;
    return {
      ...{ id, kb, kind: kindOf(work), what: whatOf(work), state, step },
      progress,
      error,
      made,
      ended,
      ...(isOpen(entry) && !live.has(id) ? { stalled: true } : {}),
    };
  };

  function change(job: Live, more: Partial<JobEntry>, keep: boolean): void {
    job.entry = { ...job.entry, ...more };
    if (keep) registry.saveJob(job.entry);
    job.step++;
    const { changed } = job;
    job.changed = Promise.withResolvers();
    changed.resolve();
  }

  function start(entry: JobEntry): Live {
    const job: Live = {
      ...{ entry, step: 1, stop: new AbortController() },
      over: Promise.withResolvers(),
      changed: Promise.withResolvers(),
    };
    live.set(entry.id, job);
    const line = kindOf(entry.work) === 'export' ? `${entry.kb} export` : entry.kb;
    const before = tails.get(line) ?? Promise.resolve();
    const mine = before.then(() => work(job));
    tails.set(line, mine);
    void mine.finally(() => {
      if (tails.get(line) === mine) tails.delete(line);
      live.delete(entry.id);
      job.over.resolve();
    });
    return job;
  }

  /** Never throws. */
  async function work(job: Live): Promise<void> {
    const { signal } = job.stop;
    const { kb, work: what } = job.entry;
    let latest: JobProgress = job.entry.progress;
    let noted = clock.monotonic();
    let told = noted;
    let late = false;
    /** What is told in between is shown a moment later: the next telling may be far off. */
    const showLater = (): void => {
      if (late) return;
      late = true;
      void clock.sleep(TELL_MS).then(() => {
        late = false;
        if (job.entry.state !== 'running' || leaving) return;
        told = clock.monotonic();
        change(job, { progress: latest }, false);
      });
    };
    const settle = (state: JobState, error: Trouble | null): void =>
      change(job, { state, error, progress: latest, ended: Math.floor(clock.now()) }, true);
    try {
      if (leaving) return;
      if (signal.aborted) return settle('cancelled', null);
      change(job, { state: 'running' }, true);
      await run(kb, what, {
        signal,
        tell(progress) {
          latest = progress;
          const now = clock.monotonic();
          if (now - told < TELL_MS) return showLater();
          told = now;
          const keep = now - noted >= NOTE_MS;
          if (keep) noted = now;
          change(job, { progress }, keep);
        },
        become: (next) => change(job, { work: next }, true),
      });
      settle('done', null);
    } catch (error) {
      // It goes on with the next start.
      if (leaving) return;
      try {
        if (signal.aborted) settle('cancelled', null);
        else {
          const code = isKithError(error) ? error.code : 'ingest_failed';
          if (!isKithError(error))
            log.error('a job of a knowledge base failed', { kb, err: messageOf(error) });
          settle('failed', { code, message: messageOf(error) });
        }
      } catch (cause) {
        log.error('how a job of a knowledge base ended could not be noted', { kb, err: messageOf(cause) });
      }
    }
  }

  function find(kb: string, id: number): JobView {
    const job = live.get(id);
    if (job !== undefined && job.entry.kb === kb) return viewOf(job.entry, job.step);
    const entry = registry.job(kb, id);
    if (entry !== null) return viewOf(entry);
    throw new KithError(
      'job_unknown',
      `The knowledge base '${kb}' has no job ${id}. \`kith rag jobs\` lists those there are.`,
      { status: 404, param: 'job' },
    );
  }

  return {
    add(kb, what) {
      if (live.size >= MOST_UNFINISHED)
        throw new LimitError(
          'knowledge.jobs',
          MOST_UNFINISHED,
          `${MOST_UNFINISHED} jobs wait already (limit knowledge.jobs). Try again when some have ended.`,
          { status: 429, retryAfter: 10 },
        );
      const made = Math.floor(clock.now());
      const job = start(
        registry.addJob({
          ...{ kb, work: what, state: 'waiting', progress: noProgress, error: null, made, ended: null },
        }),
      );
      return viewOf(job.entry, job.step);
    },
    resume() {
      for (const entry of registry.unfinished())
        if (!live.has(entry.id)) start({ ...entry, state: 'waiting' });
    },
    list: (kb) =>
      registry.jobs(kb).map((entry) => {
        const job = live.get(entry.id);
        return job === undefined ? viewOf(entry) : viewOf(job.entry, job.step);
      }),
    unfinished: (kb) => [...live.values()].filter(({ entry }) => entry.kb === kb).length,
    async wait(kb, id, seen, signal) {
      const job = live.get(id);
      const now = find(kb, id);
      if (job === undefined || seen === null || now.step !== seen) return now;
      const patience = new AbortController();
      const either = AbortSignal.any([signal, patience.signal]);
      const late = clock.sleep(PATIENCE_MS, either).catch(() => undefined);
      await Promise.race([job.changed.promise, job.over.promise, late]);
      patience.abort();
      return leaving ? viewOf(job.entry, job.step) : find(kb, id);
    },
    async cancel(kb, id) {
      const now = find(kb, id);
      const job = live.get(id);
      if (job === undefined) {
        const entry = registry.job(kb, id);
        if (entry === null || !isOpen(entry)) return now;
        registry.saveJob({ ...entry, state: 'cancelled', ended: Math.floor(clock.now()) });
        return find(kb, id);
      }
      job.stop.abort();
      // One that waits is over at once; its turn only passes.
      if (job.entry.state === 'waiting')
        change(job, { state: 'cancelled', ended: Math.floor(clock.now()) }, true);
      else await job.over.promise;
      return find(kb, id);
    },
    async cancelAll(kb) {
      const mine = [...live.values()].filter(({ entry }) => entry.kb === kb);
      for (const { stop } of mine) stop.abort();
      await Promise.all(mine.map(({ over }) => over.promise));
    },
    async [Symbol.asyncDispose]() {
      leaving = true;
      for (const { stop } of live.values()) stop.abort(STOPPING);
      await Promise.all(tails.values());
    },
  };
}

const VAULT_WORK = {
  ...{ sync: 'what peers keep of it', repair: 'copies at peers' },
  restore: 'from what peers keep',
  rotate: 'new keys for what peers keep',
} as const;

/** What jobs work on that put vectors into an engine. */
export const ENGINE_WORK = 'what an engine has of it';

function whatOf(work: Work): string {
  switch (work.kind) {
    case 'ingest':
      return work.paths.length === 1 ? work.paths[0]! : `${work.paths[0]!} and ${work.paths.length - 1} more`;
    case 'upload':
      return work.path;
    case 'sync':
    case 'forget':
      return work.folder;
    case 'rebuild':
      return work.only === 'chunks' ? 'passages' : 'all vectors';
    case 'dream':
      return `dream ${work.run}`;
    case 'notes':
      return work.folder;
    case 'vault':
      return VAULT_WORK[work.op];
    case 'engine':
      return ENGINE_WORK;
    case 'copy':
      return work.file;
  }
}
