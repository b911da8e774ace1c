/**
 * A path: sessions at shards that together compute blocks [from, to) of a model, each pushing its rows to the next. Hidden
 * states go in at the first one and come back from the last.
 *
 * When a shard is lost, stalls or fails, another takes its place: what was sent to it is sent again from the log of the one
 * before (of this node for the first), in the same steps, and the steps that wait for their rows follow. The caller
 * notices a pause. Only when nobody can take the place do the steps that wait fail, with `path_lost`.
 *
 * @module shards/path/path
 */
import { AbortedError, KithError, messageOf } from '../../base/index.ts';
import { type CarriedPart, type Carry, wantedRows } from '../../engine/index.ts';
import type { SessionMessage } from '../../swarm/index.ts';
import { RowLog } from '../row-log.ts';
import type { BlockSpan } from '../types.ts';
import { decodeRows, encodeStep, type LinkTypes, SHARD_BOUNDS, type Step } from '../wire/messages.ts';
import { Hop, type ShardOffer } from './hop.ts';
import type { Path, PathLimits, PathOptions } from './types.ts';
import { Watch } from './watch.ts';

const LIMITS: PathLimits = { stallMs: 3000, probeMs: 2000, stuckMs: 30_000, openMs: 15_000, substitutes: 8 };

interface Waiting {
  readonly n: number;
  readonly parts: readonly CarriedPart[];
  readonly hidden: Float32Array;
  /** Rows that come back. */
  readonly count: number;
  since: number;
  /** On its way through the shards. While one is replaced, steps wait. */
  sent: boolean;
  resolve(rows: Float32Array): void;
  reject(error: unknown): void;
}

/** @throws KithError what a shard answers, or why it cannot be reached */
export async function openPath(options: PathOptions, signal?: AbortSignal): Promise<Path> {
  const path = new OpenPath(options);
  try {
    await path.open(signal);
    return path;
  } catch (error) {
    await path[Symbol.asyncDispose]();
    throw error;
  }
}

class OpenPath implements Path {
  readonly span: BlockSpan;
  readonly cells: number;
  readonly #options: PathOptions;
  readonly #limits: PathLimits;
  readonly #types: LinkTypes;
  readonly #end = new AbortController();
  readonly #waiting = new Map<number, Waiting>();
  /** Peers that were lost on this path. */
  readonly #lost = new Set<string>();
  #hops: Hop[] = [];
  #log: RowLog | null = null;
  /** Why the last one was lost. */
  #why = '';
  #lastStep = 0;
  #recovering: Promise<void> | null = null;
  /** Steps are kept back: a shard is being replaced. */
  #mending = false;
  /** Places of shards that were replaced and are not up to date yet. */
  readonly #stale = new Set<number>();
  readonly #watch: Watch;

  constructor(options: PathOptions) {
    const { shards, cells } = options;
    const gap = shards.findIndex((shard, i) => i > 0 && shard.from !== shards[i - 1]!.to);
    if (shards.length === 0 || gap > 0)
      throw new KithError('path_invalid', 'The shards of a path must follow each other without gaps.', {
        status: 400,
      });
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    const type = options.type ?? 'f32';
    this.#types = { prefill: type, decode: type };
    this.span = { from: shards[0]!.from, to: shards.at(-1)!.to };
    this.cells = cells;
    this.#watch = new Watch({
      limits: this.#limits,
      now: () => options.clock.monotonic(),
      hops: () => (this.#mending || this.closed ? [] : this.#hops),
      oldest: () => this.#waiting.values().next().value ?? null,
    });
  }

  get width(): number {
    return this.#hops[0]!.width;
  }

  get closed(): boolean {
    return this.#end.signal.aborted;
  }

  shards(): readonly ShardOffer[] {
    return this.#hops.map(({ offer }) => offer);
  }

  async open(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const { shards, clock } = this.#options;
    const from = clock.monotonic();
    const opened = await Promise.allSettled(
      shards.map((offer, k) => this.#openHop(offer, k, shards[k - 1]?.peer ?? null, signal)),
    );
    this.#hops = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = opened.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    for (const hop of this.#hops)
      if (hop.width !== this.width)
        throw new KithError('path_invalid', 'The shards of the path disagree about the model.', {
          status: 502,
        });
    this.#log = new RowLog({ cells: this.cells, width: this.width });
    await this.#linkFrom(this.#hops.map((_, k) => k).slice(0, -1), () => false, 1);
    const gone = this.#hops.find((hop) => hop.gone);
    if (gone !== undefined)
      throw new KithError('path_lost', `The shard at ${gone.peer} was lost at once.`, { status: 502 });
    this.#options.log.debug('path open', { shards: shards.length, ms: clock.monotonic() - from });
  }

  readonly carry: Carry = (parts, hidden, signal) =>
    new Promise((resolve, reject) => {
      if (this.closed) throw this.#end.signal.reason;
      if (signal.aborted) throw new AbortedError(undefined, { cause: signal.reason });
      const n = ++this.#lastStep;
      const count = parts.reduce((sum, part) => sum + wantedRows(part), 0);
      const onAbort = () => {
        this.#waiting.delete(n);
        reject(new AbortedError(undefined, { cause: signal.reason }));
      };
      const settle = () => signal.removeEventListener('abort', onAbort);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(n, {
        n,
        parts,
        hidden,
        count,
        since: this.#options.clock.monotonic(),
        sent: false,
        resolve(rows) {
          settle();
          resolve(rows);
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
      this.#log!.record({ n, replay: false, parts, hidden });
      this.#watch.start();
      if (!this.#mending) void this.#sendStep(this.#waiting.get(n)!);
    });

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new KithError('path_closed', 'The path was closed.', { status: 503 }));
    await this.#recovering;
  }

  #close(error: KithError): void {
    if (this.closed) return;
    this.#end.abort(error);
    this.#watch.stop();
    for (const hop of this.#hops) hop.close();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#log?.[Symbol.dispose]();
  }

  #openHop(offer: ShardOffer, k: number, feeder: string | null, signal: AbortSignal): Promise<Hop> {
    const { swarm, model, shards, random } = this.#options;
    const late = AbortSignal.timeout(this.#limits.openMs);
    return Hop.open({
      swarm,
      model,
      offer,
      cells: this.cells,
      session: random.bytes(SHARD_BOUNDS.sessionBytes),
      feeder,
      last: k === shards.length - 1,
      donor: null,
      types: this.#types,
      signal: AbortSignal.any([late, signal, this.#end.signal]),
      onRows: (message) => this.#onRows(message),
      onFail: (hop, { code, message }) => this.#onFail(hop, code, message),
      onGone: (hop, error) => this.#onLost(hop, messageOf(error)),
    });
  }

  /** Links the hops `ks` to their next ones, from the last to the first. */
  async #linkFrom(ks: readonly number[], replays: (k: number) => boolean, from: number): Promise<void> {
    for (const k of [...ks].reverse()) {
      const [hop, next] = [this.#hops[k]!, this.#hops[k + 1]!];
      const stands = await hop.link(next, { replay: replays(k), from, ms: this.#limits.openMs });
      if (stands) continue;
      const error = new KithError('path_lost', 'Two shards of the path cannot reach each other.', {
        status: 502,
      });
      // Which of the two is at fault cannot be seen from here: the one that was asked.
      if (!hop.gone) hop.drop(error);
      throw error;
    }
  }

  #sendStep(step: Waiting): Promise<void> {
    step.sent = true;
    return this.#put({ ...step, replay: false });
  }

  #put(step: Step): Promise<void> {
    const { metadata, payload } = encodeStep(step, this.width, this.#types);
    return this.#hops[0]!.send(metadata, payload);
  }

  #onRows(message: SessionMessage): void {
    // Rows of a step that was sent twice come twice.
    const back = decodeRows(message, this.width, (n) => this.#waiting.get(n)?.count ?? null);
    if (back === null) return;
    for (let i = 0; i < back.rows.length; i++)
      if (!Number.isFinite(back.rows[i]))
        throw new KithError('shard_malformed', 'The shard sent a row that is not finite.', { status: 502 });
    const step = this.#waiting.get(back.n)!;
    this.#waiting.delete(back.n);
    // Whoever computes is alive: the others' time begins anew.
    const now = this.#options.clock.monotonic();
    for (const other of this.#waiting.values()) other.since = now;
    step.resolve(back.rows);
  }

  /** A shard says that it cannot go on: it is as good as gone, unless it only says that the next one is. */
  #onFail(hop: Hop, code: string, message: string): void {
    const k = this.#hops.indexOf(hop);
    if (k < 0) return;
    if (code === 'shard_next_lost') {
      // What is being mended may be that.
      if (!this.#mending) this.#hops[k + 1]?.drop(new Error(message));
    } else hop.drop(new Error(`${code}: ${message}`));
  }

  #onLost(hop: Hop, reason: string): void {
    const { peer, offer } = hop;
    if (this.closed || !this.#hops.includes(hop)) return;
    this.#lost.add(peer);
    this.#why = reason;
    this.#options.onEvent?.({ type: 'lost', peer, span: { from: offer.from, to: offer.to }, reason });
    this.#options.log.info('a shard of the path is lost', { peer, reason });
    if (this.#mending) return;
    this.#mending = true;
    this.#recovering = this.#recover();
  }

  /** Never rejects. */
  async #recover(): Promise<void> {
    const { clock, log } = this.#options;
    const begun = clock.monotonic();
    for (let round = 1; !this.closed; round++) {
      try {
        await this.#replace();
        for (;;) {
          // Those that came while the path was mended.
          const step = this.#waiting.values().find(({ sent }) => !sent);
          if (step === undefined) break;
          await this.#sendStep(step);
        }
        if (this.#hops.some(({ gone }) => gone)) throw new Error('another one was lost meanwhile');
      } catch (error) {
        if (!(error instanceof FinalError) && round < this.#limits.substitutes) continue;
        this.#giveUp(error);
        return;
      }
      this.#mending = false;
      const now = clock.monotonic();
      for (const step of this.#waiting.values()) step.since = now;
      this.#options.onEvent?.({ type: 'recovered', ms: now - begun });
      log.info('the path goes on', { ms: Math.round(now - begun) });
      return;
    }
  }

  #giveUp(cause: unknown): void {
    const reason = messageOf(cause);
    this.#options.onEvent?.({ type: 'failed', reason });
    const message = `A shard of the path was lost (${this.#why}), and nobody could take its place: ${reason}.`;
    this.#close(new KithError('path_lost', message, { status: 503, cause }));
  }

  /** Puts others in the place of those that are gone, and brings them up to date. */
  async #replace(): Promise<void> {
    const fresh = new Set<number>();
    for (const [k, hop] of this.#hops.entries()) {
      if (!hop.gone && !this.#stale.has(k)) continue;
      if (hop.gone) this.#hops[k] = await this.#substituteFor(hop, k);
      this.#stale.add(k);
      fresh.add(k);
    }
    const from = Math.min(this.#lastStep + 1, ...this.#waiting.keys());
    const last = this.#hops.length - 1;
    for (const k of fresh) {
      const behind = this.#hops[k + 1];
      if (behind === undefined || fresh.has(k + 1)) continue;
      // It takes its steps from another now; it must know before that one comes.
      await behind.send({ k: 'feeder', peer: this.#hops[k]!.peer });
      if ((await behind.ping(this.#limits.openMs)) === null) behind.drop(new Error('it does not answer'));
    }
    const links = this.#hops.map((_, k) => k).filter((k) => k < last && (fresh.has(k) || fresh.has(k + 1)));
    await this.#linkFrom(links, (k) => fresh.has(k + 1), from);
    if (fresh.has(0))
      for (const step of this.#log!.steps()) {
        const live = step.n >= from;
        const waiting = this.#waiting.get(step.n);
        if (waiting !== undefined) waiting.sent = true;
        await this.#put({ ...step, replay: !live });
      }
    if (this.#hops.some(({ gone }) => gone)) throw new Error('another one was lost meanwhile');
    this.#stale.clear();
  }

  async #substituteFor(hop: Hop, k: number): Promise<Hop> {
    const { from, to } = hop.offer;
    for (let tries = 0; tries < this.#limits.substitutes; tries++) {
      const offer = await this.#options.substitute({ from, to }, this.#lost);
      if (offer === null) throw new FinalError('no other node serves these blocks');
      try {
        const feeder = this.#hops[k - 1]?.peer ?? null;
        const next = await this.#openHop(offer, k, feeder, this.#end.signal);
        this.#options.onEvent?.({ type: 'joined', peer: offer.peer, span: { from, to } });
        return next;
      } catch (error) {
        if (this.closed) throw error;
        this.#lost.add(offer.peer);
        this.#options.log.info('a substitute could not be had', {
          peer: offer.peer,
          reason: messageOf(error),
        });
      }
    }
    throw new FinalError('no substitute could be reached');
  }
}

/** Another try would come to the same. */
class FinalError extends Error {}
