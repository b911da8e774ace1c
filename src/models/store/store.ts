/**
 * The model store: which models are on this disk, which can be had, and that what is loaded is what its manifest
 * says. One store may be open in several processes; a lock per model keeps them from getting in each other's way.
 *
 * @module models/store/store
 */

import { realpath, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  InputError,
  isKithError,
  KithError,
  requireDiskSpace,
  silentLogger,
  systemClock,
  systemRandom,
  throwIfAborted,
} from '../../base/index.ts';
import { describeHolding, partialOf, sparseBytes } from '../blocks/holding.ts';
import { keepList } from '../blocks/known-lists.ts';
import { checkListOf, type TensorList } from '../blocks/list.ts';
import type { BlockProvider, EnsuredBlocks, Holding } from '../blocks/types.ts';
import { verifyBlocks } from '../blocks/verify.ts';
import { digestFiles } from '../disk/digest.ts';
import { waitLock } from '../disk/wait-lock.ts';
import { CATALOGUE, type CatalogueEntry } from '../manifest/catalogue.ts';
import { type ManifestFacts, manifestOf } from '../manifest/describe.ts';
import { checkModelId } from '../manifest/manifest.ts';
import { createDefaultSources } from '../sources/index.ts';
import { looksLikeUri } from '../sources/uri.ts';
import type { ModelEntry, ModelManifest, ModelSource } from '../types.ts';
import { chooseFiles, suggestId, targetOf, toId } from './choose.ts';
import { about, corrupt, exists, mismatch, notFound, notInstalled, notReference } from './errors.ts';
import { discardPart } from './fetch.ts';
import { createLayout } from './layout.ts';
import { createMeter } from './meter.ts';
import { createMutex } from './mutex.ts';
import {
  type Convert,
  convertPart,
  factsOfFile,
  factsOfPart,
  gather,
  hashPart,
  type Io,
  linkFile,
  obtain,
  pinned,
  place,
  type StoreContext,
} from './obtain.ts';
import {
  bytesOf,
  listFolders,
  ownBytes,
  readFileState,
  readManifest,
  sizeOfInput,
  writeManifest,
  writeVerified,
} from './on-disk.ts';
import { createParts, type Parts } from './parts.ts';
import type {
  AddOptions,
  EnsureOptions,
  ModelDetails,
  ModelStore,
  ModelStoreOptions,
  PullOptions,
  StoreCallOptions,
  StoreImportOptions,
} from './types.ts';

export function createModelStore(options: ModelStoreOptions): ModelStore {
  const clock = options.clock ?? systemClock;
  const env = options.env ?? process.env;
  const layout = createLayout(options.home);
  const requireSpace = options.requireSpace ?? requireDiskSpace;
  const log = options.log ?? silentLogger;
  const sources = createDefaultSources({
    ...options,
    clock,
    env,
    random: options.random ?? systemRandom,
    workDir: layout.partial,
    requireSpace,
  });
  for (const source of options.sources ?? []) sources.add(source);
  const convert: Convert =
    options.convert ?? (async (job) => await (await import('../import/index.ts')).importModel(job));
  const context: StoreContext = { layout, sources, clock, log, requireSpace, convert };
  return new Store(context, options);
}

class Store implements ModelStore {
  readonly #context: StoreContext;
  readonly #catalogue: ReadonlyMap<string, CatalogueEntry>;
  readonly #architectures: ReadonlySet<string>;
  readonly #allowDownload: boolean;
  readonly #mutex = createMutex();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #parts: Parts;

  constructor(context: StoreContext, options: ModelStoreOptions) {
    this.#context = context;
    const catalogue = options.catalogue ?? CATALOGUE;
    this.#catalogue = new Map(catalogue.map((entry) => [entry.manifest.id, entry]));
    this.#architectures = new Set(options.architectures ?? []);
    this.#allowDownload = options.allowDownload ?? false;
    this.#parts = createParts(context, {
      allowDownload: this.#allowDownload,
      closing: this.#closing.signal,
      require: (id) => this.#require(id),
      list: () => this.list(),
      isBuiltin: (id) => this.#catalogue.get(id)?.builtin === true,
      check: (manifest, io) => this.#check(manifest, io),
      exclusive: (...call) => this.#exclusive(...call),
    });
  }

  async list(): Promise<ModelEntry[]> {
    const ids = new Set([...this.#catalogue.keys(), ...(await listFolders(this.#context.layout))]);
    const entries: ModelEntry[] = [];
    for (const id of [...ids].sort()) {
      try {
        const manifest = await this.#find(id);
        if (manifest !== null) entries.push(await this.#entry(manifest));
      } catch (error) {
        if (!isKithError(error)) throw error;
        // One damaged manifest must not hide the other models.
        this.#context.log.warn(`Model ${id} is left out of the list.`, {
          code: error.code,
          message: error.message,
        });
      }
    }
    return entries;
  }

  async get(id: string): Promise<ModelEntry> {
    return await this.#entry(await this.#require(id));
  }

  async ensure(id: string, options: EnsureOptions = {}): Promise<{ path: string; manifest: ModelManifest }> {
    const known = await this.#require(id);
    const path = this.#context.layout.model(id);
    const state = await readFileState(this.#context.layout, known);
    if (state !== null && state.verifiedAt !== null) return { path, manifest: known };
    return await this.#exclusive(id, `preparing ${id}`, options, async (io) => {
      const manifest = await this.#require(id);
      const now = await readFileState(this.#context.layout, manifest);
      if (now === null) {
        await obtain(this.#context, manifest, io, !(options.download ?? this.#allowDownload));
      } else if (now.verifiedAt === null) await this.#check(manifest, io);
      return { path, manifest };
    });
  }

  ensureBlocks(...call: Parameters<Parts['ensureBlocks']>): Promise<EnsuredBlocks> {
    return this.#parts.ensureBlocks(...call);
  }

  provide(provider: BlockProvider): Disposable {
    return this.#parts.provide(provider);
  }

  tensorList(...call: Parameters<Parts['tensorList']>): Promise<TensorList> {
    return this.#parts.tensorList(...call);
  }

  holding(...call: Parameters<Parts['holding']>): Promise<Holding | null> {
    return this.#parts.holding(...call);
  }

  async adopt(manifest: ModelManifest, list?: TensorList): Promise<ModelEntry> {
    const there = await this.#findValid(manifest.id);
    if (there !== null && there.sha256 !== manifest.sha256) throw exists(manifest.id);
    if (list !== undefined) checkListOf(list, manifest);
    if (there === null) await writeManifest(this.#context.layout, manifest);
    if (list !== undefined) await keepList(this.#context, manifest, list);
    return await this.get(manifest.id);
  }

  async pull(ref: string | readonly string[], options: PullOptions = {}): Promise<ModelEntry> {
    const refs = typeof ref === 'string' ? [ref] : ref;
    if (refs.length === 1 && /[\\/]/.test(refs[0]!) && !looksLikeUri(refs[0]!)) throw notReference(refs[0]!);
    if (refs.length === 0 || refs[0] === '') {
      throw new InputError('source_uri_invalid', 'Name a model or a source.', { param: 'source' });
    }
    if (refs.length === 1 && !looksLikeUri(refs[0]!)) return await this.#pullKnown(refs[0]!, options);
    throwIfAborted(options.signal);
    const id = checkModelId(options.id ?? suggestId(refs[0]!));
    return await this.#exclusive(id, `pull of ${id}`, options, async (io) => {
      const prefer = options.quantisation;
      const choice = await chooseFiles(refs, this.#context.sources, { prefer, signal: io.signal });
      const source: ModelSource =
        choice.from === null
          ? { parts: choice.uris }
          : { parts: choice.uris, convert: { from: choice.from, quantisation: targetOf(prefer) } };
      const there = await this.#occupied(id, source, options.sha256, io.signal);
      if (there !== null) return await this.#repair(there, io);
      const expected = { sha256: options.sha256, name: options.name };
      const gathered = await gather(this.#context, id, source, expected, io);
      const entry = await this.#adopt(id, options, gathered, [gathered.source], io);
      await gathered.release();
      return entry;
    });
  }

  async add(file: string, options: AddOptions & { readonly link?: boolean } = {}): Promise<ModelEntry> {
    const path = resolve(file);
    // Before anything is copied: a file that is no model is refused by its header.
    const facts = await factsOfFile(path, options.signal).catch((error: unknown) => {
      throw about(file, error);
    });
    const id = checkModelId(options.id ?? toId(path.split(/[\\/]/).at(-1)!));
    return await this.#exclusive(id, `adding ${id}`, options, async (io) => {
      const uri = `file:${await realpath(path)}`;
      await this.#occupied(id, null, options.sha256, io.signal);
      if (options.link !== true) {
        const gathered = await gather(this.#context, id, { parts: [uri] }, { sha256: options.sha256 }, io);
        return await this.#adopt(id, options, gathered, [], io);
      }
      const part = this.#context.layout.part(id);
      await discardPart(part);
      await linkFile(path, part);
      const digest = await hashPart(this.#context, id, io);
      if (options.sha256 !== undefined && digest.hex !== options.sha256) {
        await discardPart(part);
        throw mismatch(path, digest.hex, options.sha256);
      }
      const known = { ...options, id, bytes: digest.bytes, sha256: digest.hex, sources: [{ parts: [uri] }] };
      const manifest = manifestOf(facts, known);
      await place(this.#context, manifest);
      return await this.#entry(manifest);
    });
  }

  async import(input: string, options: StoreImportOptions = {}): Promise<ModelEntry> {
    const path = resolve(input);
    const id = checkModelId(options.id ?? toId(path.split(/[\\/]/).at(-1)!));
    return await this.#exclusive(id, `import of ${id}`, options, async (io) => {
      await this.#occupied(id, null, options.sha256, io.signal);
      const { name = id, quantisation = 'Q8_0' } = options;
      const digest = await convertPart(
        this.#context,
        { id, input: path, name, quantisation, bytes: await sizeOfInput(path) },
        io,
      ).catch((error: unknown) => {
        throw about(input, error);
      });
      if (options.sha256 !== undefined && digest.hex !== options.sha256) {
        await discardPart(this.#context.layout.part(id));
        throw mismatch(path, digest.hex, options.sha256);
      }
      const converted = digest.kind === undefined ? undefined : { from: digest.kind, quantisation };
      const gathered = { bytes: digest.bytes, sha256: digest.hex, converted };
      return await this.#adopt(id, options, gathered, [], io);
    });
  }

  async verify(id: string, options: StoreCallOptions = {}): Promise<ModelEntry> {
    await this.#require(id);
    return await this.#exclusive(id, `verifying ${id}`, options, async (io) => {
      const manifest = await this.#require(id);
      if ((await readFileState(this.#context.layout, manifest)) !== null) await this.#check(manifest, io);
      else if (!(await verifyBlocks(this.#context, manifest, io))) throw notInstalled(manifest);
      return await this.#entry(manifest);
    });
  }

  async remove(id: string, options: StoreCallOptions = {}): Promise<{ freedBytes: number }> {
    const { layout } = this.#context;
    // A folder with a damaged manifest can be removed too, so only the names are asked for.
    const known = this.#catalogue.has(id) || (await listFolders(layout)).includes(checkModelId(id));
    if (!known && (await bytesOf(layout.part(id))) === null) await this.#require(id);
    return await this.#exclusive(id, `removing ${id}`, options, async () => {
      const whole = (await ownBytes(layout.model(id))) + (await ownBytes(layout.part(id)));
      const freedBytes = whole + (await sparseBytes(layout.blocks(id)));
      await rm(layout.folder(id), { recursive: true, force: true });
      await rm(layout.input(id), { recursive: true, force: true });
      await discardPart(layout.part(id));
      return { freedBytes };
    });
  }

  async show(id: string): Promise<ModelDetails> {
    const entry = await this.get(id);
    const facts = entry.path === null ? null : await factsOfFile(entry.path);
    return { ...entry, facts, hasGraph: this.#architectures.has(entry.manifest.family) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    await this.#context.sources[Symbol.asyncDispose]();
  }

  async #pullKnown(id: string, options: PullOptions): Promise<ModelEntry> {
    const known = await this.#require(id);
    if (options.sha256 !== undefined && options.sha256 !== known.sha256) {
      throw mismatch(`"${id}"`, known.sha256, options.sha256);
    }
    return await this.#exclusive(id, `pull of ${id}`, options, async (io) => {
      return await this.#repair(await this.#require(id), io);
    });
  }

  /** Makes sure that a known model is here and right, getting it again when it is not. */
  async #repair(manifest: ModelManifest, io: Io): Promise<ModelEntry> {
    const state = await readFileState(this.#context.layout, manifest);
    let good = state !== null && state.verifiedAt !== null;
    if (state !== null && !good) {
      try {
        await this.#check(manifest, io);
        good = true;
      } catch (error) {
        if (!isKithError(error) || error.code !== 'model_corrupt' || manifest.sources.length === 0)
          throw error;
        this.#context.log.warn(error.message);
      }
    }
    if (!good) await obtain(this.#context, manifest, io, false);
    return await this.#entry(manifest);
  }

  /** Makes a model of the bytes in the part file. */
  async #adopt(
    id: string,
    options: AddOptions,
    { bytes, sha256, converted }: Pick<ModelManifest, 'bytes' | 'sha256'> & Pick<ManifestFacts, 'converted'>,
    origin: readonly ModelSource[],
    io: Io,
  ): Promise<ModelEntry> {
    const facts = await factsOfPart(this.#context, id, io.signal);
    const { name, licence, task } = options;
    const manifest = manifestOf(facts, {
      id,
      bytes,
      sha256,
      sources: origin,
      name,
      licence,
      task,
      converted,
    });
    await place(this.#context, manifest);
    return await this.#entry(manifest);
  }

  /** Null when the id is free; the manifest there when it is the same model; else throws `model_exists` (409). */
  async #occupied(
    id: string,
    source: ModelSource | null,
    sha256: string | undefined,
    signal: AbortSignal,
  ): Promise<ModelManifest | null> {
    const there = await this.#find(id);
    if (there === null) return null;
    if (sha256 !== undefined && there.sha256 === sha256) return there;
    const same = (one: ModelSource) =>
      there.sources.some((known) => JSON.stringify(known) === JSON.stringify(one));
    if (source !== null && (same(source) || same(await pinned(this.#context, source, signal)))) return there;
    throw exists(id);
  }

  /** Compares the file with the manifest and notes that it is right. @throws KithError `model_corrupt` */
  async #check(manifest: ModelManifest, { meter, signal }: Io): Promise<void> {
    const { layout, clock } = this.#context;
    const path = layout.model(manifest.id);
    const bytes = await bytesOf(path);
    if (bytes !== manifest.bytes)
      throw corrupt(manifest, path, `it has ${bytes} bytes instead of ${manifest.bytes}`);
    meter.start('verify', bytes);
    const { hex } = await digestFiles([path], { signal, onBytes: meter.at });
    meter.flush();
    if (hex !== manifest.sha256)
      throw corrupt(manifest, path, `its sha256 is ${hex} instead of ${manifest.sha256}`);
    await writeVerified(layout, manifest, clock.now());
  }

  /**
   * The manifest in force: the stored one where there is a file (it says what was placed), else the catalogue's.
   */
  async #find(id: string): Promise<ModelManifest | null> {
    checkModelId(id);
    const listed = this.#catalogue.get(id)?.manifest ?? null;
    const { layout } = this.#context;
    if (listed !== null && (await bytesOf(layout.model(id))) === null) return listed;
    return (await readManifest(layout, id)) ?? listed;
  }

  async #require(id: string): Promise<ModelManifest> {
    const manifest = /^[a-z0-9]/.test(id) && id.length <= 96 ? await this.#findValid(id) : null;
    if (manifest !== null) return manifest;
    const ids = [
      ...new Set([...this.#catalogue.keys(), ...(await listFolders(this.#context.layout))]),
    ].sort();
    throw notFound(id, ids);
  }

  /** As `#find`; an id that cannot be one is simply not found. */
  async #findValid(id: string): Promise<ModelManifest | null> {
    try {
      return await this.#find(id);
    } catch (error) {
      if (isKithError(error) && error.code === 'model_id_invalid') return null;
      throw error;
    }
  }

  async #entry(manifest: ModelManifest): Promise<ModelEntry> {
    const { layout } = this.#context;
    const state = await readFileState(layout, manifest);
    const holding = state === null ? await partialOf(this.#context, manifest) : null;
    const partial = state === null && (await bytesOf(layout.part(manifest.id))) !== null;
    return {
      manifest,
      state: state !== null ? 'ready' : holding !== null ? 'blocks' : partial ? 'partial' : 'available',
      ...(holding !== null && { blocks: describeHolding(holding, manifest.blocks) }),
      path: state !== null ? layout.model(manifest.id) : null,
      verifiedAt: state?.verifiedAt ?? null,
      builtin: this.#catalogue.get(manifest.id)?.builtin ?? false,
      listed: this.#catalogue.get(manifest.id)?.manifest.sha256 === manifest.sha256,
    };
  }

  /** Runs work on a model that no other call and no other process does at the same time. */
  async #exclusive<T>(
    id: string,
    purpose: string,
    options: StoreCallOptions,
    work: (io: Io) => Promise<T>,
  ): Promise<T> {
    if (this.#closing.signal.aborted)
      throw new KithError('store_closed', 'The model store is closed.', { status: 503 });
    const { clock, layout } = this.#context;
    const signal =
      options.signal === undefined
        ? this.#closing.signal
        : AbortSignal.any([options.signal, this.#closing.signal]);
    const meter = createMeter(clock, options.onProgress);
    const run = async (): Promise<T> => {
      using _turn = await this.#mutex.enter(id, signal);
      let waiting = false;
      await using _lock = await waitLock(layout.lock(id), {
        purpose,
        clock,
        signal,
        wait: options.wait,
        onWait: async (held) => {
          const done = (await bytesOf(layout.part(id))) ?? 0;
          if (!waiting) this.#context.log.info(held.message);
          if (!waiting) meter.start('download', (await this.#findValid(id))?.bytes ?? null, done);
          waiting = true;
          meter.at(done);
        },
      });
      return await work({ meter, signal });
    };
    const running = run();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}
