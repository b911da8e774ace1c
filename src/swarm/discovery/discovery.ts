/**
 * Discovery: keeps the registry full of what others announce, and tells others what this node does.
 *
 * @module swarm/discovery/discovery
 */
import { type Clock, LimitError, type Logger, type Random, silentLogger } from '../../base/index.ts';
import { Allowance } from '../records/allowance.ts';
import type { Announcement, Refusal, Signer } from '../records/types.ts';
import type { Registry } from '../registry/registry.ts';
import { encodeSnapshotPage, pageOf, parseSnapshotRequest, SNAPSHOT_METHOD } from '../registry/snapshot.ts';
import type { GossipMessage, GossipVerdict, IncomingCall, ReplyInit } from '../types.ts';
import { Announcer, type Offer } from './announcer.ts';
import { type FillReport, fillRegistry } from './fill.ts';
import type { Network } from './network.ts';
import { provideModel } from './provide.ts';
import { belongsOn, GENERAL_TOPIC, topicOf } from './topics.ts';

export interface DiscoveryOptions {
  readonly network: Network;
  readonly registry: Registry;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  /** As the registry's: whom to ask first. */
  readonly standing: (peer: string) => number;
  readonly log?: Logger;
  /** @default 60000 */
  readonly intervalMs?: number;
}

/** Longest envelope, with room to see that a longer one is too long. */
const TOPIC_MAX_BYTES = 4096;
/** Watched models; each is a gossip topic with a mesh of its own. */
const MAX_WATCHED = 64;
const UPKEEP_MS = 1000;
const SWEEP_MS = 30_000;
/** Between questions to one neighbour though all is well: gossip can have holes, and a record lives six minutes. */
const RECHECK_MS = 150_000;
/** Snapshot pages for one peer. */
const PAGES_PER_MINUTE = 64;
/** Between attempts to be told of a model by anybody, and to find somebody for one that nobody is known to serve. */
const REFILL_MS = [2000, 8000, 30_000, 60_000, 120_000, 300_000] as const;

interface Watch {
  users: number;
  readonly model: string;
  readonly topic: Promise<AsyncDisposable>;
  refills: number;
  refilling: boolean;
  /** Somebody gave a snapshot: what was announced before this node came. */
  answered: boolean;
  /** Monotonic ms of the next attempt to find somebody. */
  refillAt: number;
}

/** Refusals that an honest neighbour causes too: clocks, order, floods of somebody else's making. */
const BLAMELESS: ReadonlySet<Refusal> = new Set(['expired', 'too_far_ahead', 'replayed', 'rate']);

/** Starts it; resolves when the general topic is joined. Throws what the network throws. */
export async function startDiscovery(options: DiscoveryOptions): Promise<Discoverer> {
  const discoverer = new Discoverer(options);
  try {
    await discoverer.joined;
  } catch (error) {
    await discoverer.close();
    throw error;
  }
  return discoverer;
}

export class Discoverer implements AsyncDisposable {
  readonly #options: DiscoveryOptions;
  readonly #log: Logger;
  readonly #announcer: Announcer;
  readonly #pages: Allowance;
  readonly #watched = new Map<string, Watch>();
  /** Topics that are being left: joining one again has to wait. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #provided = new Map<string, AbortController>();
  readonly #providing = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #general: Promise<AsyncDisposable>;
  readonly #served: Disposable;
  readonly #upkeep: Promise<void>;

  constructor(options: DiscoveryOptions) {
    const { network, registry, signer, clock, random } = options;
    this.#options = options;
    this.#log = options.log ?? silentLogger;
    this.#pages = new Allowance({ clock, perMinute: PAGES_PER_MINUTE, names: 1024 });
    this.#announcer = new Announcer({
      signer,
      clock,
      random,
      registry,
      publish: (topic, data) => network.publish(topic, data),
      log: this.#log,
      ...(options.intervalMs === undefined ? {} : { intervalMs: options.intervalMs }),
    });
    this.#served = network.handle(SNAPSHOT_METHOD, {
      caps: { maxPayloadBytes: 0, maxMetadataBytes: 512, maxConcurrent: 2 },
      handler: (call) => this.#snapshot(call),
    });
    this.#general = this.#subscribe(GENERAL_TOPIC);
    this.#general.catch(() => undefined);
    this.#upkeep = this.#run();
  }

  /** Resolves when announcements of general interest are heard. */
  get joined(): Promise<void> {
    return this.#general.then(() => undefined);
  }

  /**
   * Says what this node does, from now on; see `Announcer.set`. Models among the offers are watched and provided for as
   * long as they are offered.
   */
  offer(offers: readonly Offer[]): void {
    this.#announcer.set(offers);
    const models = new Set(
      this.#announcer.offers.flatMap(({ model, state }) =>
        model === null || state === 'offline' ? [] : [model.hash],
      ),
    );
    for (const [model, ending] of this.#provided) {
      if (models.has(model)) continue;
      this.#provided.delete(model);
      ending.abort();
    }
    for (const model of models) {
      if (this.#provided.has(model) || this.#ending.signal.aborted) continue;
      const ending = new AbortController();
      this.#provided.set(model, ending);
      const signal = AbortSignal.any([ending.signal, this.#ending.signal]);
      const work = provideModel(
        model,
        { ...this.#options, log: this.#log, watch: (one) => this.watch(one) },
        signal,
      );
      this.#providing.add(work);
      void work.finally(() => this.#providing.delete(work));
    }
  }

  /** Hears all that is announced about a model until disposed, and asks others what they know. */
  async watch(model: string): Promise<AsyncDisposable> {
    let watch = this.#watched.get(model);
    if (watch === undefined) {
      if (this.#watched.size >= MAX_WATCHED)
        throw new LimitError(
          'swarm.watchedModels',
          MAX_WATCHED,
          `At most ${MAX_WATCHED} models are watched at once.`,
        );
      const left = this.#leaving.get(model) ?? Promise.resolve();
      const topic = left.then(() => this.#subscribe(topicOf(model)));
      watch = {
        users: 0,
        model,
        topic,
        refills: 0,
        refilling: false,
        answered: false,
        refillAt: this.#options.clock.monotonic(),
      };
      this.#watched.set(model, watch);
    }
    const held = watch;
    held.users++;
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      if (--held.users > 0 || this.#watched.get(model) !== held) return;
      this.#watched.delete(model);
      const leaving = dispose(held.topic);
      this.#leaving.set(model, leaving);
      await leaving;
      if (this.#leaving.get(model) === leaving) this.#leaving.delete(model);
    };
    try {
      await held.topic;
    } catch (error) {
      await release();
      throw error;
    }
    return { [Symbol.asyncDispose]: release };
  }

  /** Asks others at once what they know about a model, or (null) about everything. Throws only when aborted. */
  async fill(model: string | null, signal?: AbortSignal): Promise<FillReport> {
    return await this.#fill(model, 3, signal);
  }

  async #fill(model: string | null, answers: number, signal?: AbortSignal): Promise<FillReport> {
    const signals = [this.#ending.signal, ...(signal === undefined ? [] : [signal])];
    return await fillRegistry(model, { ...this.#options, answers, signal: AbortSignal.any(signals) });
  }

  /** Tells the network the addresses that a peer announced, so that it can be called. */
  async introduce(peer: string): Promise<void> {
    const addresses = new Set(this.#options.registry.of(peer).flatMap((one) => one.addrs));
    if (addresses.size > 0) await this.#options.network.learn(peer, [...addresses]);
  }

  #subscribe(topic: string): Promise<AsyncDisposable> {
    return this.#options.network.subscribe(topic, {
      maxBytes: TOPIC_MAX_BYTES,
      validate: (message) => this.#validate(message),
    });
  }

  #validate({ topic, from, via, data }: GossipMessage): GossipVerdict {
    const offered = this.#options.registry.offer(data, { author: from, sender: via });
    // The same record on a second topic is known; it has to spread there as well.
    if (offered.ok) return belongsOn(topic, offered.announcement) ? 'accept' : 'reject';
    return BLAMELESS.has(offered.refusal) ? 'ignore' : 'reject';
  }

  #snapshot({ peer, metadata }: IncomingCall): ReplyInit {
    if (!this.#pages.take(peer)) {
      const message = `At most ${PAGES_PER_MINUTE} pages of the registry are given to one peer in a minute.`;
      throw new LimitError('swarm.snapshotPages', PAGES_PER_MINUTE, message, { retryAfter: 60 });
    }
    return { payload: encodeSnapshotPage(pageOf(this.#options.registry, parseSnapshotRequest(metadata))) };
  }

  async #run(): Promise<void> {
    const { clock, registry } = this.#options;
    const { signal } = this.#ending;
    let sweepAt = clock.monotonic() + SWEEP_MS;
    while (!signal.aborted) {
      await clock.sleep(UPKEEP_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (clock.monotonic() >= sweepAt) {
        registry.sweep();
        sweepAt = clock.monotonic() + SWEEP_MS;
      }
      for (const watch of this.#watched.values()) void this.#refill(watch);
    }
  }

  /** Asks others about a model: at first, while nobody is known to serve it, and now and then. Never throws. */
  async #refill(watch: Watch): Promise<void> {
    const { clock } = this.#options;
    if (watch.refilling || clock.monotonic() < watch.refillAt) return;
    const isWell = () => watch.answered && this.#isServed(watch.model);
    watch.refilling = true;
    const report = await this.#fill(watch.model, isWell() ? 1 : 3).catch(() => null);
    watch.refilling = false;
    watch.answered ||= report !== null && report.answered > 0;
    if (isWell()) watch.refills = 0;
    const wait = isWell() ? RECHECK_MS : REFILL_MS[Math.min(watch.refills++, REFILL_MS.length - 1)]!;
    watch.refillAt = clock.monotonic() + wait;
    if (report !== null) this.#log.debug(`Asked for model ${watch.model}.`, { ...summaryOf(report) });
  }

  #isServed(model: string): boolean {
    const { registry } = this.#options;
    const serves = (one: Announcement) =>
      one.model?.hash === model && one.peer !== registry.self && one.state === 'online';
    for (const { announcement } of registry.records()) if (serves(announcement)) return true;
    return false;
  }

  /** Says farewell and leaves all topics. */
  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    await this.#announcer.close();
    this.#ending.abort();
    this.#served[Symbol.dispose]();
    await Promise.allSettled([
      this.#upkeep,
      ...this.#providing,
      ...[...this.#watched.values()].map(({ topic }) => dispose(topic)),
      ...this.#leaving.values(),
      dispose(this.#general),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Never throws: a topic that was not joined, or a network that is gone, has nothing to be left. */
async function dispose(one: Promise<AsyncDisposable>): Promise<void> {
  try {
    await (await one)[Symbol.asyncDispose]();
  } catch {}
}

function summaryOf({ asked, answered, learned, failed }: FillReport) {
  return { asked, answered, learned, failed: failed.length };
}
