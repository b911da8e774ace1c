/**
 * The shard's side of one session: counts what it computed and says so, now and then and at the end. What the owner has not
 * signed by then stays as a half.
 *
 * @module shards/work/served
 */
import type { CarriedPart } from '../../engine/index.ts';
import type { Accounting } from '../wire/account.ts';
import { digestOf, PayloadChain } from './chain.ts';
import { isSignedBy, nameOf } from './receipt.ts';
import type { Account, Work, WorkSession } from './types.ts';
import { combined, NO_WORK, rowsOf, workOf } from './types.ts';

/** When an account is sent though the session goes on. */
export interface AccountLimits {
  /** @default 4096 */
  readonly rows: number;
  /** @default 1024 */
  readonly steps: number;
  /** ms since the first step that has no account yet. @default 120_000 */
  readonly ms: number;
}

export const ACCOUNT_LIMITS: AccountLimits = { rows: 4096, steps: 1024, ms: 120_000 };

/** ms until it is tried again after a receipt could not be made: a full disk must not slow each step. */
const RETRY_MS = 30_000;
/** Accounts whose answers are waited for; of earlier ones it is too late. */
const MAX_UNANSWERED = 8;

export interface ServedStep {
  readonly n: number;
  readonly replay: boolean;
  readonly parts: readonly CarriedPart[];
}

/** What a session is counted by, at a shard. Nothing here throws or waits: the session must not suffer from it. */
export interface ServedWork extends Disposable {
  /** A step came, in this payload. */
  took(step: ServedStep, payload: Uint8Array): void;
  /** Something is about to go on, to the next shard or back to the owner. */
  sends(n: number, payload: Uint8Array): void;
  /** A step that came was computed, in the order in which they came. What of it went on was told before. */
  did(step: ServedStep): void;
  /** What to send when so much was done since the last account; nothing otherwise. */
  due(): readonly Accounting[];
  /** What to send to a message of the owner. */
  answer(message: Accounting): readonly Accounting[];
}

/** What `ServedWork` needs of the book. */
export interface ServedParts {
  readonly session: WorkSession;
  readonly limits: AccountLimits;
  /** Monotonic ms. */
  readonly monotonic: () => number;
  /** Makes, signs and keeps the receipt of a part of the session, as a half. Null when that failed. */
  readonly receiptOf: (part: PartOfSession) => Account | null;
  /** The owner's word on a half. */
  readonly settle: (name: Uint8Array, word: { signature: Uint8Array } | { reason: string }) => void;
}

export interface PartOfSession extends Work {
  readonly part: number;
  readonly ms: number;
  /** ms that passed while it was done. */
  readonly lasted: number;
  readonly received: Uint8Array;
  readonly sent: Uint8Array;
}

export function serveWork(parts: ServedParts): ServedWork {
  const { session, limits, monotonic } = parts;
  const received = new PayloadChain();
  const sentOn = new PayloadChain();
  const unanswered = new Map<string, Account>();
  /** Steps that are not computed yet: what came, and when. */
  const came = new WeakMap<ServedStep, { readonly digest: Uint8Array; readonly at: number }>();
  let work = NO_WORK;
  /** Monotonic, of the first step without an account. */
  let begun = 0;
  let busy = 0;
  /** Steps are under way side by side; each moment counts once. */
  let busyUntil = 0;
  let part = 0;
  let notBefore = Number.NEGATIVE_INFINITY;

  /** Of all that has none yet. */
  const account = (): Accounting[] => {
    if (work.steps === 0) return [];
    const done: PartOfSession = {
      ...work,
      part: part + 1,
      ms: Math.round(busy),
      lasted: Math.max(0, Math.round(monotonic() - begun)),
      received: received.value,
      sent: sentOn.value,
    };
    const made = parts.receiptOf(done);
    if (made === null) {
      // It comes with the next one.
      notBefore = monotonic() + RETRY_MS;
      return [];
    }
    part++;
    work = NO_WORK;
    // What was rounded off belongs to the next one.
    busy -= done.ms;
    unanswered.set(keyOf(nameOf(made.receipt)), made);
    if (unanswered.size > MAX_UNANSWERED) unanswered.delete(unanswered.keys().next().value!);
    return [{ k: 'account', ...made }];
  };

  return {
    took(step, payload) {
      came.set(step, { digest: digestOf(payload), at: monotonic() });
    },
    sends: (n, payload) => sentOn.add(n, digestOf(payload)),
    did(step) {
      const known = came.get(step);
      if (known === undefined) return;
      came.delete(step);
      const now = monotonic();
      if (work.steps === 0) begun = known.at;
      work = combined(work, workOf(step));
      busy += Math.max(0, now - Math.max(known.at, busyUntil));
      busyUntil = now;
      received.add(step.n, known.digest);
    },
    due() {
      if (work.steps === 0 || monotonic() < notBefore) return [];
      const isMuch = work.steps >= limits.steps || rowsOf(work) >= limits.rows;
      return isMuch || monotonic() - begun >= limits.ms ? account() : [];
    },
    answer(message) {
      if (message.k === 'settle') return [...account(), { k: 'settled' }];
      if (message.k !== 'signed' && message.k !== 'disputed') return [];
      const key = keyOf(message.name);
      const known = unanswered.get(key);
      if (known === undefined) return [];
      unanswered.delete(key);
      if (message.k === 'disputed') parts.settle(message.name, { reason: message.what });
      else if (isSignedBy(session.peer, known.receipt, message.signature))
        parts.settle(message.name, { signature: message.signature });
      else parts.settle(message.name, { reason: 'its signature is not that of the owner' });
      return [];
    },
    [Symbol.dispose]() {
      // Nobody is there to sign it: it stays a half.
      account();
    },
  };
}

/** For a node that counts nothing. */
export const UNCOUNTED: ServedWork = {
  took: () => {},
  sends: () => {},
  did: () => {},
  due: () => [],
  answer: ({ k }) => (k === 'settle' ? [{ k: 'settled' }] : []),
  [Symbol.dispose]: () => {},
};

const keyOf = (name: Uint8Array): string => Buffer.from(name).toString('latin1');
