/**
 * The parent's list of models: what was asked to be loaded, and in which life of the engine process it is. A model of
 * an earlier life is loaded again by the next request that wants it.
 *
 * When memory is short for a new model, whole models that nobody uses are unloaded, the longest unused first, and
 * loaded again when they are wanted. Block ranges stay: their KV cells belong to somebody.
 *
 * @module engine/process/models
 */

import { InputError, KithError, LimitError } from '../../base/index.ts';
import type { Carry } from '../runner/path-runner.ts';
import type { TextInfo, TextThread } from '../text/index.ts';
import type { LoadedModel, LoadRequest } from '../types.ts';
import type { Frame } from './frames.ts';
import { encodeLoad } from './job.ts';
import { type SharedLoad, shareLoad } from './loading.ts';
import type { EngineLog } from './supervision.ts';
import type { Session, Supervisor } from './supervisor.ts';
import type { LoadOptions } from './types.ts';

export interface ReadyModel {
  readonly loaded: LoadedModel;
  /** Null when the engine process tokenizes for this model, or nobody does (block ranges without an end). */
  readonly text: TextInfo | null;
  readonly session: Session;
}

interface Slot {
  readonly request: LoadRequest;
  carry: Carry | null;
  ready: ReadyModel | null;
  loading: SharedLoad<ReadyModel> | null;
  /** Larger = used later. */
  used: number;
}

export interface Models {
  load(request: LoadRequest, options: LoadOptions): Promise<LoadedModel>;
  unload(id: string): Promise<void>;
  /** The model in the running engine process; loads it again when the process was restarted. */
  ready(id: string, signal?: AbortSignal): Promise<ReadyModel>;
  list(): readonly LoadedModel[];
  /** Who computes the blocks of the model that are not loaded. */
  carryOf(id: string): Carry | null;
}

export function createModels(supervisor: Supervisor, text: TextThread, log: EngineLog): Models {
  const slots = new Map<string, Slot>();
  let uses = 0;

  async function work(
    slot: Slot,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<ReadyModel> {
    const { request } = slot;
    // The text thread starts beside the process, and both read the file at the same time.
    const opening = openText(request, signal);
    const session = await supervisor.session(signal);
    const [answer, info] = await Promise.all([loadIn(session, slot, signal, onProgress), opening]);
    const toolStyle = info instanceof Error || info === null ? null : info.toolStyle;
    const loaded: LoadedModel = { ...(answer.meta.loaded as LoadedModel), toolStyle };
    const needsText = answer.meta.tokenizes !== true && readsTokens(request);
    if (needsText && info instanceof Error) {
      // Unless another model has taken the id meanwhile.
      if (slots.get(request.id) === slot)
        await session.connection.call('unload', { meta: { id: request.id } });
      throw info;
    }
    const ready = { loaded, text: info instanceof Error ? null : info, session };
    slot.ready = ready;
    return ready;
  }

  async function loadIn(
    session: Session,
    slot: Slot,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<Frame> {
    for (;;) {
      try {
        return await session.connection.call('load', {
          meta: encodeLoad(slot.request),
          signal,
          onFrame: ({ type, meta }) => {
            if (type === 'progress') onProgress(Number(meta.done), Number(meta.total));
          },
        });
      } catch (error) {
        const idle = error instanceof LimitError ? idleFor(error, session, slot) : null;
        if (idle === null) throw error;
        // From here on it is loaded again by whoever wants it.
        idle.ready = null;
        log.info('idle model unloaded to make room', { model: idle.request.id, for: slot.request.id });
        await session.connection.call('unload', { meta: { id: idle.request.id } });
      }
    }
  }

  /** The idle model that was used the longest ago, if unloading all that are idle could make enough room. */
  function idleFor({ limit, details }: LimitError, session: Session, wanted: Slot): Slot | null {
    if (limit !== 'engine.memoryBytes') return null;
    const idle = [...slots.values()].filter(
      ({ request, ready, loading }) =>
        request.id !== wanted.request.id &&
        request.range === undefined &&
        ready?.session === session &&
        loading === null &&
        !session.connection.isBusy(request.id),
    );
    const room = idle.reduce((sum, { ready }) => sum + ready!.loaded.weightBytes + ready!.loaded.kvBytes, 0);
    const missing = Number(details.weightBytes) + Number(details.kvBytes) - Number(details.budgetBytes);
    if (room < missing) return null;
    return idle.toSorted((a, b) => a.used - b.used)[0] ?? null;
  }

  /** Never rejects. */
  async function openText(request: LoadRequest, signal: AbortSignal): Promise<TextInfo | Error | null> {
    if (!readsTokens(request)) return null;
    const { template } = request;
    try {
      return await text.open(request.id, request.path, {
        signal,
        ...(template === undefined ? {} : { template }),
      });
    } catch (error) {
      // Whether it matters is known when the engine process has said who tokenizes.
      return error as Error;
    }
  }

  function join(slot: Slot, { signal, onProgress }: LoadOptions): Promise<ReadyModel> {
    if (slot.loading === null) {
      const loading = shareLoad<ReadyModel>((stop, progress) =>
        work(slot, stop, progress).finally(() => {
          if (slot.loading === loading) slot.loading = null;
        }),
      );
      slot.loading = loading;
    }
    return slot.loading.join(signal, onProgress);
  }

  const current = (slot: Slot): ReadyModel | null => {
    const { ready } = slot;
    return ready !== null && ready.session === supervisor.current ? ready : null;
  };

  return {
    async load(request, options) {
      checkRequest(request);
      let slot = slots.get(request.id);
      if (slot !== undefined && !sameRequest(slot.request, request)) {
        slots.delete(request.id);
        slot = undefined;
      }
      if (slot === undefined) {
        slot = { request, carry: null, ready: null, loading: null, used: 0 };
        slots.set(request.id, slot);
      }
      slot.carry = options.carry ?? slot.carry;
      slot.used = ++uses;
      try {
        return (current(slot) ?? (await join(slot, options))).loaded;
      } catch (error) {
        // A model that never was there leaves no trace; one that was can be asked for again.
        if (slot.ready === null && slot.loading === null && slots.get(request.id) === slot)
          slots.delete(request.id);
        throw error;
      }
    },
    async unload(id) {
      const slot = slots.get(id);
      if (slot === undefined) return;
      slots.delete(id);
      await text.close(id);
      const session = supervisor.current;
      if (session !== null) await session.connection.call('unload', { meta: { id } });
    },
    async ready(id, signal) {
      const slot = slots.get(id);
      if (slot === undefined) {
        throw new KithError('model_not_loaded', `Model '${id}' is not loaded.`, {
          status: 404,
          param: 'model',
        });
      }
      slot.used = ++uses;
      return current(slot) ?? (await join(slot, { signal }));
    },
    carryOf: (id) => slots.get(id)?.carry ?? null,
    list: () => [...slots.values()].flatMap(({ ready }) => (ready === null ? [] : [ready.loaded])),
  };
}

/** True when token ids enter or leave the range, so that text has to become tokens for it. */
function readsTokens({ range }: LoadRequest): boolean {
  return range === undefined || range.embed || range.head;
}

function sameRequest(a: LoadRequest, b: LoadRequest): boolean {
  return JSON.stringify([encodeLoad(a), a.template]) === JSON.stringify([encodeLoad(b), b.template]);
}

function checkRequest({ id, path, range, elsewhere }: LoadRequest): void {
  if (id === '' || id.length > 256) {
    throw new InputError(
      'model_id_invalid',
      `A model id has 1 to 256 characters; this one has ${id.length}.`,
      { param: 'id' },
    );
  }
  if (path === '')
    throw new InputError('model_path_invalid', 'The path of the model file is empty.', { param: 'path' });
  if (range !== undefined && elsewhere !== undefined)
    throw new InputError('range_invalid', 'A block range has no blocks elsewhere.', { param: 'elsewhere' });
  if (range === undefined) return;
  const ordered =
    Number.isInteger(range.from) && Number.isInteger(range.to) && range.from >= 0 && range.to >= range.from;
  if (ordered) return;
  throw new InputError('range_invalid', `Blocks [${range.from}, ${range.to}) are no range.`, {
    param: 'range',
  });
}
