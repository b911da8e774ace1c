/**
 * The owner's side of one session at a shard: counts what the shard was given, checks its accounts against that and signs them,
 * or says why not.
 *
 * Until a shard of the path is replaced the owner knows each count exactly: every shard of a path computes the same steps. Of
 * shards that get steps again from another shard he knows only how many they can have been, and takes what is not more.
 *
 * @module shards/work/used
 */
import type { Accounting } from '../wire/account.ts';
import { digestOf, PayloadChain } from './chain.ts';
import { isSignedBy, nameOf, readWork, type WorkFacts } from './receipt.ts';
import type { ServedStep } from './served.ts';
import type { Account, Work, WorkSession } from './types.ts';
import { combined, NO_WORK, rowsOf, workOf } from './types.ts';

/** Steps since the last account of which the counts are kept. Shards account for 1024 at most. */
const MAX_POINTS = 2048;
/** Accounts that do not hold, of one session, until the rest is not looked at. */
const MAX_REFUSED = 3;
/** What a shard's ms may pass the time that went by here: clocks differ by less. */
const SLACK = { share: 1.02, ms: 1000 };

/** What was given to the shard up to one step. */
interface Point extends Work {
  /** Over the payloads that it was sent; null where another shard sends them. */
  readonly received: Uint8Array | null;
}

/** What a session at a shard is counted by, at the owner. Nothing here throws or waits. */
export interface UsedWork {
  /** A step is on its way through the path. @param payload as the first shard gets it; null for the others */
  sent(step: ServedStep, payload: Uint8Array | null): void;
  /** Rows came back from the last shard. */
  got(n: number, payload: Uint8Array): void;
  /** The shard may get up to so much again from another shard. */
  mayRepeat(work: Work): void;
  /** What to answer to a message about work; null for nothing. */
  answer(message: Accounting): Accounting | null;
}

/** What `UsedWork` needs of the book. */
export interface UsedParts {
  readonly session: WorkSession;
  /** PeerId of this node. */
  readonly owner: string;
  /** Monotonic ms. */
  readonly monotonic: () => number;
  /** Keeps it, signed or disputed. What to tell the shard; null when nothing could be kept. */
  readonly keep: (account: Account, facts: WorkFacts, dispute: string | null) => Accounting | null;
  /** An account does not hold. @param isForged no sound shard would say that */
  readonly onRefused: (why: string, isForged: boolean) => void;
}

export function useWork(parts: UsedParts): UsedWork {
  const { session, owner, monotonic } = parts;
  const opened = monotonic();
  const digest = digestOf(session.session);
  const sentChain = new PayloadChain();
  const gotChain = new PayloadChain();
  let given: Work = NO_WORK;
  /** After each step; the first is that of the last account. Steps before it are settled. */
  let points: Point[] = [{ ...NO_WORK, received: sentChain.value }];
  let claimed: Work = NO_WORK;
  let claimedMs = 0;
  /** What may have been computed beside `given`; null as long as nothing may. */
  let again: Work | null = null;
  let isLast = false;
  let part = 0;
  let refused = 0;

  /** Why an account of this session does not add up; null when it does. */
  const faultIn = (facts: WorkFacts): string | null => {
    const total = combined(claimed, facts);
    claimed = total;
    claimedMs += facts.ms;
    const passed = monotonic() - opened;
    const most = passed * SLACK.share + SLACK.ms;
    const isLate = claimedMs > most || facts.ended - facts.begun > most;
    const lateness = isLate ? 'it names more ms than went by' : null;
    if (again !== null) {
      const bound = combined(given, again);
      const isMore =
        total.prompt + total.decode > bound.prompt + bound.decode ||
        total.replayed > bound.replayed ||
        total.steps > bound.steps;
      return isMore ? 'it has more rows or steps than the shard can have been given' : lateness;
    }
    const at = points.findIndex(({ steps }) => steps === total.steps);
    if (at < 0) return 'its steps are not those that the shard was given';
    const before = points[0]!;
    const point = points[at]!;
    points = points.slice(at);
    const own = combined(point, before, -1);
    if (own.prompt !== facts.prompt || own.decode !== facts.decode || own.replayed !== facts.replayed)
      return `it has ${rowsOf(facts)} rows and the shard was given ${rowsOf(own)}, or of other kinds`;
    if (point.received !== null && Buffer.compare(point.received, facts.received) !== 0)
      return 'its chain of what it received is not that of what was sent';
    // What came before the account is all that the shard had sent by then.
    if (isLast && Buffer.compare(gotChain.value, facts.sent) !== 0)
      return 'its chain of what it sent is not that of what came';
    return lateness;
  };

  const refuse = (why: string): null => {
    refused++;
    parts.onRefused(why, true);
    return null;
  };

  /** What is wrong with it whatever was computed; null when it is this shard's word about this session. */
  const strangeness = (account: Account, facts: WorkFacts): string | null => {
    if (facts.shard !== session.peer || facts.owner !== owner) return 'it names other nodes than the two';
    if (Buffer.compare(facts.session, digest) !== 0) return 'it is of another session';
    if (facts.model !== session.model || facts.from !== session.from || facts.to !== session.to)
      return 'it is of other blocks';
    if (!isSignedBy(session.peer, account.receipt, account.signature))
      return 'its signature is not that of the shard';
    return null;
  };

  return {
    sent(step, payload) {
      given = combined(given, workOf(step));
      if (payload !== null) sentChain.add(step.n, digestOf(payload));
      // A first shard that is another's substitute is told all by the owner, so that its counts stay exact.
      if (again === null) points.push({ ...given, received: payload === null ? null : sentChain.value });
      // The counts of the last account stay, whatever happens: an account of what is not known any more is disputed.
      if (points.length > MAX_POINTS) points.splice(1, 1);
    },
    got(n, payload) {
      if (!Number.isSafeInteger(n) || n < 0) return;
      isLast = true;
      gotChain.add(n, digestOf(payload));
    },
    mayRepeat(work) {
      again = combined(again ?? NO_WORK, work);
      points = [];
    },
    answer(message) {
      if (message.k !== 'account' || refused >= MAX_REFUSED) return null;
      const account: Account = { receipt: message.receipt, signature: message.signature };
      let facts: WorkFacts;
      try {
        facts = readWork(account.receipt);
      } catch {
        return refuse('it is no receipt');
      }
      const strange = strangeness(account, facts);
      if (strange !== null) return refuse(strange);
      if (facts.part !== part + 1) {
        // A part for a second time: the same bytes, to which the answer was lost, or another story.
        if (facts.part <= part) {
          refused++;
          return parts.keep(account, facts, 'it is of a part that has a receipt');
        }
        return refuse('it leaves out a part of the session');
      }
      part = facts.part;
      const fault = faultIn(facts);
      if (fault !== null) refused++;
      const answer = parts.keep(account, facts, fault);
      if (fault !== null) parts.onRefused(fault, false);
      return answer ?? { k: 'disputed', name: nameOf(account.receipt), what: 'it could not be kept' };
    },
  };
}
