/**
 * Puts another shard in the place of one, while the steps of the path wait: of one that is lost, by sending what was sent to
 * it again; of one that leaves, by having it bring its KV rows, and by sending again where that fails.
 *
 * @module shards/path/recovery
 */
import { messageOf } from '../../base/index.ts';
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
  /** Places of shards that were replaced and are not up to date yet. */
  readonly #stale = new Set<number>();
  /** Why the last one was lost. */
  #why = '';
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
    this.#working = this.#recover();
  }

  /** What the shards after this place have is of wrong rows: it is computed again when the next one joins. */
  distrust(place: number): void {
    for (let k = place + 1; k < this.#options.line.hops.length; k++) this.#stale.add(k);
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
      if (next === null || place < 0) log.info('nobody takes the place of a shard that leaves', { peer, ms });
      else await this.move(place, next);
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
    const feeder = line.hops[place - 1]?.peer ?? null;
    const fresh = await line.openHop(offer, { k: place, feeder, donor: old.peer }, end);
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
      this.#stale.add(place);
    } else await this.#link(place).catch(() => this.#stale.add(place));
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
      if (this.#why !== '') onEvent?.({ type: 'recovered', ms });
      this.#why = '';
      log.info('the path goes on', { ms: Math.round(ms) });
      return;
    }
  }

  /** Puts others in the place of those that are gone, and brings them up to date. */
  async #replace(): Promise<void> {
    const { line, steps } = this.#options;
    const { hops } = line;
    const fresh = new Set<number>();
    const opened = new Set<number>();
    for (const [k, hop] of hops.entries()) {
      if (!hop.gone && !this.#stale.has(k)) continue;
      if (hop.gone) {
        hops[k] = await this.#substituteFor(hop, k);
        opened.add(k);
      }
      this.#stale.add(k);
      fresh.add(k);
    }
    line.mayRepeat(steps.rowsWaiting);
    const from = steps.first;
    const last = hops.length - 1;
    // One that was opened now knows who feeds it.
    for (const k of fresh) if (!opened.has(k + 1)) await line.nameFeeder(k);
    const links = [...hops.keys()].filter((k) => k < last && (fresh.has(k) || fresh.has(k + 1)));
    await line.link(links, (k) => fresh.has(k + 1), from);
    if (fresh.has(0))
      for (const step of line.log.steps()) {
        const waiting = steps.get(step.n);
        if (waiting !== null) waiting.sent = true;
        await line.put({ ...step, replay: step.n < from });
      }
    if (line.someGone) throw new Error('another one was lost meanwhile');
    this.#stale.clear();
  }

  async #substituteFor(hop: Hop, k: number): Promise<Hop> {
    const { line, substitute, allLimits, end, log, onEvent } = this.#options;
    const { from, to } = hop.offer;
    for (let tries = 0; tries < allLimits.substitutes; tries++) {
      const offer = await substitute({ from, to }, this.#lost);
      if (offer === null) throw new FinalError('no other node serves these blocks');
      try {
        const next = await line.openHop(offer, { k, feeder: this.#feederOf(k), donor: null }, end);
        onEvent?.({ type: 'joined', peer: offer.peer, span: { from, to } });
        return next;
      } catch (error) {
        if (end.aborted) throw error;
        this.#lost.add(offer.peer);
        log.info('a substitute could not be had', { peer: offer.peer, reason: messageOf(error) });
      }
    }
    throw new FinalError('no substitute could be reached');
  }
}

/** Another try would come to the same. */
class FinalError extends Error {}
