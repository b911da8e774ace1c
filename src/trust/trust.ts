/**
 * The trust room at work: one policy, one store, and scores that are remembered until something changes them.
 *
 * A score is at most 10 s behind the clock, a rank at most 10 s behind the endorsements (more where working ranks out takes
 * so long that it would cost more than a fiftieth of the time). Policy and store may be changed by another process; that is
 * seen within a second.
 *
 * @module trust/trust
 */
import { type Clock, InputError, meetingOf } from '../base/index.ts';
import type { CredentialFacts } from '../identity/index.ts';
import {
  type Lost,
  type ObservationStore,
  openObservations,
  type RememberedPeer,
  type StoreOptions,
  type Succession,
} from './observations/store.ts';
import { openPolicy, type TrustPolicy } from './policy/policy.ts';
import { ROOT_GROUPS } from './policy/policy-text.ts';
import { Evaluation, PROVEN_AUDITS } from './score/evaluation.ts';
import type { TrustSource } from './score/inputs.ts';
import { NO_RANKS, type Ranks, rankPeers } from './score/rank.ts';
import type {
  Counted,
  IncidentKind,
  Meeting,
  PeerFacts,
  PeerRequirements,
  Tier,
  TrustScore,
} from './types.ts';

export interface TrustOptions {
  readonly home: string;
  readonly clock: Clock;
  /** PeerId of this node, whose endorsements count in full; null when it has none yet. */
  readonly self: string | null;
  /** @default as in observations/schema.ts */
  readonly limits?: StoreOptions['limits'];
}

export interface Trust extends Disposable {
  readonly policy: TrustPolicy;
  /** How far this node trusts a peer, and why. Peers that it never met have one too. */
  score(peerId: string): TrustScore;
  tier(peerId: string): Tier;
  /** Whether a peer may see a request that asks this of it, and each reason why not. */
  meets(peerId: string, requirements: PeerRequirements, facts: PeerFacts): Meeting;
  /**
   * Notes what was seen of a peer: `x` from 0 (bad) to 1 (good), of `conduct` always 0. `weight`: how much of an observation
   * it is, above 0 and up to 1, such as the confidence of an audit. Throws InputError `observation_invalid`.
   *
   * @param weight @default 1
   */
  observe(peerId: string, dimension: Counted, x: number, weight?: number): void;
  /**
   * Notes confirmed misconduct. `evidence` names it (a digest of what proves it): the same counts once. It is on the disk
   * when this returns. False when it was known. Throws InputError `observation_invalid`, LimitError `trust.peers`.
   */
  incident(peerId: string, kind: IncidentKind, evidence: string): boolean;
  /**
   * Takes a credential that the identity room verified just now. `statusUntil`: until when its status is known, ms; null
   * when it has none to ask. False when there is no room for it.
   */
  learn(facts: CredentialFacts, statusUntil?: number | null): boolean;
  /** A credential or endorsement was revoked or withdrawn; for cause, that is misconduct of who it is about. */
  end(digest: string, reason: 'withdrawn' | 'for_cause'): void;
  /** A key was handed over, as a statement says that both keys signed. Throws InputError `succession_circular`. */
  succeed(predecessor: string, successor: string): Succession;
  /** Forgets what was seen of a peer. Credentials and endorsements, which others signed, stay. */
  reset(peerId: string): Lost;
  /** How often this node dealt with a peer: the most observations of any one kind. */
  dealings(peerId: string): number;
  /** How many observations of one kind there were of a peer. */
  count(peerId: string, dimension: Counted): number;
  /** Digests of this node's own endorsements of a peer that are in force. */
  endorsing(peerId: string): readonly string[];
  /** Keys that were handed over to others, newest first: nobody ought to use them any more. */
  predecessors(most: number): readonly string[];
  /**
   * Ends this node's own endorsements of a peer, here and now. Others count what they have until it ends by its own date:
   * the latest of these, ms, or null when there was none.
   */
  unendorse(peerId: string): number | null;
  peers(): RememberedPeer[];
  close(): void;
}

const LOOK_EVERY_MS = 1000;
const SCORE_AGE_MS = 10_000;
const RANK_AGE_MS = 10_000;
/** Without a change, ranks move only as endorsements end and standings age. */
const UNCHANGED_RANK_AGE_MS = 300_000;
/** Ranks take at most this share of the time. */
const RANK_SHARE = 0.02;
const MAX_SCORES = 8192;
const MAX_EVIDENCE_CHARS = 128;

/** Throws InputError `trust_policy_invalid`, and KithError of base/sqlite when the store cannot be used. */
export function openTrust(options: TrustOptions): Trust {
  const policy = openPolicy(options.home);
  return new LocalTrust(options, policy, openObservations(options));
}

class LocalTrust implements Trust {
  readonly policy: TrustPolicy;
  readonly #clock: Clock;
  readonly #self: string | null;
  readonly #store: ObservationStore;
  readonly #scores = new Map<string, TrustScore>();
  #evaluation: Evaluation | null = null;
  #evaluatedAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #version = 0;
  #ranks: Ranks = NO_RANKS;
  #ranksAreOld = true;
  #ranksNotBefore = Number.NEGATIVE_INFINITY;

  constructor({ clock, self }: TrustOptions, policy: TrustPolicy, store: ObservationStore) {
    this.policy = policy;
    this.#clock = clock;
    this.#self = self;
    this.#store = store;
  }

  score(peerId: string): TrustScore {
    const evaluation = this.#current();
    const known = this.#scores.get(peerId);
    if (known !== undefined) return known;
    const score = evaluation.score(peerId, this.#ranks);
    if (this.#scores.size >= MAX_SCORES) this.#scores.clear();
    this.#scores.set(peerId, score);
    return score;
  }

  tier(peerId: string): Tier {
    return this.score(peerId).tier;
  }

  meets(peerId: string, requirements: PeerRequirements, facts: PeerFacts): Meeting {
    const score = () => this.score(peerId);
    const hasPledge = () => this.#hasPledge(peerId);
    return meetingOf(requirements, facts, {
      get tier() {
        return score().tier;
      },
      get score() {
        return score().score;
      },
      get pledge() {
        return hasPledge();
      },
    });
  }

  observe(peerId: string, dimension: Counted, x: number, weight = 1): void {
    if (!(x >= 0 && x <= 1))
      throw invalid(`An observation of ${dimension} is a number from 0 to 1, not ${x}.`);
    if (dimension === 'conduct' && x !== 0)
      throw invalid('An observation of conduct is 0: it has no good side.');
    if (!(weight > 0 && weight <= 1))
      throw invalid(`The weight of an observation is above 0 and at most 1, not ${weight}.`);
    this.#change(() => this.#store.observe(peerId, dimension, x, weight));
    this.#evaluation?.forget(peerId);
    this.#scores.delete(peerId);
  }

  incident(peerId: string, kind: IncidentKind, evidence: string): boolean {
    if (evidence.length === 0 || evidence.length > MAX_EVIDENCE_CHARS)
      throw invalid(`Evidence is named by 1 to ${MAX_EVIDENCE_CHARS} characters, such as a digest.`);
    return this.#changeAll(() => this.#store.incident(peerId, kind, evidence));
  }

  learn(facts: CredentialFacts, statusUntil: number | null = null): boolean {
    return this.#changeAll(() => this.#store.learn(facts, statusUntil));
  }

  end(digest: string, reason: 'withdrawn' | 'for_cause'): void {
    const about = this.#changeAll(() => this.#store.end(digest));
    if (about !== null && reason === 'for_cause') this.incident(about, 'revoked_for_cause', digest);
  }

  succeed(predecessor: string, successor: string): Succession {
    return this.#changeAll(() => this.#store.succeed(predecessor, successor));
  }

  reset(peerId: string): Lost {
    return this.#changeAll(() => this.#store.reset(peerId));
  }

  dealings(peerId: string): number {
    return this.#store.dealings(peerId);
  }

  count(peerId: string, dimension: Counted): number {
    return this.#store.count(peerId, dimension);
  }

  endorsing(peerId: string): readonly string[] {
    if (this.#self === null) return [];
    return this.#store.endorsements(this.#self, peerId).map(({ digest }) => digest);
  }

  predecessors(most: number): readonly string[] {
    return this.#store.predecessors(most);
  }

  unendorse(peerId: string): number | null {
    const own = this.#self === null ? [] : this.#store.endorsements(this.#self, peerId);
    for (const { digest } of own) this.end(digest, 'withdrawn');
    return own.at(-1)?.until ?? null;
  }

  peers(): RememberedPeer[] {
    return this.#store.peers();
  }

  close(): void {
    this.#store[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The evaluation of now. */
  #current(): Evaluation {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      const isOtherPolicy = this.policy.refresh();
      const version = this.#store.version();
      if (isOtherPolicy || version !== this.#version) this.#forgetAll();
      if (isOtherPolicy) this.#ranksNotBefore = now;
      this.#version = version;
    }
    if (this.#evaluation !== null && now - this.#evaluatedAt < SCORE_AGE_MS) return this.#evaluation;
    this.#scores.clear();
    this.#evaluatedAt = now;
    this.#evaluation = this.#evaluate(this.#store.source);
    if (this.#ranksAreOld || now >= this.#ranksNotBefore + UNCHANGED_RANK_AGE_MS) this.#rank(now);
    return this.#evaluation;
  }

  #evaluate(source: TrustSource): Evaluation {
    return new Evaluation({
      source,
      policy: this.policy,
      times: this.#store.times(),
      self: this.#self,
    });
  }

  #rank(now: number): void {
    if (now < this.#ranksNotBefore) return;
    const evaluation = this.#evaluate(this.#store.snapshot());
    const vouched = this.#store.vouched();
    const endorsers = new Set(vouched);
    const starts = this.#store.audited(PROVEN_AUDITS).filter((peer) => evaluation.isProven(peer));
    if (this.#self !== null && evaluation.edgesOf(this.#self).length > 0) {
      endorsers.add(this.#self);
      starts.push(this.#self);
    }
    const { roots, strict } = this.policy;
    const groups = strict
      ? Array.from({ length: ROOT_GROUPS }, (_, i) => roots.filter(({ group }) => group === i + 1))
      : [roots];
    this.#ranks = rankPeers({
      groups: groups.map((group) => [...new Set([...group.map(({ peerId }) => peerId), ...starts])]),
      edges: edgesOf(evaluation, endorsers),
      isVerified: (peer) =>
        peer === this.#self || (vouched.has(peer) && evaluation.standing(peer).isVerified),
    });
    this.#ranksAreOld = false;
    const took = this.#clock.monotonic() - now;
    this.#ranksNotBefore = now + Math.max(RANK_AGE_MS, took / RANK_SHARE);
  }

  #hasPledge(peerId: string): boolean {
    return this.#current()
      .credentials(peerId)
      .some(({ type }) => type === 'FiduciaryPledge');
  }

  /** A change of this process, which its own next look need not see as somebody else's. */
  #change<T>(work: () => T): T {
    const before = this.#store.version();
    const result = work();
    if (before === this.#version) this.#version = this.#store.version();
    return result;
  }

  #changeAll<T>(work: () => T): T {
    try {
      return this.#change(work);
    } finally {
      this.#forgetAll();
    }
  }

  #forgetAll(): void {
    this.#evaluation = null;
    this.#scores.clear();
    this.#ranksAreOld = true;
  }
}

function* edgesOf(evaluation: Evaluation, endorsers: Iterable<string>): Iterable<readonly [string, string]> {
  for (const endorser of endorsers)
    for (const endorsee of evaluation.edgesOf(endorser)) yield [endorser, endorsee];
}

function invalid(message: string): InputError {
  return new InputError('observation_invalid', message);
}
