/**
 * One circuit: an open path, and the engine's model whose blocks are on it.
 *
 * @module shards/circuits/circuit
 */
import { messageOf } from '../../base/index.ts';
import type { LoadedModel } from '../../engine/index.ts';
import { differenceOf } from './figures.ts';
import { type CircuitParts, type Opened, openFor } from './opening.ts';
import type { CircuitFigures, CircuitUse, CircuitView, CircuitWish, PathQuery } from './types.ts';

export interface CircuitTerms {
  readonly name: string;
  /** Id in the engine. */
  readonly engineId: string;
  readonly ordered: boolean;
  /** ms since epoch; null: as long as it is used. */
  readonly endsAt: number | null;
}

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
  readonly #parts: CircuitParts;
  readonly #opened: Opened;
  #closed: Promise<void> | null = null;

  private constructor(
    parts: CircuitParts,
    wish: CircuitWish,
    terms: CircuitTerms,
    opened: Opened,
    loaded: LoadedModel,
  ) {
    this.#parts = parts;
    this.wish = wish;
    this.terms = terms;
    this.#opened = opened;
    this.query = opened.query;
    this.loaded = loaded;
    this.msPerToken = opened.plan.msPerToken;
    this.#openedAt = this.usedAt = parts.clock.now();
    this.lookedAt = parts.clock.monotonic();
  }

  /** @throws KithError `path_gap`, `path_none`, `path_busy`, `path_refused` (503), and what the files or the engine say */
  static async open(
    parts: CircuitParts,
    wish: CircuitWish,
    terms: CircuitTerms,
    signal: AbortSignal,
  ): Promise<Circuit> {
    const { engine, log } = parts;
    const { model, own } = wish;
    // A path is of no use without the ends.
    const file = await model.ends(own, signal);
    const opened = await openFor(parts, wish, signal);
    const { path, pair, query, plan, told } = opened;
    try {
      const elsewhere = { ...query.span, kvCells: path.cells };
      const loaded = await engine.load(
        {
          id: terms.engineId,
          path: file,
          elsewhere,
          ...(model.template === null ? {} : { template: model.template }),
        },
        { carry: told.over((pair ?? path).carry), signal },
      );
      log.info('circuit open', { circuit: terms.name, model: model.id, shards: plan.shards.length });
      return new Circuit(parts, wish, terms, opened, loaded);
    } catch (error) {
      await closeOpened(opened);
      throw error;
    }
  }

  get closed(): boolean {
    return this.#closed !== null || this.#carries.closed;
  }

  /** True when everything is to be computed twice here, and is not. */
  get isAlone(): boolean {
    return this.#parts.redundancy === 2 && (this.#opened.pair?.others().length ?? 0) === 0;
  }

  /** PeerIds of those whose rows are given. */
  get peers(): readonly string[] {
    return this.#carries.shards().map(({ peer }) => peer);
  }

  get #carries() {
    return this.#opened.pair ?? this.#opened.path;
  }

  #figures(): CircuitFigures {
    const figures = this.#opened.told.figures();
    if (this.#parts.redundancy !== 2) return figures;
    const alone = { compared: 0, alone: figures.steps, unsettled: 0 };
    return { ...figures, twice: this.#opened.pair?.figures ?? alone };
  }

  use(): CircuitUse {
    this.inUse++;
    const before = this.#figures();
    let over = false;
    return {
      name: this.terms.name,
      loaded: this.loaded,
      view: () => this.view(),
      since: () => differenceOf(this.#figures(), before),
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
      shards: this.#carries.shards(),
      ...(this.#parts.redundancy === 2 && { others: this.#opened.pair?.others() ?? [] }),
      cells: this.#opened.path.cells,
      type: this.#parts.type ?? 'f32',
      requirements,
      ordered,
      inUse: this.inUse,
      openedAt: this.#openedAt,
      usedAt: this.usedAt,
      endsAt,
      msPerToken: this.msPerToken,
      figures: this.#figures(),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= (async () => {
      await closeOpened(this.#opened);
      await this.#parts.engine.unload(this.terms.engineId).catch((error: unknown) => {
        this.#parts.log.warn('the model of a circuit was not unloaded', { err: messageOf(error) });
      });
    })();
    return this.#closed;
  }
}

async function closeOpened({ path, auditor, pair }: Opened): Promise<void> {
  await pair?.[Symbol.asyncDispose]();
  await auditor?.[Symbol.asyncDispose]();
  await path[Symbol.asyncDispose]();
}
