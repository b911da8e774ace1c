/**
 * One circuit: an open path, and the engine's model whose blocks are on it.
 *
 * @module shards/circuits/circuit
 */
import { isKithError, KithError, messageOf } from '../../base/index.ts';
import type { LoadedModel } from '../../engine/index.ts';
import { createAuditor } from '../audit/auditor.ts';
import type { Auditor } from '../audit/types.ts';
import { openPath } from '../path/path.ts';
import type { Path } from '../path/types.ts';
import { isPath } from '../plan/candidates.ts';
import type { PathPlan } from '../plan/plan.ts';
import { differenceOf, Told } from './figures.ts';
import { inPlaceOf } from './in-place.ts';
import { busy, noPath, type Refused } from './refusals.ts';
import type {
  CircuitLimits,
  CircuitsOptions,
  CircuitUse,
  CircuitView,
  CircuitWish,
  PathQuery,
} from './types.ts';

/** Fewer cells than this are not worth a path. */
const LEAST_CELLS = 256;
/** Answers that can be made side by side, each of a whole context: cells for more are of no use. */
const MOST_CONTEXTS = 16;

export interface CircuitTerms {
  readonly name: string;
  /** Id in the engine. */
  readonly engineId: string;
  readonly ordered: boolean;
  /** ms since epoch; null: as long as it is used. */
  readonly endsAt: number | null;
}

type Parts = Omit<CircuitsOptions, 'limits'> & { readonly limits: CircuitLimits };

export class Circuit implements AsyncDisposable {
  readonly wish: CircuitWish;
  readonly terms: CircuitTerms;
  readonly query: PathQuery;
  readonly loaded: LoadedModel;
  msPerToken: number;
  usedAt: number;
  /** Monotonic ms of the last look for a better path. */
  lookedAt: number;
  /** No new answers: it closes when those that use it are over. */
  leaving = false;
  inUse = 0;
  readonly #openedAt: number;
  readonly #path: Path;
  readonly #parts: Parts;
  readonly #told: Told;
  readonly #auditor: Auditor | null;
  #closed: Promise<void> | null = null;

  private constructor(
    parts: Parts,
    wish: CircuitWish,
    terms: CircuitTerms,
    made: {
      query: PathQuery;
      path: Path;
      told: Told;
      loaded: LoadedModel;
      plan: PathPlan;
      auditor: Auditor | null;
    },
  ) {
    this.#parts = parts;
    this.wish = wish;
    this.terms = terms;
    this.query = made.query;
    this.#path = made.path;
    this.#told = made.told;
    this.#auditor = made.auditor;
    this.loaded = made.loaded;
    this.msPerToken = made.plan.msPerToken;
    this.#openedAt = this.usedAt = parts.clock.now();
    this.lookedAt = parts.clock.monotonic();
  }

  /** @throws KithError `path_gap`, `path_none`, `path_busy`, `path_refused` (503), and what the files or the engine say */
  static async open(
    parts: Parts,
    wish: CircuitWish,
    terms: CircuitTerms,
    signal: AbortSignal,
  ): Promise<Circuit> {
    const { engine, log } = parts;
    const { model, own } = wish;
    // A path is of no use without the ends.
    const file = await model.ends(own, signal);
    const { path, query, plan, told, auditor } = await openFor(parts, wish, signal);
    try {
      const elsewhere = { ...query.span, kvCells: path.cells };
      const loaded = await engine.load(
        {
          id: terms.engineId,
          path: file,
          elsewhere,
          ...(model.template === null ? {} : { template: model.template }),
        },
        { carry: told.over(path.carry), signal },
      );
      log.info('circuit open', { circuit: terms.name, model: model.id, shards: plan.shards.length });
      return new Circuit(parts, wish, terms, { query, path, told, loaded, plan, auditor });
    } catch (error) {
      await auditor?.[Symbol.asyncDispose]();
      await path[Symbol.asyncDispose]();
      throw error;
    }
  }

  get closed(): boolean {
    return this.#closed !== null || this.#path.closed;
  }

  use(): CircuitUse {
    this.inUse++;
    const before = this.#told.figures();
    let over = false;
    return {
      name: this.terms.name,
      loaded: this.loaded,
      view: () => this.view(),
      since: () => differenceOf(this.#told.figures(), before),
      [Symbol.dispose]: () => {
        if (over) return;
        over = true;
        this.inUse--;
        this.usedAt = this.#parts.clock.now();
      },
    };
  }

  view(): CircuitView {
    const { name, ordered, endsAt } = this.terms;
    const { model, requirements } = this.wish;
    return {
      name,
      model: model.id,
      blocks: model.blocks,
      span: this.query.span,
      shards: this.#path.shards(),
      cells: this.#path.cells,
      type: this.#parts.type ?? 'f32',
      requirements,
      ordered,
      inUse: this.inUse,
      openedAt: this.#openedAt,
      usedAt: this.usedAt,
      endsAt,
      msPerToken: this.msPerToken,
      figures: this.#told.figures(),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= (async () => {
      await this.#auditor?.[Symbol.asyncDispose]();
      await this.#path[Symbol.asyncDispose]();
      await this.#parts.engine.unload(this.terms.engineId).catch((error: unknown) => {
        this.#parts.log.warn('the model of a circuit was not unloaded', { err: messageOf(error) });
      });
    })();
    return this.#closed;
  }
}

interface Opened {
  readonly path: Path;
  readonly query: PathQuery;
  readonly plan: PathPlan;
  readonly told: Told;
  readonly auditor: Auditor | null;
}

/** A path for the wish: those who refuse are left out of the next try, and with fewer cells more may do. */
async function openFor(parts: Parts, wish: CircuitWish, signal: AbortSignal): Promise<Opened> {
  const { choose, clock, random, log, limits } = parts;
  const { model, own, requirements, via = null } = wish;
  const span = { from: own, to: model.blocks - own };
  if (span.to <= span.from)
    throw new KithError(
      'path_invalid',
      `'${model.id}' has ${model.blocks} blocks: with ${own} at each end on this node none is left for peers.`,
      { status: 400 },
    );
  const exclude = new Set<string>();
  const refused: Refused[] = [];
  let cells = Math.min(MOST_CONTEXTS * model.context, Math.max(LEAST_CELLS, wish.cells));
  for (let tries = 0; tries < limits.tries; ) {
    const query: PathQuery = { model: model.sha256, span, cells, requirements, via, exclude };
    const { plan, leftOut } = choose(query);
    if (!isPath(plan)) {
      if (cells > LEAST_CELLS && leftOut.some(({ reason }) => reason === 'cache_full')) {
        cells = Math.max(LEAST_CELLS, Math.floor(cells / 2));
        continue;
      }
      throw refused.length > 0
        ? busy(model.id, refused, plan.gaps)
        : noPath(model.id, span, plan.gaps, leftOut);
    }
    tries++;
    const told = new Told(parts.clock);
    const open = query;
    const culprits = new Map<unknown, string>();
    let path: Path | null = null;
    const auditor =
      parts.audit === undefined || parts.audit.share === 0
        ? null
        : createAuditor({
            ...{ model: model.sha256, cells, random, log, ...parts.audit },
            swarm: watchedSwarm(parts.swarm, requirements, new Map()),
            second: async (span, without) => parts.second?.(open, span, without) ?? null,
          });
    try {
      path = await openPath(
        {
          swarm: watchedSwarm(parts.swarm, requirements, culprits),
          model: model.sha256,
          shards: plan.shards.map(({ peer, addresses, from, to }) => ({ peer, addresses, from, to })),
          cells,
          substitute: (lostSpan, lost) => inPlaceOf(parts, open, lostSpan, lost),
          ...(parts.type !== undefined && { type: parts.type }),
          ...(parts.work !== undefined && { work: parts.work }),
          ...(auditor !== null && { observer: auditor.observer }),
          onEvent(event) {
            const reached = path?.shards() ?? [];
            told.note(event, reached);
            if (event.type === 'lost') parts.onTrouble?.(event.peer, 'lost', null);
          },
          clock,
          random,
          log,
        },
        signal,
      );
      auditor?.watch(path);
      return { path, query, plan, told, auditor };
    } catch (error) {
      await auditor?.[Symbol.asyncDispose]();
      if (signal.aborted || !isKithError(error)) throw error;
      // Two that cannot reach each other are nobody's end alone: the path is tried without the first of them.
      const peer = culprits.get(error) ?? plan.shards[0]!.peer;
      refused.push({ peer, error });
      const { retryAfter } = error;
      parts.onTrouble?.(peer, 'refused', retryAfter === undefined ? null : retryAfter * 1000);
      exclude.add(peer);
      log.info('a path could not be opened', { model: model.id, code: error.code, err: error.message });
    }
  }
  throw busy(model.id, refused, []);
}

/** The network for one try: held to the tier when a session is opened, and noting whose end each error is. */
function watchedSwarm(
  swarm: CircuitsOptions['swarm'],
  { minTier }: PathQuery['requirements'],
  culprits: Map<unknown, string>,
): CircuitsOptions['swarm'] {
  return {
    learn: (...given) => swarm.learn(...given),
    async openSession(peer, method, metadata, options) {
      try {
        const tier = minTier === undefined ? {} : { minTier };
        const session = await swarm.openSession(peer, method, metadata, { ...options, ...tier });
        const note = () => culprits.set(session.signal.reason, peer);
        if (session.signal.aborted) note();
        else session.signal.addEventListener('abort', note, { once: true });
        return session;
      } catch (error) {
        culprits.set(error, peer);
        throw error;
      }
    },
  };
}
