/**
 * Signed messages between owners: sent at once or queued until the receiver is there, taken within bounds, kept on disk.
 *
 * @module swarm/messages/messages
 */
import {
  type Clock,
  type Database,
  InputError,
  isKithError,
  type Logger,
  messageOf,
  type Random,
  silentLogger,
} from '../../base/index.ts';
import type { Tier } from '../../trust/index.ts';
import { keyOfPeer } from '../records/fields.ts';
import type { Signer } from '../records/types.ts';
import type { IncomingCall, ReplyInit, Swarm } from '../types.ts';
import { Inbox, type InboxLimits, type InboxMessage } from './inbox.ts';
import {
  encodeMessageReply,
  MESSAGE_MAX_BYTES,
  MESSAGE_MAX_LIFE_MS,
  MESSAGE_METHOD,
  parseMessageReply,
  signMessage,
} from './message.ts';
import { type Due, Outbox, type OutboxLimits, type OutboxMessage } from './outbox.ts';
import { createReceiver, type Receive } from './receive.ts';
import { openMessageDatabase } from './schema.ts';

export interface MessagesOptions {
  readonly network: Pick<Swarm, 'call' | 'handle' | 'onPeer'>;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  /** `:memory:` or a file, made when missing. */
  readonly path: string;
  readonly tierOf: (peer: string) => Tier | Promise<Tier>;
  /** From lower tiers nothing is taken. @default 'unknown' */
  readonly minTier?: Tier;
  /** Called before a peer is, so that its addresses are known. */
  readonly introduce?: (peer: string) => Promise<void>;
  readonly inbox?: InboxLimits;
  readonly outbox?: OutboxLimits;
  readonly log?: Logger;
}

export interface SendOptions {
  /** Stops waiting; the message stays queued. */
  readonly signal?: AbortSignal;
  /** How long it is tried, ms. @default 259200000 (three days), at most seven days */
  readonly lifeMs?: number;
}

/** One attempt, and how long `send` waits. */
const CALL_MS = 10_000;
const LIFE_MS = 3 * 86_400_000;
const LOOK_MS = 10_000;
const FIRST_RETRY_MS = 30_000;
const MAX_RETRY_MS = 3_600_000;
/** Attempts of one look. */
const AT_ONCE = 8;

/** Throws KithError as `openDatabase` does. */
export function openMessages(options: MessagesOptions): Messages {
  return new Messages(options, openMessageDatabase(options.path));
}

export class Messages implements AsyncDisposable {
  readonly #options: MessagesOptions;
  readonly #log: Logger;
  readonly #database: Database;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #receive: Receive;
  readonly #listeners = new Set<(message: InboxMessage) => void>();
  /** Attempts under way, by message. */
  readonly #trying = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();
  readonly #served: Disposable;
  readonly #peers: Disposable;
  readonly #loop: Promise<void>;

  constructor(options: MessagesOptions, database: Database) {
    const { network, signer, clock, tierOf, minTier } = options;
    this.#options = options;
    this.#log = options.log ?? silentLogger;
    this.#database = database;
    this.#inbox = new Inbox(database, options.inbox);
    this.#outbox = new Outbox(database, options.outbox);
    this.#receive = createReceiver({
      self: signer.peerId,
      clock,
      inbox: this.#inbox,
      tierOf,
      ...(minTier === undefined ? {} : { minTier }),
    });
    this.#served = network.handle(MESSAGE_METHOD, {
      caps: { maxPayloadBytes: MESSAGE_MAX_BYTES, maxMetadataBytes: 64, maxConcurrent: 2 },
      handler: (call) => this.#take(call),
    });
    this.#peers = network.onPeer((peer, connected) => {
      if (connected) for (const due of this.#outbox.waitingFor(peer).slice(0, AT_ONCE)) void this.#try(due);
    });
    this.#loop = this.#run();
  }

  /**
   * Sends a text; resolves after the first attempt. When the receiver is not there it stays queued and is tried until it
   * expires.
   *
   * @throws {InputError} `message_text_invalid`, `message_to_self`, `record_malformed` (`to` is no PeerId)
   * @throws {LimitError} `swarm.messagesPerPeer`, `swarm.messagesQueued`
   */
  async send(to: string, text: string, options: SendOptions = {}): Promise<OutboxMessage> {
    const { signer, clock, random } = this.#options;
    keyOfPeer(to);
    if (to === signer.peerId)
      throw new InputError('message_to_self', 'That is this node itself: choose another receiver.', {
        param: 'to',
      });
    const sent = Math.floor(clock.now());
    const exp = sent + Math.min(Math.max(1, Math.floor(options.lifeMs ?? LIFE_MS)), MESSAGE_MAX_LIFE_MS);
    const message = { from: signer.peerId, to, nonce: random.bytes(16), sent, exp, text };
    const { id, bytes } = signMessage(message, signer);
    this.#outbox.add(id, to, sent, exp, bytes);
    const attempt = this.#try({ id, peer: to, attempts: 0, bytes });
    await (options.signal === undefined ? attempt : Promise.race([attempt, aborted(options.signal)]));
    return this.#outbox.get(id)!;
  }

  /** What came, newest first. */
  inbox(query: { readonly unread: boolean; readonly limit: number }): {
    readonly messages: readonly InboxMessage[];
    readonly total: number;
    readonly unread: number;
  } {
    return { messages: this.#inbox.list(query), ...this.#inbox.counts() };
  }

  counts(): { readonly total: number; readonly unread: number; readonly queued: number } {
    return { ...this.#inbox.counts(), queued: this.#outbox.queued };
  }

  /** The message, marked as read; null when there is none of that id. */
  read(id: string): InboxMessage | null {
    return this.#inbox.read(id);
  }

  /** Removes a message that came, or takes back one that is queued. False when there is none of that id. */
  remove(id: string): boolean {
    return this.#inbox.remove(id) || this.#outbox.remove(id);
  }

  /** What was sent, newest first. */
  outbox(limit: number): readonly OutboxMessage[] {
    return this.#outbox.list(limit);
  }

  /** Called with each message that came in new, after it is on the disk. */
  onMessage(listener: (message: InboxMessage) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async #take({ peer, payload }: IncomingCall): Promise<ReplyInit> {
    const { reply, kept } = await this.#receive(payload, peer);
    if (reply.state === 'refused') this.#log.info(`A message of ${peer} was refused: ${reply.code}.`);
    if (kept !== null) {
      const { id, message } = kept;
      const receivedAt = this.#options.clock.now();
      this.#notify({ id, from: peer, sentAt: message.sent, receivedAt, read: false, text: message.text });
    }
    return { metadata: encodeMessageReply(reply) };
  }

  #notify(message: InboxMessage): void {
    for (const listener of this.#listeners) {
      try {
        listener(message);
      } catch (error) {
        // It is kept, and its sender is told so, whatever becomes of the news.
        this.#log.warn(`The news of a message were not told: ${messageOf(error)}`);
      }
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const now = clock.now();
        this.#outbox.expire(now);
        const due = this.#outbox.due(now, now + 2 * MAX_RETRY_MS, AT_ONCE);
        await Promise.all(due.map((one) => this.#try(one)));
      } catch (error) {
        // A full disk, say: it may have room by the next look.
        this.#log.warn(`Messages were not looked through: ${messageOf(error)}`);
      }
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  /** One attempt at a time for each message. Never throws. */
  #try(due: Due): Promise<void> {
    const known = this.#trying.get(due.id);
    if (known !== undefined) return known;
    const attempt = this.#deliver(due)
      .catch((error) => this.#log.warn(`Message ${due.id}: ${messageOf(error)}`))
      .finally(() => this.#trying.delete(due.id));
    this.#trying.set(due.id, attempt);
    return attempt;
  }

  async #deliver({ id, peer, attempts, bytes }: Due): Promise<void> {
    const { network, clock, random, introduce } = this.#options;
    const postpone = (code: string, waitMs: number) => {
      if (!this.#ending.signal.aborted) this.#outbox.postpone(id, code, Math.round(clock.now() + waitMs));
    };
    const backOff = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts) * (0.75 + random.float() / 2);
    try {
      await introduce?.(peer);
      // A copy: payloads are moved to the network's thread.
      const call = { deadlineMs: CALL_MS, signal: this.#ending.signal, maxReplyBytes: 0 };
      const { metadata } = await network.call(peer, MESSAGE_METHOD, {}, bytes.slice(), call);
      const reply = parseMessageReply(metadata);
      if (reply.state !== 'refused') this.#outbox.finish(id, 'delivered', null);
      else if (reply.retryAfter === null) this.#outbox.finish(id, 'refused', reply.code);
      else postpone(reply.code, Math.max(backOff, reply.retryAfter * 1000));
    } catch (error) {
      postpone(isKithError(error) ? error.code : 'failed', backOff);
    }
  }

  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#served[Symbol.dispose]();
    this.#peers[Symbol.dispose]();
    await this.#loop;
    await Promise.all(this.#trying.values());
    this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
