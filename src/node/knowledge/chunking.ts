/**
 * How the documents of a knowledge base are cut: what its own file says, else the settings of the node; and cutting anew those that
 * were cut otherwise.
 *
 * @module node/knowledge/chunking
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isAbsolute } from 'node:path';
import { type Config, InputError, throwIfAborted } from '../../base/index.ts';
import {
  type ChunkOptions,
  checkChunking,
  cutBy,
  type Embedder,
  type KnowledgeStore,
  recipeOf,
  type SourceFile,
} from '../../knowledge/index.ts';
import type { ChunkingOrder, ChunkingView } from '../../server/index.ts';

export type ChunkSettings = Pick<Config['knowledge'], 'chunkStrategy' | 'chunkTokens' | 'chunkOverlap'>;

/** What the file of a KB says itself. It may be from elsewhere: what does not fit is as if it were not there. */
function ownOf({ settings }: Pick<KnowledgeStore, 'settings'>): ChunkOptions {
  const { chunking } = settings;
  if (typeof chunking !== 'object' || chunking === null) return {};
  const { strategy, size, overlap } = chunking as ChunkOptions;
  const own = {
    ...(strategy === undefined ? {} : { strategy }),
    ...(size === undefined ? {} : { size }),
    ...(overlap === undefined ? {} : { overlap }),
  };
  try {
    checkChunking(own);
    return own;
  } catch {
    return {};
  }
}

export function chunkingOf(
  store: Pick<KnowledgeStore, 'settings'>,
  { chunkStrategy, chunkTokens, chunkOverlap }: ChunkSettings,
): Required<ChunkOptions> {
  return { strategy: chunkStrategy, size: chunkTokens, overlap: chunkOverlap, ...ownOf(store) };
}

/** Tokens that the KB's embedder takes; null while no job has met it. */
export function windowOf({
  settings,
  embedder,
}: Pick<KnowledgeStore, 'settings' | 'embedder'>): number | null {
  const { hash, tokens } = (settings.window ?? {}) as { readonly hash?: unknown; readonly tokens?: unknown };
  const fits =
    embedder !== null && hash === embedder.hash && Number.isSafeInteger(tokens) && Number(tokens) > 0;
  return fits ? Number(tokens) : null;
}

/** So that how a KB is cut can be told without loading a model. */
export function noteWindow(
  store: Pick<KnowledgeStore, 'settings' | 'setSettings' | 'embedder'>,
  { hash, window }: Pick<Embedder, 'hash' | 'window'>,
): void {
  const { hash: known, tokens } = (store.settings.window ?? {}) as {
    readonly hash?: unknown;
    readonly tokens?: unknown;
  };
  if (known !== hash || tokens !== window)
    store.setSettings({ ...store.settings, window: { hash, tokens: window } });
}

export function chunkingView(store: KnowledgeStore, settings: ChunkSettings): ChunkingView {
  const wanted = chunkingOf(store, settings);
  const window = windowOf(store);
  const recipe = recipeOf(wanted, { window: window ?? Number.MAX_SAFE_INTEGER });
  const own = Object.keys(ownOf(store)) as (keyof ChunkOptions)[];
  const cut = store.recipes().map((each) => ({ by: cutBy(each.recipe), ...each }));
  return {
    ...{ ...wanted, own: own.sort(), window },
    stale: cut.filter((each) => each.recipe !== recipe).reduce((sum, { documents }) => sum + documents, 0),
  };
}

/** @throws InputError `chunking_invalid` for a size that the embedder would cut */
export function checkWindow(size: number | undefined, { id, window }: Pick<Embedder, 'id' | 'window'>): void {
  if (size === undefined || size <= window) return;
  throw new InputError(
    'chunking_invalid',
    `Chunks of ${size} tokens are larger than what the embedding model ${id} reads, which is ${window}: the rest of them would have no vector. Choose ${window} or less, or set models.embedding to a model that reads more and have vectors made anew (\`kith rag rebuild\`).`,
    { param: 'size', details: { window } },
  );
}

/** Null: as the node's settings say. What is not named stays. */
export function setChunking(store: KnowledgeStore, order: ChunkingOrder): void {
  const own: Record<string, unknown> = { ...ownOf(store) };
  for (const [name, value] of Object.entries(order)) {
    if (value === null) delete own[name];
    else own[name] = value;
  }
  checkChunking(own as ChunkOptions);
  store.setSettings({ ...store.settings, chunking: own });
}

/** Files and folders that were taken in once, as the KB remembers them. */
interface Taken {
  readonly path: string;
  readonly under: string;
}

/** Of one KB; the oldest are forgotten. */
const MOST_TAKEN = 500;

export function takenOf({ settings }: Pick<KnowledgeStore, 'settings'>): Taken[] {
  const { taken } = settings;
  if (!Array.isArray(taken)) return [];
  return taken.flatMap((each: unknown) => {
    const { path, under } = (each ?? {}) as Partial<Record<string, unknown>>;
    const fits = typeof path === 'string' && isAbsolute(path) && typeof under === 'string';
    return fits && (under === '' || under.endsWith('/')) ? [{ path, under }] : [];
  });
}

export function noteTaken(store: KnowledgeStore, paths: readonly string[], under: string): void {
  const known = takenOf(store).filter((each) => each.under !== under || !paths.includes(each.path));
  const taken = [...known, ...paths.map((path) => ({ path, under }))].slice(-MOST_TAKEN);
  store.setSettings({ ...store.settings, taken });
}

/** Paths of files whose documents were cut otherwise. A page of a dump is of the dump's file. */
export function filesCutOtherwise(store: KnowledgeStore, recipe: string): Set<string> {
  const files = new Set<string>();
  for (let after = ''; ; ) {
    const page = store.madeOtherwise(recipe, { after, limit: 1000 });
    if (page.length === 0) return files;
    for (const path of page) files.add(fileOf(store, path));
    after = page.at(-1)!;
  }
}

function fileOf(store: KnowledgeStore, path: string): string {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = path.slice(0, end);
    if (store.file(above) !== null) return above;
  }
  return path;
}

/**
 * Those of the files that are still the ones that were taken in, by their bytes: cutting anew takes in nothing new, whatever the file
 * of a KB says of where its documents came from.
 */
export async function* sameFiles(
  store: KnowledgeStore,
  wanted: ReadonlySet<string>,
  found: AsyncIterable<SourceFile>,
  signal: AbortSignal,
): AsyncGenerator<SourceFile> {
  const given = new Set<string>();
  for await (const file of found) {
    throwIfAborted(signal);
    const { path, source } = file;
    if (!wanted.has(path) || given.has(path) || !('path' in source)) continue;
    const kept = store.file(path)?.hash ?? store.document(path)?.hash ?? null;
    if (kept === null || (await hashOf(source.path, signal)) !== Buffer.from(kept).toString('hex')) continue;
    given.add(path);
    yield file;
  }
}

/** Null for a file that cannot be read now. */
async function hashOf(path: string, signal: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(path, { highWaterMark: 1 << 18, signal }))
      hash.update(part as Buffer);
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
  return hash.digest('hex');
}
