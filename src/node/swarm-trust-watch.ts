/**
 * Watches what peers do when the gateway asks them, for trust: how long they take and whether they answer. It changes
 * nothing of what they answer. Time that the caller takes to read is not theirs.
 *
 * @module node/swarm-trust-watch
 */
import { type Clock, isKithError } from '../base/index.ts';
import type { ChatEvent, ChatRequest, PeerBackend } from '../gateway/index.ts';

/** A chat that a peer answered whole. Durations in ms, of this node's waiting alone. */
export interface SeenChat {
  readonly peer: string;
  readonly model: string;
  /** Until the first piece of the answer. */
  readonly firstMs: number;
  /** From the first piece to the last. */
  readonly restMs: number;
  /** As the peer counted them; null: it did not. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Characters (UTF-16 units) that came. */
  readonly characters: number;
  /** The whole answer, where `wantsText` said so. */
  readonly text: string | null;
}

export interface PeerWatch {
  /** Whether the words of the answer are wanted: asked before the peer is. Must be quick, and not throw. */
  wantsText(peer: string, request: ChatRequest): boolean;
  /** Must not throw. */
  answered(seen: SeenChat, request: ChatRequest): void;
  /** It made embeddings. Must not throw. */
  embedded(peer: string): void;
  /** It failed by a fault of its own, or could not be reached. Must not throw. */
  failed(peer: string): void;
}

/** What says something of a peer's availability. Refusals are its right, and what it may not send is told elsewhere. */
const FAULTS: ReadonlySet<string> = new Set(['peer_unreachable', 'peer_cut', 'peer_silent', 'peer_failed']);
/** What lies behind them when this node's own network is down. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['swarm_off', 'swarm_down', 'swarm_lost', 'swarm_breaker']);
const MAX_TEXT = 32_768;

/** The backend itself, watched. */
export function watchedPeer(
  backend: PeerBackend,
  watch: PeerWatch,
  clock: Pick<Clock, 'monotonic'>,
): PeerBackend {
  const { peer } = backend;
  const isFault = (error: unknown, signal: AbortSignal): boolean =>
    !signal.aborted &&
    isKithError(error) &&
    FAULTS.has(error.code) &&
    !(isKithError(error.cause) && OWN_FAULTS.has(error.cause.code));

  async function* chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
    const events = backend.chat(request)[Symbol.asyncIterator]();
    const pieces: string[] | null = watch.wantsText(peer, request) ? [] : null;
    let waited = 0;
    let firstMs: number | null = null;
    let characters = 0;
    let over = false;
    try {
      for (;;) {
        const began = clock.monotonic();
        const { done, value } = await events.next();
        waited += clock.monotonic() - began;
        if (done) {
          over = true;
          return;
        }
        if (value.type === 'text' || value.type === 'tool_arguments') {
          firstMs ??= waited;
          characters += value.text.length;
          if (characters <= MAX_TEXT) pieces?.push(value.text);
        } else if (value.type === 'usage' && firstMs !== null) {
          const { promptTokens, completionTokens, receipt } = value;
          const text = pieces === null || characters > MAX_TEXT ? null : pieces.join('');
          const counts = { promptTokens, completionTokens, characters, text };
          watch.answered(
            { peer, model: receipt.model, firstMs, restMs: waited - firstMs, ...counts },
            request,
          );
        }
        yield value;
      }
    } catch (error) {
      over = true;
      if (isFault(error, request.signal)) watch.failed(peer);
      throw error;
    } finally {
      // Its caller left: so does the peer's session.
      if (!over) await events.return?.(undefined);
    }
  }

  return {
    ...backend,
    chat,
    async embed(request) {
      try {
        const answer = await backend.embed(request);
        watch.embedded(peer);
        return answer;
      } catch (error) {
        if (isFault(error, request.signal)) watch.failed(peer);
        throw error;
      }
    },
  };
}
