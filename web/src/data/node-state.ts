/**
 * The state of the node as it tells it: one stream of events, opened again when it breaks.
 *
 * @module web/data/node-state
 */
import { createStore, reconcile } from 'solid-js/store';
import type { DetailedHealth } from '../../../src/server/health/types.ts';
import { answeringAny } from './answering.ts';
import { ask, type ChatModel, chatModels } from './node.ts';
import { NodeError } from './node-error.ts';
import { readEvents } from './sse.ts';

export type Link =
  | 'connecting'
  | 'up'
  /** The node does not answer. */
  | 'down'
  /** It answers, but asks for a key that the browser did not give. */
  | 'denied'
  /** It answers, but does not tell its state: as many pages follow it as it lets, or the key may not. */
  | 'hidden';

/** One figure over time for a small line: newest last. */
export interface Sample {
  readonly at: number;
  /** Null = unknown. */
  readonly rate: number | null;
  readonly engineBytes: number | null;
}

interface NodeState {
  link: Link;
  health: DetailedHealth | null;
  models: ChatModel[] | null;
  samples: readonly Sample[];
}

const [node, set] = createStore<NodeState>({ link: 'connecting', health: null, models: null, samples: [] });

export { node };

const keptSamples = 120;
/** A stream says something at least every 15 s; silence for this long means that its other end is gone. */
const silenceMs = 40_000;
const firstPauseMs = 500;
const longestPauseMs = 5_000;
const refusedPauseMs = 30_000;
/** Browsers allow a page's origin six connections over HTTP/1.1: a tab that nobody sees gives its own back. */
const hiddenMs = 60_000;

let abort: AbortController | null = null;
let wake: (() => void) | null = null;
const comebacks = new Set<() => void>();

/** Calls back each time the node answers again after it was gone. */
export function onComeback(listener: () => void): void {
  comebacks.add(listener);
}

/** Tries again now, not at the end of the pause. */
export function reconnect(): void {
  wake?.();
}

/** Follows the node for as long as the page lives. */
export function follow(): void {
  void loop();
  addEventListener('online', () => wake?.());
  let hidden: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.visibilityState === 'visible') wake?.();
    else
      hidden = setTimeout(() => {
        if (!answeringAny()) abort?.abort('hidden');
      }, hiddenMs);
  });
}

async function loop(): Promise<never> {
  let pause = firstPauseMs;
  for (;;) {
    abort = new AbortController();
    try {
      await listen(abort, () => {
        pause = firstPauseMs;
      });
      // The node ended the stream, perhaps because it limits how long one may be: the next try tells.
    } catch (error) {
      const fault = error instanceof NodeError ? error.fault : null;
      if (abort.signal.reason === 'hidden') await visible();
      else if (fault && fault.status > 0) {
        set('link', fault.status === 401 ? 'denied' : 'hidden');
        if (fault.status !== 401) void readModels();
        // Asking again changes little until the reader does; tries without a key are counted.
        pause = refusedPauseMs;
      } else set('link', 'down');
    }
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, pause)),
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    ]);
    pause = pause >= refusedPauseMs ? firstPauseMs : Math.min(longestPauseMs, pause * 2);
  }
}

function visible(): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve();
  return new Promise((resolve) =>
    document.addEventListener('visibilitychange', () => resolve(), { once: true }),
  );
}

async function listen(controller: AbortController, heard: () => void): Promise<void> {
  const response = await ask('/kith/v1/events', { signal: controller.signal });
  let watchdog = setTimeout(() => controller.abort('silent'), silenceMs);
  const counted = response.body!.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, out) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => controller.abort('silent'), silenceMs);
        out.enqueue(bytes);
      },
    }),
  );
  try {
    for await (const { event, data } of readEvents(counted)) {
      if (event !== 'status') continue;
      heard();
      take(JSON.parse(data) as DetailedHealth);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function take(health: DetailedHealth): void {
  const was = node.link;
  const loaded = loadedIds(node.health);
  const sample: Sample = {
    at: Date.now(),
    rate: rateOf(health),
    engineBytes: health.memory.engine_bytes,
  };
  set('health', reconcile(health));
  set('samples', (samples) => [...samples.slice(1 - keptSamples), sample]);
  set('link', 'up');
  if (was !== 'up') for (const listener of comebacks) listener();
  if (was !== 'up' || loaded !== loadedIds(health)) void readModels();
}

function loadedIds(health: DetailedHealth | null): string {
  return health === null ? '' : `${health.status} ${health.models.map(({ id }) => id).join(' ')}`;
}

async function readModels(): Promise<void> {
  try {
    set('models', reconcile(await chatModels(AbortSignal.timeout(10_000)), { key: 'id' }));
  } catch {
    // The next change of the node's state asks again; until then the picker shows what it knew.
  }
}

/** Tokens per second of all loaded models together; null when nothing was decoded lately. */
export function rateOf(health: DetailedHealth): number | null {
  const rates = health.models.map((model) => model.tokens_per_second).filter((rate) => rate !== null);
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0);
}

/** Model that answers when a conversation names none. */
export const defaultModel = (): string | null => node.health?.default_models.chat ?? null;

export function contextOf(model: string | null): number | null {
  const id = model ?? defaultModel();
  const loaded = node.health?.models.find((one) => one.id === id)?.context;
  return loaded ?? node.models?.find((one) => one.id === id)?.context ?? null;
}
