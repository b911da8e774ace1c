/**
 * The part of the model store that has to do with models of which only some tensors are here.
 *
 * @module models/store/parts
 */
import { isKithError } from '../../base/index.ts';
import { ensureRange, presentBlocks } from '../blocks/ensure.ts';
import { holdingOf } from '../blocks/holding.ts';
import { makeList } from '../blocks/known-lists.ts';
import type { BlockProvider, EnsureBlocksOptions, EnsuredBlocks, Holding } from '../blocks/types.ts';
import type { BlockRange } from '../gguf/index.ts';
import { checkRange } from '../gguf/slice.ts';
import type { ModelEntry, ModelManifest } from '../types.ts';
import { notInstalled } from './errors.ts';
import { createMeter } from './meter.ts';
import { type Io, isLocal, obtain, type StoreContext } from './obtain.ts';
import { readFileState } from './on-disk.ts';
import type { ModelStore, StoreCallOptions } from './types.ts';

/** What the store does for all models. */
export interface PartsHost {
  readonly allowDownload: boolean;
  /** Fires when the store closes. */
  readonly closing: AbortSignal;
  /** @throws InputError `model_not_found` */
  require(id: string): Promise<ModelManifest>;
  list(): Promise<ModelEntry[]>;
  /** Whether the model is one of those that come with the install. */
  isBuiltin(id: string): boolean;
  /** Hashes the whole file. @throws KithError `model_corrupt` */
  check(manifest: ModelManifest, io: Io): Promise<void>;
  exclusive<T>(
    id: string,
    purpose: string,
    options: StoreCallOptions,
    work: (io: Io) => Promise<T>,
  ): Promise<T>;
}

export type Parts = Pick<ModelStore, 'ensureBlocks' | 'provide' | 'tensorList' | 'holding'>;

export function createParts(context: StoreContext, host: PartsHost): Parts {
  const { layout } = context;
  const known = new Set<BlockProvider>();
  /** What is made by hashing a whole model is made once for all who ask, and to its end when they leave. */
  const looking = new Map<string, Promise<Holding | null>>();

  const at = (path: string, manifest: ModelManifest): EnsuredBlocks => {
    return { path, manifest, fetchedBytes: 0, requests: 0, sources: [] };
  };

  async function isInstalled({ id, sources }: ModelManifest): Promise<boolean> {
    if (!host.isBuiltin(id)) return false;
    for (const source of sources) if (await isLocal(context, source)) return true;
    return false;
  }

  /** What needs neither lock nor fetching: most calls are of this kind. */
  async function present(manifest: ModelManifest, range: BlockRange): Promise<EnsuredBlocks | null> {
    const whole = await readFileState(layout, manifest);
    if (whole !== null) return whole.verifiedAt === null ? null : at(layout.model(manifest.id), manifest);
    const path = await presentBlocks(context, manifest, range);
    return path === null ? null : at(path, manifest);
  }

  async function fetched(id: string, range: BlockRange, options: EnsureBlocksOptions, io: Io) {
    const manifest = await host.require(id);
    const whole = await readFileState(layout, manifest);
    if (whole !== null) {
      if (whole.verifiedAt === null) await host.check(manifest, io);
      return at(layout.model(id), manifest);
    }
    if (await isInstalled(manifest)) {
      await obtain(context, manifest, io, true);
      return at(layout.model(id), manifest);
    }
    const download = options.download ?? host.allowDownload;
    const providers = [...(options.providers ?? []), ...(download ? known : [])];
    return await ensureRange(context, manifest, range, { ...options, download, providers }, io);
  }

  /** A whole file that changed on the disk since it was verified is hashed before it counts. */
  async function verifiedAgain(manifest: ModelManifest): Promise<void> {
    const whole = await readFileState(layout, manifest);
    if (whole === null || whole.verifiedAt !== null) return;
    const { id } = manifest;
    try {
      await host.exclusive(id, `verifying ${id}`, {}, (io) => host.check(manifest, io));
    } catch (error) {
      if (!isKithError(error) || error.code !== 'model_corrupt') throw error;
      context.log.warn(error.message);
    }
  }

  return {
    async ensureBlocks(id, range, options = {}) {
      const manifest = await host.require(id);
      checkRange(range, manifest.blocks);
      const there = await present(manifest, range);
      if (there !== null) return there;
      const work = (io: Io) => fetched(id, range, options, io);
      return await host.exclusive(id, `getting blocks of ${id}`, options, work);
    },
    provide(provider) {
      known.add(provider);
      return { [Symbol.dispose]: () => void known.delete(provider) };
    },
    async tensorList(id, { signal, onProgress } = {}) {
      const manifest = await host.require(id);
      const meter = createMeter(context.clock, onProgress);
      meter.start('verify', manifest.bytes);
      const list = await makeList(context, manifest, { signal, onBytes: meter.at });
      if (list === null) throw notInstalled(manifest);
      return list;
    },
    async holding(sha256) {
      const under = looking.get(sha256);
      if (under !== undefined) return await under;
      const look = async () => {
        const found = (await host.list()).find(({ manifest }) => manifest.sha256 === sha256);
        if (found === undefined) return null;
        await verifiedAgain(found.manifest);
        return await holdingOf(context, found.manifest, host.closing);
      };
      const work = look().finally(() => looking.delete(sha256));
      looking.set(sha256, work);
      return await work;
    },
  };
}
