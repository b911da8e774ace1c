/**
 * One session at a shard: steps come from its owner or from the shard before, go through the blocks in the order in which
 * they came, and their rows go on to the next shard, or back to the owner from the last one.
 *
 * @module shards/serve/session
 */
import { type CborMap, isKithError, KithError, type Logger, messageOf } from '../../base/index.ts';
import type { CarriedPart, CellLease } from '../../engine/index.ts';
import type { Session, SessionMessage, Swarm } from '../../swarm/index.ts';
import { Witness } from '../audit/witness.ts';
import { RowLog } from '../row-log.ts';
import { decodeAccounting, encodeAccounting, isAccounting } from '../wire/account.ts';
import { decodeShow, encodeShown } from '../wire/audit.ts';
import { type Control, decodeControl, type Whereabouts } from '../wire/control.ts';
import type { KvOpening } from '../wire/kv.ts';
import {
  decodeStep,
  encodeRows,
  encodeStep,
  FEED_METHOD,
  kindOf,
  type LinkTypes,
  malformed,
  type Opening,
  type Step,
  typeFor,
} from '../wire/messages.ts';
import type { ServedWork } from '../work/served.ts';
import { giveKv, type Moving, takeKv } from './kv-move.ts';
import { ReplayGroup } from './replay-group.ts';

export interface ShardSessionOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn' | 'ping'>;
  /** The owner's. */
  readonly session: Session;
  readonly opening: Opening;
  readonly lease: CellLease;
  /** Values of a row. */
  readonly width: number;
  /** Bytes of rows kept in memory for a substitute of the next shard; more lie in a file. @default 64 MiB */
  readonly logMemoryBytes?: number;
  /** What computes: equal builds give equal rows. */
  readonly build: string;
  /** Counts what is computed. */
  readonly work: ServedWork;
  readonly now: () => number;
  readonly log: Logger;
}

/** A way that is known to be shorter is not looked at again. */
const NEAR_MS = 5;
const PING_MS = 2000;

/** Steps taken in and not sent on yet. More are not read. */
const UNDER_WAY = 24;

interface Next {
  readonly feed: Session;
  /** Replayed steps go on, too: the next shard is new as well. */
  readonly replays: boolean;
}

export class ShardSession implements AsyncDisposable {
  readonly #options: ShardSessionOptions;
  readonly #log: RowLog | null;
  readonly #witness: Witness;
  #feeder: string | null;
  #types: LinkTypes;
  /** Who may bring KV rows, once. */
  #donor: string | null;
  #next: Next | null = null;
  /** Sends rows on in the order of the steps. */
  #tail: Promise<void> = Promise.resolve();
  #underWay = 0;
  readonly #again = new ReplayGroup();
  #seen = 0;
  #done = 0;

  constructor(options: ShardSessionOptions) {
    this.#options = options;
    const { opening, width, logMemoryBytes, build } = options;
    this.#witness = new Witness({ cells: opening.cells, width, build });
    this.#feeder = opening.feeder;
    this.#types = opening.types;
    this.#donor = opening.donor;
    this.#log = opening.last
      ? null
      : new RowLog({
          ...{ cells: opening.cells, width },
          ...(logMemoryBytes !== undefined && { memoryBytes: logMemoryBytes }),
        });
  }

  /** Serves the owner until the session ends. */
  async run(): Promise<void> {
    const { session, width, opening, lease } = this.#options;
    const rows = lease.terms.maxRows;
    await session.send({ k: 'ready', width, cells: opening.cells, rows });
    // Not `for await`: what a generator adds to each message is waited for by the whole path.
    for (let message = await session.receive(); message !== null; message = await session.receive()) {
      if (kindOf(message.metadata) === 'step') await this.#take(message);
      else if (kindOf(message.metadata) === 'show') this.#show(message);
      else if (isAccounting(message.metadata)) this.#account(message.metadata);
      else this.#control(decodeControl(message.metadata));
    }
  }

  /** Takes steps of the shard before. @throws KithError `swarm_denied` for anybody else */
  async feed(feed: Session): Promise<void> {
    if (this.#feeder === null || feed.peer !== this.#feeder)
      throw new KithError('swarm_denied', 'This session takes no steps from you.', { status: 403 });
    for (let message = await feed.receive(); message !== null; message = await feed.receive()) {
      // Another shard stands there by now.
      if (feed.peer !== this.#feeder) return;
      await this.#take(message);
    }
  }

  /** Takes KV rows of the shard whose place this one takes. @throws KithError `swarm_denied` for anybody else */
  async takeKv(way: Session, opening: KvOpening): Promise<void> {
    if (this.#donor === null || way.peer !== this.#donor)
      throw new KithError('swarm_denied', 'This session takes no KV rows from you.', { status: 403 });
    this.#donor = null;
    await takeKv(this.#moving, opening, way);
  }

  /** Tells the owner that the session ends in `ms`, so that he can go on elsewhere before. */
  announceLeave(ms: number): void {
    this.#send({ k: 'leaving', ms });
  }

  get #moving(): Moving {
    const { lease, width, session } = this.#options;
    const mayWrite = () => {
      if (this.#seen > 0) throw malformed('KV rows came after the first step');
    };
    return { lease, log: this.#log, width, signal: session.signal, mayWrite };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#next?.feed.cancel();
    await this.#options.lease[Symbol.asyncDispose]();
    await this.#tail;
    this.#options.work[Symbol.dispose]();
    this.#log?.[Symbol.dispose]();
  }

  async #take(message: SessionMessage): Promise<void> {
    const { width, lease } = this.#options;
    const step = decodeStep(message, width);
    // Before it waits for its turn: what waits is memory.
    if (step.hidden.length > lease.terms.maxRows * width) {
      this.#witness.came(step);
      const why = `A step has ${step.hidden.length / width} rows; ${lease.terms.maxRows} is the most.`;
      this.#fail(step.n, new KithError('forward_invalid', why, { status: 400 }));
      return;
    }
    this.#seen = Math.max(this.#seen, step.n);
    this.#await(step);
    // While it is computed: digests take their time, and nobody can ask for them before.
    this.#witness.came(step);
    this.#options.work.took(step, message.payload);
    while (this.#underWay >= UNDER_WAY) await this.#tail;
  }

  /** Steps that are sent again are joined while others are computed. */
  #await(step: Step): void {
    if (this.#again.add(step)) {
      // What has arrived already is joined, too.
      if (this.#underWay === 0) setImmediate(() => this.#computeAgain());
      return;
    }
    this.#computeAgain();
    if (this.#again.add(step)) {
      if (this.#underWay === 0) setImmediate(() => this.#computeAgain());
      return;
    }
    const { last } = this.#options.opening;
    const parts = step.parts.map((part) => ({
      ...part,
      outputs: outputsHere(part, last, step.replay),
    }));
    this.#compute([step], parts, step.hidden);
  }

  #computeAgain(): void {
    const joined = this.#again.take();
    if (joined !== null) this.#compute(joined.steps, joined.parts, joined.hidden);
  }

  #compute(steps: readonly Step[], parts: readonly CarriedPart[], hidden: Float32Array): void {
    const { lease, session, now } = this.#options;
    const from = now();
    const computed = lease.step(parts, hidden, session.signal);
    // Met below, in the order of the steps.
    computed.catch(() => {});
    this.#underWay++;
    this.#then(async () => {
      try {
        const rows = await computed;
        const ms = now() - from;
        if (steps.length === 1) await this.#deliver(steps[0]!, rows, ms);
        else
          for (let i = 0, at = 0; i < steps.length; i++) {
            const values = steps[i]!.hidden.length;
            await this.#deliver(steps[i]!, rows.subarray(at, at + values), ms);
            at += values;
          }
      } finally {
        this.#underWay--;
        if (this.#underWay === 0) this.#computeAgain();
      }
    }, steps.at(-1)!.n);
  }

  /** Work in its turn. What fails is told to the owner; the session goes on, and he decides. */
  #then(work: () => Promise<void>, n: number): void {
    this.#tail = this.#tail.then(work).catch((error: unknown) => this.#fail(n, error));
  }

  async #deliver(step: Step, rows: Float32Array, ms: number): Promise<void> {
    this.#done = Math.max(this.#done, step.n);
    try {
      await this.#sendOn(step, rows, ms);
    } finally {
      this.#options.work.did(step);
      this.#account(null);
    }
  }

  async #sendOn({ n, parts, replay }: Step, rows: Float32Array, ms: number): Promise<void> {
    const { opening, session, width, work } = this.#options;
    if (opening.last) {
      if (replay) return;
      const { metadata, payload } = encodeRows({ n, rows, ms }, width, typeFor(this.#types, parts));
      // Sent away, the bytes are gone.
      work.sends(n, payload);
      await session.send(metadata, payload);
      return;
    }
    const step = { n, replay, parts, hidden: rows };
    // They leave before they are noted, and both before anybody can ask for them.
    const passed = this.#next !== null && (!replay || this.#next.replays) ? this.#pass(step) : null;
    this.#log!.record(step);
    await passed;
  }

  /** To the next shard. When that is gone the rows stay in the log, for the one that takes its place. */
  async #pass(step: Step): Promise<void> {
    const next = this.#next!;
    const { metadata, payload } = encodeStep(step, this.#options.width, this.#types);
    try {
      this.#options.work.sends(step.n, payload);
      await next.feed.send(metadata, payload);
    } catch (error) {
      if (this.#next === next) this.#next = null;
      throw new KithError('shard_next_lost', `The next shard cannot be reached: ${messageOf(error)}`, {
        status: 502,
        cause: error,
      });
    }
  }

  /** In its turn, so that what came before is computed. */
  #show(message: SessionMessage): void {
    const asked = decodeShow(message, this.#options.width);
    this.#then(async () => {
      const { metadata, payload } = encodeShown(asked.id, this.#witness.show(asked, this.#log));
      await this.#options.session.send(metadata, payload);
    }, 0);
  }

  #control(control: Control): void {
    switch (control.k) {
      case 'ping':
        this.#send({ k: 'pong', id: control.id, seen: this.#seen, done: this.#done });
        this.#account(null);
        return;
      case 'feeder':
        this.#feeder = control.peer;
        return;
      case 'types':
        this.#types = control.types;
        return;
      case 'next': {
        if (this.#options.opening.last) throw malformed('the last shard has no next one');
        const old = this.#next;
        this.#next = null;
        // A feed that hangs would keep the tail from ever coming to the new one.
        old?.feed.cancel();
        this.#then(() => this.#link(control), 0);
        return;
      }
      case 'move':
        this.#computeAgain();
        this.#then(() => this.#move(control), 0);
        return;
      default:
        throw malformed(`'${control.k}' is not for shards`);
    }
  }

  /** Says what there is to say about work: to a message about it, or because so much was done. */
  #account(message: CborMap | null): void {
    const { work } = this.#options;
    for (const said of message === null ? work.due() : work.answer(decodeAccounting(message)))
      this.#send(encodeAccounting(said));
  }

  async #link({ peer, session, addresses, replay, from }: Extract<Control, { k: 'next' }>): Promise<void> {
    const { swarm, session: owner } = this.#options;
    if (addresses.length > 0) await swarm.learn(peer, addresses);
    const begun = this.#options.now();
    const feed = await swarm.openSession(peer, FEED_METHOD, { session }, { signal: owner.signal });
    const ms = await this.#wayTo(peer, this.#options.now() - begun);
    this.#next = { feed, replays: replay };
    if (replay) for (const step of this.#log!.steps()) await this.#pass({ ...step, replay: step.n < from });
    this.#send({ k: 'linked', peer, ms });
  }

  /** Round trip, ms. To open a session takes several where there was no connection yet. */
  async #wayTo(peer: string, openMs: number): Promise<number> {
    if (openMs < NEAR_MS) return openMs;
    const { swarm, session } = this.#options;
    const pinged = swarm.ping(peer, { signal: session.signal, deadlineMs: PING_MS });
    return Math.min(openMs, await pinged.catch(() => openMs));
  }

  /** What fails leaves the session as it is: the owner has the other one compute again what it would have got. */
  async #move(to: Whereabouts): Promise<void> {
    const { swarm, now } = this.#options;
    const begun = now();
    try {
      const cells = await giveKv(this.#moving, swarm, to);
      this.#send({ k: 'moved', cells, ms: now() - begun });
    } catch (error) {
      this.#send({ k: 'unmoved', ...told(error) });
    }
  }

  #fail(n: number, error: unknown): void {
    const fault = told(error);
    this.#options.log.debug('a step of a shard session failed', { n, code: fault.code });
    this.#send({ k: 'fail', n, ...fault });
  }

  /** To the owner. When he is gone the session ends by itself. */
  #send(metadata: CborMap): void {
    this.#options.session.send(metadata).catch(() => {});
  }
}

/** Of errors that are not typed the owner learns only that there was one. */
function told(error: unknown): { readonly code: string; readonly message: string } {
  return isKithError(error)
    ? { code: error.code.slice(0, 64), message: error.message.slice(0, 1000) }
    : { code: 'shard_failed', message: 'The shard failed while it worked on the step.' };
}

/** What this shard computes of a part: the next one needs every row, and the owner none twice. `each` says how, so it stays. */
function outputsHere({ outputs }: CarriedPart, last: boolean, replay: boolean): CarriedPart['outputs'] {
  if (outputs === 'each') return outputs;
  if (!last) return 'all';
  return replay ? 'none' : outputs;
}
