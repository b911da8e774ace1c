/**
 * Answers one chat of a peer: its request under a lease, the engine's events as they come, a signed receipt at the end.
 *
 * @module gateway/peers/answer-chat
 */
import { isKithError, KithError } from '../../base/index.ts';
import type { Session } from '../../swarm/index.ts';
import type { ChatEvent, ChatRequest } from '../types.ts';
import { encodeEvent, type PeerEvent } from './events.ts';
import { failureOf } from './failure.ts';
import type { SettledPolicy } from './policy.ts';
import { decodeOpening, type Opening } from './protocol.ts';
import { hashOf, type ReceiptFacts } from './receipt.ts';
import { decodeChat, type PeerChat } from './requests.ts';
import type { Serving, Use } from './service.ts';
import { createWatch } from './watch.ts';

/** ms from the opening until the request must be here. */
const requestMs = 20_000;
/** ms that the peer may leave a full window unread. */
const slowReaderMs = 30_000;

/** Ends with an `error` event for whatever goes wrong while the peer still listens. */
export async function answerChat(serving: Serving, session: Session): Promise<void> {
  const { clock, log } = serving;
  using watch = createWatch(clock, (why) => {
    log.debug('chat of a peer was cut', { peer: session.peer, why });
    session.cancel();
  });
  try {
    watch.within(requestMs, 'its request did not come');
    const opening = decodeOpening(session.metadata);
    using use = await serving.begin(session.peer, opening.lease, 'chat');
    const first = await session.receive();
    if (first === null)
      throw new KithError('peer_malformed', 'The session ended before the request.', { status: 400 });
    watch.done();
    const request = decodeChat(first.payload);
    if (request.model !== use.lease.model)
      throw new KithError('peer_lease_lost', 'The lease is for another model. Ask for one for this.', {
        status: 409,
      });
    await new Answer(serving, session, use, opening, request, hashOf(first.payload), watch).run();
    await session.end();
  } catch (error) {
    if (session.signal.aborted) return;
    log.debug('chat of a peer failed', {
      peer: session.peer,
      code: isKithError(error) ? error.code : 'unexpected',
    });
    for (const { metadata } of encodeEvent(failureOf(error))) await session.send(metadata);
    await session.end();
  }
}

class Answer {
  readonly #serving: Serving;
  readonly #session: Session;
  readonly #use: Use;
  readonly #opening: Opening;
  readonly #request: PeerChat;
  readonly #hash: Uint8Array;
  readonly #watch: ReturnType<typeof createWatch>;
  readonly #policy: SettledPolicy;
  /** Null before the engine counted them. */
  #promptTokens: number | null = null;
  /** Pieces that went out, about a token each. */
  #pieces = 0;
  #taken = 0;

  constructor(
    serving: Serving,
    session: Session,
    use: Use,
    opening: Opening,
    request: PeerChat,
    hash: Uint8Array,
    watch: ReturnType<typeof createWatch>,
  ) {
    this.#serving = serving;
    this.#session = session;
    this.#use = use;
    this.#opening = opening;
    this.#request = request;
    this.#hash = hash;
    this.#watch = watch;
    this.#policy = serving.policy();
  }

  async run(): Promise<void> {
    let usage: Extract<ChatEvent, { type: 'usage' }> | null = null;
    let outcome: ReceiptFacts['outcome'] = 'failed';
    const signal = AbortSignal.any([this.#session.signal, this.#use.signal]);
    const { request, notes } = this.#bounded(signal);
    // Reading a prompt is work too, and a peer may leave before it is read.
    this.#charge(leastTokens(this.#request));
    try {
      for await (const event of this.#serving.engine.chat(request)) {
        if (event.type === 'usage') usage = event;
        else await this.#send(event);
      }
      if (usage === null) throw new Error('The engine ended without its usage.');
      outcome = 'answered';
    } catch (error) {
      if (this.#session.signal.aborted) outcome = 'left';
      throw this.#use.signal.aborted && !this.#session.signal.aborted ? this.#use.signal.reason : error;
    } finally {
      const prompt = usage?.promptTokens ?? this.#promptTokens;
      const completion = usage?.completionTokens ?? this.#pieces;
      this.#charge((prompt ?? 0) + completion);
      const signed = this.#serving.receipt({
        client: this.#session.peer,
        request: this.#opening.request,
        hash: this.#hash,
        task: 'chat',
        model: this.#request.model,
        promptTokens: prompt,
        completionTokens: completion,
        outcome,
      });
      if (usage !== null && outcome === 'answered') {
        const { cachedTokens, receipt } = usage;
        const { queueMs, prefillMs, decodeMs } = receipt;
        await this.#send({
          type: 'usage',
          ...{
            promptTokens: prompt,
            completionTokens: completion,
            cachedTokens,
            queueMs,
            prefillMs,
            decodeMs,
          },
          notes: [...notes, ...receipt.notes],
          ...signed,
        });
      }
    }
  }

  /** The request as the engine gets it, within what the policy gives. */
  #bounded(signal: AbortSignal): { request: ChatRequest; notes: readonly string[] } {
    const asked = this.#request;
    const { maxTokens, tokensPerMinute, leaseMs } = this.#policy;
    const most = Math.max(1, Math.min(maxTokens, Math.floor(tokensPerMinute / asked.n)));
    const cut = asked.maxTokens === null || asked.maxTokens > most;
    const timeoutMs = Math.max(1, Math.min(asked.timeoutMs ?? leaseMs, this.#opening.ms, leaseMs));
    return {
      request: {
        ...asked,
        maxTokens: cut ? most : asked.maxTokens,
        timeoutMs,
        signal,
      },
      notes: cut ? [`The peer holds answers to ${most} tokens.`] : [],
    };
  }

  async #send(event: Exclude<ChatEvent, { type: 'usage' }> | PeerEvent): Promise<void> {
    if (event.type === 'start') {
      const { model, promptTokens = null, cachedTokens = null } = event;
      this.#promptTokens = promptTokens;
      this.#charge(promptTokens ?? 0);
      await this.#out({ type: 'start', model, promptTokens, cachedTokens });
      return;
    }
    if (event.type === 'text' || event.type === 'tool_arguments') {
      this.#pieces++;
      this.#charge((this.#promptTokens ?? 0) + this.#pieces);
    }
    await this.#out(event);
  }

  async #out(event: PeerEvent): Promise<void> {
    for (const { metadata, payload } of encodeEvent(event)) {
      this.#watch.within(slowReaderMs, 'it does not read its answer');
      await this.#session.send(metadata, payload);
      this.#watch.done();
    }
  }

  /** Counts towards the peer's minute as it goes: leaving early takes nothing back. */
  #charge(total: number): void {
    if (total <= this.#taken) return;
    this.#serving.allowance.take(this.#session.peer, total - this.#taken, this.#policy.tokensPerMinute);
    this.#taken = total;
  }
}

/** A token has about six characters, and rarely more. */
function leastTokens({ messages }: PeerChat): number {
  let characters = 0;
  for (const { content } of messages) characters += content?.length ?? 0;
  return Math.ceil(characters / 6);
}
