/**
 * Reads passages of knowledge bases with a model while the node has nothing else to do: no request for some minutes, no job, on mains.
 * One passage at a time; a request or a job ends the one under way at once, and nothing of it is kept but the tokens that it cost.
 *
 * @module node/knowledge/idle
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AbortedError, type Clock, type Logger, messageOf } from '../../base/index.ts';
import { type Extractor, idleStep } from '../../knowledge/index.ts';
import type { OpenKb } from './kbs.ts';
import type { KbEntry } from './registry.ts';

export type IdlePhase =
  | 'off'
  | 'no_model'
  | 'unfit'
  | 'waiting'
  | 'reading'
  | 'spent'
  | 'nothing_left'
  | 'undone'
  | 'failed';

export interface IdleParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** ms without a request from which the node rests. */
  readonly afterMs: number;
  readonly tokensPerDay: number;
  /** Grows with each request, and with those under way. */
  readonly activity: () => number;
  /** Whether something else is to be done: jobs. */
  readonly busy: () => boolean;
  readonly onMains: () => Promise<boolean>;
  readonly entries: () => readonly KbEntry[];
  use<T>(entry: KbEntry, work: (kb: OpenKb) => Promise<T>): Promise<T>;
  /** Null: nobody reads. */
  readonly extractor: () => Promise<Extractor | null>;
  /** @throws KithError `model_unfit` */
  readonly admit: (extractor: Extractor, signal: AbortSignal) => Promise<void>;
}

export interface IdleReading extends AsyncDisposable {
  /** Of a knowledge base, and why, where there is more to say. */
  phaseOf(kb: string): { readonly phase: IdlePhase; readonly note: string | null };
}

/** ms between looks at whether the node rests, and while a passage is read whether it still does. */
const LOOK_MS = 15_000;
const WATCH_MS = 200;
/** ms for which a knowledge base is not looked at that has nothing left, or no tokens. */
const AFTER_ALL_MS = 300_000;
/** ms for which a knowledge base that failed is left alone. */
const AFTER_FAILURE_MS = 600_000;

export function startIdleReading(parts: IdleParts): IdleReading {
  const { clock, log } = parts;
  const stop = new AbortController();
  const phases = new Map<string, { phase: IdlePhase; note: string | null }>();
  /** Versions at which nothing was left, and times before which nothing is tried. */
  const done = new Map<string, number>();
  const later = new Map<string, number>();
  let rests = false;
  let seen = parts.activity();
  let since = clock.monotonic();

  async function resting(): Promise<boolean> {
    const now = parts.activity();
    if (now !== seen || parts.busy()) {
      seen = now;
      since = clock.monotonic();
      return false;
    }
    return clock.monotonic() - since >= parts.afterMs && (await parts.onMains());
  }

  /** Fires when somebody wants something. */
  function watched(): { readonly signal: AbortSignal; end(): void } {
    const over = new AbortController();
    const wanted = new AbortController();
    const look = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(WATCH_MS, over.signal);
        if (parts.activity() !== seen || parts.busy()) return wanted.abort();
      }
    };
    look().catch(() => {});
    return { signal: AbortSignal.any([stop.signal, wanted.signal]), end: () => over.abort() };
  }

  async function readOne(entry: KbEntry): Promise<boolean> {
    const { name } = entry;
    const say = (phase: IdlePhase, note: string | null = null): void => {
      phases.set(name, { phase, note });
    };
    if ((later.get(name) ?? 0) > clock.monotonic()) return false;
    const { signal, end } = watched();
    try {
      const extractor = await parts.extractor();
      if (extractor === null) {
        say('no_model');
        return false;
      }
      return await parts.use(entry, async (kb) => {
        if (done.get(name) === kb.store.version()) return false;
        say('reading');
        await parts.admit(extractor, signal);
        const { tokensPerDay } = parts;
        const step = await idleStep({ ...kb, clock, extractor, signal }, { tokensPerDay });
        if (step === 'read') return true;
        if (step === 'nothing') done.set(name, kb.store.version());
        later.set(name, clock.monotonic() + AFTER_ALL_MS);
        say(step === 'nothing' ? 'nothing_left' : step);
        return false;
      });
    } catch (error) {
      if (error instanceof AbortedError || signal.aborted) say('waiting');
      else {
        const unfit = (error as { code?: unknown }).code === 'model_unfit';
        say(unfit ? 'unfit' : 'failed', messageOf(error));
        later.set(name, clock.monotonic() + AFTER_FAILURE_MS);
        log.warn('reading passages while idle failed', { kb: name, err: messageOf(error) });
      }
      return false;
    } finally {
      end();
    }
  }

  async function run(): Promise<void> {
    for (;;) {
      rests = await resting();
      let read = 0;
      if (rests)
        for (const entry of parts.entries()) {
          if (stop.signal.aborted || !(await resting())) break;
          if (await readOne(entry)) read++;
        }
      if (read === 0) await clock.sleep(LOOK_MS, stop.signal);
    }
  }

  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) log.error('reading passages while idle ended', { err: messageOf(error) });
  });
  return {
    phaseOf(kb) {
      const known = phases.get(kb) ?? { phase: 'waiting', note: null };
      return known.phase === 'reading' && !rests ? { phase: 'waiting', note: null } : known;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** Whether the machine is on mains, as Linux tells; true where nothing says that it is not. */
export async function onMains(folder = '/sys/class/power_supply'): Promise<boolean> {
  const read = (name: string, file: string): Promise<string> =>
    readFile(join(folder, name, file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  let mains: boolean | null = null;
  for (const name of await readdir(folder).catch(() => [])) {
    const type = await read(name, 'type');
    if (type === 'Mains' || type === 'USB') mains = mains === true || (await read(name, 'online')) === '1';
    else if (type === 'Battery' && (await read(name, 'status')) === 'Discharging') return false;
  }
  return mains ?? true;
}
