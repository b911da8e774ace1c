/**
 * Blocks of a model on their way to being served: their bytes, loading, the first passes. Says where it stands.
 *
 * @module node/shards/served-range
 */
import { type Clock, type Config, isKithError, KithError, LimitError, messageOf } from '../../base/index.ts';
import type { Engine, LoadedModel } from '../../engine/index.ts';
import type { ModelManifest, ModelStore } from '../../models/index.ts';
import type { ServedState, ServedView } from '../../server/index.ts';
import type { LoadedShard } from '../../shards/index.ts';
import { shapeOf } from './machine.ts';
import type { WantedRange } from './serving-file.ts';
import { warmUp } from './warm-up.ts';

export interface RangeParts {
  readonly config: Config;
  readonly engine: Engine;
  readonly models: ModelStore;
  readonly clock: Clock;
  /** Called when the state has changed. */
  readonly onChange: () => void;
}

/** What else a view says, which others know. */
export type RangeUse = Pick<ServedView, 'sessions' | 'freeCells'>;

/** Work space of the engine beside weights and cells, bytes; a measure of size, as the engine's own. */
const WORK_SPACE = 64 << 20;

export class ServedRange {
  readonly want: WantedRange;
  readonly manifest: ModelManifest;
  /** In the engine. */
  readonly id: string;
  readonly stopping = new AbortController();
  /** It was ready once, or is what a node served before it was started again: it is tried again when it fails. */
  isKept: boolean;
  readonly #parts: RangeParts;
  #state: ServedState = 'waiting';
  #progress: ServedView['progress'] = null;
  #problem: KithError | null = null;
  #loaded: LoadedModel | null = null;
  #tokenMs: number | null = null;
  /** Of the engine process that has it. */
  #pid: number | null = null;

  /** @param name begins the id in the engine: ranges of the same blocks that come and go by themselves need different ones */
  constructor(
    parts: RangeParts,
    want: WantedRange,
    manifest: ModelManifest,
    isKept: boolean,
    name = 'shard',
  ) {
    this.#parts = parts;
    this.want = want;
    this.manifest = manifest;
    this.isKept = isKept;
    this.id = `${name} ${want.sha256.slice(0, 16)} ${want.from}-${want.to}`;
  }

  get state(): ServedState {
    return this.#state;
  }

  get tokenMs(): number | null {
    return this.#tokenMs;
  }

  get cells(): number {
    return this.#loaded?.kvCells ?? 0;
  }

  get problem(): KithError | null {
    return this.#problem;
  }

  /** What sessions are made of; null while it cannot be lent. */
  get shard(): LoadedShard | null {
    if (this.#state !== 'ready' || this.#loaded === null) return null;
    const { sha256: model, from, to } = this.want;
    return { model, from, to, id: this.id, width: this.#loaded.embedding };
  }

  /** The engine process that had it is gone. */
  get isLost(): boolean {
    return this.#state === 'ready' && this.#parts.engine.state().pid !== this.#pid;
  }

  /** @throws KithError why it cannot be served */
  async fetch(): Promise<string> {
    const { models, config, engine } = this.#parts;
    const { model, sha256, from, to } = this.want;
    if (this.manifest.sha256 !== sha256)
      throw new KithError(
        'shard_model_changed',
        `The model '${model}' is another one than when its blocks were served. Serve them anew with kith shard serve --model ${model}.`,
        { status: 409 },
      );
    this.#turn('fetching');
    // Nobody fetches gigabytes to learn that they do not fit.
    const { blockBytes } = await shapeOf(this.#parts, this.manifest);
    const weightBytes = blockBytes.slice(from, to).reduce((sum, bytes) => sum + bytes, 0);
    const used = engine.models().reduce((sum, one) => sum + one.weightBytes + one.kvBytes, 0);
    const budget =
      config.engine.memoryBytes === null ? 0.8 * process.availableMemory() : config.engine.memoryBytes - used;
    if (weightBytes + WORK_SPACE > budget) throw this.#tooLarge(weightBytes, budget - WORK_SPACE);
    const { path } = await models.ensureBlocks(
      model,
      { from, to },
      {
        download: true,
        signal: this.stopping.signal,
        onProgress: ({ phase, doneBytes, totalBytes }) => {
          this.#progress = { phase, doneBytes, totalBytes };
        },
      },
    );
    return path;
  }

  /** @throws KithError why it cannot be served */
  async load(path: string): Promise<void> {
    const { engine, clock } = this.#parts;
    const { from, to } = this.want;
    const { signal } = this.stopping;
    this.#turn('loading');
    try {
      this.#loaded = await engine.load(
        { id: this.id, path, range: { from, to, embed: false, head: false } },
        {
          signal,
          onProgress: (doneBytes, totalBytes) => {
            this.#progress = { phase: 'load', doneBytes, totalBytes };
          },
        },
      );
    } catch (error) {
      if (!(error instanceof LimitError) || error.limit !== 'engine.memoryBytes') throw error;
      const { weightBytes, kvBytes, budgetBytes } = error.details;
      throw this.#tooLarge(Number(weightBytes) + Number(kvBytes), Number(budgetBytes) - WORK_SPACE, error);
    }
    this.#turn('warming');
    this.#pid = engine.state().pid;
    this.#tokenMs = await warmUp(engine, this.id, this.#loaded.embedding, clock, signal);
    this.isKept = true;
    this.#turn('ready');
  }

  fail(error: unknown): void {
    this.#problem = isKithError(error) ? error : new KithError('shard_failed', messageOf(error));
    this.#turn('failed');
  }

  drain(): void {
    this.#turn('draining');
  }

  view({ sessions, freeCells }: RangeUse): ServedView {
    const { model, sha256, from, to, auto, most } = this.want;
    const loaded = this.#loaded;
    return {
      ...{ model, sha256, from, to, blocks: this.manifest.blocks, auto, most, state: this.#state },
      progress: this.#progress,
      problem: this.#problem === null ? null : { code: this.#problem.code, message: this.#problem.message },
      memory: loaded === null ? null : { weightBytes: loaded.weightBytes, kvBytes: loaded.kvBytes },
      device: loaded?.device ?? null,
      cells: this.cells,
      freeCells: this.#state === 'ready' ? freeCells : 0,
      tokenMs: this.#tokenMs,
      sessions,
    };
  }

  #turn(state: ServedState): void {
    this.#state = state;
    this.#progress = null;
    if (state !== 'failed') this.#problem = null;
    this.#parts.onChange();
  }

  /** @param bytes that all blocks of the range take */
  #tooLarge(bytes: number, budget: number, cause?: unknown): KithError {
    const { model, from, to } = this.want;
    const fit = Math.max(0, Math.floor((budget * (to - from)) / bytes));
    const mib = (value: number) => `${Math.ceil(Math.max(0, value) / (1 << 20))} MiB`;
    const remedy =
      fit === 0
        ? 'Not one block fits: end other programs, raise engine.memoryBytes, or serve a smaller model.'
        : `${fit} would fit: kith shard serve --model ${model} --start-block ${from} --blocks ${fit}`;
    return new KithError(
      'shard_too_large',
      `${to - from} blocks of '${model}' take ${mib(bytes)}, and ${mib(budget)} may be used. ${remedy}`,
      { status: 503, details: { blocks: to - from, fit }, ...(cause === undefined ? {} : { cause }) },
    );
  }
}
