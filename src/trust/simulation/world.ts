/**
 * A community in memory: peers, credentials, endorsements and incidents without keys or disk, scored by the same evaluation
 * as a node's.
 *
 * @module trust/simulation/world
 */
import { createSeededRandom, type Random } from '../../base/index.ts';
import type { CredentialType } from '../../identity/index.ts';
import { DAY_MS } from '../score/decay.ts';
import { Evaluation } from '../score/evaluation.ts';
import type {
  Counter,
  Counters,
  Endorsement,
  HeldCredential,
  Incident,
  TrustSource,
} from '../score/inputs.ts';
import { observed } from '../score/observations.ts';
import { type Ranks, rankPeers } from '../score/rank.ts';
import type { Counted, TrustScore } from '../types.ts';

export const START = Date.UTC(2026, 10, 21);
export const ISSUERS = ['issuer 1', 'issuer 2'] as const;

export class World implements TrustSource {
  readonly random: Random;
  now = START;
  /** Issuers that the policy accepts, for all types. */
  readonly accepted = new Set<string>(ISSUERS);
  /** Groups where ranks start: one, or three under the strict policy. */
  roots: readonly (readonly string[])[] = [[]];
  readonly #credentials = new Map<string, HeldCredential[]>();
  readonly #counters = new Map<string, Partial<Record<Counted, Counter>>>();
  readonly #incidents = new Map<string, Incident[]>();
  readonly #received = new Map<string, Endorsement[]>();
  readonly #given = new Map<string, Endorsement[]>();

  constructor(seed: number) {
    this.random = createSeededRandom(seed);
  }

  credentials = (peer: string): readonly HeldCredential[] => this.#credentials.get(peer) ?? [];
  observations = (peer: string): Counters => this.#counters.get(peer) ?? {};
  incidents = (peer: string): readonly Incident[] => this.#incidents.get(peer) ?? [];
  received = (peer: string): readonly Endorsement[] => this.#received.get(peer) ?? [];
  given = (peer: string): readonly Endorsement[] => this.#given.get(peer) ?? [];
  givenBefore = (): readonly Endorsement[] => [];
  ended = (): readonly never[] => [];
  successor = (): null => null;

  vouch(peer: string, type: CredentialType, ageDays = 0, issuer: string = ISSUERS[0]): void {
    listIn(this.#credentials, peer).push({
      digest: `${peer} ${type} ${issuer} ${ageDays}`,
      type,
      issuer,
      issuerPeer: issuer,
      validFrom: this.now - ageDays * DAY_MS,
      // Lifetimes are the identity room's to hold; here credentials stay as long as an attacker could renew them.
      validUntil: Number.POSITIVE_INFINITY,
      statusUntil: null,
      operator: null,
    });
  }

  /** VerifiedNode and Uptime: Verified without having been seen. */
  verify(peer: string, ageDays = 0): void {
    this.vouch(peer, 'VerifiedNode', ageDays, ISSUERS[0]);
    this.vouch(peer, 'Uptime', ageDays, ISSUERS[1]);
  }

  /** FiduciaryPledge, VerifiedNode and Uptime from two issuers, new. */
  makeTrio(peer: string): void {
    this.verify(peer);
    this.vouch(peer, 'FiduciaryPledge', 0, ISSUERS[1]);
  }

  /** Takes all credentials of a peer away, before it gets new ones. */
  renew(peer: string): void {
    this.#credentials.delete(peer);
  }

  endorse(endorser: string, endorsee: string, interactions = 20): void {
    const row = {
      endorser,
      endorsee,
      interactions,
      from: this.now,
      until: Number.POSITIVE_INFINITY,
      seen: this.now,
    };
    listIn(this.#given, endorser).push(row);
    listIn(this.#received, endorsee).push(row);
  }

  /** Ends every endorsement. */
  silence(at: number): void {
    for (const list of [...this.#given.values(), ...this.#received.values()])
      for (const [i, row] of list.entries()) list[i] = { ...row, until: at };
  }

  observe(peer: string, dimension: Counted, x: number): void {
    const counters = this.#counters.get(peer) ?? {};
    counters[dimension] = observed(counters[dimension], x, this.now);
    this.#counters.set(peer, counters);
  }

  strike(peer: string): void {
    listIn(this.#incidents, peer).push({ kind: 'recomputed', at: this.now });
  }

  /** Scores of all that are asked of the result, at this moment. */
  judge(): (peer: string) => TrustScore {
    const evaluation = new Evaluation({
      source: this,
      policy: {
        accepts: (issuer) => this.accepted.has(issuer),
        profile: 'default',
        statusGraceDays: 7,
      },
      times: { wall: this.now, steady: this.now },
      self: null,
    });
    const ranks = this.#rank(evaluation);
    return (peer) => evaluation.score(peer, ranks);
  }

  #rank(evaluation: Evaluation): Ranks {
    const edges: [string, string][] = [];
    for (const endorser of this.#given.keys())
      for (const endorsee of evaluation.edgesOf(endorser)) edges.push([endorser, endorsee]);
    return rankPeers({
      groups: this.roots,
      edges,
      isVerified: (peer) => evaluation.standing(peer).isVerified,
    });
  }
}

/** Peers of a kind by number: `honest 7`. */
export function named(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind} ${i}`);
}

export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.float() * list.length)]!;
}

/** `count` different ones. */
export function someOf<T>(random: Random, list: readonly T[], count: number): T[] {
  const left = [...list];
  for (let i = 0; i < Math.min(count, left.length); i++) {
    const j = i + Math.floor(random.float() * (left.length - i));
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left.slice(0, count);
}

export interface Community {
  readonly world: World;
  readonly roots: readonly string[];
  /** With VerifiedNode and Uptime, roots among them. */
  readonly verified: readonly string[];
  /** Honest, without any credential. */
  readonly strangers: readonly string[];
}

export interface CommunityOptions {
  readonly seed: number;
  /** @default 1000 */
  readonly honest?: number;
  /** @default 20 */
  readonly roots?: number;
  /** Three groups of roots instead of one. @default false */
  readonly strict?: boolean;
}

/** Part of the honest that is Verified. */
const VERIFIED_SHARE = 0.8;
/** Endorsements that each Verified peer gives. */
const GIVEN = 15;

/** An honest community: half of it Verified, the rest without credentials; Verified peers endorse whom they met. */
export function honestCommunity({
  seed,
  honest = 1000,
  roots: count = 20,
  strict = false,
}: CommunityOptions): Community {
  const world = new World(seed);
  const all = named('honest', honest);
  const verified = all.slice(0, honest * VERIFIED_SHARE);
  const strangers = all.slice(honest * VERIFIED_SHARE);
  for (const peer of verified) world.verify(peer, world.random.float() * 60);
  for (const peer of verified) {
    const met = someOf(world.random, all, GIVEN + 1).filter((other) => other !== peer);
    for (const other of met.slice(0, GIVEN)) world.endorse(peer, other);
  }
  const roots = verified.slice(0, count);
  world.roots = strict ? [0, 1, 2].map((g) => roots.filter((_, i) => i % 3 === g)) : [roots];
  return { world, roots, verified, strangers };
}

function listIn<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key);
  if (list !== undefined) return list;
  const made: T[] = [];
  map.set(key, made);
  return made;
}
