/**
 * Calls and sessions of peers in the node thread: who may, which handler, what it answers.
 *
 * @module swarm/thread/serving
 */
import { InputError, KithError } from '../../base/index.ts';
import type { Tier } from '../../trust/index.ts';
import { MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES } from '../frames/format.ts';
import { encodeMetadata, isMethodName } from '../rpc/envelope.ts';
import { refusals, toWireError, wayErrors } from '../rpc/errors.ts';
import {
  type Acceptor,
  type Answer,
  type CallIn,
  type MethodRules,
  Running,
  runKey,
} from '../rpc/inbound.ts';
import { Replay } from '../rpc/replay.ts';
import type { Method, MethodCaps, Session, SessionMethod } from '../types.ts';
import { alone, movable, type Post, type ToNode } from './messages.ts';
import { ownSession } from './own-session.ts';
import { eventsTo, linkTo, SessionHandle } from './session.ts';
import type { Trust } from './trust.ts';

/** A call under way; its answer goes to whoever asked last. */
interface Begun {
  answer: (answer: Answer) => void;
  readonly controller: AbortController;
}

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
  readonly #now: () => number;
  readonly #replay = new Replay();
  readonly #running = new Running();
  /** Calls under way by peer and id, and how each that came through the thread is left. */
  readonly #calls = new Map<string, Begun>();
  readonly #leaving = new Map<number, () => void>();
  readonly #sessions = new Map<number, SessionHandle>();

  /** `now` in ms on a clock that never goes back. */
  constructor(post: Post, trust: Trust, now: () => number) {
    this.#now = now;
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

  /** The thread is gone with all links. */
  died(): void {
    for (const { controller } of this.#calls.values())
      controller.abort(new KithError('swarm_lost', 'The swarm thread ended.', { status: 503 }));
    this.#leaving.clear();
    for (const session of this.#sessions.values()) session.onOver(LOST);
    this.#sessions.clear();
  }

  /** A call that came through the swarm thread. */
  onRequest({ n, ...call }: Extract<ToNode, { k: 'request' }>): void {
    const answer = ({ metadata, payload, error }: Answer) => {
      this.#leaving.delete(n);
      this.#post({ k: 'answer', n, metadata, payload, error }, movable(payload));
    };
    const leave = this.onCall(call, answer, true);
    if (leave !== null) this.#leaving.set(n, leave);
  }

  gone(n: number): void {
    this.#leaving.get(n)?.();
  }

  /** Runs a call once, whichever way and however often it comes within a minute. `moves`: the answer's payload leaves. */
  onCall(call: CallIn, answer: (answer: Answer) => void, moves: boolean): (() => void) | null {
    const { peer, callId } = call;
    const key = `${peer} ${callId}`;
    const kept = this.#replay.get(peer, callId, this.#now());
    if (kept !== null) {
      answer({ metadata: kept.metadata, payload: kept.payload?.slice() });
      return null;
    }
    const under = this.#calls.get(key);
    if (under !== undefined) {
      under.answer({ error: wayErrors.aborted() });
      under.answer = answer;
      return () => this.#leave(under, answer);
    }
    const registered = this.#methods.get(call.method);
    const countKey = runKey(peer, call.method);
    if (registered === undefined || !('handler' in registered.what)) {
      answer({ error: refusals.unknownMethod(call.method) });
      return null;
    }
    if (!this.#running.enter(countKey, registered.rules.maxConcurrent)) {
      answer({
        error: refusals.busy(`${registered.rules.maxConcurrent} calls of the method run for this peer`),
      });
      return null;
    }
    const begun: Begun = { answer, controller: new AbortController() };
    this.#calls.set(key, begun);
    void this.#run(call, registered.what, registered.minTier, begun.controller).then((given) => {
      this.#calls.delete(key);
      this.#running.leave(countKey);
      if (given.error === undefined) this.#replay.keep(peer, callId, given, this.#now(), moves);
      begun.answer(given);
    });
    return () => this.#leave(begun, answer);
  }

  /** Nobody waits for the answer, unless the call was asked again meanwhile. */
  #leave(begun: Begun, answer: Begun['answer']): void {
    if (begun.answer === answer)
      begun.controller.abort(new KithError('aborted', 'The peer left or its link ended.', { status: 499 }));
  }

  async #run(
    { peer, metadata, payload, deadlineMs }: CallIn,
    { handler }: Method,
    minTier: Tier,
    controller: AbortController,
  ): Promise<Answer> {
    const timer =
      deadlineMs === null
        ? undefined
        : setTimeout(
            () =>
              controller.abort(new KithError('swarm_timeout', 'The caller waits no more.', { status: 504 })),
            deadlineMs,
          );
    try {
      if (minTier !== 'unknown' && !(await this.#trust.has(peer, minTier)))
        return { error: refusals.denied() };
      const reply = await handler({ peer, metadata, payload, signal: controller.signal, deadlineMs });
      const bytes = alone(reply.payload);
      if (bytes !== undefined && bytes.length > MAX_PAYLOAD_BYTES)
        return { error: refusals.tooLarge(bytes.length, MAX_PAYLOAD_BYTES) };
      return {
        metadata: reply.metadata === undefined ? undefined : encodeMetadata(reply.metadata),
        payload: bytes,
      };
    } catch (error) {
      return { error: toWireError(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** A session that came through the swarm thread. */
  onSession({ s, peer, method, metadata }: Extract<ToNode, { k: 'session' }>): void {
    void this.#serve(this.open(s, peer, method, metadata), () => this.#post({ k: 'accept', s }));
  }

  /** A session that came over a lane. */
  readonly onLaneSession: Acceptor['onSession'] = ({ peer, method, metadata }, end, { accept }) => {
    const handle = new SessionHandle(
      peer,
      method,
      metadata,
      'lane',
      linkTo(() => end),
    );
    // The stream gets the events before anything happens.
    queueMicrotask(() => void this.#serve(handle, accept));
    return eventsTo(handle);
  };

  /** A session of this node with itself: whatever its tier, and beside the budgets of peers. */
  openOwn(peer: string, method: string, metadata: SessionHandle['metadata']): Promise<Session> {
    const [opener, acceptor] = ownSession(peer, method, metadata);
    return new Promise((resolve, reject) => {
      const refused = () => reject(opener.signal.reason);
      opener.signal.addEventListener('abort', refused, { once: true });
      void this.#serve(
        acceptor,
        () => {
          opener.signal.removeEventListener('abort', refused);
          resolve(opener);
        },
        true,
      );
    });
  }

  async #serve(handle: SessionHandle, accept: () => void, isOwn = false): Promise<void> {
    const { peer, method } = handle;
    const registered = this.#methods.get(method);
    if (registered === undefined || !('session' in registered.what)) {
      handle.fail(refusals.unknownMethod(method));
      return;
    }
    if (!isOwn && registered.minTier !== 'unknown' && !(await this.#trust.has(peer, registered.minTier))) {
      handle.fail(refusals.denied());
      return;
    }
    accept();
    try {
      await registered.what.session(handle);
      await handle.end();
    } catch (error) {
      handle.fail(toWireError(error));
    }
  }

  /** A session's handle, known by its number until it is over. */
  open(s: number, peer: string, method: string, metadata: SessionHandle['metadata']): SessionHandle {
    const handle = new SessionHandle(peer, method, metadata, 'stream', {
      send: (bytes, payload) => this.#post({ k: 'send', s, metadata: bytes, payload }, movable(payload)),
      consumed: (bytes) => this.#post({ k: 'consumed', s, bytes }),
      end: () => this.#post({ k: 'end', s }),
      cancel: (error) => this.#post({ k: 'cancel', s, error }),
    });
    this.#sessions.set(s, handle);
    return handle;
  }

  rules(method: string): MethodRules | undefined {
    return this.#methods.get(method)?.rules;
  }
}

export const LOST = {
  code: 'swarm_lost',
  message: 'The swarm thread ended while the call was under way. It starts again by itself: repeat the call.',
  status: 503,
} as const;
