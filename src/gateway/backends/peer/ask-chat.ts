/**
 * One chat with a peer: a lease, a session, the request, its events. Leaving it ends the session at once.
 *
 * @module gateway/backends/peer/ask-chat
 */
import type { Clock, Random } from '../../../base/index.ts';
import type { Session, Swarm } from '../../../swarm/index.ts';
import {
  DAY_MS,
  decodeEvent,
  encodeChat,
  encodeOpening,
  hashOf,
  ID_BYTES,
  PEER_BOUNDS,
  PEER_METHODS,
  type PeerChat,
  type PeerUsage,
} from '../../peers/index.ts';
import type { ChatEvent, ChatRequest } from '../../types.ts';
import { AnswerReader } from './answer-reader.ts';
import { type PeerName, peerError, saidFailure, wayFailure } from './errors.ts';
import type { Asking, HeldLease, LeasePool } from './lease-pool.ts';

export interface ChatParts {
  readonly swarm: Pick<Swarm, 'openSession'>;
  readonly who: PeerName;
  readonly pool: LeasePool;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: Pick<Random, 'bytes'>;
  /** ms until the session stands. */
  readonly reachMs: number;
  /** Context window of a model as the peer said it; null: not known. */
  contextOf(model: string): number | null;
}

/** The whole of what was asked and how it ended, for the receipt. */
export interface Asked {
  readonly request: Uint8Array;
  readonly hash: Uint8Array;
  readonly usage: PeerUsage;
  readonly firstMs: number | null;
  readonly ms: number;
}

type AnswerEvent = Exclude<ChatEvent, { type: 'usage' }>;

/** Yields the answer without its usage; returns what the receipt is made of. */
export async function* askChat(
  parts: ChatParts,
  chat: PeerChat,
  request: Pick<ChatRequest, 'timeoutMs'>,
  asking: Asking,
): AsyncGenerator<AnswerEvent, Asked> {
  const { who, pool, clock, random } = parts;
  const payload = payloadOf(chat, who);
  const hash = hashOf(payload);
  const began = clock.monotonic();
  for (let again = false; ; again = true) {
    const lease = await pool.take(chat.model, 'chat', asking);
    const id = random.bytes(ID_BYTES);
    const ms = Math.min(request.timeoutMs ?? DAY_MS, DAY_MS);
    const session = await open(parts, lease, { request: id, ms }, asking);
    const cancel = () => session.cancel();
    asking.signal.addEventListener('abort', cancel, { once: true });
    if (asking.signal.aborted) cancel();
    const reader = new AnswerReader(who, chat);
    let firstMs: number | null = null;
    let whole = false;
    let lost = false;
    try {
      // The swarm takes the buffer over; a lease that was lost makes it needed once more.
      await session.send({}, again ? payload : payload.slice());
      for (;;) {
        const message = await session.receive({ signal: asking.signal });
        if (message === null)
          throw peerError('cut', 'peer_cut', who, 'ended its answer before it was whole.');
        const event = decodeEvent(message);
        reader.check(event);
        if (event.type === 'error') {
          lost = event.code === 'peer_lease_lost' && !reader.started;
          if (lost && !again) break;
          throw saidFailure(event, who, mayBeTooLong(chat, parts.contextOf(chat.model)));
        }
        if (event.type === 'usage') {
          whole = true;
          return { request: id, hash, usage: event, firstMs, ms: clock.monotonic() - began };
        }
        if (event.type === 'start') yield startOf(event, who);
        else {
          firstMs ??= clock.monotonic() - began;
          yield event;
        }
      }
    } catch (error) {
      throw wayFailure(error, who, asking.signal);
    } finally {
      asking.signal.removeEventListener('abort', cancel);
      if (whole) void session.end().catch(() => {});
      else session.cancel();
      if (!lost) pool.keep(lease);
    }
  }
}

async function open(
  { swarm, who, pool, reachMs }: ChatParts,
  lease: HeldLease,
  about: { readonly request: Uint8Array; readonly ms: number },
  { signal, minTier }: Asking,
): Promise<Session> {
  try {
    return await swarm.openSession(
      who.peer,
      PEER_METHODS.chat,
      encodeOpening({ lease: lease.id, ...about }),
      {
        signal,
        openMs: reachMs,
        ...(minTier === undefined ? {} : { minTier }),
        caps: { maxPayloadBytes: PEER_BOUNDS.eventBytes, maxMetadataBytes: PEER_BOUNDS.metadataBytes },
      },
    );
  } catch (error) {
    pool.keep(lease);
    throw wayFailure(error, who, signal);
  }
}

function payloadOf(chat: PeerChat, who: PeerName): Uint8Array {
  try {
    return encodeChat(chat);
  } catch (error) {
    // Another kind of backend may take it.
    throw peerError(
      'not_supported',
      'peer_unsupported',
      who,
      `is not asked: peers do not take such a request. ${(error as Error).message}`,
      {
        logged: `The peer '${who.name}' is not asked: peers do not take such a request.`,
        cause: error,
      },
    );
  }
}

function startOf(
  event: {
    readonly model: string;
    readonly promptTokens: number | null;
    readonly cachedTokens: number | null;
  },
  { name }: PeerName,
): AnswerEvent {
  const { model, promptTokens, cachedTokens } = event;
  return {
    type: 'start',
    backend: name,
    model,
    ...(promptTokens === null ? {} : { promptTokens }),
    ...(cachedTokens === null ? {} : { cachedTokens }),
  };
}

/** Whether the prompt could fill the window: a token is a character at least, but for what the template adds. */
function mayBeTooLong({ messages, tools, maxTokens }: PeerChat, context: number | null): boolean {
  if (context === null) return true;
  let characters = JSON.stringify(tools ?? []).length;
  for (const { content } of messages) characters += 64 + 4 * (content?.length ?? 0);
  return characters + (maxTokens ?? 0) >= context;
}
