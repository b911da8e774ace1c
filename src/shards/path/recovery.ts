/**
 * Puts other shards in the place of one, while the steps of the path wait: of one that is lost, by sending what was sent to
 * it again, to one or to several that share its blocks; of one that leaves, by having it bring its KV rows to another, and by
 * sending again where that fails.
 *
 * @module shards/path/recovery
 */
import { messageOf } from '../../base/index.ts';
import type { BlockSpan } from '../types.ts';
import type { Hop, ShardOffer } from './hop.ts';
import type { Line } from './line.ts';
import type { Steps, Waiting } from './steps.ts';
import type { PathLimits, PathOptions } from './types.ts';

export interface RecoveryOptions extends PathOptions {
  readonly allLimits: PathLimits;
  /** Fires when the path closes. */
  readonly end: AbortSignal;
  readonly line: Line;
  readonly steps: Steps;
  /** Nobody takes the place. */
  readonly onHopeless: (lost: string, cause: unknown) => void;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  /** Peers that were lost on this path. */
  readonly #lost = new Set<string>();
  /** Shards that took a place and are not up to date yet. */
  readonly #stale = new Set<Hop>();
  /** Why the last one was lost. */
  #why = '';
  /** The path is mended, and the rows that it stood still for since then have not come yet; monotonic ms. */
  #still: number | null = null;
  #working: Promise<unknown> = Promise.resolve();
  #leaving: Promise<void> = Promise.resolve();
  /** Steps are kept back: a shard is being replaced. */
  #mending = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  get mending(): boolean {
    return this.#mending;
  }

  /** Resolves when no shard is being replaced. Never rejects. */
  get working(): Promise<unknown> {
    return this.#working;
  }

  /** Sends a step, now or once the path is whole. */
  take(step: Waiting): void {
    if (!this.#mending) void this.#send(step);
  }

  lost(hop: Hop, reason: string): void {
    const { peer, offer } = hop;
    const { line, steps, end, onEvent, log } = this.#options;
    if (end.aborted || !line.hops.includes(hop)) return;
    this.#lost.add(peer);
    this.#why = reason;
    onEvent?.({ type: 'lost', peer, span: { from: offer.from, to: offer.to }, reason });
    log.info('a shard of the path is lost', { peer, reason });
    steps.wake();
    if (this.#mending) return;
    this.#mending = true;
    // An answer stands still since the last rows came, not since the loss was noticed.
    this.#working = this.#recover(this.#still ?? steps.oldest?.since);
    this.#still = null;
  }

  /** Rows have come. */
  came(): void {
    if (this.#still === null || this.#mending) return;
    this.#options.onEvent?.({ type: 'recovered', ms: this.#options.clock.monotonic() - this.#still });
    this.#still = null;
  }

  /** What the shards after this place have is of wrong rows: it is computed again when the next one joins. */
  distrust(place: number): void {
    for (const hop of this.#options.line.hops.slice(place + 1)) this.#stale.add(hop);
  }

  /** A shard that is about to go: somebody else takes its place before, if there is somebody. */
  leaves(hop: Hop, ms: number): void {
    // One after another: each names the one before it to the new one.
    this.#leaving = this.#leaving.then(() => this.#leave(hop, ms));
  }

  /** Never rejects. */
  async #leave(hop: Hop, ms: number): Promise<void> {
    const { line, log, substitute, onEvent } = this.#options;
    const { peer, offer } = hop;
    onEvent?.({ type: 'leaving', peer, ms });
    try {
      const next = await substitute({ from: offer.from, to: offer.to }, new Set([...this.#lost, peer]));
      const place = line.hops.indexOf(hop);
      // KV rows go from one to one. Several take the place when it is gone.
      if (next?.length !== 1 || place < 0)
        log.info('no other shard takes the place of one that leaves', { peer, ms });
      else await this.move(place, next[0]!);
    } catch (error) {
      // It serves until it goes; what comes then is a loss like any other.
      log.info('the place of a shard that leaves could not be taken', { peer, reason: messageOf(error) });
    }
  }

  /**
   * Goes on at another shard of the same blocks, with the KV rows of the one that is there.
   *
   * @returns whether it came to that: false when the shard was lost or replaced meanwhile
   * @throws KithError why no session could be had there; the path goes on as it was
   */
  async move(place: number, offer: ShardOffer): Promise<boolean> {
    const { line, end } = this.#options;
    await this.#working;
    const old = line.hops[place];
    if (old === undefined || old.gone || end.aborted) return false;
    // Others took the place meanwhile, and there are more of them.
    if (old.offer.from !== offer.from || old.offer.to !== offer.to) return false;
    const feeder = this.#feederOf(place);
    const fresh = await line.openHop(offer, { feeder, donor: old.peer }, end);
    await this.#working;
    if (
      this.#mending ||
      end.aborted ||
      old.gone ||
      line.hops[place] !== old ||
      this.#feederOf(place) !== feeder
    ) {
      void fresh.close();
      return false;
    }
    this.#mending = true;
    const working = this.#change(place, old, fresh);
    this.#working = working;
    await working;
    return line.hops[place] === fresh;
  }

  #feederOf(place: number): string | null {
    return this.#options.line.hops[place - 1]?.peer ?? null;
  }

  /** Never rejects. */
  async #change(place: number, old: Hop, fresh: Hop): Promise<void> {
    const { line, steps, clock, log, onEvent, allLimits } = this.#options;
    const begun = clock.monotonic();
    // What is under way goes through the old one to its end.
    using guard = this.#guard([...line.hops, fresh]);
    const idle = await steps.idle(allLimits.moveMs);
    const ready = idle && !old.gone && !fresh.gone;
    const moved = ready ? await Promise.race([old.move(fresh, allLimits.moveMs), guard.silence]) : null;
    line.hops[place] = fresh;
    void old.close();
    const span = { from: old.offer.from, to: old.offer.to };
    onEvent?.({ type: 'joined', peer: fresh.peer, span });
    const cells = moved?.k === 'moved' ? moved.cells : null;
    if (cells === null) {
      const reason = moved?.k === 'unmoved' ? moved.message : 'it was not done in time';
      log.info('KV rows could not be moved', { from: old.peer, to: fresh.peer, reason });
      this.#why = 'a shard was to be replaced';
      this.#stale.add(fresh);
    } else await this.#link(place).catch(() => this.#stale.add(fresh));
    await this.#recover(begun);
    const ms = clock.monotonic() - begun;
    if (!fresh.gone) onEvent?.({ type: 'moved', from: old.peer, to: fresh.peer, cells, ms });
  }

  /** Asks shards again and again whether they live; one that does not say so is dropped, and nobody waits for it. */
  #guard(hops: readonly Hop[]): Disposable & { readonly silence: Promise<null> } {
    const { steps, allLimits } = this.#options;
    const silence = Promise.withResolvers<null>();
    let asking = false;
    const timer = setInterval(async () => {
      if (asking) return;
      asking = true;
      const pongs = await Promise.all(hops.map((hop) => (hop.gone ? null : hop.ping(allLimits.probeMs))));
      asking = false;
      if (pongs.every((pong) => pong !== null)) return;
      for (const [k, hop] of hops.entries())
        if (pongs[k] === null && !hop.gone) hop.drop(new Error('it did not answer while a shard was moved'));
      silence.resolve(null);
      steps.wake();
    }, allLimits.stallMs);
    return { silence: silence.promise, [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Links the shard at a place whose rows are up to date. */
  async #link(place: number): Promise<void> {
    const { line } = this.#options;
    await line.nameFeeder(place);
    const ks = [place - 1, place].filter((k) => k >= 0 && k < line.hops.length - 1);
    await line.link(ks, () => false, this.#options.steps.first);
  }

  #send(step: Waiting): Promise<void> {
    step.sent = true;
    return this.#options.line.put({ ...step, replay: false });
  }

  /** Never rejects. */
  async #recover(begun = this.#options.clock.monotonic()): Promise<void> {
    const { clock, log, line, steps, end, allLimits, onEvent } = this.#options;
    for (let round = 1; !end.aborted; round++) {
      try {
        if (line.someGone || this.#stale.size > 0) await this.#replace();
        // Those that came while the path was mended.
        for (let step = steps.unsent(); step !== null; step = steps.unsent()) await this.#send(step);
        if (line.someGone) throw new Error('another one was lost meanwhile');
        await line.tune();
      } catch (error) {
        if (!(error instanceof FinalError) && round < allLimits.substitutes) continue;
        this.#options.onHopeless(this.#why, error);
        return;
      }
      this.#mending = false;
      steps.heard();
      const ms = clock.monotonic() - begun;
      if (this.#why !== '' && steps.oldest !== null) this.#still = begun;
      else if (this.#why !== '') onEvent?.({ type: 'recovered', ms });
      this.#why = '';
      log.info('the path goes on', { ms: Math.round(ms) });
      return;
    }
  }

  /** Puts others in the place of those that are gone, and brings them up to date. */
  async #replace(): Promise<void> {
    const { line, steps } = this.#options;
    const { hops } = line;
    const opened = new Set<Hop>();
    for (let k = 0; k < hops.length; ) {
      let gone = 0;
      while (hops[k + gone]?.gone) gone++;
      if (gone === 0) {
        k++;
        continue;
      }
      const others = await this.#substitutesFor(k, gone);
      for (const old of hops.splice(k, gone, ...others)) this.#stale.delete(old);
      for (const one of others) {
        opened.add(one);
        this.#stale.add(one);
      }
      k += others.length;
    }
    const isFresh = (k: number) => this.#stale.has(hops[k]!);
    line.mayRepeat(steps.rowsWaiting);
    const from = steps.first;
    const last = hops.length - 1;
    // One that was opened now knows who feeds it.
    for (let k = 0; k < last; k++) if (isFresh(k) && !opened.has(hops[k + 1]!)) await line.nameFeeder(k);
    const links = [...hops.keys()].filter((k) => k < last && (isFresh(k) || isFresh(k + 1)));
    await line.link(links, (k) => isFresh(k + 1), from);
    if (isFresh(0))
      for (const step of line.log.steps()) {
        const waiting = steps.get(step.n);
        if (waiting !== null) waiting.sent = true;
        await line.put({ ...step, replay: step.n < from });
      }
    if (line.someGone) throw new Error('another one was lost meanwhile');
    this.#stale.clear();
  }

  /** Those that take the place of `count` shards in a row, open and in order. */
  async #substitutesFor(place: number, count: number): Promise<readonly Hop[]> {
    const { line, allLimits, end } = this.#options;
    const gone = line.hops.slice(place, place + count);
    const span = { from: gone[0]!.offer.from, to: gone.at(-1)!.offer.to };
    for (let tries = 0; tries < allLimits.substitutes; tries++) {
      const offers = await this.#offersFor(span, gone);
      const opened = await this.#open(offers, this.#feederOf(place));
      if (opened !== null) return opened;
      if (end.aborted) throw new Error('the path was closed');
    }
    throw new FinalError('no substitute could be reached');
  }

  async #offersFor(span: BlockSpan, gone: readonly Hop[]): Promise<readonly ShardOffer[]> {
    const { substitute } = this.#options;
    const all = await substitute(span, this.#lost);
    if (all !== null && all.length > 0) return all;
    // Who could load the blocks of one may have no room for those of several.
    const offers: ShardOffer[] = [];
    for (const { offer } of gone.length > 1 ? gone : []) {
      const some = await substitute({ from: offer.from, to: offer.to }, this.#lost);
      if (some === null) break;
      offers.push(...some);
    }
    if (offers.at(-1)?.to !== span.to) throw new FinalError('no other node serves these blocks');
    return offers;
  }

  /** All of them, or null. Those that could not be had are not asked again. */
  async #open(offers: readonly ShardOffer[], feeder: string | null): Promise<readonly Hop[] | null> {
    const { line, end, log, onEvent } = this.#options;
    const opened = await Promise.allSettled(
      offers.map((offer, i) =>
        line.openHop(offer, { feeder: offers[i - 1]?.peer ?? feeder, donor: null }, end),
      ),
    );
    const hops = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const [i, one] of opened.entries()) {
      if (one.status === 'fulfilled' && !one.value.gone) continue;
      const { peer } = offers[i]!;
      if (!end.aborted) this.#lost.add(peer);
      const reason = one.status === 'rejected' ? messageOf(one.reason) : 'it was lost at once';
      log.info('a substitute could not be had', { peer, reason });
    }
    if (end.aborted || hops.length < offers.length || hops.some(({ gone }) => gone)) {
      for (const hop of hops) void hop.close();
      return null;
    }
    for (const { peer, offer } of hops)
      onEvent?.({ type: 'joined', peer, span: { from: offer.from, to: offer.to } });
    return hops;
  }
}

/** Another try would come to the same. */
class FinalError extends Error {}
