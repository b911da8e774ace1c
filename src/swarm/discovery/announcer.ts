/**
 * Says what this node does: on change, about once a minute, and a farewell at the end.
 *
 * Sequence numbers are the clock, and one more than the last where the clock stands or goes back a little. A clock that
 * was far ahead and is set back starts again from its new time: nobody with a right clock believed the numbers between.
 *
 * @module swarm/discovery/announcer
 */
import { type Clock, type Logger, messageOf, type Random, silentLogger } from '../../base/index.ts';
import { Allowance } from '../records/allowance.ts';
import { ANNOUNCEMENT_MAX_LIFE_MS, signAnnouncement } from '../records/announcement.ts';
import type { Announcement, Signer } from '../records/types.ts';
import { MAX_SKEW_MS } from '../records/verify.ts';
import type { Registry } from '../registry/registry.ts';
import { topicOf, topicsOf } from './topics.ts';

/** What a node says about one model, or about itself (`model` null). */
export type Offer = Omit<Announcement, 'peer' | 'seq' | 'exp'>;

export interface AnnouncerOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  /** Own records are kept there as those of others are. */
  readonly registry: Registry;
  /** Resolves to the number of neighbours it went to. */
  readonly publish: (topic: string, data: Uint8Array) => Promise<number>;
  readonly log?: Logger;
  /** Between two statements of the same, ms; each time up to a sixth more or less. @default 60000 */
  readonly intervalMs?: number;
  /** Life of a statement, ms. @default 360000 */
  readonly lifeMs?: number;
}

/** Statements about more are not kept by others. One is left for the node itself. */
export const MAX_OFFERS = 16;
/** Beside those that are due. */
const CHANGES_PER_MINUTE = 24;
/** A look at the clock, so that one that was set is noticed soon. */
const LOOK_MS = 5000;
/** Difference of wall and monotonic clock that is more than drift. */
const JUMP_MS = 2000;
/** A figure is news when it changed by more than this share. */
const NEWS = 0.25;
/** When nobody was there to hear it: a node that has just started meets its neighbours a moment later. */
const UNHEARD_MS = 1000;
/** A network that takes longer may do so behind the announcer's back. */
const PUBLISH_MS = 2000;

interface Standing {
  offer: Offer;
  /** How often in a row nobody was there to hear it. */
  unheard: number;
  /** Monotonic ms when it is to be said again. */
  due: number;
  changed: boolean;
}

const FAREWELL = {
  blocks: [],
  tokensPerSecond: null,
  latencyMs: null,
  freeCacheTokens: 0,
  maxBatch: 0,
  protocols: [],
  relayed: false,
  addrs: [],
  regions: [],
  serves: [],
  trust: [],
  state: 'offline',
} as const;

export class Announcer implements AsyncDisposable {
  readonly #options: AnnouncerOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #changes: Allowance;
  readonly #standing = new Map<string, Standing>();
  /** Models that were announced since the start: their topics get the farewell. */
  readonly #models = new Set<string>();
  readonly #ending = new AbortController();
  readonly #loop: Promise<void>;
  #wake: AbortController = new AbortController();
  #lastSeq = 0;
  /** Wall clock minus monotonic clock. */
  #offset: number;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log ?? silentLogger;
    this.#intervalMs = options.intervalMs ?? 60_000;
    this.#changes = new Allowance({ clock: options.clock, perMinute: CHANGES_PER_MINUTE });
    this.#offset = this.#clock.now() - this.#clock.monotonic();
    this.#loop = this.#run();
  }

  /** What is being said now. */
  get offers(): readonly Offer[] {
    return [...this.#standing.values()].map(({ offer }) => offer);
  }

  /**
   * Says this from now on, and no longer what it said before about other models. At most `MAX_OFFERS`; the first count.
   * Call it as often as anything changes: small changes of figures wait for the next time.
   */
  set(offers: readonly Offer[]): void {
    const kept = offers.slice(0, MAX_OFFERS);
    if (kept.length < offers.length)
      this.#log.warn(`Only the first ${MAX_OFFERS} of ${offers.length} offers are announced.`);
    const names = new Set(kept.map(nameOf));
    for (const [name, standing] of this.#standing) {
      if (names.has(name) || standing.offer.state === 'offline') continue;
      standing.offer = { ...FAREWELL, model: standing.offer.model };
      standing.changed = true;
    }
    for (const offer of kept) {
      const standing = this.#standing.get(nameOf(offer));
      if (standing === undefined)
        this.#standing.set(nameOf(offer), { offer, unheard: 0, due: this.#clock.monotonic(), changed: true });
      else {
        standing.changed ||= isNews(standing.offer, offer);
        standing.offer = offer;
      }
    }
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#noticeJump();
      await this.#sayDue();
      // A change that came while something was said is looked at again at once.
      const wake = this.#wake;
      if (!wake.signal.aborted)
        await this.#clock
          .sleep(this.#untilDue(), AbortSignal.any([signal, wake.signal]))
          .catch(() => undefined);
      this.#wake = new AbortController();
    }
  }

  /** Ms until something is due, and no longer than until the next look at the clock. */
  #untilDue(): number {
    const now = this.#clock.monotonic();
    const due = Math.min(...[...this.#standing.values()].map((standing) => standing.due));
    return Math.min(LOOK_MS, Math.max(10, Math.ceil(due - now)));
  }

  /** What was said by a wrong clock is worth nothing: all is said again at once. */
  #noticeJump(): void {
    const offset = this.#clock.now() - this.#clock.monotonic();
    if (Math.abs(offset - this.#offset) < JUMP_MS) return;
    this.#log.info(`The clock was set by ${Math.round(offset - this.#offset)} ms.`);
    this.#offset = offset;
    this.#options.registry.sweep();
    for (const standing of this.#standing.values()) standing.due = this.#clock.monotonic();
  }

  async #sayDue(): Promise<void> {
    for (const [name, standing] of [...this.#standing]) {
      if (this.#ending.signal.aborted) return;
      const isDue = standing.due <= this.#clock.monotonic();
      if (!isDue && !(standing.changed && this.#changes.take('changes'))) continue;
      standing.changed = false;
      if (standing.offer.state === 'offline') this.#standing.delete(name);
      const wasHeard = await this.#say(standing.offer);
      standing.unheard = wasHeard ? 0 : standing.unheard + 1;
      const wait = wasHeard
        ? this.#intervalMs
        : Math.min(this.#intervalMs, UNHEARD_MS * 2 ** (standing.unheard - 1));
      const jitter = 1 + (this.#options.random.float() - 0.5) / 3;
      standing.due = this.#clock.monotonic() + wait * jitter;
    }
  }

  /** False when it reached nobody. */
  async #say(offer: Offer): Promise<boolean> {
    const { signer, registry } = this.#options;
    try {
      const seq = this.#nextSeq(offer.model?.hash ?? null);
      const life = offer.state === 'offline' ? ANNOUNCEMENT_MAX_LIFE_MS : (this.#options.lifeMs ?? 360_000);
      const exp = Math.min(Math.floor(this.#clock.now()) + life, seq + ANNOUNCEMENT_MAX_LIFE_MS);
      const one: Announcement = { ...offer, peer: signer.peerId, seq, exp };
      const bytes = signAnnouncement(one, signer);
      if (offer.model !== null) this.#models.add(offer.model.hash);
      const offered = registry.offer(bytes, { author: signer.peerId });
      if (!offered.ok) this.#log.warn(`This node's own announcement was refused: ${offered.reason}`);
      const reached = await Promise.all(
        topicsOf(one, this.#models).map((topic) => this.#publish(topic, bytes)),
      );
      return reached.some((neighbours) => neighbours > 0);
    } catch (error) {
      // Said again within a minute.
      this.#log.warn(`${topicOf(offer.model?.hash ?? null)} was not announced: ${messageOf(error)}`);
      return false;
    }
  }

  async #publish(topic: string, bytes: Uint8Array): Promise<number> {
    const patience = new AbortController();
    try {
      return await Promise.race([
        this.#options.publish(topic, bytes),
        this.#clock.sleep(PUBLISH_MS, patience.signal).then(() => 0),
      ]);
    } catch (error) {
      this.#log.warn(`${topic}: ${messageOf(error)}`);
      return 0;
    } finally {
      patience.abort();
    }
  }

  #nextSeq(model: string | null): number {
    const now = Math.floor(this.#clock.now());
    const last = Math.max(this.#lastSeq, this.#options.registry.lastSeq(this.#options.signer.peerId, model));
    this.#lastSeq = last > now + MAX_SKEW_MS ? now : Math.max(now, last + 1);
    return this.#lastSeq;
  }

  /** Says farewell, if anything was said, and ends; within twice the time that one publication may take. */
  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    await this.#loop;
    if (this.#lastSeq === 0) return;
    await this.#say({ ...FAREWELL, model: null });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function nameOf(offer: Offer): string {
  return offer.model?.hash ?? '';
}

const FIGURES = ['tokensPerSecond', 'latencyMs', 'freeCacheTokens', 'maxBatch'] as const;

/** Whether others should hear of it before the next time. */
function isNews(before: Offer, after: Offer): boolean {
  const rest = (offer: Offer) =>
    JSON.stringify(
      Object.entries({ ...offer, ...Object.fromEntries(FIGURES.map((name) => [name, 0])) }).sort(),
    );
  if (rest(before) !== rest(after)) return true;
  return FIGURES.some((name) => {
    const [a, b] = [before[name] ?? 0, after[name] ?? 0];
    return Math.abs(a - b) > NEWS * Math.max(a, b);
  });
}
