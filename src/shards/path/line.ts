/**
 * The sessions of a path in their order: opens them, links each to the next, and sends steps to the first.
 *
 * @module shards/path/line
 */
import { isKithError, KithError, messageOf } from '../../base/index.ts';
import type { SessionMessage } from '../../swarm/index.ts';
import { RowLog } from '../row-log.ts';
import { EXACT, encodeStep, type LinkTypes, SHARD_BOUNDS, type Step } from '../wire/messages.ts';
import { Hop, type ShardOffer } from './hop.ts';
import { typesFor } from './link-types.ts';
import type { PathLimits, PathOptions } from './types.ts';

export interface LineOptions extends PathOptions {
  readonly allLimits: PathLimits;
  /** Fires when the path closes. */
  readonly end: AbortSignal;
  readonly onRows: (message: SessionMessage) => void;
  readonly onFail: (hop: Hop, code: string, message: string) => void;
  /** `code`: of the error by which it went, where that has one. */
  readonly onLost: (hop: Hop, reason: string, code: string | null) => void;
  readonly onLeaving: (hop: Hop, ms: number) => void;
}

/** What a session of the path begins with. */
interface Place {
  readonly feeder: string | null;
  readonly donor: string | null;
}

export class Line implements Disposable {
  readonly #options: LineOptions;
  hops: Hop[] = [];
  #log: RowLog | null = null;
  /** How rows go to the first shard. */
  #types: LinkTypes;
  #maxRows = 0;
  #closed: Promise<unknown> = Promise.resolve();

  constructor(options: LineOptions) {
    this.#options = options;
    this.#types = this.#atFirst;
  }

  get width(): number {
    return this.hops[0]!.width;
  }

  /** Rows of a step that every shard takes. */
  get maxRows(): number {
    return this.#maxRows;
  }

  get someGone(): boolean {
    return this.hops.some(({ gone }) => gone);
  }

  /** What was sent to the first shard. */
  get log(): RowLog {
    return this.#log!;
  }

  /** Opens sessions at all shards at once and links them. Nothing is sent before. */
  async open(signal: AbortSignal): Promise<void> {
    const { shards, cells, allLimits } = this.#options;
    const opened = await Promise.allSettled(
      shards.map((offer, k) =>
        this.openHop(offer, { feeder: shards[k - 1]?.peer ?? null, donor: null }, signal),
      ),
    );
    this.hops = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = opened.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    for (const hop of this.hops) if (hop.width !== this.width) throw unlike();
    this.#maxRows = Math.min(...this.hops.map(({ maxRows }) => maxRows), fitting(this.width));
    this.#log = new RowLog({ cells, width: this.width });
    const links = this.hops.keys().take(this.hops.length - 1);
    await this.link([...links], () => false, 1);
    if (this.#options.type === 'auto') {
      await Promise.all(this.hops.map((hop) => hop.ping(allLimits.probeMs)));
      await this.tune();
    }
    const gone = this.hops.find((hop) => hop.gone);
    if (gone !== undefined)
      throw new KithError('path_lost', `The shard at ${gone.peer} was lost at once.`, { status: 502 });
  }

  /** @throws KithError also when the shard does not fit the others of the path */
  async openHop(offer: ShardOffer, { feeder, donor }: Place, signal: AbortSignal): Promise<Hop> {
    const { swarm, model, shards, cells, random, allLimits, end, clock } = this.#options;
    const late = AbortSignal.timeout(allLimits.openMs);
    const { peer, from, to } = offer;
    const session = random.bytes(SHARD_BOUNDS.sessionBytes);
    const hop = await Hop.open({
      swarm,
      model,
      offer,
      cells,
      session,
      feeder,
      donor,
      last: to === shards.at(-1)!.to,
      types: this.#atFirst,
      work: this.#options.work?.used({ peer, model, from, to, session }) ?? null,
      signal: AbortSignal.any([late, signal, end]),
      now: () => clock.monotonic(),
      onRows: this.#options.onRows,
      onFail: (failed, { code, message }) => this.#options.onFail(failed, code, message),
      onGone: (gone, error) =>
        this.#options.onLost(gone, messageOf(error), isKithError(error) ? error.code : null),
      onLeaving: this.#options.onLeaving,
    });
    const first = this.hops[0];
    if (first === undefined || (hop.width === first.width && hop.maxRows >= this.#maxRows)) return hop;
    void hop.close();
    if (hop.width !== first.width) throw unlike();
    const why = `The shard at ${offer.peer} takes ${hop.maxRows} rows in a step; this path has up to ${this.#maxRows}.`;
    throw new KithError('path_invalid', why, { status: 502 });
  }

  /** Links the hops `ks` to their next ones, from the last to the first. @throws KithError `path_lost` */
  async link(ks: readonly number[], replays: (k: number) => boolean, from: number): Promise<void> {
    for (const k of [...ks].reverse()) {
      const [hop, next] = [this.hops[k]!, this.hops[k + 1]!];
      const stands = await hop.link(next, { replay: replays(k), from, ms: this.#options.allLimits.openMs });
      if (stands) {
        if (hop.linkMs !== null) this.#options.onLink?.(hop.peer, next.peer, hop.linkMs);
        continue;
      }
      const error = new KithError('path_lost', 'Two shards of the path cannot reach each other.', {
        status: 502,
      });
      // Which of the two is at fault cannot be seen from here: the one that was asked.
      if (!hop.gone) hop.drop(error);
      throw error;
    }
  }

  /** Tells the shard after `k` who feeds it now, before anything comes from there. */
  async nameFeeder(k: number): Promise<void> {
    const behind = this.hops[k + 1];
    if (behind === undefined) return;
    await behind.send({ k: 'feeder', peer: this.hops[k]!.peer });
    if ((await behind.ping(this.#options.allLimits.openMs)) === null)
      behind.drop(new Error('it does not answer'));
  }

  /** Chooses how rows travel on each link, by its round trip. */
  async tune(): Promise<void> {
    const { type = 'f32' } = this.#options;
    if (type !== 'auto') return;
    this.#types = typesFor(type, this.hops[0]!.rttMs);
    for (const [k, hop] of this.hops.entries()) {
      const isLast = k === this.hops.length - 1;
      await hop.useTypes(typesFor(type, isLast ? hop.rttMs : hop.linkMs));
    }
  }

  put(step: Step): Promise<void> {
    const { metadata, payload } = encodeStep(step, this.width, this.#types);
    for (const [k, { work }] of this.hops.entries()) work?.sent(step, k === 0 ? payload : null);
    return this.hops[0]!.send(metadata, payload);
  }

  /** Before anything is known of links they are exact. */
  get #atFirst(): LinkTypes {
    const { type = 'f32' } = this.#options;
    return type === 'auto' ? EXACT : typesFor(type, null);
  }

  /** Steps are about to be sent again: all but the first shard may get up to so much from another one. */
  mayRepeat(waitingRows: number): void {
    const { steps, rows } = this.log.kept;
    const most = rows + waitingRows;
    for (const { work } of this.hops.slice(1))
      work?.mayRepeat({ prompt: most, decode: 0, replayed: most, steps: 2 * (steps + waitingRows) });
  }

  /** Resolves when all sessions have ended. */
  get closed(): Promise<unknown> {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.#closed = Promise.all(this.hops.map((hop) => hop.close()));
    this.#log?.[Symbol.dispose]();
  }
}

const unlike = () =>
  new KithError('path_invalid', 'The shards of the path disagree about the model.', { status: 502 });

/** Rows that one message holds. */
const fitting = (width: number): number =>
  Math.min(SHARD_BOUNDS.rows, Math.floor(SHARD_BOUNDS.payloadBytes / (4 + 4 * width)));
