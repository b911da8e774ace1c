/**
 * Calls and sessions of peers in the node thread: who may, which handler, what it answers.
 *
 * @module swarm/thread/serving
 */
import { InputError, KithError } from '../../base/index.ts';
import type { Tier } from '../../trust/index.ts';
import { MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES } from '../frames/format.ts';
import { encodeMetadata, isMethodName } from '../rpc/envelope.ts';
import { refusals, toWireError } from '../rpc/errors.ts';
import type { MethodRules } from '../rpc/inbound.ts';
import type { Method, MethodCaps, Payload, SessionMethod } from '../types.ts';
import { alone, movable, type Post, type ToNode } from './messages.ts';
import { SessionHandle } from './session.ts';
import type { Trust } from './trust.ts';

interface Registered {
  readonly what: Method | SessionMethod;
  readonly rules: MethodRules;
  readonly minTier: Tier;
}

function rulesOf(session: boolean, caps: MethodCaps): MethodRules {
  const { maxPayloadBytes = 1024 * 1024, maxMetadataBytes = 16 * 1024, maxConcurrent = 16 } = caps;
  return {
    session,
    maxPayloadBytes: Math.min(maxPayloadBytes, MAX_PAYLOAD_BYTES),
    maxMetadataBytes: Math.min(maxMetadataBytes, MAX_METADATA_BYTES),
    maxConcurrent,
  };
}

export class Serving {
  readonly #post: Post;
  readonly #trust: Trust;
  readonly #methods = new Map<string, Registered>();
  readonly #running = new Map<number, AbortController>();
  readonly #sessions = new Map<number, SessionHandle>();

  constructor(post: Post, trust: Trust) {
    this.#post = post;
    this.#trust = trust;
  }

  handle(name: string, what: Method | SessionMethod): Disposable {
    if (!isMethodName(name))
      throw new InputError(
        'swarm_method_invalid',
        `${JSON.stringify(name)} is no name of a method. Use a-z, 0-9, . _ / -`,
      );
    if (this.#methods.has(name))
      throw new InputError('swarm_method_taken', `The method ${name} has a handler already.`);
    const caps = what.caps ?? {};
    const registered: Registered = {
      what,
      rules: rulesOf('session' in what, caps),
      minTier: caps.minTier ?? 'unknown',
    };
    this.#methods.set(name, registered);
    this.#post({ k: 'method', name, rules: registered.rules });
    return {
      [Symbol.dispose]: () => {
        if (this.#methods.get(name) !== registered) return;
        this.#methods.delete(name);
        this.#post({ k: 'method', name, rules: null });
      },
    };
  }

  /** Tells a new thread what there is. */
  born(post: Post): void {
    for (const [name, { rules }] of this.#methods) post({ k: 'method', name, rules });
  }

  session(s: number): SessionHandle | undefined {
    return this.#sessions.get(s);
  }

  forget(s: number): void {
    this.#sessions.delete(s);
  }

  gone(n: number): void {
    this.#running
      .get(n)
      ?.abort(new KithError('aborted', 'The peer left or its link ended.', { status: 499 }));
  }

  /** The thread is gone with all links. */
  died(): void {
    for (const controller of this.#running.values())
      controller.abort(new KithError('swarm_lost', 'The swarm thread ended.', { status: 503 }));
    this.#running.clear();
    for (const session of this.#sessions.values()) session.onOver(LOST);
    this.#sessions.clear();
  }

  async onRequest(request: Extract<ToNode, { k: 'request' }>): Promise<void> {
    const { n, peer, method, metadata, payload, deadlineMs } = request;
    const controller = new AbortController();
    this.#running.set(n, controller);
    const timer =
      deadlineMs === null
        ? undefined
        : setTimeout(
            () =>
              controller.abort(new KithError('swarm_timeout', 'The caller waits no more.', { status: 504 })),
            deadlineMs,
          );
    try {
      const registered = this.#methods.get(method);
      if (registered === undefined || !('handler' in registered.what)) {
        this.#post({ k: 'answer', n, error: refusals.unknownMethod(method) });
        return;
      }
      if (registered.minTier !== 'unknown' && !(await this.#trust.has(peer, registered.minTier))) {
        this.#post({ k: 'answer', n, error: refusals.denied() });
        return;
      }
      const reply = await registered.what.handler({
        peer,
        metadata,
        payload,
        signal: controller.signal,
        deadlineMs,
      });
      this.#answer(
        n,
        reply.metadata === undefined ? undefined : encodeMetadata(reply.metadata),
        reply.payload,
      );
    } catch (error) {
      this.#post({ k: 'answer', n, error: toWireError(error) });
    } finally {
      clearTimeout(timer);
      this.#running.delete(n);
    }
  }

  #answer(n: number, metadata: Uint8Array | undefined, given: Payload | undefined): void {
    const payload = alone(given);
    if (payload !== undefined && payload.length > MAX_PAYLOAD_BYTES) {
      this.#post({ k: 'answer', n, error: refusals.tooLarge(payload.length, MAX_PAYLOAD_BYTES) });
      return;
    }
    this.#post({ k: 'answer', n, metadata, payload }, movable(payload));
  }

  async onSession({ s, peer, method, metadata }: Extract<ToNode, { k: 'session' }>): Promise<void> {
    const handle = this.open(s, peer, method, metadata);
    const registered = this.#methods.get(method);
    if (registered === undefined || !('session' in registered.what)) {
      handle.fail(refusals.unknownMethod(method));
      return;
    }
    if (registered.minTier !== 'unknown' && !(await this.#trust.has(peer, registered.minTier))) {
      handle.fail(refusals.denied());
      return;
    }
    this.#post({ k: 'accept', s });
    try {
      await registered.what.session(handle);
      await handle.end();
    } catch (error) {
      handle.fail(toWireError(error));
    }
  }

  /** A session's handle, known by its number until it is over. */
  open(s: number, peer: string, method: string, metadata: SessionHandle['metadata']): SessionHandle {
    const handle = new SessionHandle(peer, method, metadata, {
      send: (bytes, payload) => this.#post({ k: 'send', s, metadata: bytes, payload }, movable(payload)),
      consumed: (bytes) => this.#post({ k: 'consumed', s, bytes }),
      end: () => this.#post({ k: 'end', s }),
      cancel: (error) => this.#post({ k: 'cancel', s, error }),
    });
    this.#sessions.set(s, handle);
    return handle;
  }
}

export const LOST = {
  code: 'swarm_lost',
  message: 'The swarm thread ended while the call was under way. It starts again by itself: repeat the call.',
  status: 503,
} as const;
