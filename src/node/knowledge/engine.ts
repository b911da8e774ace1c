/**
 * Vectors of knowledge bases in an engine that their owner runs: connects one, keeps it equal to the knowledge base, searches in it, and lets
 * it go.
 *
 * @module node/knowledge/engine
 */
import { KithError, messageOf } from '../../base/index.ts';
import type { EngineInfo, EnginesDesk, EngineView } from '../../server/index.ts';
import {
  type EngineSealer,
  engineAddress,
  engineSealer,
  openVectorEngine,
  syncEngine,
  type VectorEngine,
} from '../../vault/index.ts';
import type { AreaParts } from './areas.ts';
import type { EngineEntry } from './engine-file.ts';
import type { EngineLegs } from './engine-leg.ts';
import { pointsOf } from './engine-points.ts';
import { ENGINE_WORK } from './jobs.ts';
import type { OpenKb } from './kbs.ts';
import { NOTHING, noProgress, type Telling } from './telling.ts';
import { unpackPassage } from './vault-passages.ts';

export interface Engines {
  readonly desk: EnginesDesk;
  readonly work: (name: string, kb: OpenKb, telling: Telling) => Promise<void>;
  /** The knowledge base goes: what the engine has of it is removed, as far as it answers. */
  forget(name: string): Promise<void>;
}

/** ms that an engine is given when a knowledge base is destroyed. */
const PARTING_MS = 5000;

const LEARNS: readonly string[] = [
  'The engine sees every vector as it is, and who has a vector can tell much of its text: run it on a machine that you trust.',
  'It sees the vector of each question, when you ask, and which passages are found.',
  'Texts, titles and paths lie there sealed (AES-256-GCM under a key of yours); the name of the knowledge base does not lie there.',
  'Neither PostgreSQL nor Qdrant can run the mode split.',
];

export function createEngines(parts: AreaParts, legs: EngineLegs): Engines {
  const { random, clock, log, sharing, opened, withKb } = parts;
  const { file } = legs;

  function sealerOf(store: Pick<OpenKb['store'], 'id' | 'embedder'>): EngineSealer {
    if (sharing === undefined)
      throw new KithError(
        'vault_off',
        'Only a running node has the key under which texts are sealed. Start it with kith start.',
        { status: 409 },
      );
    return engineSealer(sharing.identity, `${store.id}/${embedderOf(store).hash}`);
  }

  async function entryOf(name: string): Promise<EngineEntry> {
    await opened();
    const entry = await file.of(name);
    if (entry !== null) return entry;
    throw new KithError(
      'engine_not_connected',
      `${name.slice(0, 64)} has no engine. Connect one: kith vpk engine connect ${name.slice(0, 64)} URL`,
      { status: 404 },
    );
  }

  const viewOf = async (entry: EngineEntry): Promise<EngineView> => ({
    ...{ kb: entry.kb, kind: entry.address.kind, address: entry.address.shown, search: entry.search },
    ...{ collection: entry.collection?.name ?? null, points: entry.points, synced: entry.synced },
    learns: LEARNS,
    stale: await withKb(
      entry.kb,
      ({ store }) => store.id !== entry.kbId || store.version() !== entry.version,
    ).catch(() => null),
  });

  /** What the collections of an entry are removed by. */
  async function dropAll({ address, collection, old }: EngineEntry, callMs: number, signal?: AbortSignal) {
    for (const { name, dimension } of [...old, ...(collection === null ? [] : [collection])]) {
      const options = { address, collection: name, dimension, create: false, callMs, signal };
      await using engine = await openVectorEngine(options);
      await engine.drop(signal);
    }
  }

  async function connected(entry: EngineEntry, work: (engine: VectorEngine) => Promise<void>) {
    try {
      const engine = await legs.engineOf(entry);
      await work(engine);
      return { about: engine.about, trouble: null };
    } catch (error) {
      if (!(error instanceof KithError)) throw error;
      return { about: null, trouble: { code: error.code, message: error.message } };
    }
  }

  const addSync = async (name: string) => (await opened()).jobs.add(name, { kind: 'engine' });

  const desk: EnginesDesk = {
    async list() {
      await opened();
      const entries = (await file.all()).sort((a, b) => (a.kb < b.kb ? -1 : 1));
      return Promise.all(entries.map(viewOf));
    },
    async connect(name, { url, secret, search }, signal) {
      const address = engineAddress(url, secret ?? null);
      const { id, sealer, dimension } = await withKb(name, ({ store }) => ({
        ...{ id: store.id, sealer: sealerOf(store), dimension: embedderOf(store).dimension },
      }));
      const known = await file.of(name);
      if (known !== null && (known.address.shown !== address.shown || known.kbId !== id))
        throw new KithError(
          'engine_connected',
          `${name} is connected to ${known.address.shown}. Disconnect it first: kith vpk engine disconnect ${name} --drop`,
          { status: 409 },
        );
      // Now, so that a wrong address or key is told to who typed it.
      await using engine = await openVectorEngine({
        ...{ address, collection: sealer.collection, dimension, signal },
      });
      log.info('A knowledge base is connected to an engine.', {
        address: address.shown,
        about: engine.about,
      });
      const fresh = { collection: null, embedder: null, old: [], version: null, synced: null, points: null };
      await file.save({
        ...{ kb: name, kbId: id, ...fresh, ...known, address },
        search: search ?? known?.search ?? false,
      });
      await legs.forget(name);
      return addSync(name);
    },
    async info(name, signal): Promise<EngineInfo> {
      const entry = await entryOf(name);
      const view = await viewOf(entry);
      if (entry.collection === null) return { ...view, about: null, count: null, trouble: null };
      let count: number | null = null;
      const told = await connected(entry, async (engine) => {
        count = await engine.count(signal);
      });
      return { ...view, ...told, count };
    },
    async sync(name) {
      await entryOf(name);
      return addSync(name);
    },
    async search(name, { query, k, exact }, signal) {
      const entry = await entryOf(name);
      return withKb(name, async ({ store, embedder }) => {
        const sealer = sealerOf(store);
        if (entry.version === null || entry.collection?.name !== sealer.collection)
          throw new KithError(
            'engine_behind',
            `The engine has no vectors of ${name} yet, or those of another model. Bring it up to date: kith vpk engine sync ${name}`,
            { status: 409 },
          );
        const began = clock.monotonic();
        const vector = await embedder.embed([query], { kind: 'query', signal });
        const asked = clock.monotonic();
        const engine = await legs.engineOf(entry);
        const found = await engine.search(vector, { k, exact, signal });
        const then = clock.monotonic();
        const sealed = await engine.payloads(
          found.map(({ id }) => id),
          signal,
        );
        const hits = found.flatMap(({ id, score }) => {
          const payload = sealed.get(id);
          try {
            return payload === undefined ? [] : [{ score, ...unpackPassage(sealer.open(id, payload)) }];
          } catch (error) {
            log.warn('An engine gave a text that was not put there.', { point: id, cause: messageOf(error) });
            return [];
          }
        });
        return {
          ...{ kb: name, about: engine.about, hits, damaged: found.length - hits.length, learns: LEARNS },
          times: { embed: asked - began, search: then - asked, texts: clock.monotonic() - then },
        };
      });
    },
    async disconnect(name, drop, signal) {
      const entry = await entryOf(name);
      const { jobs } = await opened();
      for (const { id, what, state } of jobs.list(name))
        if (what === ENGINE_WORK && (state === 'waiting' || state === 'running')) await jobs.cancel(name, id);
      if (drop) await dropAll(entry, PARTING_MS, signal);
      await file.remove(name);
      await legs.forget(name);
      return { dropped: drop };
    },
  };

  /** The entry as it is to be synced: of another model's vectors the collection is another one. */
  async function readied(entry: EngineEntry, sealer: EngineSealer, store: OpenKb['store']) {
    const { hash, dimension } = embedderOf(store);
    if (entry.collection?.name === sealer.collection) return entry;
    const next: EngineEntry = {
      ...entry,
      ...{ collection: { name: sealer.collection, dimension }, embedder: hash },
      ...{ version: null, points: null },
      old: [...entry.old, ...(entry.collection === null ? [] : [entry.collection])].filter(
        ({ name }) => name !== sealer.collection,
      ),
    };
    // Written down before it is made: what is made is never forgotten.
    await file.save(next);
    return next;
  }

  return {
    desk,
    async work(name, { store }, { signal, tell }) {
      const known = await entryOf(name);
      if (known.kbId !== store.id) {
        await file.remove(name);
        await entryOf(name);
      }
      const sealer = sealerOf(store);
      const entry = await readied(known, sealer, store);
      const { name: collection, dimension } = entry.collection!;
      // What is written from now on is told again by the next sync.
      const version = store.version();
      const { vectors } = store.counts();
      const told = (done: number, of = vectors) =>
        tell({ ...noProgress, of, totals: { ...NOTHING, files: done, done } });
      told(0);
      await using engine = await openVectorEngine({ address: entry.address, collection, dimension, signal });
      const report = await syncEngine({
        ...{ engine, signal, points: pointsOf(store, sealer, random) },
        told: ({ points }) => told(Math.min(points, vectors)),
      });
      await engine.index(signal);
      // Its owner may have let it go meanwhile, or given it another key.
      const now = await file.of(name);
      if (now === null || now.collection?.name !== collection) return;
      const synced = Math.floor(clock.now());
      const done = { ...now, version, synced, points: report.points };
      await file.save(done);
      for (const { name: old, dimension: size } of done.old) {
        await using behind = await openVectorEngine({
          ...{ address: entry.address, collection: old, dimension: size, create: false, signal },
        });
        await behind.drop(signal);
      }
      if (done.old.length > 0) await file.save({ ...done, old: [] });
      tell({
        ...noProgress,
        ...{ of: report.points, removed: report.removed },
        totals: { ...NOTHING, files: report.points, done: report.sent, bytes: report.bytes },
      });
    },
    async forget(name) {
      const entry = await file.of(name).catch(() => null);
      if (entry === null) return;
      await dropAll(entry, PARTING_MS).catch((error: unknown) =>
        log.warn('An engine still has the vectors of a knowledge base that was destroyed.', {
          ...{ address: entry.address.shown, collection: entry.collection?.name, cause: messageOf(error) },
        }),
      );
      await file.remove(name);
      await legs.forget(name);
    },
  };
}

function embedderOf({ embedder }: Pick<OpenKb['store'], 'embedder'>) {
  if (embedder !== null) return embedder;
  throw new KithError(
    'engine_no_vectors',
    'The knowledge base has no vectors yet. Take documents in first: kith rag ingest NAME FILE',
    { status: 409 },
  );
}
