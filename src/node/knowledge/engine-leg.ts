/**
 * Searches of knowledge bases whose vectors an engine has: it is asked which are nearest, and what came since its last sync is compared
 * here. Scores are always computed here, from exact vectors. When it fails, the index here answers, and the search says so.
 *
 * @module node/knowledge/engine-leg
 */
import { join } from 'node:path';
import { type Clock, type Config, messageOf } from '../../base/index.ts';
import type { ExpandedFound, NearestElsewhere, Retriever, SearchStep } from '../../knowledge/index.ts';
import type { StepWishes } from '../../server/index.ts';
import { ENGINE_BOUNDS, openVectorEngine, type VectorEngine } from '../../vault/index.ts';
import { type EngineEntry, type EngineFile, engineFile } from './engine-file.ts';
import type { OpenKb } from './kbs.ts';

/** Passages since the last sync that are compared here, one by one. */
const MOST_NEWER = 4096;
/** How much deeper an engine is asked when a filter is too wide to be told. */
const DEEPER = 4;
/** ms for which an engine that failed is not asked by searches that do not insist. */
const REST_MS = 10_000;

export interface SearchLeg {
  readonly retriever: Pick<Retriever, 'search'>;
  /** What was found, with what came of asking the engine. */
  told<F extends ExpandedFound>(found: F): F;
}

export interface EngineLegs extends AsyncDisposable {
  readonly file: EngineFile;
  /** How this search finds what is nearest. */
  over(name: string, kb: Pick<OpenKb, 'store' | 'retriever'>, wishes: StepWishes): Promise<SearchLeg>;
  /** The collection, held open for the next who asks. @throws KithError `engine_...` */
  engineOf(entry: EngineEntry): Promise<VectorEngine>;
  /** Lets go of what is held open. */
  forget(name: string): Promise<void>;
}

interface Held {
  readonly key: string;
  readonly engine: Promise<VectorEngine>;
}

export function createEngineLegs({
  config,
  clock,
}: {
  readonly config: { readonly home: string; readonly knowledge: Pick<Config['knowledge'], 'stepMs'> };
  readonly clock: Pick<Clock, 'monotonic'>;
}): EngineLegs {
  const file = engineFile(join(config.home, 'vault', 'engines.json'));
  const held = new Map<string, Held>();
  /** When engines that failed are asked again. */
  const resting = new Map<string, number>();

  async function forget(name: string): Promise<void> {
    const known = held.get(name);
    held.delete(name);
    resting.delete(name);
    await known?.engine.then(
      (engine) => engine[Symbol.asyncDispose](),
      () => undefined,
    );
  }

  async function engineOf({ kb, address, collection }: EngineEntry): Promise<VectorEngine> {
    const { name, dimension } = collection!;
    const key = JSON.stringify([address, name, dimension]);
    const known = held.get(kb);
    if (known?.key === key) return known.engine;
    if (known !== undefined) await forget(kb);
    const engine = openVectorEngine({ address, collection: name, dimension, create: false });
    held.set(kb, { key, engine });
    engine.catch(() => {
      if (held.get(kb)?.engine === engine) held.delete(kb);
    });
    return engine;
  }

  /** Why it cannot be asked; null when it can. */
  function unfit({ kbId, version, embedder }: EngineEntry, store: OpenKb['store']): string | null {
    if (kbId !== store.id) return 'another knowledge base of that name was connected: connect this one';
    if (version === null) return `nothing was synced to it yet (kith vpk engine sync)`;
    if (embedder !== store.embedder?.hash) return 'it has vectors of another model (kith vpk engine sync)';
    return null;
  }

  async function nearest(
    entry: EngineEntry,
    store: OpenKb['store'],
    query: Float32Array,
    { limit, rows, signal }: Parameters<NearestElsewhere>[1],
  ): Promise<Awaited<ReturnType<NearestElsewhere>> | string> {
    const changes = store.version() === entry.version ? null : store.changes(entry.version!);
    if (store.version() !== entry.version && (changes === null || changes.added.length > MOST_NEWER))
      return 'too much changed since its last sync (kith vpk engine sync)';
    const engine = await engineOf(entry);
    const allowed = rows === null ? null : new Set(rows);
    const newer = new Set((changes?.added ?? []).filter((row) => allowed?.has(row) ?? true));
    const isWide = rows !== null && rows.length > ENGINE_BOUNDS.ids;
    const k = Math.min(ENGINE_BOUNDS.hits, isWide ? DEEPER * limit : limit);
    const hits = await engine.search(query, {
      ...{ k, signal },
      ...(rows === null || isWide ? {} : { only: rows }),
    });
    // What it names is looked at: it is another's machine.
    const kept = hits.filter(({ id }) => !newer.has(id) && (allowed?.has(id) ?? true));
    if (isWide && kept.length < limit && hits.length === k)
      return `the filter leaves more than ${ENGINE_BOUNDS.ids} passages and is too narrow for what it found`;
    const own = [...newer];
    const added = store.f32(own).flatMap((vector, i) => {
      if (vector === null) return [];
      return [{ row: own[i]!, score: vector.reduce((sum, value, at) => sum + value * query[at]!, 0) }];
    });
    return [...kept.map(({ id, score }) => ({ row: id, score })), ...added]
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, limit);
  }

  return {
    file,
    engineOf,
    forget,
    async over(name, { store, retriever }, { engine: wanted, budgetMs = config.knowledge.stepMs }) {
      const plain: SearchLeg = { retriever, told: (found) => found };
      if (wanted === false) return plain;
      const entry = await file.of(name);
      if (entry === null && wanted !== true) return plain;
      if (entry !== null && !entry.search && wanted !== true) return plain;
      const began = clock.monotonic();
      let ms = 0;
      let asked = 0;
      let trouble: { code: 'failed' | 'late' | 'nobody' | 'useless'; reason: string } | null = null;
      const why = entry === null ? 'no engine is connected (kith vpk engine connect)' : unfit(entry, store);
      if (why !== null) trouble = { code: 'nobody', reason: why };
      else if (wanted !== true && (resting.get(name) ?? Number.NEGATIVE_INFINITY) > began)
        trouble = { code: 'failed', reason: 'it failed a moment ago and is asked again soon' };
      const elsewhere: NearestElsewhere = async (query, { signal, ...rest }) => {
        // Of several searches of one question the first that failed is enough.
        if (trouble !== null) return null;
        const from = clock.monotonic();
        const patience = AbortSignal.timeout(budgetMs);
        const within = signal === undefined ? patience : AbortSignal.any([signal, patience]);
        try {
          const found = await Promise.race([
            nearest(entry!, store, query, { ...rest, signal: within }),
            // Opening a connection does not hear of it.
            once(within),
          ]);
          if (typeof found !== 'string') {
            asked++;
            return found;
          }
          trouble = { code: 'useless', reason: found };
        } catch (error) {
          signal?.throwIfAborted();
          trouble = patience.aborted
            ? { code: 'late', reason: `it did not answer within ${budgetMs} ms` }
            : { code: 'failed', reason: messageOf(error) };
          resting.set(name, clock.monotonic() + REST_MS);
        } finally {
          ms += clock.monotonic() - from;
        }
        return null;
      };
      const step = (): SearchStep => ({
        ...{ name: 'engine', ms, model: null, writer: null },
        ...(trouble === null
          ? { status: 'used', code: null, reason: null }
          : {
              ...{ status: 'skipped', code: trouble.code },
              reason: `${trouble.reason.replace(/\.$/u, '')}; the index here answered`,
            }),
      });
      return {
        retriever:
          trouble === null
            ? { search: (question, options) => retriever.search(question, { ...options, elsewhere }) }
            : retriever,
        // A search by words alone asks nobody, and there is nothing to tell.
        told: (found) =>
          asked === 0 && trouble === null ? found : { ...found, steps: [...found.steps, step()] },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const name of [...held.keys()]) await forget(name);
    },
  };
}

/** Rejects when the signal fires. */
function once(signal: AbortSignal): Promise<never> {
  const fired = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  // Nobody waits for it any more when the answer came first.
  fired.catch(() => undefined);
  return fired;
}
