/**
 * Hears what peers announce of the models that matter here: those of which blocks are served or on the disk, and those that
 * somebody asked about of late. Of other models this node knows what it was told when it came to a peer.
 *
 * @module node/shards/watching
 */
import { type Clock, isKithError, type Logger } from '../../base/index.ts';
import type { ModelStore } from '../../models/index.ts';
import type { Discoverer } from '../../swarm/index.ts';
import { writesText } from './text-model.ts';

export interface WatchingParts {
  readonly discovery: Pick<Discoverer, 'fill' | 'watch'>;
  readonly models: Pick<ModelStore, 'list'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WatchedModels extends AsyncDisposable {
  /** Watches the model for a while; resolves when others were asked what they know, if that is not long ago. */
  ask(sha256: string | null): Promise<void>;
}

const LOOK_MS = 10_000;
/** What was asked about is watched for so long, ms. */
const ASKED_MS = 600_000;
/** Others are asked again after this, ms. */
const FILL_AGAIN_MS = 30_000;
const FILL_MS = 5_000;
/** Topics at once. */
const MOST_WATCHED = 32;
const MOST_ASKED = 16;

export function watchModels({ discovery, models, clock, log }: WatchingParts): WatchedModels {
  const ending = new AbortController();
  const watches = new Map<string, Promise<AsyncDisposable | null>>();
  /** Monotonic ms of the last question, by model. */
  const asked = new Map<string, number>();
  const filled = new Map<string, { readonly at: number; readonly done: Promise<void> }>();

  function watch(sha256: string): void {
    if (watches.has(sha256) || watches.size >= MOST_WATCHED) return;
    const watching = discovery.watch(sha256).catch((error: unknown) => {
      if (!isKithError(error)) throw error;
      log.debug('what is announced of a model is not heard', { model: sha256, code: error.code });
      watches.delete(sha256);
      return null;
    });
    watches.set(sha256, watching);
  }

  async function look(): Promise<void> {
    for (const [sha256, at] of asked) if (clock.monotonic() - at > ASKED_MS) asked.delete(sha256);
    const here = (await models.list()).flatMap(({ manifest, state }) =>
      writesText(manifest) && (state === 'ready' || state === 'blocks') ? [manifest.sha256] : [],
    );
    const wanted = new Set([...asked.keys(), ...here]);
    for (const [sha256, watching] of watches) {
      if (wanted.has(sha256)) continue;
      watches.delete(sha256);
      await (await watching)?.[Symbol.asyncDispose]();
    }
    for (const sha256 of wanted) watch(sha256);
  }

  async function live(): Promise<void> {
    while (!ending.signal.aborted) {
      await look().catch((error: unknown) => log.warn('models are not watched', { err: String(error) }));
      await clock.sleep(LOOK_MS, ending.signal).catch(() => {});
    }
    for (const watching of watches.values()) await (await watching)?.[Symbol.asyncDispose]();
  }

  const life = live();
  return {
    async ask(sha256) {
      const now = clock.monotonic();
      if (sha256 !== null) {
        asked.delete(sha256);
        while (asked.size >= MOST_ASKED) asked.delete(asked.keys().next().value!);
        asked.set(sha256, now);
        watch(sha256);
      }
      const name = sha256 ?? '';
      const last = filled.get(name);
      if (last !== undefined && now - last.at < FILL_AGAIN_MS) return last.done;
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(FILL_MS)]);
      const done = discovery.fill(sha256, signal).then(
        () => {},
        () => {},
      );
      filled.delete(name);
      while (filled.size >= MOST_ASKED) filled.delete(filled.keys().next().value!);
      filled.set(name, { at: now, done });
      return done;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await life;
    },
  };
}
