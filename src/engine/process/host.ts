/**
 * The models of the engine process: loads them with the runner that can compute them, keeps their sum within memory,
 * and frees them.
 *
 * @module engine/process/host
 */

import { InputError, isKithError, KithError, throwIfAborted } from '../../base/index.ts';
import { fileSource, getString, readGguf } from '../../models/index.ts';
import { checkReranker, isReranker } from '../arch/index.ts';
import { type Compute, createCompute, loadGgml, supportedArchitectures } from '../runner/index.ts';
import type { EngineOptions, LoadRequest } from '../types.ts';
import type { FrameMeta } from './frames.ts';
import type { HopDesk } from './hop.ts';
import type { HostedModel } from './hosted.ts';
import { openKithModel } from './kith-model.ts';
import { freeMemory } from './plan.ts';
import type { EngineDevices, ModelStatus } from './types.ts';

export interface Host extends AsyncDisposable {
  hello(): Promise<FrameMeta>;
  load(
    request: LoadRequest,
    signal: AbortSignal,
    onProgress: (doneBytes: number, totalBytes: number) => void,
  ): Promise<HostedModel>;
  unload(id: string): Promise<void>;
  /** Throws `model_not_loaded`. */
  get(id: string): HostedModel;
  status(): readonly ModelStatus[];
  /** Age of the forward pass that runs now, in ms; 0 when none does. */
  passMs(): number;
  /** Resolves when no request is in flight. */
  drain(): Promise<void>;
}

export function createHost(
  options: EngineOptions & { readonly libraryRoots: readonly string[] },
  hops: Pick<HopDesk, 'carryFor'>,
): Host {
  const models = new Map<string, HostedModel>();
  const passes = createPassWatch();
  let compute: Compute | null = null;
  /** Loads and unloads run one after another: each plans with the memory that the one before left. */
  let tail: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = tail.then(work, work);
    tail = run.catch(() => {});
    return run;
  }

  function computing(): Compute {
    if (compute !== null) return compute;
    const ggml = loadGgml({ extraRoots: options.libraryRoots, onLog: logNative });
    compute = createCompute(ggml, { threads: options.threads, device: options.device });
    return compute;
  }

  function describe(): EngineDevices {
    const { ggml, deviceName, threads } = computing();
    return {
      active: deviceName,
      threads,
      devices: ggml.devices.map(({ handle: _, ...device }) => device),
      skipped: ggml.skipped,
      repack: ggml.cpuExtraBuffers.length > 0,
      cpuFeatures: [...ggml.cpuFeatures].sort(),
      release: ggml.libraries.release,
      architectures: supportedArchitectures,
    };
  }

  async function open(
    request: LoadRequest,
    signal: AbortSignal,
    onProgress: (doneBytes: number, totalBytes: number) => void,
  ): Promise<HostedModel> {
    throwIfAborted(signal);
    await using source = await fileSource(request.path);
    const gguf = await readGguf(source, { signal });
    if (isReranker(gguf)) checkReranker(gguf);
    const usedBytes = [...models.values()].reduce((sum, model) => sum + model.totalBytes, 0);
    const context = {
      options,
      signal,
      onProgress,
      onLog: logNative,
      request,
      gguf,
      // KV cells that were promised to other models and are not resident yet are not free.
      freeBytes: freeBytes(computing()) - Math.max(0, usedBytes - process.memoryUsage.rss()),
      usedBytes,
    };
    try {
      const carry = hops.carryFor(request.id);
      return await openKithModel({
        ...context,
        source,
        compute: computing(),
        watchPass: passes.watch,
        carry,
      });
    } catch (error) {
      const fits = isKithError(error) && COMPATIBILITY.has(error.code);
      if (!fits) throw error;
      if (request.range !== undefined || request.elsewhere !== undefined) {
        throw new InputError(
          'range_unsupported',
          `Blocks of ${getString(gguf, 'general.architecture', 'this architecture')} models cannot be computed apart: ${error.message}`,
          { param: 'range', details: { reason: error.code } },
        );
      }
      // Loaded only now: most nodes never need it, and it takes memory and start-up time.
      const { openWholeModel } = await import('../whole/index.ts');
      return await openWholeModel(context);
    }
  }

  return {
    async hello() {
      return { devices: describe() };
    },
    load: (request, signal, onProgress) =>
      inTurn(async () => {
        const same = models.get(request.id);
        if (same !== undefined) {
          models.delete(request.id);
          await same[Symbol.asyncDispose]();
        }
        const model = await open(request, signal, onProgress);
        if (signal.aborted) {
          await model[Symbol.asyncDispose]();
          throwIfAborted(signal);
        }
        models.set(request.id, model);
        return model;
      }),
    unload: (id) =>
      inTurn(async () => {
        const model = models.get(id);
        models.delete(id);
        await model?.[Symbol.asyncDispose]();
      }),
    get(id) {
      const model = models.get(id);
      if (model !== undefined) return model;
      throw new KithError('model_not_loaded', `Model '${id}' is not loaded.`, {
        status: 404,
        param: 'model',
      });
    },
    status: () =>
      [...models.values()].map((model) => ({
        id: model.loaded.id,
        runner: model.loaded.runner,
        ...model.status(),
      })),
    passMs: passes.age,
    async drain() {
      await Promise.all([...models.values()].map((model) => model.drain()));
    },
    async [Symbol.asyncDispose]() {
      await inTurn(async () => {
        for (const model of models.values()) await model[Symbol.asyncDispose]();
        models.clear();
        compute?.[Symbol.dispose]();
        compute = null;
      });
    },
  };
}

/** Errors of our own runner that node-llama-cpp may do better with. */
const COMPATIBILITY = new Set(['architecture_unsupported', 'tokenizer_unsupported']);

/** A discrete GPU has memory of its own, which the blocks fill first. */
function freeBytes(compute: Compute): number {
  const gpu = compute.gpu?.device;
  const own = gpu !== undefined && gpu.kind === 'gpu' && !gpu.backend.toLowerCase().startsWith('m');
  return freeMemory() + (own ? gpu.memoryFree : 0);
}

/** ggml's levels: 3 warnings, 4 errors. The rest is one line per tensor. */
function logNative(level: number, text: string): void {
  if (level === 3 || level === 4) process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

function createPassWatch(): { watch: <T>(pass: () => Promise<T>) => Promise<T>; age: () => number } {
  const started = new Set<{ readonly at: number }>();
  return {
    async watch(pass) {
      const entry = { at: performance.now() };
      started.add(entry);
      try {
        return await pass();
      } finally {
        started.delete(entry);
      }
    },
    age() {
      let oldest = Number.POSITIVE_INFINITY;
      for (const { at } of started) oldest = Math.min(oldest, at);
      return started.size === 0 ? 0 : performance.now() - oldest;
    },
  };
}
