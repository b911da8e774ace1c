/**
 * The node's knowledge bases as their owner uses them. Opened by the first question, or to go on with jobs.
 *
 * @module node/knowledge/desk
 */
import { rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  acquireLock,
  type Clock,
  type Config,
  isKithError,
  KithError,
  type Lock,
  type Logger,
  messageOf,
  oneAtATime,
  type Random,
} from '../../base/index.ts';
import {
  type CrossEncoder,
  checkPath,
  createFitness,
  createParserPool,
  languageOf,
  type ParserPool,
} from '../../knowledge/index.ts';
import type { KbView, KnowledgeDesk, NewKb } from '../../server/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import { answersDesk } from './answers.ts';
import type { AreaParts } from './areas.ts';
import { cacheDesk } from './cache.ts';
import { chunkingView } from './chunking.ts';
import { crossEncoderOf } from './cross-encoder.ts';
import { createAsked, dreamDesk, dreamWork } from './dream.ts';
import type { EngineEmbedderOptions } from './embedder.ts';
import { createEmbedders, type Embedders } from './embedders.ts';
import { createEngines } from './engine.ts';
import { createEngineLegs } from './engine-leg.ts';
import { createExchange } from './exchange.ts';
import { openExtractor } from './extractor.ts';
import { graphDesk } from './graph.ts';
import { type IdleReading, onMains, startIdleReading } from './idle.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createOpenKbs, foldersOf, type OpenKb, type OpenKbs } from './kbs.ts';
import { makeKb } from './making.ts';
import { checkFolder, checkFree, followed, followedAs, unknown } from './places.ts';
import { readingDesk } from './reading.ts';
import { type KbEntry, openRegistry, type Registry } from './registry.ts';
import { lateWriter, searchWith } from './searching.ts';
import { createSharing, type Sharing, type SharingParts } from './share.ts';
import { upkeepDesk } from './upkeep.ts';
import { makePrivate, piecesOf, receiveUpload } from './uploads.ts';
import { createVault } from './vault.ts';
import { sweepFetched } from './vault-restore-kept.ts';
import { documentView, fileView, searchView } from './views.ts';
import { createWatching, type Watching } from './watching.ts';
import { checkSource, doWork, sweepUploads } from './work.ts';
import type { WritingBackend } from './writer.ts';

export interface NodeKnowledgeParts extends Omit<EngineEmbedderOptions, 'model'> {
  readonly config: Pick<Config, 'home' | 'knowledge' | 'vault'> & {
    readonly models: Pick<Config['models'], 'embedding'>;
    readonly gateway: Pick<Config['gateway'], 'privacy'>;
  };
  /** Writes answers. @default nobody does: answers are sentences of the documents */
  readonly gateway?: WritingBackend;
  /** Puts what a search found in order, where that is asked for. @default `knowledge.reranker` */
  readonly crossEncoder?: CrossEncoder | null;
  /** What sharing with peers takes. @default nothing: only a running node shares */
  readonly sharing?: SharingParts;
  /** Grows with each request to the node, for what is done while there are none. @default nothing is done then */
  readonly activity?: () => number;
  /** Folders that are followed are watched. @default false */
  readonly watches?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface NodeKnowledge extends AsyncDisposable {
  readonly desk: KnowledgeDesk;
  /** Answers a peer about what is shared with it. @throws KithError `rag_refused`, `rag_busy` */
  readonly answerPeer: Sharing['answer'];
  /** Goes on with jobs that a process before this one left. Does not wait for them. */
  resume(): Promise<void>;
}

/** All that is open. */
export interface Opened {
  readonly lock: Lock;
  readonly registry: Registry;
  readonly pool: ParserPool;
  readonly embedders: Embedders;
  readonly kbs: OpenKbs;
  readonly jobs: Jobs;
  readonly watching: Watching;
  /** Looks after what peers keep; null where only commands do. */
  readonly placed: AsyncDisposable | null;
  /** Null where nothing is read while the node rests. */
  readonly idle: IdleReading | null;
}

export function createNodeKnowledge(parts: NodeKnowledgeParts): NodeKnowledge {
  const { config, clock, random, log } = parts;
  const folder = knowledgeFolder(config);
  const uploads = join(folder, 'uploads');
  let opening: Promise<Opened> | null = null;
  let closed = false;
  let resumes = false;

  function need(): Promise<Opened> {
    if (closed)
      throw new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 });
    if (opening === null) {
      opening = open();
      // Whoever holds the lock may be gone when it is asked again.
      opening.catch(() => {
        opening = null;
      });
    }
    return opening;
  }

  async function open(): Promise<Opened> {
    // One that its owner chose is left as it is; `kith doctor` tells who sees it.
    if (config.knowledge.folder === '') await makePrivate(folder);
    const lock = await acquireLock(join(folder, 'registry.lock'), { purpose: 'its knowledge bases' }).catch(
      (error: unknown) => {
        throw isKithError(error) && error.code === 'locked' ? inUse(error) : error;
      },
    );
    let registry: Registry | null = null;
    try {
      registry = openRegistry(join(folder, 'registry.sqlite'));
      const waiting = registry.unfinished().map(({ work }) => (work.kind === 'upload' ? work.file : ''));
      await sweepUploads(uploads, new Set(waiting));
      const going = registry.unfinished().map(({ kb }) => kb);
      await sweepFetched(config.home, new Set(going), clock.now());
      const { parsers, parseMs, parseMemoryMb, fileBytes } = config.knowledge;
      const pool = createParserPool({
        ...{ processes: parsers, timeMs: parseMs, memoryMb: parseMemoryMb },
        limits: { bytes: fileBytes },
      });
      const embedders = createEmbedders({ ...parts, model: config.models.embedding });
      const kbs = createOpenKbs(embedders, registry, config.knowledge.exactMb * 2 ** 20);
      const work = { embedders, pool, clock, chunking: config.knowledge, uploads };
      const entries = registry;
      const jobs: Jobs = createJobs({
        ...{ registry, clock, log },
        run: async (name, what, telling) => {
          // There is none of that name before it has ended.
          if (what.kind === 'vault' && what.op === 'restore') return vault.restoring(what, name, telling);
          return kbs.use(entries.get(name), (kb) =>
            what.kind === 'dream'
              ? dreamWork(area, what.run, kb, telling, () => jobs.unfinished(name) > 1)
              : what.kind === 'vault'
                ? vault.work(what, name, kb, telling)
                : what.kind === 'engine'
                  ? engines.work(name, kb, telling)
                  : what.kind === 'notes' || what.kind === 'copy'
                    ? exchange.work(what, kb, { name, registry: entries, telling })
                    : doWork(what, kb, work, telling),
          );
        },
      });
      // Also when the first try to open found another process at work.
      if (resumes) jobs.resume();
      const watching = createWatching({ registry, kbs, jobs, clock, log, home: folder });
      if (parts.watches === true) watching.start();
      const placed = parts.sharing === undefined ? null : vault.watch();
      const idle = idleOver(entries, kbs);
      return { lock, registry, pool, embedders, kbs, jobs, watching, placed, idle };
    } catch (error) {
      registry?.[Symbol.dispose]();
      await lock.release();
      throw error;
    }
  }

  function idleOver(registry: Registry, kbs: OpenKbs): IdleReading | null {
    const { extraction, extractionAfterMs, extractionTokens, writer } = config.knowledge;
    const { activity, gateway: backend } = parts;
    if (extraction === 'off' || activity === undefined) return null;
    return startIdleReading({
      ...{ clock, log, activity, onMains, admit: area.admit },
      ...{ afterMs: extractionAfterMs, tokensPerDay: extractionTokens },
      busy: () => registry.unfinished().length > 0,
      entries: () => registry.all(),
      use: (entry, work) => kbs.use(entry, work),
      extractor: async () =>
        writer === 'none' || backend === undefined ? null : openExtractor({ backend, config }, writer),
    });
  }

  async function withKb<T>(name: string, work: (kb: OpenKb, opened: Opened) => T | Promise<T>): Promise<T> {
    const opened = await need();
    return opened.kbs.use(opened.registry.get(name), (kb) => work(kb, opened));
  }

  async function viewOf({ kbs, jobs, watching }: Opened, entry: KbEntry): Promise<KbView> {
    const { name, path, made } = entry;
    const told = { name, path, made, jobs: jobs.unfinished(name) };
    try {
      const contents = await kbs.use(entry, ({ store }) => {
        const { documents, chunks, vectors, bytes } = store.counts();
        const kept = store.embedder;
        return {
          ...{ documents, chunks, vectors, bytes },
          embedder: kept === null ? null : { id: kept.id, dimension: kept.dimension },
          folders: foldersOf(store).map((each) => ({ ...each, watch: watching.of(name, each) })),
          files: store.fileCounts(),
          chunking: chunkingView(store, config.knowledge),
        };
      });
      return { ...told, contents, trouble: null };
    } catch (error) {
      if (!isKithError(error)) throw error;
      return { ...told, contents: null, trouble: { code: error.code, message: messageOf(error) } };
    }
  }

  /** One after the other: of two of one name the second would put its file over the first one's. */
  const inTurn = oneAtATime();
  async function make(kb: NewKb, before?: (path: string) => Promise<void>): Promise<KbView> {
    const opened = await need();
    const { registry, embedders } = opened;
    const { entry, unfollowed } = await inTurn(() =>
      makeKb(kb, { registry, folder, clock, random, embedders }, before),
    );
    return { ...(await viewOf(opened, entry)), ...(unfollowed.length > 0 ? { unfollowed } : {}) };
  }

  const area: AreaParts = {
    ...parts,
    crossEncoder: parts.crossEncoder === undefined ? crossEncoderOf(parts) : parts.crossEncoder,
    withKb,
    opened: need,
    admit: createFitness(),
    legs: createEngineLegs(parts),
  };
  const exchange = createExchange(area, make);
  const sharing = createSharing(area);
  const vault = createVault(area, exchange.desk.restore);
  const engines = createEngines(area, area.legs);
  const asked = createAsked();
  const desk: KnowledgeDesk = {
    answers: answersDesk(area),
    cache: cacheDesk(area),
    dream: dreamDesk(area),
    engines: engines.desk,
    exchange: exchange.desk,
    graph: graphDesk(area),
    shares: sharing.desk,
    reading: readingDesk(area),
    upkeep: upkeepDesk(area),
    vault: vault.desk,
    vaultGrants: vault.grants,
    async list() {
      const opened = await need();
      const views: KbView[] = [];
      for (const entry of opened.registry.all()) views.push(await viewOf(opened, entry));
      return views;
    },
    create: make,
    async show(name) {
      const opened = await need();
      return viewOf(opened, opened.registry.get(name));
    },
    async destroy(name, keep) {
      const { registry, jobs, kbs, watching } = await need();
      const { path } = registry.get(name);
      if (!keep && (await stat(path).catch(() => null)) === null)
        throw new KithError(
          'kb_missing',
          `There is no file ${path}, so that it cannot be removed: connect its drive, or only forget it (\`kith rag destroy ${name} --keep-file\`).`,
          { status: 404, details: { path } },
        );
      await jobs.cancelAll(name);
      await kbs.close(name);
      registry.remove(name);
      watching.refresh(name);
      await engines.forget(name);
      if (keep) return;
      for (const file of [path, `${path}-wal`, `${path}-shm`]) await rm(file, { force: true });
    },
    async ingest(name, { paths, under = '', retry }) {
      for (const path of paths) await checkSource(path);
      return withKb(name, async ({ store }, { jobs }) => {
        for (const path of paths) {
          const isFolder = (await stat(path)).isDirectory();
          const place = `${under}${basename(path)}${isFolder ? '/' : ''}`;
          checkPath(place);
          checkFree(store, place, isFolder ? path : null);
        }
        return jobs.add(name, { kind: 'ingest', paths, under, retry });
      });
    },
    upload: (name, path, bytes) =>
      desk.uploadFrom(name, path, { bytes: bytes.length, pieces: piecesOf(bytes) }),
    uploadFrom: (name, path, body) =>
      withKb(name, async ({ store }, { jobs }) => {
        checkPath(path);
        checkFree(store, path, null);
        const most = config.knowledge.fileBytes;
        const file = await receiveUpload(body, { folder: uploads, most, random });
        return jobs.add(name, { kind: 'upload', file, path });
      }),
    unfollow: (name, { folder: wanted, keep }) =>
      withKb(name, async ({ store }, { jobs, watching, registry }) => {
        const known = followedAs(store, wanted);
        for (const { id, what, kind } of jobs.list(name))
          if (kind === 'sync' && what === known.folder) await jobs.cancel(name, id);
        const job = jobs.add(name, { kind: 'forget', ...known, keep });
        watching.forget(name, known);
        registry.noteWatched(name, known.folder, '');
        return job;
      }),
    sync: (name, order) =>
      withKb(name, async ({ store }, { jobs, watching }) => {
        if (order.folder !== undefined) await checkFolder(order.folder);
        const queued = followed(store, order).map((each) =>
          jobs.add(name, { kind: 'sync', ...each, allowEmpty: order.allowEmpty }),
        );
        watching.refresh(name);
        return queued;
      }),
    rebuild: (name, only) =>
      withKb(name, (_kb, { jobs }) =>
        jobs.add(name, { kind: 'rebuild', begun: false, ...(only === undefined ? {} : { only }) }),
      ),
    async jobs(name) {
      const { registry, jobs } = await need();
      return jobs.list(withJobs(registry, name));
    },
    async job(name, id, seen, signal) {
      const { registry, jobs } = await need();
      return jobs.wait(withJobs(registry, name), id, seen, signal);
    },
    async cancel(name, id) {
      const { registry, jobs } = await need();
      return jobs.cancel(withJobs(registry, name), id);
    },
    documents: (name, page) => withKb(name, ({ store }) => store.documents(page).map(documentView)),
    removeDocument: (name, path) =>
      withKb(name, ({ store }) => {
        let removed = store.remove(path) ? 1 : 0;
        // Pages of a dump: documents below a path that is a file.
        if (store.file(path) !== null) {
          for (;;) {
            const pages = store.documents({ limit: 500 }, { paths: [`${path}/`] });
            if (pages.length === 0) break;
            for (const page of pages) if (store.remove(page.path)) removed++;
          }
          store.forgetFile(path);
        } else if (removed === 0) throw unknown(path);
        return removed;
      }),
    files: (name, page) => withKb(name, ({ store }) => store.files(page).map(fileView)),
    file: (name, path) =>
      withKb(name, ({ store }) => {
        const found = store.file(path);
        if (found === null) throw unknown(path);
        return fileView(found);
      }),
    search: (name, query, signal) =>
      withKb(name, async (kb) => {
        const began = clock.monotonic();
        const { query: question, k, mode, neighbours, diversity, filter } = query;
        const leg = await area.legs.over(name, kb, query);
        const search = searchWith(area, leg.retriever, query, lateWriter(area, query.writer));
        const found = await search.search(question, {
          ...{ limit: k, by: mode, neighbours, filter, signal },
          ...(diversity === undefined ? {} : { diversity }),
        });
        // Where the question's form was to say the graph is there already.
        if (found.route !== null) await asked.note(name, kb, question);
        return searchView(leg.told(found), clock.monotonic() - began, query.language ?? languageOf(question));
      }),
  };

  return {
    desk,
    answerPeer: sharing.answer,
    async resume() {
      resumes = true;
      const { jobs } = await need();
      jobs.resume();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const opened = await opening?.catch(() => null);
      if (!opened) return;
      const { jobs, kbs, pool, registry, lock, watching, placed, idle } = opened;
      await idle?.[Symbol.asyncDispose]();
      await placed?.[Symbol.asyncDispose]();
      await watching[Symbol.asyncDispose]();
      // Jobs write to knowledge bases, and these are written down in the registry.
      await jobs[Symbol.asyncDispose]();
      sharing[Symbol.dispose]();
      vault[Symbol.dispose]();
      await area.legs[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
      await kbs[Symbol.asyncDispose]();
      registry[Symbol.dispose]();
      await lock.release();
    },
  };
}

/** Of a knowledge base, or of a name that is to become one. @throws KithError `kb_unknown` */
const withJobs = (registry: Registry, name: string): string =>
  registry.jobs(name).length > 0 ? name : registry.get(name).name;

function inUse({ details }: KithError): KithError {
  const by = details?.pid === undefined ? 'Another command' : `Another command (process ${details.pid})`;
  return new KithError(
    'locked',
    `${by} is at work on the knowledge bases of this home. Wait until it ends; with a node (\`kith start\`) commands do not wait for each other.`,
    { status: 409, ...(details === undefined ? {} : { details }) },
  );
}
