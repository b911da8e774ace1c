/**
 * Serves blocks of models to peers while the swarm runs: what was asked for is fetched, loaded, measured and announced, and
 * sessions of peers are let in as the owner's settings have it. Served again after a restart.
 *
 * @module node/shards/serving
 */
import { InputError, KithError, messageOf } from '../../base/index.ts';
import type { CellLease } from '../../engine/index.ts';
import type { ModelManifest } from '../../models/index.ts';
import type {
  RebalancingView,
  ServedView,
  ServeRequest,
  ServingDesk,
  ServingView,
} from '../../server/index.ts';
import {
  type BlockSpan,
  createAdmission,
  type Need,
  serveShards,
  type WorkBook,
} from '../../shards/index.ts';
import { buildHere } from './build.ts';
import { createRangeLives } from './range-lives.ts';
import { placeOf } from './range-place.ts';
import { ServedRange } from './served-range.ts';
import { openServingFile, type WantedRange } from './serving-file.ts';
import { shardServingPolicy } from './serving-policy.ts';
import { offersOf, servingView } from './serving-view.ts';
import { createStandIns } from './standing-in.ts';
import type { BlockOffer, ShardParts } from './types.ts';

export interface NodeServing extends AsyncDisposable {
  readonly desk: ServingDesk;
  /** Blocks that are served now, about to be given up, or on their way. */
  offers(): readonly BlockOffer[];
  /** Ranges that are served, and those that are being fetched or loaded. */
  ranges(): readonly ServedView[];
  /**
   * Serves a range in the place of another of the same model: that one stays until the new one is ready, and drains then.
   *
   * @throws as `ServingDesk.serve`
   */
  move(from: ServedView, to: BlockSpan): Promise<ServedView>;
  /**
   * Has blocks ready that a peer (or this node) needs at once: those of a model that is served here, of any for this node itself.
   *
   * @throws KithError `shard_denied`, `shard_not_served`, `shard_busy`, or why they cannot be loaded
   */
  standIn(peer: string, need: Need, signal: AbortSignal): Promise<BlockSpan>;
  /** Cells of blocks that this node serves, for itself: null when it has not all of them, or too few cells are free. */
  lend(model: string, span: BlockSpan, cells: number): Promise<CellLease | null>;
}

export interface ServingOptions extends ShardParts {
  /** Counts what is computed for whom. */
  readonly work: Pick<WorkBook, 'served'>;
  /** Which blocks are best served here; null: as many as there are. `most`: blocks at most. */
  readonly choose?: (model: string, most: number | null) => Promise<BlockSpan | null>;
  /** What was decided of ranges that were chosen by themselves; null: that is switched off. */
  readonly rebalancing?: () => RebalancingView | null;
}

export async function openServing(options: ServingOptions): Promise<NodeServing> {
  const { config, engine, models, swarm, clock, log } = options;
  const settings = config.shards;
  const policy = shardServingPolicy(options);
  const file = await openServingFile(config.home);
  /** Of models that are not there any more. */
  const problems: string[] = [];
  let told = '';

  using stack = new DisposableStack();
  const admission = stack.use(
    createAdmission({ bounds: settings, clock, onChange: () => void tellWhenFull() }),
  );
  const service = stack.use(
    serveShards({
      ...{ swarm, engine, log, work: options.work },
      shards: () => all().flatMap((range) => range.shard ?? []),
      admit(peer, { cells, last }, shard) {
        const rank = policy.rankOf(peer);
        if (shard === null) return undefined;
        const { id: pool, width } = shard;
        const poolCells = all().find((range) => range.id === pool)?.cells ?? 0;
        // Rows are kept as f32.
        return admission.open({ peer, rank, pool, poolCells, cells, logBytes: last ? 0 : cells * width * 4 });
      },
      logMemoryBytes: Math.floor(settings.logMemoryBytes / settings.sessions),
      build: buildHere(options),
    }),
  );

  const all = (): readonly ServedRange[] => [...ranges, ...standIns.ranges()];

  const announce = (): Promise<void> =>
    options
      .announce()
      .catch((error: unknown) => log.warn('what is served was not told', { err: messageOf(error) }));

  /** What is free is told in its time; that nothing is, or something again, at once. */
  async function tellWhenFull(): Promise<void> {
    const now = ranges.map(({ id, cells }) => `${id} ${admission.freeCells(id, cells) > 0}`).join();
    if (now === told) return;
    told = now;
    await announce();
  }

  const lives = createRangeLives({
    ...{ config, engine, clock, log, file, admission, announce },
    leave: (ms, id) => service.announceLeave(ms, id),
  });
  const { ranges, sessionsOf } = lives;
  const standIns = createStandIns({
    ...{ parts: options, log, sessionsOf },
    inTurn: lives.inTurn,
  });

  /** A model may be known by several names: the one under which it is here. */
  async function knownBy(sha256: string): Promise<ModelManifest | undefined> {
    const entries = (await models.list()).filter(({ manifest }) => manifest.sha256 === sha256);
    return (entries.find(({ state }) => state === 'ready') ?? entries[0])?.manifest;
  }

  async function standIn(peer: string, { model, from, to }: Need, signal: AbortSignal): Promise<BlockSpan> {
    policy.mayHaveLoaded(peer);
    const has = (range: ServedRange) => range.shard !== null && range.want.sha256 === model;
    const ready = all().find((range) => has(range) && range.want.from <= from && to <= range.want.to);
    if (ready !== undefined) return ready.want;
    const served = ranges.find(has)?.manifest;
    const manifest = served ?? (peer === swarm.peer ? await knownBy(model) : undefined);
    if (manifest === undefined || to > manifest.blocks)
      throw new KithError('shard_not_served', 'This node does not serve that model.', { status: 404 });
    await standIns.load(manifest, { from, to }, signal);
    return { from, to };
  }

  const viewOf = (range: ServedRange): ServedView =>
    range.view({ sessions: sessionsOf(range), freeCells: admission.freeCells(range.id, range.cells) });

  async function serve(request: ServeRequest, instead: ServedRange | null = null): Promise<ServedView> {
    const { manifest } = await models.get(request.model ?? config.models.default);
    const { id: model, sha256, blocks } = manifest;
    // What was chosen by itself goes on, though another choice would be better by now: that is for rebalancing to say.
    const goesOn = ranges.find(
      ({ want, state }) =>
        request.auto &&
        instead === null &&
        want.auto &&
        want.sha256 === sha256 &&
        want.most === request.blocks &&
        state !== 'draining' &&
        state !== 'failed',
    );
    if (goesOn !== undefined) return viewOf(goesOn);
    const chosen = request.from === null ? await options.choose?.(model, request.blocks) : null;
    const from = request.from ?? chosen?.from ?? 0;
    const to = chosen?.to ?? (request.blocks === null ? blocks : from + request.blocks);
    if (from >= to || to > blocks)
      throw new InputError(
        'shard_range_invalid',
        `'${model}' has the blocks 0 to ${blocks - 1}; ${to - from} from block ${from} on are not all among them.`,
        { param: 'from' },
      );
    for (const other of ranges.filter(
      ({ want, state, isKept }) => state === 'failed' && (!isKept || want.sha256 === sha256),
    ))
      lives.drop(other);
    const there = placeOf(
      ranges,
      { model, sha256, from, to, isNamed: request.from !== null },
      instead,
      settings,
    );
    if (there !== null) return viewOf(there);
    const { auto, blocks: asked, most = asked } = request;
    const want: WantedRange = { model, sha256, from, to, auto, most: auto ? most : null };
    const range = new ServedRange({ ...options, onChange: () => {} }, want, manifest, false);
    lives.begin(range, () => {
      if (instead !== null && ranges.includes(instead)) lives.end(instead);
    });
    try {
      await lives.note();
    } catch (error) {
      lives.end(range);
      throw error;
    }
    return viewOf(range);
  }

  const offers = (): BlockOffer[] => offersOf(ranges, admission, settings.sessions);

  const view = (): ServingView =>
    servingView({
      ...{ ...options, policy, admission, ranges, served: all().map(viewOf) },
      standIns: standIns.ranges(),
      rebalancing: options.rebalancing?.() ?? null,
      problems: [...problems, ...(lives.problem === null ? [] : [lives.problem])],
    });

  // What was served before is served again, in the background.
  for (const want of file.wanted) {
    const entry = await models.get(want.model).catch((error: unknown) => {
      problems.push(`Blocks of '${want.model}' are not served again: ${messageOf(error)}`);
      return null;
    });
    if (entry !== null)
      lives.begin(new ServedRange({ ...options, onChange: () => {} }, want, entry.manifest, true));
  }

  const owned = stack.move();
  const find = ({ sha256, from, to }: Pick<ServedView, 'sha256' | 'from' | 'to'>) =>
    ranges.find(({ want }) => want.sha256 === sha256 && want.from === from && want.to === to) ?? null;
  return {
    offers,
    standIn,
    async lend(model, span, cells) {
      const has = all().find(
        ({ shard }) => shard?.model === model && shard.from <= span.from && span.to <= shard.to,
      );
      if (has === undefined) return null;
      return engine.lease(has.id, cells, { span }).catch((error: unknown) => {
        log.debug('own blocks are not lent', { err: messageOf(error) });
        return null;
      });
    },
    ranges: () => ranges.map(viewOf),
    move: (old, { from, to }) =>
      serve({ model: old.model, from, blocks: to - from, auto: old.auto, most: old.most }, find(old)),
    desk: {
      view: async () => view(),
      serve: (request) => serve(request),
      async stop({ model, from }) {
        const chosen = ranges.filter(
          ({ want }) => (model === null || want.model === model) && (from === null || want.from === from),
        );
        if (chosen.length === 0)
          throw new InputError(
            'shard_not_served',
            `This node serves no such blocks. kith shard status lists those that it serves.`,
            { status: 404 },
          );
        for (const range of chosen) lives.end(range);
        return chosen.map(viewOf);
      },
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([standIns[Symbol.asyncDispose](), lives[Symbol.asyncDispose]()]);
      owned[Symbol.dispose]();
    },
  };
}
