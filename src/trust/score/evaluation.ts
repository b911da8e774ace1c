/**
 * Scores of peers at one moment, from a source of inputs. Nothing here knows disk or network.
 *
 * Three steps, each only from the one before, so that nothing goes round: a peer's base (credentials without Throughput,
 * and what this node saw), by which Throughput's witnesses count; its standing `T0` (with Throughput), by which endorsers
 * count; its score.
 *
 * @module trust/score/evaluation
 */
import { reaches } from '../../base/index.ts';
import type { CredentialType } from '../../identity/index.ts';
import { PROFILES, type Profile, type Tier, type TrustScore } from '../types.ts';
import { accountabilityTerm, type SharedLoss, sharedLosses } from './accountability.ts';
import { type CredentialPart, credentialParts, credentialTerm, statusFactor } from './credentials.ts';
import { type Endorser, type EndorserPart, endorsementTerm, endorserParts } from './endorsements.ts';
import { explainTerms } from './explain.ts';
import { combine, type ScoreParts } from './formula.ts';
import type {
  Counters,
  EndedCredential,
  Endorsement,
  HeldCredential,
  Incident,
  Times,
  TrustSource,
} from './inputs.ts';
import { moderationTerm } from './moderation.ts';
import { agedAll, observationTerms } from './observations.ts';
import type { Ranks } from './rank.ts';
import { quarantineEnd, strikeTerm } from './strikes.ts';
import { tierOf } from './tiers.ts';

/** What the policy says, as far as scores need it. */
export interface ScorePolicy {
  accepts(issuer: string, type: CredentialType, at: number): boolean;
  readonly profile: Profile;
  readonly statusGraceDays: number;
}

export interface EvaluationOptions {
  readonly source: TrustSource;
  readonly policy: ScorePolicy;
  readonly times: Times;
  /** This node, whose own endorsements count like those of the most trusted; null in a simulation without one. */
  readonly self: string | null;
}

/** `T0` and its tier. */
export interface Standing {
  readonly score: number;
  readonly isVerified: boolean;
}

/** Everything that an explanation tells. */
export interface Working {
  readonly parts: ScoreParts;
  readonly counters: Counters;
  readonly credentialParts: readonly CredentialPart[];
  readonly endorserParts: readonly EndorserPart[];
  /** `E` */
  readonly endorsements: number;
  /** `b` */
  readonly bad: number;
  readonly incidents: readonly Incident[];
  readonly losses: readonly SharedLoss[];
  readonly witnesses: number;
  readonly ended: readonly EndedCredential[];
  readonly quarantineUntil: number | null;
  readonly successor: string | null;
  readonly times: Times;
}

interface Conduct {
  readonly credentials: readonly HeldCredential[];
  readonly counters: Counters;
  readonly incidents: readonly Incident[];
  readonly quarantineUntil: number | null;
  readonly successor: string | null;
}

interface Vouching {
  readonly endorses: number;
  readonly accountability: number;
  readonly losses: readonly SharedLoss[];
}

export class Evaluation {
  readonly #options: EvaluationOptions;
  readonly #incidents = new Map<string, readonly Incident[]>();
  readonly #conduct = new Map<string, Conduct>();
  readonly #bases = new Map<string, Standing>();
  readonly #standings = new Map<string, Standing>();
  readonly #vouching = new Map<string, Vouching>();

  constructor(options: EvaluationOptions) {
    this.#options = options;
  }

  /** Forgets what was worked out of one peer, after an observation of it. */
  forget(peerId: string): void {
    this.#conduct.delete(peerId);
    this.#bases.delete(peerId);
    this.#standings.delete(peerId);
  }

  /** `T0`: by credentials and own observations alone. */
  standing(peerId: string): Standing {
    return remembered(this.#standings, peerId, () => {
      if (peerId === this.#options.self) return { score: 1, isVerified: true };
      return this.#standingWith(peerId, this.#witnesses(peerId));
    });
  }

  /** Credentials of a peer that count now. */
  credentials(peerId: string): readonly HeldCredential[] {
    return this.#of(peerId).credentials;
  }

  score(peerId: string, ranks: Ranks): TrustScore {
    const working = this.workOut(peerId, ranks);
    const score = combine(working.parts);
    const isQuarantined = working.quarantineUntil !== null;
    const judged = Object.fromEntries(
      PROFILES.map((profile) => [profile, tierOf(score, profile, this.credentials(peerId), isQuarantined)]),
    ) as Record<Profile, ReturnType<typeof tierOf>>;
    const { tier, gates } = judged[this.#options.policy.profile];
    const handedOver = working.successor === null ? [] : [`handed over to ${working.successor}`];
    return {
      peerId,
      score,
      tier,
      gates: [...handedOver, ...gates],
      tiers: Object.fromEntries(PROFILES.map((profile) => [profile, judged[profile].tier])) as Record<
        Profile,
        Tier
      >,
      terms: explainTerms(working),
      quarantineUntil: working.quarantineUntil,
    };
  }

  workOut(peerId: string, ranks: Ranks): Working {
    const { counters, incidents, quarantineUntil, successor, credentials } = this.#of(peerId);
    const { times, policy } = this.#options;
    const witnesses = this.#witnesses(peerId);
    const parts = credentialParts(credentials, witnesses, times.wall, policy.statusGraceDays);
    // The key is no longer its node's: neither what others say of it nor what was seen of it is about who holds it now.
    const endorsers = successor === null ? endorserParts(this.#endorsers(peerId)) : [];
    const endorsements = endorsementTerm(endorsers);
    const { rating, confidence } = observationTerms(counters);
    const moderation = moderationTerm(counters);
    const vouching = this.#vouchingOf(peerId);
    return {
      parts: {
        credentials: credentialTerm(parts, endorsements),
        observations: rating,
        confidence,
        rank: successor === null ? ranks.strength(peerId) : 0,
        moderation: moderation.factor,
        strikes: strikeTerm(incidents, times.steady),
        accountability: vouching.accountability,
      },
      counters,
      credentialParts: parts,
      endorserParts: endorsers,
      endorsements,
      bad: moderation.bad,
      incidents,
      losses: vouching.losses,
      witnesses,
      ended: this.#options.source.ended(peerId),
      quarantineUntil,
      successor,
      times,
    };
  }

  /** Endorsements that count for ranks: in force, by Verified peers. */
  edgesOf(endorser: string): readonly string[] {
    if (!this.standing(endorser).isVerified) return [];
    return active(this.#options.source.given(endorser), this.#options.times.wall).map(
      ({ endorsee }) => endorsee,
    );
  }

  /** True for peers whose good conduct this node saw itself, long enough to start ranks from them. */
  isProven(peerId: string): boolean {
    const { counters, incidents } = this.#of(peerId);
    const audit = counters.audit;
    if (audit === undefined || audit.good < PROVEN_AUDITS || incidents.length > 0) return false;
    return moderationTerm(counters).bad <= PROVEN_BAD && this.standing(peerId).isVerified;
  }

  #of(peerId: string): Conduct {
    return remembered(this.#conduct, peerId, () => {
      const { source, policy, times } = this.#options;
      const incidents = this.#incidentsOf(peerId);
      const end = quarantineEnd(incidents);
      const successor = source.successor(peerId);
      const isCounted = (credential: HeldCredential) =>
        credential.validFrom <= times.wall + CLOCK_LEEWAY_MS &&
        times.wall < credential.validUntil &&
        statusFactor(credential, times.wall, policy.statusGraceDays) > 0 &&
        policy.accepts(credential.issuer, credential.type, times.wall);
      return {
        credentials: successor === null ? source.credentials(peerId).filter(isCounted) : [],
        counters: successor === null ? agedAll(source.observations(peerId), times.steady) : {},
        incidents,
        quarantineUntil: end !== null && end > times.steady ? end : null,
        successor,
      };
    });
  }

  #incidentsOf(peerId: string): readonly Incident[] {
    return remembered(this.#incidents, peerId, () => this.#options.source.incidents(peerId));
  }

  #standingWith(peerId: string, witnesses: number): Standing {
    const { credentials, counters, incidents, quarantineUntil } = this.#of(peerId);
    const { times, policy } = this.#options;
    const { rating, confidence } = observationTerms(counters);
    const parts = credentialParts(credentials, witnesses, times.wall, policy.statusGraceDays);
    const score = combine({
      credentials: credentialTerm(parts, 0),
      observations: rating,
      confidence,
      rank: 0,
      moderation: moderationTerm(counters).factor,
      strikes: strikeTerm(incidents, times.steady),
      accountability: 1,
    });
    // By the gated profile whatever the policy's: who may vouch is no matter of taste.
    const { tier } = tierOf(score, 'default', credentials, quarantineUntil !== null);
    return { score, isVerified: reaches(tier, 'verified') };
  }

  /** Distinct Verified peers of different operators, none its own, that measured a peer's throughput. */
  #witnesses(peerId: string): number {
    const heard = new Set([peerId, ...this.#operators(peerId)]);
    let count = 0;
    for (const { type, issuerPeer } of this.#of(peerId).credentials) {
      if (type !== 'Throughput' || heard.has(issuerPeer)) continue;
      const base = remembered(this.#bases, issuerPeer, () => this.#standingWith(issuerPeer, 0));
      if (!base.isVerified && issuerPeer !== this.#options.self) continue;
      const operators = this.#operators(issuerPeer);
      if (operators.some((operator) => heard.has(operator))) continue;
      for (const name of [issuerPeer, ...operators]) heard.add(name);
      count++;
    }
    return count;
  }

  #endorsers(peerId: string): Endorser[] {
    const { source, times } = this.#options;
    const own = new Set([peerId, ...this.#operators(peerId)]);
    const out: Endorser[] = [];
    for (const { endorser, interactions } of active(source.received(peerId), times.wall)) {
      const standing = this.standing(endorser);
      const operators = this.#operators(endorser);
      if (!standing.isVerified || own.has(endorser) || operators.some((each) => own.has(each))) continue;
      const { endorses, accountability } = this.#vouchingOf(endorser);
      out.push({
        peerId: endorser,
        operators,
        standing: standing.score,
        endorses,
        accountability,
        interactions,
      });
    }
    return out;
  }

  #vouchingOf(peerId: string): Vouching {
    return remembered(this.#vouching, peerId, () => {
      const { source, times, self } = this.#options;
      const given = source.given(peerId);
      const all = [...given, ...source.givenBefore(peerId)];
      const losses = peerId === self ? [] : sharedLosses(all, (each) => this.#incidentsOf(each));
      return {
        endorses: new Set(active(given, times.wall).map(({ endorsee }) => endorsee)).size,
        accountability: accountabilityTerm(losses, times.steady),
        losses,
      };
    });
  }

  /** Names of who answers for a peer, by its credentials that count. */
  #operators(peerId: string): readonly string[] {
    return this.#of(peerId).credentials.flatMap(({ operator }) => operator ?? []);
  }
}

/** A credential may begin so much later than now, as in the identity room's pipeline. */
const CLOCK_LEEWAY_MS = 5 * 60_000;
export const PROVEN_AUDITS = 20;
const PROVEN_BAD = 0.05;

function active(endorsements: readonly Endorsement[], now: number): Endorsement[] {
  return endorsements.filter(({ from, until }) => from <= now + CLOCK_LEEWAY_MS && now < until);
}

function remembered<T>(memory: Map<string, T>, key: string, work: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = work();
  memory.set(key, made);
  return made;
}
