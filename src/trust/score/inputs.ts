/**
 * What a score is computed from. Peers are named by their PeerId; times are ms since 1970.
 *
 * Two clocks: `wall` dates what others signed (credentials, endorsements); `steady` ages what this node saw, and does not
 * follow a jump of the wall clock before it has proved right (base/steady-time.ts).
 *
 * @module trust/score/inputs
 */
import type { CredentialType } from '../../identity/index.ts';
import type { Counted, IncidentKind } from '../types.ts';

export interface Times {
  readonly wall: number;
  readonly steady: number;
}

/** A credential that passed the identity room's pipeline. */
export interface HeldCredential {
  readonly digest: string;
  readonly type: CredentialType;
  /** DID. */
  readonly issuer: string;
  /** PeerId of the issuer's key. */
  readonly issuerPeer: string;
  readonly validFrom: number;
  /** Its own end, or that of its type's longest lifetime. */
  readonly validUntil: number;
  /** Until when its status is known; null when it has none to ask. */
  readonly statusUntil: number | null;
  /** Who answers for the node, as the issuer names them; null when it does not. */
  readonly operator: string | null;
}

/** Decayed sums of good and of bad, as they were at `at` (steady). */
export interface Counter {
  readonly good: number;
  readonly bad: number;
  readonly at: number;
}
export type Counters = Readonly<Partial<Record<Counted, Counter>>>;

export interface Incident {
  readonly kind: IncidentKind;
  /** Steady. */
  readonly at: number;
}

/** A credential that was taken back by its issuer, for the explanation alone. */
export interface EndedCredential {
  readonly type: CredentialType;
  /** DID. */
  readonly issuer: string;
  /** When this node learned of it (steady). */
  readonly at: number;
}

export interface Endorsement {
  readonly endorser: string;
  readonly endorsee: string;
  /** How often the endorser says it dealt with the endorsee. */
  readonly interactions: number;
  readonly from: number;
  /** Its end by its own dates, or when it was withdrawn if that is earlier. */
  readonly until: number;
  /** When this node first saw it (steady). */
  readonly seen: number;
}

/** Where the inputs are: the store of a node, or a simulation. */
export interface TrustSource {
  credentials(peerId: string): readonly HeldCredential[];
  observations(peerId: string): Counters;
  /** Newest first. */
  ended(peerId: string): readonly EndedCredential[];
  /** Its own and those of the keys it succeeded. */
  incidents(peerId: string): readonly Incident[];
  /** The peer that this key was handed over to; null: it is in use. */
  successor(peerId: string): string | null;
  /** Endorsements of this peer. */
  received(peerId: string): readonly Endorsement[];
  /** Endorsements by this peer. */
  given(peerId: string): readonly Endorsement[];
  /** Endorsements by the keys it succeeded: they vouch for nobody now, but their losses are shared still. */
  givenBefore(peerId: string): readonly Endorsement[];
}
