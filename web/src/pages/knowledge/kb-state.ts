/**
 * One knowledge base as its page knows it: what it holds, and its jobs as they come further. One request waits at the node for
 * the job that runs; with none, jobs that others began are looked for now and then.
 *
 * @module web/pages/knowledge/kb-state
 */
import { createEffect, on, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { type Fault, faultIn, isGone } from '../../data/node-error.ts';
import { unlocked } from '../../data/owner.ts';
import { type JobView, job, jobs, type KbView, show } from './desk.ts';

interface State {
  view: KbView | null;
  /** Those that wait or run, then the last ones. */
  jobs: readonly JobView[];
  fault: Fault | null;
  /** Grows when documents and files may have changed. */
  changes: number;
}

export interface Kb {
  readonly name: string;
  readonly state: State;
  /** Looks again now, since something was begun or changed. */
  refresh(): Promise<void>;
}

const idleMs = 10_000;
const brokenMs = 3_000;
/** While a job runs, what the knowledge base holds is asked at most so often. */
const viewMs = 1_500;

export const isOpen = ({ state }: JobView): boolean => state === 'waiting' || state === 'running';
export const openJobs = (state: Pick<State, 'jobs'>): readonly JobView[] => state.jobs.filter(isOpen);

/** Follows it for as long as the component that calls it lives. */
export function createKb(name: string): Kb {
  const [state, set] = createStore<State>({ view: null, jobs: [], fault: null, changes: 0 });
  const gone = new AbortController();
  let wake: (() => void) | null = null;
  let viewed = 0;

  async function look(): Promise<void> {
    const [view, told] = await Promise.all([show(name), jobs(name)]);
    viewed = performance.now();
    set('view', reconcile(view, { key: null, merge: true }));
    set('jobs', reconcile(told.jobs, { key: 'id' }));
    set('fault', null);
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** The job that runs, when it came further; or nothing, when the reader began something meanwhile. */
  async function next(running: JobView): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([gone.signal, waiting.signal]);
    const woken = new Promise<null>((resolve) => {
      wake = () => resolve(null);
    });
    try {
      const now = await Promise.race([job(name, running.id, running.step, signal), woken]);
      if (now === null) return;
      set('jobs', (each) => each.id === now.id, reconcile(now, { key: null, merge: true }));
      if (isOpen(now) && performance.now() - viewed < viewMs) return;
    } finally {
      waiting.abort();
    }
    await changed();
  }

  async function changed(): Promise<void> {
    await look();
    set('changes', (count) => count + 1);
  }

  async function follow(): Promise<void> {
    let first = true;
    while (!gone.signal.aborted) {
      try {
        if (!unlocked()) await pause(idleMs);
        else if (first || state.fault !== null) {
          await changed();
          first = false;
        } else {
          const running = state.jobs.find(({ state: now }) => now === 'running') ?? openJobs(state)[0];
          if (running !== undefined) await next(running);
          else {
            await pause(idleMs);
            if (document.visibilityState === 'visible' && unlocked()) await look();
          }
        }
      } catch (error) {
        if (gone.signal.aborted) return;
        const fault = faultIn(error);
        set('fault', unlocked() ? fault : null);
        await pause(isGone(fault) ? brokenMs : idleMs);
      }
    }
  }

  void follow();
  createEffect(on(unlocked, () => wake?.(), { defer: true }));
  onCleanup(() => {
    gone.abort();
    wake?.();
  });
  return {
    name,
    state,
    async refresh() {
      try {
        await changed();
      } catch (error) {
        set('fault', faultIn(error));
      }
      wake?.();
    },
  };
}
