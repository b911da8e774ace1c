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
import type { Carry } from '../../engine/index.ts';
import type { SessionMessage } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import type { Shown, Written } from '../wire/audit.ts';
import { decodeRows } from '../wire/messages.ts';
import type { Hop, ShardOffer } from './hop.ts';
import { Line } from './line.ts';
import { Recovery } from './recovery.ts';
import { cutPieces, joinRows, Steps } from './steps.ts';
import type { Path, PathLimits, PathOptions } from './types.ts';
import { Watch } from './watch.ts';

/** By which a shard ends a session that has had its time (serve/admission.ts). */
const OVER: ReadonlySet<string> = new Set(['shard_idle', 'shard_lease_over']);

const LIMITS: PathLimits = {
  stallMs: 3000,
  probeMs: 2000,
  stuckMs: 30_000,
  beatMs: 15_000,
  stepMs: 180_000,
  moveMs: 30_000,
  openMs: 15_000,
  substitutes: 8,
};

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
  readonly #end = new AbortController();
  readonly #steps: Steps;
  readonly #line: Line;
  readonly #recovery: Recovery;
  readonly #watch: Watch;

  constructor(options: PathOptions) {
    const { shards, cells, clock } = options;
    const gap = shards.findIndex((shard, i) => i > 0 && shard.from !== shards[i - 1]!.to);
    if (shards.length === 0 || gap > 0)
      throw new KithError('path_invalid', 'The shards of a path must follow each other without gaps.', {
        status: 400,
      });
    this.#options = options;
    this.span = { from: shards[0]!.from, to: shards.at(-1)!.to };
    this.cells = cells;
    const allLimits = { ...LIMITS, ...options.limits };
    const end = this.#end.signal;
    const now = () => clock.monotonic();
    this.#steps = new Steps(now);
    this.#line = new Line({
      ...options,
      allLimits,
      end,
      onRows: (message) => this.#onRows(message),
      onFail: (hop, code, message) => this.#onFail(hop, code, message),
      onLost: (hop, reason, code) => this.#onLost(hop, reason, code),
      onLeaving: (hop, ms) => this.#recovery.leaves(hop, ms),
    });
    this.#recovery = new Recovery({
      ...options,
      allLimits,
      end,
      line: this.#line,
      steps: this.#steps,
      onHopeless: (lost, cause) =>
        this.#giveUp(`A shard of the path was lost (${lost}), and nobody could take its place`, cause),
    });
    this.#watch = new Watch({
      limits: allLimits,
      now,
      hops: () => (this.#recovery.mending || this.closed ? [] : this.#line.hops),
      oldest: () => this.#steps.oldest,
      onLate: (ms) =>
        this.#giveUp(
          'The path did not come further',
          new Error(`a step took more than ${Math.round(ms)} ms`),
        ),
    });
  }

  get width(): number {
    return this.#line.width;
  }

  get maxRows(): number {
    return this.#line.maxRows;
  }

  get closed(): boolean {
    return this.#end.signal.aborted;
  }

  shards(): readonly ShardOffer[] {
    return this.#line.hops.map(({ offer }) => offer);
  }

  async open(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const { shards, clock, log } = this.#options;
    const from = clock.monotonic();
    await this.#line.open(signal);
    this.#watch.start();
    log.debug('path open', { shards: shards.length, ms: clock.monotonic() - from });
  }

  move(place: number, offer: ShardOffer): Promise<boolean> {
    const { from, to } = this.#line.hops[place]?.offer ?? offer;
    if (place < 0 || place >= this.#line.hops.length || offer.from !== from || offer.to !== to)
      throw new KithError('path_invalid', `Place ${place} of the path is of blocks [${from}, ${to}).`, {
        status: 400,
      });
    return this.#recovery.move(place, offer);
  }

  drop(peer: string, reason: string): boolean {
    const hop = this.#line.hops.find((one) => one.peer === peer && !one.gone);
    hop?.drop(new Error(reason));
    return hop !== undefined;
  }

  refuse(peer: string, reason: string): boolean {
    const place = this.#line.hops.findIndex((one) => one.peer === peer && !one.gone);
    if (place < 0 || this.closed) return false;
    this.#recovery.distrust(place);
    return this.drop(peer, reason);
  }

  async show(peer: string, written: Written, rows: boolean): Promise<Shown> {
    const hop = this.#line.hops.find((one) => one.peer === peer);
    const ms = this.#options.limits?.stuckMs ?? LIMITS.stuckMs;
    const shown = (await hop?.show(written, rows, ms)) ?? null;
    if (shown === null)
      throw new KithError('path_lost', `The shard at ${peer} showed nothing.`, { status: 502 });
    return shown;
  }

  readonly carry: Carry = async (parts, hidden, signal) => {
    if (this.closed) throw this.#end.signal.reason;
    if (signal.aborted) throw new AbortedError(undefined, { cause: signal.reason });
    const pieces = cutPieces(parts, hidden, this.width, this.maxRows);
    return joinRows(
      await Promise.all(
        pieces.map((piece) => {
          const { step, rows } = this.#steps.add(piece.parts, piece.hidden, signal);
          // It leaves before it is noted, and both before anybody can ask for it.
          this.#recovery.take(step);
          this.#line.log.record({ ...step, replay: false });
          this.#options.observer?.sent(step);
          return rows;
        }),
      ),
    );
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new KithError('path_closed', 'The path was closed.', { status: 503 }));
    await this.#recovery.working;
    await this.#line.closed;
  }

  #close(error: KithError): void {
    if (this.closed) return;
    this.#end.abort(error);
    this.#watch.stop();
    this.#steps.rejectAll(error);
    this.#steps.wake();
    this.#line[Symbol.dispose]();
  }

  #giveUp(what: string, cause: unknown): void {
    const reason = messageOf(cause);
    this.#options.onEvent?.({ type: 'failed', reason });
    this.#close(new KithError('path_lost', `${what}: ${reason}.`, { status: 503, cause }));
  }

  #onLost(hop: Hop, reason: string, code: string | null): void {
    // A path that rests has had its time there. To go on elsewhere would be to hold what nobody uses.
    if (code !== null && OVER.has(code) && this.#steps.oldest === null)
      this.#close(
        new KithError('path_closed', `The path has ended while it rested: ${reason}`, { status: 503 }),
      );
    else this.#recovery.lost(hop, reason);
  }

  #onRows(message: SessionMessage): void {
    // Rows of a step that was sent twice come twice.
    const back = decodeRows(message, this.width, (n) => this.#steps.get(n)?.count ?? null);
    if (back === null) return;
    for (let i = 0; i < back.rows.length; i++)
      if (!Number.isFinite(back.rows[i]))
        throw new KithError('shard_malformed', 'The shard sent a row that is not finite.', { status: 502 });
    const step = this.#steps.get(back.n)!;
    step.resolve(back.rows);
    this.#steps.heard();
    this.#recovery.came();
    this.#options.observer?.came(back.n, back.rows);
  }

  /** A shard says that it cannot go on: it is as good as gone, unless it only says that the next one is. */
  #onFail(hop: Hop, code: string, message: string): void {
    const { hops } = this.#line;
    const k = hops.indexOf(hop);
    if (k < 0) return;
    if (code === 'shard_next_lost') {
      // What is being mended may be that.
      if (!this.#recovery.mending) hops[k + 1]?.drop(new Error(message));
    } else hop.drop(new Error(`${code}: ${message}`));
  }
}
